//! `Accept` and `?format=`.

use super::Body::{ApiPage, Begins, Json, NoPage};
use super::{Body, FIRST, Row, ask, original};

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
