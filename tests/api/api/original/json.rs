//! JSON in the body.

use super::Body::Json;
use super::{BLANK, NO_JSON, NO_STRING, NULL, REQUIRED, Row, TOO_LONG, ask, original};

#[tokio::test]
async fn json_bodies_are_answered_like_the_original() {
    let (server, token) = original().await;
    let post = |case, body: &[u8], status, expected| Row {
        case,
        call: server.call("POST", "/articles/").token(&token).json(body),
        status,
        body: expected,
    };
    let named =
        |case, value: &str, status, expected| post(case, format!(r#"{{"name":{value}}}"#).as_bytes(), status, expected);
    let repeated = |text: &str, times: usize, more: &str| format!(r#""{}{more}""#, text.repeat(times));
    let mut rows = vec![
        post("ok", br#"{"name":"A new article"}"#, 201, Json(r#"{"id":{next},"name":"A new article"}"#)),
        post("missing name", b"{}", 400, REQUIRED),
        Row { case: "empty body", call: server.call("POST", "/articles/").token(&token), status: 400, body: REQUIRED },
        post("empty body of JSON", b"", 400, REQUIRED),
        named("name blank", r#""""#, 400, BLANK),
        named("name whitespace only", r#""   ""#, 400, BLANK),
        named("name tabs/newlines only", r#""\t\n ""#, 400, BLANK),
        named("name of Python's other white space", r#""\u001c\u0085\u00a0\u2003\u3000""#, 400, BLANK),
        named("name padded with spaces", r#""  padded  ""#, 201, Json(r#"{"id":{next},"name":"padded"}"#)),
        named(
            "name 50 chars",
            &repeated("x", 50, ""),
            201,
            Json(r#"{"id":{next},"name":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}"#),
        ),
        named("name 51 chars", &repeated("x", 51, ""), 400, TOO_LONG),
        named(
            "name 50 + trailing space",
            &repeated("y", 50, " "),
            201,
            Json(r#"{"id":{next},"name":"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"}"#),
        ),
        named(
            "name 50 non-ASCII chars (150 bytes)",
            &repeated("あ", 50, ""),
            201,
            Json(concat!(
                r#"{"id":{next},"name":"ああああああああああああああああああああ"#,
                r#"ああああああああああああああああああああああああああああああ"}"#
            )),
        ),
        named("name 51 non-ASCII chars", &repeated("あ", 51, ""), 400, TOO_LONG),
        named(
            "name emoji x50",
            &repeated("😀", 50, ""),
            201,
            Json(concat!(
                r#"{"id":{next},"name":"😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀"#,
                r#"😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀"}"#
            )),
        ),
        named("name emoji as escapes", r#""\ud83d\ude00""#, 201, Json(r#"{"id":{next},"name":"😀"}"#)),
        named("name null", "null", 400, Json(r#"{"name":["This field may not be null."]}"#)),
        named("name number int", "42", 201, Json(r#"{"id":{next},"name":"42"}"#)),
        named("name number negative", "-7", 201, Json(r#"{"id":{next},"name":"-7"}"#)),
        named("name float", "1.50", 201, Json(r#"{"id":{next},"name":"1.5"}"#)),
        named("name float with exponent", "1E16", 201, Json(r#"{"id":{next},"name":"1e+16"}"#)),
        named("name number of 51 digits", &"1".repeat(51), 400, TOO_LONG),
        named("name true", "true", 400, NO_STRING),
        named("name false", "false", 400, NO_STRING),
        named("name list", r#"["a"]"#, 400, NO_STRING),
        named("name object", r#"{"a":1}"#, 400, NO_STRING),
        named("name with NUL", r#""a\u0000b""#, 400, NULL),
        named("name control char \\u0007", r#""a\u0007b""#, 201, Json(r#"{"id":{next},"name":"a\u0007b"}"#)),
        named("name inner newline", r#""a\nb""#, 201, Json(r#"{"id":{next},"name":"a\nb"}"#)),
        named(
            "name lone surrogate",
            r#""a\ud800b""#,
            400,
            Json(r#"{"name":["Surrogate characters are not allowed: U+D800."]}"#),
        ),
        named(
            "name lone low surrogate among 49 chars",
            &repeated("x", 49, "\\udfff"),
            400,
            Json(r#"{"name":["Surrogate characters are not allowed: U+DFFF."]}"#),
        ),
        named(
            "name of 51 with NUL and a surrogate",
            &repeated("x", 49, "\\u0000\\udbffx"),
            400,
            Json(concat!(
                r#"{"name":["Ensure this field has no more than 50 characters.","Null characters are not allowed.","#,
                r#""Surrogate characters are not allowed: U+DBFF."]}"#
            )),
        ),
        named("name html", r#""<b>&\"\u2028é""#, 201, Json(r#"{"id":{next},"name":"<b>&\"\u2028é"}"#)),
        // In the original the last one wins.
        post("duplicate keys", br#"{"name":"one","name":"two"}"#, 400, NO_JSON),
        post("duplicate keys, one escaped", br#"{"name":"one","n\u0061me":"two"}"#, 400, NO_JSON),
        post("extra fields", br#"{"name":"extra","author":"me","x":1}"#, 201, Json(r#"{"id":{next},"name":"extra"}"#)),
        post("id supplied", br#"{"id":9999,"name":"with id"}"#, 201, Json(r#"{"id":{next},"name":"with id"}"#)),
        post("name of another case", br#"{"Name":"x"}"#, 400, REQUIRED),
        post("surrogate in a member's name", br#"{"\ud800":1,"name":"s"}"#, 201, Json(r#"{"id":{next},"name":"s"}"#)),
        post("surrogate in another member", br#"{"x":"\ud800","name":"t"}"#, 201, Json(r#"{"id":{next},"name":"t"}"#)),
        post(
            "body is a list",
            br#"[{"name":"a"}]"#,
            400,
            Json(r#"{"non_field_errors":["Invalid data. Expected a dictionary, but got list."]}"#),
        ),
        post(
            "body is a string",
            br#""abc""#,
            400,
            Json(r#"{"non_field_errors":["Invalid data. Expected a dictionary, but got str."]}"#),
        ),
        post("body is null", b"null", 400, Json(r#"{"non_field_errors":["No data provided"]}"#)),
        post(
            "body is number",
            b"5",
            400,
            Json(r#"{"non_field_errors":["Invalid data. Expected a dictionary, but got int."]}"#),
        ),
        post(
            "body is a float",
            b"5.0",
            400,
            Json(r#"{"non_field_errors":["Invalid data. Expected a dictionary, but got float."]}"#),
        ),
        post(
            "body is true",
            b"true",
            400,
            Json(r#"{"non_field_errors":["Invalid data. Expected a dictionary, but got bool."]}"#),
        ),
    ];
    // From here on the texts after the dash are our parser's.
    let unreadable: [(&str, &[u8]); 20] = [
        ("malformed JSON", br#"{"name":"#),
        ("malformed JSON (single quotes)", br#"{'name':'x'}"#),
        ("JSON with NaN", br#"{"name":NaN}"#),
        ("JSON with Infinity", br#"{"name":-Infinity}"#),
        ("JSON with BOM", b"\xef\xbb\xbf{\"name\":\"bom\"}"),
        ("invalid UTF-8", b"{\"name\":\"\xff\xfe\"}"),
        ("UTF-8 cut short", b"{\"name\":\"\xe3\x81\"}"),
        ("a surrogate in UTF-8", b"{\"name\":\"\xed\xa0\x80\"}"),
        ("white space only", b" \n"),
        ("more after the end", br#"{"name":"x"} {"name":"y"}"#),
        ("comma at the end", br#"{"name":"x",}"#),
        ("comment", b"{\"name\":\"x\"/**/}"),
        ("control character in a string", b"{\"name\":\"a\nb\"}"),
        ("unknown escape", br#"{"name":"\x41"}"#),
        ("escape cut short", br#"{"name":"\u12"}"#),
        ("number with a leading zero", br#"{"name":01}"#),
        ("number that ends with a point", br#"{"name":1.}"#),
        ("name without quotes", br#"{name:"x"}"#),
        ("NUL at the end", b"{\"name\":\"x\"}\0"),
        ("error in a member that nobody reads", br#"{"name":"x","other":[1,}"#),
    ];
    rows.extend(unreadable.map(|(case, body)| post(case, body, 400, NO_JSON)));
    ask(&server, rows).await;
}
