//! What the original, a Django project, answers to each request of a long table. Each row here is a row
//! there; where ours is another answer on purpose, a comment at the row says so.

mod bodies;
mod json;
mod paths;
mod renderings;
mod tokens;

use Body::{ApiPage, Begins, Code, Detail, Json, NoPage, Nothing, Page};
use serde_json::Value;

use crate::harness::TestServer;
use crate::harness::client::{Answer, Call};

pub const ALLOW: &str = "GET, POST, HEAD, OPTIONS";

/// The part after `Article ` differs; twenty of these are what the original was asked about.
const FIRST: &str =
    r#"[{"id":1,"name":"Article 000001 on DRF with Cognito"},{"id":2,"name":"Article 000002 on DRF with Cog"#;

const REQUIRED: Body = Json(r#"{"name":["This field is required."]}"#);
const BLANK: Body = Json(r#"{"name":["This field may not be blank."]}"#);
const TOO_LONG: Body = Json(r#"{"name":["Ensure this field has no more than 50 characters."]}"#);
const NO_STRING: Body = Json(r#"{"name":["Not a valid string."]}"#);
const NULL: Body = Json(r#"{"name":["Null characters are not allowed."]}"#);
/// What comes after the dash is our parser's own.
const NO_JSON: Body = Detail("JSON parse error - ");

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
        let before = server.count("articles").await;
        let next = server.number(NEXT_ID).await;
        let answer = call.send().await;
        let created = server.count("articles").await - before;
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
pub async fn original() -> (TestServer, String) {
    let server = TestServer::start().await;
    server.seed_articles(20).await;
    let token = server.alice().await;
    (server, token)
}
