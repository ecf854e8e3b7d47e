//! Form bodies: any input is parsed or refused, and parsing is stable.
#![no_main]

use form_urlencoded::Serializer;
use gatepost::api::parsers;
use gatepost::http::charset::Charset;
use gatepost::models::Input;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Ok(fields) = parsers::form(input, Charset::UTF_8) else { return };
    let mut again = Serializer::new(String::new());
    for (name, value) in &fields {
        let Input::Text { text, surrogate: None } = value else { panic!("{name:?} is {value:?}") };
        again.append_pair(name, text);
    }
    assert_eq!(parsers::form(again.finish().as_bytes(), Charset::UTF_8).expect("a form"), fields);
});
