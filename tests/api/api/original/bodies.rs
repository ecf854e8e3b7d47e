//! Bodies in other formats than plain JSON.

use super::Body::{Detail, Json};
use super::{BLANK, Body, NO_JSON, NO_STRING, NULL, REQUIRED, Row, ask, original};

#[tokio::test]
async fn other_kinds_of_bodies_are_answered_like_the_original() {
    let (server, token) = original().await;
    let post = |case, kind: &str, body: &[u8], status, expected| Row {
        case,
        call: server.call("POST", "/articles/").token(&token).body(kind, body),
        status,
        body: expected,
    };
    const BROKEN: Body = Detail("Multipart form parse error - ");
    const FORM: &str = "application/x-www-form-urlencoded";
    const MULTIPART: &str = "multipart/form-data; boundary=----b0undary";
    let part = |head: &str, content: &str| {
        format!("------b0undary\r\nContent-Disposition: form-data; {head}\r\n\r\n{content}\r\n------b0undary--\r\n")
            .into_bytes()
    };
    let first_part = b"------b0undary\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\na\r\n";
    let two_parts = [&first_part[..], &part("name=\"name\"", "b")].concat();
    ask(
        &server,
        vec![
            post(
                "charset=latin-1",
                "application/json; charset=latin-1",
                b"{\"name\":\"caf\xe9\"}",
                201,
                Json(r#"{"id":{next},"name":"café"}"#),
            ),
            post(
                "charset=UTF-8",
                "application/json;charset=\"UTF-8\"",
                "{\"name\":\"é\"}".as_bytes(),
                201,
                Json(r#"{"id":{next},"name":"é"}"#),
            ),
            post(
                "charset=utf-16le",
                "application/json; charset=utf-16le",
                b"{\0}\0",
                400,
                REQUIRED,
            ),
            post(
                "bytes that are not of the charset",
                "application/json; charset=utf-16le",
                b"{\0\"\0\0\xd8}\0",
                400,
                NO_JSON,
            ),
            post(
                "unknown charset",
                "application/json; charset=klingon",
                b"{}",
                415,
                Json(r#"{"detail":"Unsupported media type \"application/json; charset=klingon\" in request."}"#),
            ),
            post(
                "JSON in capital letters",
                "APPLICATION/JSON",
                br#"{"name":"c"}"#,
                201,
                Json(r#"{"id":{next},"name":"c"}"#),
            ),
            post("form-encoded", FORM, b"name=from+form", 201, Json(r#"{"id":{next},"name":"from form"}"#)),
            post(
                "form-encoded with escapes",
                FORM,
                b"name=%C3%A9%26%20x&other=1",
                201,
                Json(r#"{"id":{next},"name":"é& x"}"#),
            ),
            post("form-encoded blank", FORM, b"name=", 400, BLANK),
            post(
                "form-encoded without the name",
                FORM,
                b"other=x",
                400,
                REQUIRED,
            ),
            post("form-encoded two names", FORM, b"name=a&name=b", 201, Json(r#"{"id":{next},"name":"b"}"#)),
            post(
                "form-encoded NUL",
                FORM,
                b"name=a%00b",
                400,
                NULL,
            ),
            post(
                "form-encoded, no form at all",
                FORM,
                b"\x00&&==%%%",
                400,
                REQUIRED,
            ),
            // The original put U+FFFD for such bytes.
            post(
                "form-encoded with bytes that are not UTF-8",
                FORM,
                b"name=\xff",
                400,
                Json(r#"{"detail":"Form parse error - invalid UTF-8 at byte 0"}"#),
            ),
            post(
                "form-encoded with escaped bytes that are not UTF-8",
                FORM,
                b"name=a%ff",
                400,
                Json(r#"{"detail":"Form parse error - invalid UTF-8 at byte 1"}"#),
            ),
            post(
                "multipart",
                MULTIPART,
                &part("name=\"name\"", "from multipart"),
                201,
                Json(r#"{"id":{next},"name":"from multipart"}"#),
            ),
            post("multipart two names", MULTIPART, &two_parts, 201, Json(r#"{"id":{next},"name":"b"}"#)),
            post(
                "multipart without the name",
                MULTIPART,
                &part("name=\"other\"", "x"),
                400,
                REQUIRED,
            ),
            post(
                "multipart with a file for the name",
                MULTIPART,
                &part("name=\"name\"; filename=\"a.txt\"", "x"),
                400,
                NO_STRING,
            ),
            post(
                "multipart without boundary",
                "multipart/form-data",
                b"x",
                400,
                Json(r#"{"detail":"Multipart form parse error - Invalid boundary in multipart: None"}"#),
            ),
            post(
                "multipart with an endless boundary",
                &format!("multipart/form-data; boundary={}", "x".repeat(201)),
                b"x",
                400,
                BROKEN,
            ),
            post(
                "multipart with all that may stand around a part",
                "Multipart/Form-Data; charset=utf-8; boundary=\"b 'oundary\"",
                b"before\r\n--b 'oundary \t\r\nX: y\r\ncontent-DISPOSITION:form-data;name=name\r\n\r\n\r\n--b x\r\n--b 'oundary--\r\nbehind",
                201,
                Json(r#"{"id":{next},"name":"--b x"}"#),
            ),
            post(
                "multipart of no parts",
                "multipart/form-data; boundary=b",
                b"--b--",
                400,
                REQUIRED,
            ),
            post(
                "multipart with an empty name",
                MULTIPART,
                &part("name=\"name\"", ""),
                400,
                BLANK,
            ),
            post(
                "multipart with bytes that are not UTF-8",
                "multipart/form-data; boundary=b",
                b"--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\n\xffx\r\n--b--",
                400,
                Json(r#"{"detail":"Multipart form parse error - invalid UTF-8 at byte 0"}"#),
            ),
            post("multipart of nothing", MULTIPART, b"x", 400, BROKEN),
            post(
                "multipart cut short",
                MULTIPART,
                b"------b0undary\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nx",
                400,
                BROKEN,
            ),
            post(
                "text/plain",
                "text/plain",
                b"name=x",
                415,
                Json(r#"{"detail":"Unsupported media type \"text/plain\" in request."}"#),
            ),
            post(
                "application/xml",
                "application/xml",
                b"<a/>",
                415,
                Json(r#"{"detail":"Unsupported media type \"application/xml\" in request."}"#),
            ),
            post(
                "a kind of JSON",
                "application/problem+json",
                b"{}",
                415,
                Detail("Unsupported media type \"application/problem+json\""),
            ),
            post(
                "no media type",
                "json",
                b"{}",
                415,
                Json(r#"{"detail":"Unsupported media type \"json\" in request."}"#),
            ),
            post(
                "a media type with a quotation mark",
                "a\"b",
                b"{}",
                415,
                Json(r#"{"detail":"Unsupported media type \"a\"b\" in request."}"#),
            ),
            Row {
                case: "no content type",
                call: server.call("POST", "/articles/").token(&token).bare_body(r#"{"name":"x"}"#),
                status: 415,
                body: Json(r#"{"detail":"Unsupported media type \"\" in request."}"#),
            },
            post("text/plain without a body", "text/plain", b"", 400, REQUIRED),
        ],
    )
    .await;
}
