//! The `Authorization` header: any number of values, one per line.
#![no_main]

use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use gatepost::cognito::Refusal;
use gatepost::cognito::authentication::bearer_token;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut headers = HeaderMap::new();
    for line in input.split(|byte| *byte == b'\n') {
        // Skip bytes that no header can contain.
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(AUTHORIZATION, value);
        }
    }
    match bearer_token(&headers) {
        Ok(token) => {
            assert_eq!(headers.get_all(AUTHORIZATION).count(), 1, "one token out of several headers");
            assert!(
                !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic() && byte != b','),
                "{token:?}"
            );
            // The same token results with and without the scheme.
            for value in [token.to_owned(), format!("Bearer {token}"), format!("bEARER  {token} ")] {
                let mut again = HeaderMap::new();
                again.append(AUTHORIZATION, HeaderValue::from_str(&value).expect("a token fits into a header"));
                assert_eq!(bearer_token(&again), Ok(token));
            }
        }
        Err(refusal) => {
            assert_eq!(refusal == Refusal::NoToken, headers.is_empty());
        }
    }
});
