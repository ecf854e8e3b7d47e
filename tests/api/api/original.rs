//! What the original, a Django project, answers to each request of a long table. Each row here is a row
//! there; where ours is another answer on purpose, a comment at the row says so.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::TestServer;
use crate::harness::client::{Answer, Call, raw};
use crate::harness::pool::{NEW_ISSUER, TestKey, now};

const ALLOW: &str = "GET, POST, HEAD, OPTIONS";
/// The part after `Article ` differs; twenty of these are what the original was asked about.
const FIRST: &str =
    r#"[{"id":1,"name":"Article 000001 on DRF with Cognito"},{"id":2,"name":"Article 000002 on DRF with Cog"#;

/// What a row expects of the body.
enum Body {
    /// JSON, byte by byte. `{next}` stands for the id of the next article.
    Json(&'static str),
    /// JSON that begins like this.
    Begins(&'static str),
    /// `{"detail": ...}` that begins like this; the rest is our parser's own.
    Detail(&'static str),
    /// An error with this code.
    Code(&'static str),
    /// The API's page for people.
    ApiPage,
    /// A page outside the API, with this title.
    Page(&'static str),
    /// Nothing, but the headers of JSON.
    Nothing,
    /// Nothing, but the headers of a page.
    NoPage,
}

use Body::{ApiPage, Begins, Code, Detail, Json, NoPage, Nothing, Page};

struct Row {
    case: &'static str,
    call: Call,
    status: u16,
    body: Body,
}

/// The id that the next article will have.
#[cfg(not(feature = "postgres"))]
const NEXT_ID: &str = "SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'articles'";
#[cfg(feature = "postgres")]
const NEXT_ID: &str = "SELECT last_value + CAST(is_called AS INTEGER) FROM articles_id_seq";

/// Asks all rows in their order and reports every one that failed, not only the first.
async fn ask(server: &TestServer, rows: Vec<Row>) {
    let mut failures = Vec::new();
    for Row { case, call, status, body } in rows {
        let before = server.number("SELECT count(*) FROM articles").await;
        let next = server.number(NEXT_ID).await;
        let answer = call.send().await;
        let created = server.number("SELECT count(*) FROM articles").await - before;
        let mut problems = problems(&answer, status, &body, next);
        if created != i64::from(status == 201) {
            problems.push(format!("{created} articles were created"));
        }
        if !problems.is_empty() {
            failures.push(format!("{case}: {}; {} {}", problems.join(", "), answer.status, answer.text()));
        }
    }
    assert!(failures.is_empty(), "{} rows failed:\n{}", failures.len(), failures.join("\n"));
}

fn problems(answer: &Answer, status: u16, body: &Body, next: i64) -> Vec<String> {
    let mut problems = Vec::new();
    let mut expect = |what: &str, is_so: bool| {
        if !is_so {
            problems.push(format!("wrong {what}"));
        }
    };
    let text = answer.text();
    expect("status", answer.status == status);
    let is_so = match body {
        Json(json) => text == json.replace("{next}", &next.to_string()),
        Begins(begin) => text.starts_with(begin) && serde_json::from_str::<Value>(&text).is_ok(),
        Detail(begin) => serde_json::from_str::<Value>(&text).is_ok_and(|value| {
            let members = value.as_object().map_or(0, |object| object.len());
            members == 1 && value["detail"].as_str().is_some_and(|detail| detail.starts_with(begin))
        }),
        Code(code) => serde_json::from_str::<Value>(&text).is_ok_and(|value| {
            value["code"] == *code && value["detail"].as_str().is_some_and(|detail| !detail.is_empty())
        }),
        ApiPage => text.contains("<title>List Create Articles – Gatepost</title>"),
        Page(title) => text.contains(&format!("<title>{title}</title>")),
        Nothing | NoPage => text.is_empty(),
    };
    expect("body", is_so);
    let content_type = match body {
        ApiPage | Page(_) | NoPage => "text/html; charset=utf-8",
        _ => "application/json",
    };
    expect("content type", answer.header("content-type") == content_type);
    if !matches!(body, Page(_)) {
        expect("Allow", answer.header("allow") == ALLOW);
        expect("Vary", answer.header("vary").split(", ").any(|name| name == "Accept"));
        expect("WWW-Authenticate", answer.header("www-authenticate").starts_with("Bearer") == (status == 401));
    }
    expect("cookie", answer.header("set-cookie").is_empty());
    problems
}

/// A server with the twenty articles of the table, and the token of a user.
async fn original() -> (TestServer, String) {
    let server = TestServer::start().await;
    server.seed_articles(20).await;
    let token = server.alice().await;
    (server, token)
}

#[tokio::test]
async fn paths_and_methods_answer_like_the_original() {
    let (server, token) = original().await;
    let with = |method: &str, path: &str| server.call(method, path).token(&token);
    let without = |method: &str, path: &str| server.call(method, path);
    let name = r#"{"name":"x"}"#;
    let row = |case, call, status, body| Row { case, call, status, body };
    ask(
        &server,
        vec![
            row("root", without("GET", "/"), 404, Page("Not Found")),
            row("unknown path", without("GET", "/nope"), 404, Page("Not Found")),
            row("api-auth login", without("GET", "/api-auth/login/"), 404, Page("Not Found")),
            row("favicon", without("GET", "/favicon.ico"), 404, Page("Not Found")),
            row("unknown path with a token", with("POST", "/nope"), 404, Page("Not Found")),
            // The original redirects to the slash, which costs a POST its body.
            row("no slash, no token", without("GET", "/articles"), 401, Code("no_token")),
            row("no slash, good token", with("GET", "/articles"), 200, Begins(FIRST)),
            row("no slash with query", with("GET", "/articles?format=json"), 200, Begins(FIRST)),
            row("no slash POST", with("POST", "/articles").json(name), 201, Json(r#"{"id":{next},"name":"x"}"#)),
            row("two slashes", with("GET", "/articles//"), 404, Page("Not Found")),
            row("slash before", with("GET", "//articles/"), 404, Page("Not Found")),
            row("encoded slash", with("GET", "/articles%2f"), 404, Page("Not Found")),
            row("climbing", with("GET", "/static/..%2f..%2fCargo.toml"), 404, Page("Not Found")),
            row("good token", with("GET", "/articles/"), 200, Begins(FIRST)),
            row("no token", without("GET", "/articles/"), 401, Code("no_token")),
            row("OPTIONS no token", without("OPTIONS", "/articles/"), 401, Code("no_token")),
            row("POST no token", without("POST", "/articles/").json(name), 401, Code("no_token")),
            row("POST no token, unreadable", without("POST", "/articles/").json("{"), 401, Code("no_token")),
            row("DELETE no token", without("DELETE", "/articles/"), 401, Code("no_token")),
            row("HEAD", with("HEAD", "/articles/"), 200, Nothing),
            row("HEAD no token", without("HEAD", "/articles/"), 401, Nothing),
            row("PUT", with("PUT", "/articles/").json(name), 405, Json(r#"{"detail":"Method \"PUT\" not allowed."}"#)),
            row(
                "PATCH",
                with("PATCH", "/articles/").json(name),
                405,
                Json(r#"{"detail":"Method \"PATCH\" not allowed."}"#),
            ),
            row("DELETE", with("DELETE", "/articles/"), 405, Json(r#"{"detail":"Method \"DELETE\" not allowed."}"#)),
            row("TRACE", with("TRACE", "/articles/"), 405, Json(r#"{"detail":"Method \"TRACE\" not allowed."}"#)),
            row(
                "unknown verb FOO",
                with("FOO", "/articles/"),
                405,
                Json(r#"{"detail":"Method \"FOO\" not allowed."}"#),
            ),
            row("unknown verb, no token", without("FOO", "/articles/"), 401, Code("no_token")),
            row(
                "X-HTTP-Method-Override DELETE",
                with("POST", "/articles/").header("x-http-method-override", "DELETE").json(r#"{"name":"override"}"#),
                201,
                Json(r#"{"id":{next},"name":"override"}"#),
            ),
            row(
                "_method in a form",
                with("POST", "/articles/").body("application/x-www-form-urlencoded", "_method=DELETE&name=f"),
                201,
                Json(r#"{"id":{next},"name":"f"}"#),
            ),
            row(
                "OPTIONS",
                with("OPTIONS", "/articles/"),
                200,
                Json(concat!(
                    r#"{"name":"List Create Articles","description":"","renders":["application/json","text/html"],"#,
                    r#""parses":["application/json","application/x-www-form-urlencoded","multipart/form-data"],"#,
                    r#""actions":{"POST":{"id":{"type":"integer","required":false,"read_only":true,"label":"ID"},"#,
                    r#""name":{"type":"string","required":true,"read_only":false,"label":"Name","max_length":50}}}}"#
                )),
            ),
            row(
                "Host unknown",
                with("GET", "/articles/").header("host", "evil.example"),
                400,
                Page("Bad Request (400)"),
            ),
            row("Host with markup", with("GET", "/articles/").header("host", "<b>"), 400, Page("Bad Request (400)")),
            row(
                "Host known, with a port",
                with("GET", "/articles/").header("host", "LOCALHOST:80"),
                200,
                Begins(FIRST),
            ),
            row("If-None-Match *", with("GET", "/articles/").header("if-none-match", "*"), 200, Begins(FIRST)),
            row(
                "Accept-Encoding without a coding of ours",
                with("GET", "/articles/").header("accept-encoding", "deflate"),
                200,
                Begins(FIRST),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn the_list_is_a_plain_array_byte_by_byte() {
    let (server, token) = original().await;
    let answer = server.get("/articles/", &token).await;
    let rows: Vec<String> =
        (1..=20).map(|n| format!(r#"{{"id":{n},"name":"Article {n:06} on DRF with Cognito"}}"#)).collect();
    answer.assert(200, &format!("[{}]", rows.join(",")));
    assert_eq!(answer.body.len(), 1072, "the original's length");
    // The original ignores `limit` too, and answers the whole table.
    server.get("/articles/?page=2&limit=1", &token).await.assert(200, &format!("[{}]", rows[0]));
}

#[tokio::test]
async fn an_empty_list_is_an_empty_array() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    server.get("/articles/", &token).await.assert(200, "[]");
    assert!(server.get("/articles/?format=api", &token).await.text().contains(">[]</pre>"));
    server
        .call("GET", "/articles/")
        .token(&token)
        .header("accept", "application/json; indent=4")
        .send()
        .await
        .assert(200, "[]");
}

#[tokio::test]
async fn tokens_are_judged_like_the_original_or_more_strictly() {
    let (server, good) = original().await;
    server.user_with("root", |user| (user.is_staff, user.is_superuser) = (true, true)).await;
    for name in ["gone", "kate", "Carol", "unlinked"] {
        server.user(name).await;
    }
    server.sql("UPDATE users SET is_active = FALSE WHERE username = 'gone'").await;
    let pool = &server.pool;
    let with = |value: &str| server.call("GET", "/articles/").header("authorization", value);
    let ok = |case, token: String| Row { case, call: with(&token), status: 200, body: Begins(FIRST) };
    let refused = |case, token: String, code| Row { case, call: with(&token), status: 401, body: Code(code) };
    let (start, signature) = good.rsplit_once('.').expect("three parts");
    let (header, claims) = start.split_once('.').expect("three parts");
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    let bent = format!("{start}.{flipped}{}", &signature[1..]);
    let other_claims = pool.token("root").sign().split('.').nth(1).expect("claims").to_owned();
    let none = TestKey::nth(0).sign(r#"{"alg":"none","kid":"x"}"#, &pool.token("alice").claims_json());
    let ahead = now() + 3600;
    ask(
        &server,
        vec![
            ok("good token", good.clone()),
            // The original takes nothing but the bare token.
            ok("Bearer + good token", format!("Bearer {good}")),
            ok("bearer in small letters", format!("bearer {good}")),
            ok("trailing space + good token", format!("{good} ")),
            refused("empty Authorization", String::new(), "authorization_invalid"),
            refused("Bearer alone", "Bearer".to_owned(), "authorization_invalid"),
            refused("garbage token", "garbage".to_owned(), "token_malformed"),
            refused("garbage a.b.c", "a.b.c".to_owned(), "token_malformed"),
            refused("Basic auth", "Basic ZGVtbzpkZW1v".to_owned(), "authorization_invalid"),
            refused("bad_signature", bent, "signature_invalid"),
            refused("signed_by_other_key", pool.token("alice").signed_by(&TestKey::nth(2)).sign(), "signature_invalid"),
            refused("expired", pool.token("alice").claim("exp", now() - 3600).sign(), "token_expired"),
            refused("wrong_aud", pool.token("alice").claim("aud", "another").sign(), "client_not_accepted"),
            refused("unknown_kid", pool.token("alice").key(&TestKey::nth(3)).sign(), "key_unknown"),
            ok("second_key", pool.token("alice").key(&pool.access_key).sign()),
            ok("second form of the issuer", pool.token("alice").claim("iss", NEW_ISSUER).sign()),
            refused("unknown_user", pool.token("nobody").sign(), "user_unknown"),
            // The original compares letter by letter.
            ok("email_other_case", pool.token("carol").sign()),
            refused("email of a linked user", pool.token("carol").claim("sub", "another").sign(), "email_linked"),
            // In the original two users may have one e-mail; here an address may at most resemble a user's.
            refused(
                "duplicate_email",
                pool.token("kate").claim("email", "\u{212a}ate@example.com").sign(),
                "email_ambiguous",
            ),
            refused("inactive_user", pool.token("gone").sign(), "user_inactive"),
            ok("superuser", pool.token("root").sign()),
            refused(
                "email_unverified",
                pool.token("unlinked").claim("email_verified", false).sign(),
                "email_unverified",
            ),
            refused("no_email", pool.token("unlinked").without("email").sign(), "email_missing"),
            refused("wrong_iss", pool.token("alice").claim("iss", "https://example.com").sign(), "issuer_not_accepted"),
            refused(
                "token_use_access_with_aud",
                pool.token("alice").claim("token_use", "access").sign(),
                "id_token_wanted",
            ),
            refused("access_token", pool.access_token("alice").sign(), "id_token_wanted"),
            refused("not_yet_valid_iat", pool.token("alice").claim("iat", ahead).sign(), "token_not_yet_valid"),
            refused("exp_missing", pool.token("alice").without("exp").sign(), "claim_invalid"),
            refused("alg_none", none, "algorithm_not_allowed"),
            refused("no_kid", pool.token("alice").without_header("kid").sign(), "kid_invalid"),
            refused("payload_swapped", format!("{header}.{other_claims}.{signature}"), "signature_invalid"),
            refused("no payload", format!("{header}..{signature}"), "token_malformed"),
            refused("no signature", format!("{header}.{claims}."), "token_malformed"),
        ],
    )
    .await;
}

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
    const REQUIRED: &str = r#"{"name":["This field is required."]}"#;
    const BLANK: &str = r#"{"name":["This field may not be blank."]}"#;
    const TOO_LONG: &str = r#"{"name":["Ensure this field has no more than 50 characters."]}"#;
    const NO_STRING: &str = r#"{"name":["Not a valid string."]}"#;
    let mut rows = vec![
        post("ok", br#"{"name":"A new article"}"#, 201, Json(r#"{"id":{next},"name":"A new article"}"#)),
        post("missing name", b"{}", 400, Json(REQUIRED)),
        Row {
            case: "empty body",
            call: server.call("POST", "/articles/").token(&token),
            status: 400,
            body: Json(REQUIRED),
        },
        post("empty body of JSON", b"", 400, Json(REQUIRED)),
        named("name blank", r#""""#, 400, Json(BLANK)),
        named("name whitespace only", r#""   ""#, 400, Json(BLANK)),
        named("name tabs/newlines only", r#""\t\n ""#, 400, Json(BLANK)),
        named("name of Python's other white space", r#""\u001c\u0085\u00a0\u2003\u3000""#, 400, Json(BLANK)),
        named("name padded with spaces", r#""  padded  ""#, 201, Json(r#"{"id":{next},"name":"padded"}"#)),
        named(
            "name 50 chars",
            &repeated("x", 50, ""),
            201,
            Json(r#"{"id":{next},"name":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}"#),
        ),
        named("name 51 chars", &repeated("x", 51, ""), 400, Json(TOO_LONG)),
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
        named("name 51 non-ASCII chars", &repeated("あ", 51, ""), 400, Json(TOO_LONG)),
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
        named("name number of 51 digits", &"1".repeat(51), 400, Json(TOO_LONG)),
        named("name true", "true", 400, Json(NO_STRING)),
        named("name false", "false", 400, Json(NO_STRING)),
        named("name list", r#"["a"]"#, 400, Json(NO_STRING)),
        named("name object", r#"{"a":1}"#, 400, Json(NO_STRING)),
        named("name with NUL", r#""a\u0000b""#, 400, Json(r#"{"name":["Null characters are not allowed."]}"#)),
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
        post("duplicate keys", br#"{"name":"one","name":"two"}"#, 400, Detail("JSON parse error - ")),
        post("duplicate keys, one escaped", br#"{"name":"one","n\u0061me":"two"}"#, 400, Detail("JSON parse error - ")),
        post("extra fields", br#"{"name":"extra","author":"me","x":1}"#, 201, Json(r#"{"id":{next},"name":"extra"}"#)),
        post("id supplied", br#"{"id":9999,"name":"with id"}"#, 201, Json(r#"{"id":{next},"name":"with id"}"#)),
        post("name of another case", br#"{"Name":"x"}"#, 400, Json(REQUIRED)),
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
    rows.extend(unreadable.map(|(case, body)| post(case, body, 400, Detail("JSON parse error - "))));
    ask(&server, rows).await;
}

#[tokio::test]
async fn a_parse_error_says_where_it_is() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    for (body, place) in
        [("{\"name\":", "line 1 column 8"), ("{\n 'name'", "line 2 column 2"), ("{\"a\":1,\n\"a\":2}", "line 2")]
    {
        let detail = server.post(&token, body).await.json()["detail"].as_str().unwrap_or_default().to_owned();
        assert!(detail.contains(place), "{body:?}: {detail}");
    }
}

#[tokio::test]
async fn other_kinds_of_bodies_are_answered_like_the_original() {
    let (server, token) = original().await;
    let post = |case, kind: &str, body: &[u8], status, expected| Row {
        case,
        call: server.call("POST", "/articles/").token(&token).body(kind, body),
        status,
        body: expected,
    };
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
                Json(r#"{"name":["This field is required."]}"#),
            ),
            post(
                "bytes that are not of the charset",
                "application/json; charset=utf-16le",
                b"{\0\"\0\0\xd8}\0",
                400,
                Detail("JSON parse error - "),
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
            post("form-encoded blank", FORM, b"name=", 400, Json(r#"{"name":["This field may not be blank."]}"#)),
            post(
                "form-encoded without the name",
                FORM,
                b"other=x",
                400,
                Json(r#"{"name":["This field is required."]}"#),
            ),
            post("form-encoded two names", FORM, b"name=a&name=b", 201, Json(r#"{"id":{next},"name":"b"}"#)),
            post(
                "form-encoded NUL",
                FORM,
                b"name=a%00b",
                400,
                Json(r#"{"name":["Null characters are not allowed."]}"#),
            ),
            post(
                "form-encoded, no form at all",
                FORM,
                b"\xff\x00&&==%%%",
                400,
                Json(r#"{"name":["This field is required."]}"#),
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
                Json(r#"{"name":["This field is required."]}"#),
            ),
            post(
                "multipart with a file for the name",
                MULTIPART,
                &part("name=\"name\"; filename=\"a.txt\"", "x"),
                400,
                Json(r#"{"name":["Not a valid string."]}"#),
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
                Detail("Multipart form parse error - "),
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
                Json(r#"{"name":["This field is required."]}"#),
            ),
            post(
                "multipart with an empty name",
                MULTIPART,
                &part("name=\"name\"", ""),
                400,
                Json(r#"{"name":["This field may not be blank."]}"#),
            ),
            post(
                "multipart with bytes that are not UTF-8",
                "multipart/form-data; boundary=b",
                b"--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\n\xffx\r\n--b--",
                201,
                Json("{\"id\":{next},\"name\":\"\u{fffd}x\"}"),
            ),
            post("multipart of nothing", MULTIPART, b"x", 400, Detail("Multipart form parse error - ")),
            post(
                "multipart cut short",
                MULTIPART,
                b"------b0undary\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nx",
                400,
                Detail("Multipart form parse error - "),
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
            post("text/plain without a body", "text/plain", b"", 400, Json(r#"{"name":["This field is required."]}"#)),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_multipart_body_that_is_cut_or_bent_anywhere_is_read_or_refused() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    let body =
        b"--b\r\nContent-Disposition: form-data; name=\"name\"\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--\r\n";
    let mut bent: Vec<Vec<u8>> = (1..body.len()).map(|end| body[..end].to_vec()).collect();
    for at in 0..body.len() {
        bent.push([&body[..at], &body[at + 1..]].concat());
        bent.push([&body[..at], &[body[at] ^ 0x80], &body[at + 1..]].concat());
    }
    let parts = b"--b\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\nx\r\n".repeat(5000);
    bent.push([&parts[..], &body[..]].concat());
    bent.push(b"--b\r\n".repeat(10_000));
    bent.push([&b"--b\r\n"[..], &b"A: b\r\n".repeat(10_000), b"\r\nx\r\n--b--"].concat());
    for body in bent {
        let call =
            server.call("POST", "/articles/").token(&token).body("multipart/form-data; boundary=b", body.clone());
        let answer = call.send().await;
        let context = format!("{}: {answer:?}", String::from_utf8_lossy(&body[..body.len().min(200)]));
        match answer.status {
            201 => assert!(answer.json()["name"].is_string(), "{context}"),
            status => {
                assert_eq!(status, 400, "{context}");
                let is_parse_error = answer.text().starts_with(r#"{"detail":"Multipart form parse error - "#);
                assert!(is_parse_error || answer.json()["name"].is_array(), "{context}");
            }
        }
    }
    assert_eq!(server.post(&token, r#"{"name":"still there"}"#).await.status, 201);
}

/// Every row of the table that has an `Accept` or a `?format=`, and what else there is to choose.
#[tokio::test]
async fn accept_and_format_choose_the_rendering_like_the_original() {
    let (server, token) = original().await;
    let accept = |case, value: &str, status, expected| Row {
        case,
        call: server.call("GET", "/articles/").token(&token).header("accept", value),
        status,
        body: expected,
    };
    let format = |case, query: &str, value: &str, status, expected| {
        let call = server.call("GET", &format!("/articles/{query}")).token(&token).header("accept", value);
        Row { case, call, status, body: expected }
    };
    let stranger = |case, path: &str, value: &str, status, expected| Row {
        case,
        call: server.call("GET", path).header("accept", value),
        status,
        body: expected,
    };
    const NOT_ACCEPTABLE: Body = Json(r#"{"detail":"Could not satisfy the request Accept header."}"#);
    const INDENTED: Body = Begins(
        "[\n  {\n    \"id\": 1,\n    \"name\": \"Article 000001 on DRF with Cognito\"\n  },\n  {\n    \"id\": 2,\n    \"name\"",
    );
    ask(
        &server,
        vec![
            accept("text/html", "text/html", 200, ApiPage),
            stranger("text/html no token", "/articles/", "text/html", 401, ApiPage),
            accept("browser-like", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", 200, ApiPage),
            accept("application/json", "application/json", 200, Begins(FIRST)),
            accept("indent=2", "application/json; indent=2", 200, INDENTED),
            accept("indent=2 for anything", "*/*;indent=2", 200, INDENTED),
            accept("indent=0", "application/json; indent=0", 200, Begins(FIRST)),
            accept("indent=8", "application/json; indent=8", 200, Begins("[\n        {\n")),
            accept("indent=99999999999999", "application/json; indent=99999999999999", 200, Begins("[\n        {\n")),
            accept("indent=-1", "application/json; indent=-1", 200, Begins(FIRST)),
            accept("indent=x", "application/json; indent=x", 200, Begins(FIRST)),
            accept("*/*", "*/*", 200, Begins(FIRST)),
            accept("nothing", "", 200, Begins(FIRST)),
            accept("application/*", "application/*", 200, Begins(FIRST)),
            accept("text/*", "text/*", 200, ApiPage),
            accept("capital letters", "TEXT/HTML", 200, ApiPage),
            accept("application/xml", "application/xml", 406, NOT_ACCEPTABLE),
            accept("garbage", ";;,/,q=1", 406, NOT_ACCEPTABLE),
            stranger("application/xml no token", "/articles/", "application/xml", 406, NOT_ACCEPTABLE),
            accept("text/plain, */*;q=0.1", "text/plain, */*;q=0.1", 200, Begins(FIRST)),
            // The original does not look at q; RFC 9110 does.
            accept("html less wanted", "text/html;q=0.5, application/json", 200, Begins(FIRST)),
            accept("json less wanted", "application/json;q=0.5, text/html", 200, ApiPage),
            accept("json refused", "*/*, application/json;q=0", 200, ApiPage),
            accept("all refused", "*/*;q=0", 406, NOT_ACCEPTABLE),
            format("?format=json", "?format=json", "*/*", 200, Begins(FIRST)),
            // The original answers 406: the query and the header have to agree there.
            format("?format=json with Accept html", "?format=json", "text/html", 200, Begins(FIRST)),
            format("?format=json with Accept xml", "?format=json", "application/xml", 200, Begins(FIRST)),
            format("?format=api", "?format=api", "*/*", 200, ApiPage),
            format("?format=api with Accept json", "?format=api", "application/json", 200, ApiPage),
            format("?format=xml", "?format=xml", "*/*", 404, Json(r#"{"detail":"Not found."}"#)),
            format("?format=", "?format=", "*/*", 200, Begins(FIRST)),
            format("two formats", "?format=xml&format=json", "*/*", 200, Begins(FIRST)),
            stranger("?format=xml no token", "/articles/?format=xml", "*/*", 404, Json(r#"{"detail":"Not found."}"#)),
            stranger("?format=api no token", "/articles/?format=api", "*/*", 401, ApiPage),
            Row {
                case: "POST json, Accept html",
                call: server
                    .call("POST", "/articles/")
                    .token(&token)
                    .header("accept", "text/html")
                    .json(r#"{"name":""}"#),
                status: 400,
                body: ApiPage,
            },
            Row {
                case: "POST json, Accept html, ok",
                call: server
                    .call("POST", "/articles/")
                    .token(&token)
                    .header("accept", "text/html")
                    .json(r#"{"name":"x"}"#),
                status: 201,
                body: ApiPage,
            },
            Row {
                case: "OPTIONS, Accept html",
                call: server.call("OPTIONS", "/articles/").token(&token).header("accept", "text/html"),
                status: 200,
                body: ApiPage,
            },
            Row {
                case: "HEAD, Accept html",
                call: server.call("HEAD", "/articles/").token(&token).header("accept", "text/html"),
                status: 200,
                body: NoPage,
            },
        ],
    )
    .await;
}

#[tokio::test]
async fn the_page_says_the_status_and_shows_the_answer() {
    let (server, token) = original().await;
    let page = server.get("/articles/?format=api&limit=1", &token).await.text();
    for part in [
        "200</span> OK",
        "<code data-request-target>/articles/?format=api&#38;limit=1</code>",
        "Article 000001",
        "x-total-count",
        "<dd>20</dd>",
    ] {
        assert!(page.contains(part), "{part} is not on the page: {page}");
    }
    let page = server.call("GET", "/articles/").header("accept", "text/html").send().await.text();
    for part in ["401</span> Unauthorized", "no_token"] {
        assert!(page.contains(part), "{part} is not on the page: {page}");
    }
}

#[tokio::test]
async fn head_answers_with_the_length_of_get_and_without_its_body() {
    let (server, token) = original().await;
    let request = format!(
        "HEAD /articles/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    let answer = raw(server.address, request.as_bytes(), Duration::from_secs(10)).await;
    let answer = String::from_utf8(answer).expect("the answer is UTF-8");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("\r\ncontent-length: 1072\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n"), "there is a body: {answer}");
}

#[tokio::test]
async fn a_304_has_neither_body_nor_length() {
    let (server, token) = original().await;
    let tag = server.get("/articles/", &token).await.header("etag").to_owned();
    let request = format!(
        "GET /articles/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: {token}\r\nIf-None-Match: {tag}\r\n\r\n"
    );
    let answer = raw(server.address, request.as_bytes(), Duration::from_secs(10)).await;
    let answer = String::from_utf8(answer).expect("the answer is UTF-8");
    assert!(answer.starts_with("HTTP/1.1 304 Not Modified\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
    // A length would be that of the 200's body (RFC 9110, section 8.6), so 0 would be wrong.
    assert!(!answer.contains("\r\ncontent-length:") && !answer.contains("\r\ncontent-type:"), "{answer}");
}

#[tokio::test]
async fn a_body_may_come_in_chunks_and_not_be_larger_than_the_limit() {
    let server = TestServer::start_with(|config| config.max_body_bytes = 1000).await;
    let token = server.alice().await;
    let head = format!(
        "POST /articles/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    );
    let chunked = format!(
        "{head}Transfer-Encoding: chunked\r\n\r\n1\r\n{{\r\n10\r\n\"name\":\"chunked\"\r\n1\r\n}}\r\n0\r\n\r\n"
    );
    let answer =
        String::from_utf8_lossy(&raw(server.address, chunked.as_bytes(), Duration::from_secs(10)).await).into_owned();
    assert!(answer.starts_with("HTTP/1.1 201 ") && answer.ends_with(r#"{"id":1,"name":"chunked"}"#), "{answer}");

    let chunks = format!("200\r\n{}\r\n", " ".repeat(0x200)).repeat(2);
    let large = format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n");
    let answer =
        String::from_utf8_lossy(&raw(server.address, large.as_bytes(), Duration::from_secs(10)).await).into_owned();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");

    let padded = |length: usize| format!("{{\"name\":\"padded\"}}{}", " ".repeat(length - 17));
    assert_eq!(server.post(&token, &padded(1000)).await.status, 201);
    let answer = server.post(&token, &padded(1001)).await;
    assert_eq!((answer.status, answer.code().as_str(), answer.header("allow")), (413, "body_too_large", ALLOW));
    assert_eq!(server.number("SELECT count(*) FROM articles").await, 2);
}

#[tokio::test]
async fn a_deeply_nested_body_is_read_without_harm() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    const DEEP: usize = 100_000;
    let (open, close) = ("[".repeat(DEEP), "]".repeat(DEEP));
    let objects = format!("{}1{}", r#"{"a":"#.repeat(DEEP), "}".repeat(DEEP));
    for (case, body, detail) in [
        (
            "a list",
            format!("{open}{close}"),
            json!({ "non_field_errors": ["Invalid data. Expected a dictionary, but got list."] }),
        ),
        ("a name", format!(r#"{{"name":{open}{close}}}"#), json!({ "name": ["Not a valid string."] })),
        ("a name of objects", format!(r#"{{"name":{objects}}}"#), json!({ "name": ["Not a valid string."] })),
    ] {
        let answer = server.post(&token, &body).await;
        assert_eq!((answer.status, answer.json()), (400, detail), "{case}");
    }
    let answer = server.post(&token, &open).await;
    assert!(answer.status == 400 && answer.text().starts_with(r#"{"detail":"JSON parse error - "#), "{answer:?}");
}

/// The origin that the settings of the tests allow.
const PAGE: &str = "http://localhost:3000";

fn preflight(server: &TestServer, path: &str, origin: &str, method: &str, headers: &str) -> Call {
    let call = server.call("OPTIONS", path).header("origin", origin).header("access-control-request-method", method);
    if headers.is_empty() { call } else { call.header("access-control-request-headers", headers) }
}

fn words(list: &str) -> Vec<String> {
    let mut words: Vec<String> = list.split(',').map(|word| word.trim().to_ascii_lowercase()).collect();
    words.sort();
    words
}

#[tokio::test]
async fn a_preflight_from_an_allowed_origin_is_answered_without_a_token() {
    let server = TestServer::start().await;
    for path in ["/articles/", "/articles", "/articles/1/", "/me/"] {
        for (method, headers) in [
            ("GET", "authorization"),
            ("GET", "authorization,if-none-match,accept"),
            ("POST", "authorization, content-type"),
            ("PUT", "Authorization,Content-Type,If-Match"),
            ("PATCH", "authorization,content-type"),
            ("DELETE", "authorization"),
            ("HEAD", ""),
        ] {
            let answer = preflight(&server, path, PAGE, method, headers).send().await;
            let context = format!("{method} {path} with {headers}: {answer:?}");
            assert_eq!((answer.status, answer.text().as_str()), (200, ""), "{context}");
            assert_eq!(answer.header("access-control-allow-origin"), PAGE, "{context}");
            assert_eq!(
                words(answer.header("access-control-allow-methods")),
                words("DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT")
            );
            let allowed = words(answer.header("access-control-allow-headers"));
            assert_eq!(allowed, words("accept,authorization,content-type,if-match,if-none-match"), "{context}");
            assert_eq!(answer.header("access-control-max-age"), "600", "{context}");
            assert_eq!(answer.header("access-control-allow-credentials"), "", "tokens are no cookies; {context}");
            assert!(words(answer.header("vary")).contains(&"origin".to_owned()), "{context}");
        }
    }
}

#[tokio::test]
async fn a_preflight_that_asks_for_more_is_refused() {
    let server = TestServer::start().await;
    for (origin, method, headers) in [
        ("http://evil.example", "GET", "authorization"),
        ("null", "GET", "authorization"),
        ("http://localhost:3000.evil.example", "GET", ""),
        ("http://localhost:3001", "GET", ""),
        ("https://localhost:3000", "GET", ""),
        ("http://LOCALHOST:3000", "GET", ""),
        ("http://localhost:3000/", "GET", ""),
        ("http://localhost:3000, http://evil.example", "GET", ""),
        (PAGE, "TRACE", ""),
        (PAGE, "FOO", ""),
        (PAGE, "POST", "x-evil"),
        (PAGE, "POST", "authorization,cookie"),
    ] {
        let answer = preflight(&server, "/articles/", origin, method, headers).send().await;
        let context = format!("{origin} {method} {headers}: {answer:?}");
        assert_eq!(answer.status, 400, "{context}");
        assert_eq!(answer.header("access-control-allow-origin"), "", "{context}");
    }
}

#[tokio::test]
async fn every_answer_carries_cors_headers_for_the_allowed_origin_alone() {
    let (server, token) = original().await;
    let exposed = words("Allow,ETag,Link,Location,Retry-After,WWW-Authenticate,X-Request-Id,X-Total-Count");
    let calls = |origin: &str| {
        let call = |method: &str, path: &str| server.call(method, path).header("origin", origin);
        [
            (200, call("GET", "/articles/").token(&token)),
            (200, call("OPTIONS", "/articles/").token(&token)),
            (401, call("GET", "/articles/")),
            (401, call("OPTIONS", "/articles/")),
            (401, call("GET", "/articles/").token("garbage")),
            (401, call("GET", "/me/")),
            (400, call("POST", "/articles/").token(&token).json("{")),
            (403, call("DELETE", "/articles/1/").token(&token)),
            (404, call("GET", "/articles/99/").token(&token)),
            (404, call("GET", "/articles/?format=xml")),
            (405, call("DELETE", "/articles/").token(&token)),
            (406, call("GET", "/articles/").header("accept", "image/png")),
            (415, call("POST", "/articles/").token(&token).body("text/plain", "x")),
        ]
    };
    for (status, call) in calls(PAGE) {
        let answer = call.send().await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (status, PAGE), "{answer:?}");
        assert_eq!(words(answer.header("access-control-expose-headers")), exposed, "{answer:?}");
        assert_eq!(answer.header("access-control-allow-credentials"), "", "{answer:?}");
        assert!(words(answer.header("vary")).contains(&"origin".to_owned()), "{answer:?}");
    }
    // Another origin's page may not read the answer; the request itself is served, as a client that is no
    // browser may send any Origin.
    for origin in ["http://evil.example", "null", "http://localhost:3001"] {
        for (status, call) in calls(origin) {
            let answer = call.send().await;
            assert_eq!(
                (answer.status, answer.header("access-control-allow-origin")),
                (status, ""),
                "{origin}: {answer:?}"
            );
            assert!(words(answer.header("vary")).contains(&"origin".to_owned()), "{answer:?}");
        }
    }
    let answer = server.get("/articles/", &token).await;
    assert_eq!(answer.header("access-control-allow-origin"), "", "no Origin was sent");
    assert!(words(answer.header("vary")).contains(&"origin".to_owned()), "a cache must not mix them up: {answer:?}");
}

#[tokio::test]
async fn without_allowed_origins_no_page_may_read_an_answer() {
    let server = TestServer::start_with(|config| config.cors_allowed_origins.clear()).await;
    let token = server.alice().await;
    let answer = server.call("GET", "/articles/").token(&token).header("origin", PAGE).send().await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, ""));
    assert_eq!(
        preflight(&server, "/articles/", PAGE, "GET", "").send().await.header("access-control-allow-origin"),
        ""
    );
}
