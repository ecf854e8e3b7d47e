//! Form bodies: any input can be parsed, and parsing is stable.
#![no_main]

use form_urlencoded::Serializer;
use gatepost::api::parsers;
use gatepost::models::Input;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let fields = parsers::form(input);
    let mut again = Serializer::new(String::new());
    for (name, value) in &fields {
        let Input::Text { text, surrogate: None } = value else { panic!("{name:?} is {value:?}") };
        again.append_pair(name, text);
    }
    assert_eq!(parsers::form(again.finish().as_bytes()), fields);
});
