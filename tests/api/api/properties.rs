//! What holds for any input: the readers of bodies, numbers, fields, `Accept` and list queries.

use std::cmp::Ordering;

use gatepost::api::pagination;
use gatepost::api::parsers::{form, json, python_number};
use gatepost::articles::api::ARTICLES;
use gatepost::http::charset::Charset;
use gatepost::http::compression::{Coding, from_accept_encoding};
use gatepost::http::media_type::MediaType;
use gatepost::http::negotiation::{self, Renderer};
use gatepost::http::trace_context;
use gatepost::models::list::{ListQuery, Page};
use gatepost::models::value::Value as FieldValue;
use gatepost::models::{Data, Field, Input};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::Value;

const NAME: Field = Field::char("name", 50);

/// Any JSON value, not too deep.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            btree_map(any::<String>(), inner, 0..6).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// Text that is likely to be almost JSON.
fn nearly_json() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just(":"),
        Just(","),
        Just("\"name\""),
        Just("\""),
        Just("\\"),
        Just("\\u"),
        Just("\\ud800"),
        Just("\\udc00"),
        Just("1"),
        Just("-"),
        Just("e9"),
        Just(".5"),
        Just("null"),
        Just("true"),
        Just(" "),
        Just("\u{0}"),
        Just("\u{feff}"),
        Just("é"),
    ];
    vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn the_json_reader_sees_the_members_that_serde_sees(value in value(), pretty: bool) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.expect("JSON");
        let Value::Object(members) = value else {
            let message = json(&text).expect_err("only an object has members").to_string();
            let kind = match value {
                Value::Null => "No data provided",
                Value::Bool(_) => "Invalid data. Expected a dictionary, but got bool.",
                Value::String(_) => "Invalid data. Expected a dictionary, but got str.",
                Value::Array(_) => "Invalid data. Expected a dictionary, but got list.",
                _ if text.contains(['.', 'e']) => "Invalid data. Expected a dictionary, but got float.",
                _ => "Invalid data. Expected a dictionary, but got int.",
            };
            prop_assert_eq!(message, format!("non_field_errors: {kind}"));
            return Ok(());
        };
        let data = json(&text).expect("the object is read");
        prop_assert_eq!(data.len(), members.len());
        for (name, value) in members {
            let expected = match value {
                Value::Null => Input::Null,
                Value::String(text) => Input::text(text),
                Value::Number(number) => {
                    let found = &data[&name];
                    let Input::Number(text) = found else { panic!("{found:?} for {number}") };
                    prop_assert_eq!(text.parse::<f64>().ok(), number.as_f64());
                    continue;
                }
                Value::Bool(flag) => Input::Boolean(flag),
                _ => Input::Other,
            };
            prop_assert_eq!(&data[&name], &expected);
        }
    }

    #[test]
    fn the_json_reader_takes_exactly_what_serde_takes(text in prop_oneof![nearly_json(), any::<String>()]) {
        let ours = json(&text);
        match serde_json::from_str::<Value>(&text) {
            Ok(Value::Object(members)) => {
                // Equal names within are the one thing that is refused beyond the grammar.
                let is_twice = ours.as_ref().is_err_and(|error| error.to_string().contains("occurs twice"));
                prop_assert!(is_twice || ours.is_ok_and(|data| data.len() == members.len()));
            }
            Ok(_) => prop_assert!(ours.is_err()),
            // serde refuses two things that Python takes: surrogates without a partner, and numbers beyond f64.
            Err(_) if text.contains("\\u") || text.contains('e') => {}
            Err(_) => prop_assert!(ours.is_err_and(|error| error.to_string().starts_with("JSON parse error - "))),
        }
    }

    #[test]
    fn a_lone_surrogate_is_found_and_counts_as_one_character(before in "[a-zé😀]{0,9}", surrogate in 0xd800u16..=0xdfff, after in "[a-zé]{0,9}") {
        let data = json(&format!(r#"{{"name":"{before}\u{surrogate:04x}{after}"}}"#)).expect("it is JSON");
        let expected = Input::Text { text: format!("{before}\u{fffd}{after}"), surrogate: Some(surrogate) };
        prop_assert_eq!(&data["name"], &expected);
        let data = json(&format!(r#"{{"name":"{before}\ud83d\ude00{after}"}}"#)).expect("it is JSON");
        prop_assert_eq!(&data["name"], &Input::text(format!("{before}😀{after}")));
    }

    #[test]
    fn a_float_is_written_as_python_writes_it(number in prop_oneof![any::<f64>(), -1e20..1e20, -1e-3..1e-3], form in 0..3) {
        prop_assume!(number.is_finite());
        let raw = match form {
            0 => format!("{number:e}"),
            1 => format!("{number:?}"),
            _ => format!("{number:.17E}"),
        };
        prop_assume!(raw.contains(['.', 'e', 'E']));
        let text = python_number(&raw).expect("a finite number");
        prop_assert_eq!(text.parse::<f64>().map(f64::to_bits), raw.parse::<f64>().map(f64::to_bits));
        // Python's repr: an exponent, of two digits at least and with a sign, below 1e-4 and from 1e16 on;
        // elsewhere a point with a digit after it.
        let size = raw.parse::<f64>().expect("a number").abs();
        match text.split_once('e') {
            Some((digits, exponent)) => {
                prop_assert!(size != 0.0 && !(1e-4..1e16).contains(&size), "{}", text);
                prop_assert!(exponent.starts_with(['+', '-']) && exponent.len() >= 3, "{}", text);
                prop_assert!(!digits.ends_with(".0"), "{}", text);
            }
            None => {
                prop_assert!(size == 0.0 || (1e-4..1e16).contains(&size), "{}", text);
                prop_assert!(text.split_once('.').is_some_and(|(_, fraction)| !fraction.is_empty()), "{}", text);
            }
        }
    }

    #[test]
    fn a_whole_number_stays_as_it_is(number in "-?[1-9][0-9]{0,60}") {
        prop_assert_eq!(python_number(&number), Some(number));
    }

    #[test]
    fn a_form_is_read_whatever_it_holds(body: Vec<u8>, pairs in btree_map(any::<String>(), any::<String>(), 0..5)) {
        if let Ok(read) = form(&body, Charset::UTF_8) {
            let as_browsers_do: Data = form_urlencoded::parse(&body).map(|(name, value)| (name.into_owned(), Input::text(value))).collect();
            prop_assert_eq!(read, as_browsers_do);
        }
        let mut written = form_urlencoded::Serializer::new(String::new());
        written.extend_pairs(&pairs);
        let read = form(written.finish().as_bytes(), Charset::UTF_8).expect("a form");
        let expected: Data = pairs.into_iter().map(|(name, value)| (name, Input::text(value))).collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn a_multipart_form_is_read_back_as_it_was_written(
        boundary in "[0-9A-Za-z'()+_,./:=?-]{1,70}",
        fields in vec(("[a-zé ]{1,5}", any::<bool>(), vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'-'), any::<u8>()], 0..40)), 0..5),
        around in "[a-z\r\n-]{0,10}",
    ) {
        let delimiter = format!("\r\n--{boundary}");
        let mut body = around.clone().into_bytes();
        for (name, is_file, content) in &fields {
            let file = if *is_file { "; filename=\"f\"" } else { "" };
            body.extend(format!("{delimiter}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n").into_bytes());
            body.extend(content);
        }
        body.extend(format!("{delimiter}--{around}").into_bytes());
        // A boundary that occurs elsewhere, or begins as the rest of such a place, is not one.
        let occurs = body.windows(delimiter.len()).filter(|window| *window == delimiter.as_bytes()).count();
        prop_assume!(occurs == fields.len() + 1 && !body.starts_with(&delimiter.as_bytes()[2..]));
        let input = |is_file: bool, content: &[u8]| match is_file {
            true => Some(Input::Other),
            false => str::from_utf8(content).ok().map(Input::text),
        };
        // Of bytes that are no text, nothing is read.
        let expected: Option<Data> = fields.iter().map(|(name, is_file, content)| Some((name.clone(), input(*is_file, content)?))).collect();
        prop_assert_eq!(multipart(&boundary, body).ok(), expected);
    }

    #[test]
    fn a_multipart_form_is_read_whatever_it_holds(
        pieces in vec(prop_oneof![
            Just("--b"), Just("\r\n"), Just("\r"), Just("\n"), Just("--"), Just("Content-Disposition: "), Just("form-data; name="),
            Just("\"x\""), Just("; filename*=utf-8''%ff"), Just(":"), Just(";"), Just("\\"), Just("\""), Just("é"), Just(" "),
        ], 0..30),
        bytes: Vec<u8>,
    ) {
        let _ = multipart("b", pieces.concat().into_bytes());
        let _ = multipart("b", [b"--b\r\nContent-Disposition: ", &bytes[..], b"\r\n\r\n\r\n--b--"].concat());
        let _ = multipart("c", bytes);
    }

    #[test]
    fn a_name_that_is_taken_is_clean(text in prop_oneof![any::<String>(), "[ \t\n\u{1c}\u{1f}\u{85}\u{a0}\u{3000}a\u{0}]{0,8}", "\\PC{45,55}"]) {
        let clean = |text: &str| NAME.clean(Some(&Input::text(text)), false);
        match clean(&text) {
            Ok(name) => {
                let Some(FieldValue::Text(name)) = name else { panic!("a name is required") };
                prop_assert!(text.contains(&name) && !name.is_empty() && name.chars().count() <= 50 && !name.contains('\0'));
                prop_assert!(!name.starts_with(char::is_whitespace) && !name.ends_with(char::is_whitespace));
                prop_assert_eq!(clean(&name), Ok(Some(FieldValue::Text(name))), "cleaning twice changes nothing");
            }
            Err(messages) => {
                prop_assert!(messages.iter().all(|message| !message.is_empty()) && !messages.is_empty());
                let is_blank = text.chars().all(|c| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c));
                prop_assert!(is_blank || text.chars().count() > 50 || text.contains('\0'), "{messages:?} for no reason");
            }
        }
    }

    #[test]
    fn accept_is_read_whatever_it_holds(text in prop_oneof![any::<String>(), "[a-z*/;=,q.0-9 \"-]{0,40}"]) {
        let _ = negotiation::from_accept(&text);
        prop_assert!(!negotiation::accept_wants_problem(&text), "nobody has asked for a problem by its name");
    }

    #[test]
    fn accept_encoding_is_read_whatever_it_holds(text in prop_oneof![any::<String>(), "[a-z*;=,q.0-9 -]{0,40}"]) {
        let (coding, _) = from_accept_encoding(&text);
        let is_named = ["br", "gzip", "*"].iter().any(|name| text.to_ascii_lowercase().contains(name));
        prop_assert!(is_named || coding == Coding::Identity, "{text}: {coding:?} was not asked for");
    }

    #[test]
    fn the_coding_is_the_one_with_the_greatest_quality(br in 0u16..=1000, gzip in 0u16..=1000, identity in 0u16..=1000) {
        let quality = |thousandths: u16| f32::from(thousandths) / 1000.0;
        let accept = format!("gzip;q={}, identity;q={},br;q={}", quality(gzip), quality(identity), quality(br));
        let expected = match br.max(gzip) {
            0 => Coding::Identity,
            most if identity > most => Coding::Identity,
            most if br == most => Coding::Brotli,
            _ => Coding::Gzip,
        };
        prop_assert_eq!(from_accept_encoding(&accept), (expected, identity > 0), "{}", accept);
    }

    #[test]
    fn a_trace_is_taken_from_what_has_its_form_and_from_nothing_else(
        text in prop_oneof![any::<String>(), "[0-9a-f]{2}-[0-9a-fA-F]{31,33}-[0-9a-f]{15,17}-[0-9a-f]{2}[-a-z]{0,3}"],
        trace in "[0-9a-f]{31}[1-9a-f]",
        parent in "[1-9a-f][0-9a-f]{15}",
        flags in "[0-9a-f]{2}",
    ) {
        if let Some(id) = trace_context::parse(&text) {
            prop_assert!(text.contains(&format!("-{id}-")), "{text}: {id}");
            prop_assert!(id.len() == 32 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')), "{id}");
        }
        let good = format!("00-{trace}-{parent}-{flags}");
        prop_assert_eq!(trace_context::parse(&good), Some(trace.as_str()));
        // No character can be left out, nor one be added.
        for at in 0..good.len() {
            let shorter = [&good[..at], &good[at + 1..]].concat();
            prop_assert_eq!(trace_context::parse(&shorter), None, "{}", shorter);
        }
        let longer = format!("{good}{text}-");
        prop_assert_eq!(trace_context::parse(&longer), None, "{}", longer);
    }

    #[test]
    fn the_rendering_is_the_one_with_the_greater_quality(json in 0u16..=1000, html in 0u16..=1000, swap: bool, indent in 0u8..=8) {
        let json_range = format!("application/json;indent={indent};q={}", f32::from(json) / 1000.0);
        let html_range = format!("text/html;q={}", f32::from(html) / 1000.0);
        let accept = if swap { format!("{html_range}, {json_range}") } else { format!("{json_range},{html_range}") };
        let expected = match (json, html) {
            (0, 0) => None,
            (json, html) if html > json => Some(Renderer::Html),
            _ => Some(Renderer::Json { indent }),
        };
        // Of two with one quality the more specific one is meant, else JSON; both are as specific here.
        prop_assert_eq!(negotiation::from_accept(&accept).ok(), expected, "{}", accept);
    }

    #[test]
    fn a_list_query_is_read_whatever_it_holds(text in prop_oneof![
        any::<String>(),
        "(limit|cursor|search|ordering)=[a-zA-Z0-9_%&=\"-]{0,30}",
    ]) {
        if let Ok(query) = pagination::parse(&text, &ARTICLES) {
            prop_assert!((1..=1000).contains(&query.limit));
            let fields: Vec<_> = query.order.iter().map(|order| order.field).collect();
            prop_assert!([&["id"][..], &["name", "id"]].contains(&&fields[..]), "{:?}", fields);
            prop_assert!(query.search.iter().all(|word| !word.is_empty() && !word.contains('\0')));
        }
    }

    #[test]
    fn every_word_of_a_search_comes_from_it(search in "[a-z \",\u{0}é%_]{0,40}") {
        let mut encoded = form_urlencoded::Serializer::new(String::new());
        encoded.append_pair("search", &search);
        let query = pagination::parse(&encoded.finish(), &ARTICLES).expect("a search of 40 characters");
        let search = search.replace('\0', "");
        prop_assert!(query.search.iter().all(|word| search.contains(word.as_str())), "{:?}", query.search);
        if !search.contains('"') {
            let words: Vec<&str> = search.split([' ', ',']).filter(|word| !word.is_empty()).collect();
            prop_assert_eq!(query.search, words);
        }
    }

    #[test]
    fn pages_cover_any_list_once_forth_and_back(
        names in vec("[ab]{0,2}", 0..30),
        limit in 1i64..8,
        order in prop::sample::select(vec!["id", "-id", "name", "-name", "name,-id", "-name,id", "-name,-id,name", "id,name", ",name, -id,"]),
    ) {
        let mut rows: Vec<(String, i64)> = names.into_iter().zip(1..).collect();
        let (by_name, by_name_down, by_id_down) =
            (order.contains("name") && order != "id,name", order.starts_with("-name"), order.contains("-id") || order == "-name");
        rows.sort_by(|(a, x), (b, y)| {
            let (names, ids) = (a.cmp(b), x.cmp(y));
            let names = if by_name { if by_name_down { names.reverse() } else { names } } else { Ordering::Equal };
            names.then(if by_id_down { ids.reverse() } else { ids })
        });
        let mut path = format!("limit={limit}&ordering={order}");
        let mut met = Vec::new();
        for relation in ["next", "prev"] {
            met.clear();
            loop {
                let page = page(&rows, &path);
                if relation == "next" { met.extend(page.rows.clone()) } else { met.splice(0..0, page.rows.clone()).for_each(drop) }
                prop_assert!(met.len() <= rows.len(), "a row came twice");
                let Some(link) = link(&page, &path, relation) else { break };
                path = link;
            }
            prop_assert_eq!(&met, &rows, "{}", relation);
        }
    }
}

/// A page of a list in memory, cut as a database would.
fn page(rows: &[(String, i64)], query: &str) -> Page<(String, i64)> {
    let query: ListQuery = pagination::parse(query, &ARTICLES).expect("a query of ours");
    let backwards = query.cursor.as_ref().is_some_and(|cursor| cursor.backwards);
    let compare = |a: &(String, i64), b: &(String, i64)| {
        let compared = query.order.iter().map(|order| {
            let ordering = if order.field == "name" { a.0.cmp(&b.0) } else { a.1.cmp(&b.1) };
            if order.descending != backwards { ordering.reverse() } else { ordering }
        });
        compared.fold(Ordering::Equal, Ordering::then)
    };
    let mut found: Vec<(String, i64)> = rows.to_vec();
    found.sort_by(compare);
    if let Some(cursor) = &query.cursor {
        let name = cursor.keys.first().map_or("", |key| key.as_str().expect("a name"));
        let at = (name.to_owned(), cursor.id);
        found.retain(|row| compare(row, &at) == Ordering::Greater);
    }
    found.truncate(query.limit as usize + 1);
    Page::new(&query, found, rows.len() as i64, |row| {
        (row.1, query.keys().map(|_| FieldValue::Text(row.0.clone())).collect())
    })
}

fn link<T>(page: &Page<T>, query: &str, relation: &str) -> Option<String> {
    let list = pagination::parse(query, &ARTICLES).expect("a query of ours");
    let links = pagination::link(page, &list, "/", query)?;
    let link = links.split(", ").find(|link| link.ends_with(&format!("rel=\"{relation}\"")))?;
    Some(link.split(['?', '>']).nth(1).expect("a query").to_owned())
}

#[test]
fn numbers_are_written_like_pythons_str() {
    for (json, python) in [
        ("1.50", "1.5"),
        ("1.0", "1.0"),
        ("-0", "0"),
        ("-0.0", "-0.0"),
        ("0e5", "0.0"),
        ("1e0", "1.0"),
        ("1E5", "100000.0"),
        ("1e15", "1000000000000000.0"),
        ("9999999999999998.0", "9999999999999998.0"),
        ("1e16", "1e+16"),
        ("12345678901234567890.0", "1.2345678901234567e+19"),
        ("1e100", "1e+100"),
        ("0.0001", "0.0001"),
        ("0.00001", "1e-05"),
        ("0.000012345", "1.2345e-05"),
        ("5e-324", "5e-324"),
        ("1.7976931348623157e308", "1.7976931348623157e+308"),
        ("0.1", "0.1"),
        ("0.30000000000000004", "0.30000000000000004"),
        ("1e-400", "0.0"),
        ("12345678901234567890123", "12345678901234567890123"),
    ] {
        assert_eq!(python_number(json).as_deref(), Some(python), "{json}");
    }
    assert_eq!(python_number("1e999"), None);
}

#[test]
fn accept_of_equal_quality_means_the_more_specific_range() {
    for (accept, renderer) in [
        ("text/html, */*", Some(Renderer::Html)),
        ("application/json, */*", Some(Renderer::JSON)),
        ("text/*, */*", Some(Renderer::Html)),
        ("text/html, application/json", Some(Renderer::JSON)),
        ("text/html, application/*", Some(Renderer::Html)),
        ("text/html;q=0.9, */*;q=0.9", Some(Renderer::Html)),
        ("text/html;level=1;q=0.3, application/json;q=0.4", Some(Renderer::JSON)),
        ("*/*;q=0.001", Some(Renderer::JSON)),
        ("text/html;q=0, */*", Some(Renderer::JSON)),
        ("application/json;q=2", None),
        ("application/json;q=x", None),
        ("json", None),
        ("*", None),
        ("", Some(Renderer::JSON)),
        (" ", Some(Renderer::JSON)),
    ] {
        assert_eq!(negotiation::from_accept(accept).ok(), renderer, "{accept}");
    }
}

/// The fields of a multipart form, or why it cannot be read.
fn multipart(boundary: &str, body: Vec<u8>) -> Result<Data, gatepost::error::Error> {
    let media_type = MediaType::parse(&format!("multipart/form-data; boundary=\"{boundary}\"")).expect("a media type");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(gatepost::api::parsers::multipart(&media_type, Charset::UTF_8, body.into()))
}
