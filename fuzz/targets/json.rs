//! JSON bodies, compared with serde_json's own parser.
#![no_main]

use std::collections::BTreeMap;

use gatepost::api::parsers;
use gatepost::models::Input;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use serde_json::value::RawValue;

fuzz_target!(|input: &str| {
    let parsed = parsers::json(input);
    if parsed.is_ok() {
        assert!(serde_json::from_str::<&RawValue>(input).is_ok(), "what was accepted is JSON");
    }
    let Ok(members) = parsed else { return };
    // serde_json rejects some accepted input, such as unpaired surrogates.
    let Ok(expected) = serde_json::from_str::<BTreeMap<String, &RawValue>>(input) else { return };
    assert_eq!(members.len(), expected.len());
    for (name, raw) in expected {
        let found = members.get(&name).unwrap_or_else(|| panic!("{name:?} is missing"));
        // Not parsed as a `Value`: serde_json's floats may differ in the last bit.
        if let Ok(number) = raw.get().parse::<f64>() {
            match found {
                Input::Number(found) => assert_eq!(found.parse(), Ok(number), "{name:?}"),
                found => assert!(*found == Input::Other && number.is_infinite(), "{name:?} is {found:?}"),
            }
            continue;
        }
        match serde_json::from_str(raw.get()) {
            Ok(Value::String(text)) => assert_eq!(*found, Input::text(text)),
            Ok(Value::Null) => assert_eq!(*found, Input::Null),
            Ok(Value::Bool(flag)) => assert_eq!(*found, Input::Boolean(flag)),
            Ok(_) => assert_eq!(*found, Input::Other),
            Err(_) => {}
        }
    }
});
