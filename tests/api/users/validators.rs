//! Our validators, compared with Django's: what Django refuses is refused.

use std::io::Write;
use std::process::{Command, Stdio};

use gatepost::users::validators;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::json;

use crate::harness::skip;

const TEXTS: usize = 20_000;

const SCRIPT: &str = "
import json, sys, unicodedata
from django.conf import settings
settings.configure()
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
validate = {'email': EmailValidator(), 'username': UnicodeUsernameValidator()}[sys.argv[1]]
def is_valid(text):
    # A character that Python does not know yet may be a letter.
    if any(unicodedata.category(c) == 'Cn' for c in text):
        return True
    try:
        validate(text)
        return True
    except ValidationError:
        return False
print(json.dumps([is_valid(text) for text in json.load(sys.stdin)]))
";

/// Whether Django takes each of the texts; `None` where it is not installed.
fn django(test: &str, validator: &str, texts: &[String]) -> Option<Vec<bool>> {
    let Some(python) = std::env::var_os("GATEPOST_TEST_DJANGO") else {
        skip(test, "Django (GATEPOST_TEST_DJANGO)");
        return None;
    };
    let mut child = Command::new(python)
        .args(["-c", SCRIPT, validator])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    child.stdin.take().expect("a pipe").write_all(json!(texts).to_string().as_bytes()).expect("Python reads");
    let output = child.wait_with_output().expect("Python ends");
    Some(serde_json::from_slice(&output.stdout).expect("a list"))
}

fn generated(strategy: impl Strategy<Value = String>) -> Vec<String> {
    let mut runner = TestRunner::deterministic();
    (0..TEXTS).map(|_| strategy.new_tree(&mut runner).expect("a text").current()).collect()
}

/// Domains that are nearly or quite right.
fn domain() -> impl Strategy<Value = String> {
    let label = prop_oneof![
        6 => "[a-zA-Z0-9\u{fc}\u{4f8b}]{1,8}",
        1 => "[a-z0-9_.\u{ad}-]{0,4}",
        1 => "(-a|a-|a--b|xn--[a-z0-9]{1,5})",
        1 => "a{62,65}",
    ];
    let top = prop_oneof![6 => "(com|example|\u{516c}\u{53f8}|co\\.uk)", 1 => "(c|c1|xn--p1ai|xn--1-2|-om|com\\.|com-|)", 1 => "[a-z0-9]{1,3}"];
    let name = (prop::collection::vec(label, 0..3), top)
        .prop_map(|(labels, top)| labels.into_iter().chain([top]).collect::<Vec<_>>().join("."));
    prop_oneof![
        10 => name,
        1 => "\\[[0-9a-f:.]{0,8}\\]",
        1 => "(localhost|Localhost|\\[127\\.0\\.0\\.1\\]|\\[::1\\]|\\[::ffff:1\\.2\\.3\\.4\\]|\\[01\\.2\\.3\\.4\\])",
    ]
}

#[test]
fn an_email_that_django_refuses_is_refused() {
    let local = prop_oneof![
        4 => "[a-zA-Z0-9+._'-]{1,8}",
        1 => "[a-z\u{e9}\u{142}]{1,5}",
        1 => "\"[a-z \\\\\"]{0,4}\"",
        1 => "[ -~]{0,5}",
    ];
    let email = (local, domain()).prop_map(|(local, domain)| format!("{local}@{domain}"));
    let emails = generated(prop_oneof![20 => email, 1 => "[a@.\\n -]{0,8}"]);
    // Letters beyond ASCII before the @ (RFC 6531) are taken here. Django gets others in their place.
    let for_django = emails.iter().map(|email| {
        let at = email.rfind('@').unwrap_or(0);
        let (local, domain) = email.split_at(at);
        format!("{}{domain}", local.replace(|c: char| !c.is_ascii(), "x"))
    });
    let for_django: Vec<String> = for_django.collect();
    let Some(valid) = django("an_email_that_django_refuses_is_refused", "email", &for_django) else { return };
    let mut taken = 0;
    for (email, is_valid) in emails.iter().zip(valid) {
        let errors = validators::email(email);
        assert!(is_valid || !errors.is_empty(), "{email:?} is no address for Django");
        taken += usize::from(errors.is_empty());
    }
    assert!((TEXTS / 5..TEXTS * 4 / 5).contains(&taken), "{taken} of {TEXTS} are taken");
}

#[test]
fn a_username_that_django_refuses_is_refused() {
    let every = (0..0x3_0000).filter_map(char::from_u32);
    let single: Vec<String> = every.map(|c| format!("a{c}b")).collect();
    let texts = [generated("[a-zA-Z0-9@.+_ /\u{e9}\u{661}\u{903}\u{24b6}-]{0,8}"), single].concat();
    let Some(valid) = django("a_username_that_django_refuses_is_refused", "username", &texts) else { return };
    let refused: Vec<&String> = texts
        .iter()
        .zip(valid)
        .filter(|(text, is_valid)| !is_valid && validators::username(text).is_empty())
        .map(|(text, _)| text)
        .collect();
    assert!(refused.is_empty(), "{} names are none for Django: {refused:?}", refused.len());
}
