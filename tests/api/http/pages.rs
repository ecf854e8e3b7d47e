//! Errors outside the API and on our side.

use crate::harness::{TestServer, assert_has};

#[tokio::test]
async fn that_nothing_is_there_is_said_in_json_to_who_names_it_and_by_a_page_to_all_others() {
    let server = TestServer::start().await;
    let get = async |accept: &str| server.call("GET", "/nope").header("accept", accept).send().await;
    for accept in ["application/json", "application/json, text/plain, */*", "text/html;q=0.5, application/json;q=0.5"] {
        let answer = get(accept).await;
        answer.assert(404, r#"{"detail":"There is nothing at this URL.","code":"not_found"}"#);
        assert!(answer.header("vary").contains("Accept"), "{accept}: {answer:?}");
    }
    let refused = server.call("GET", "/articles/").header("host", "evil.com").header("accept", "application/json");
    let detail = "The request names a host that this service does not answer for.";
    refused.send().await.assert(400, &format!(r#"{{"detail":"{detail}","code":"host_not_allowed"}}"#));
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    for accept in ["", "*/*", "application/*", browser, "text/html, application/json;q=0.9", "application/json;q=0"] {
        let answer = get(accept).await;
        assert_eq!((answer.status, answer.header("content-type")), (404, "text/html; charset=utf-8"), "{accept}");
        assert!(answer.header("vary").contains("Accept"), "{accept}: {answer:?}");
    }
}

#[tokio::test]
async fn failures_on_our_side_name_the_request_in_their_body() {
    let server = TestServer::without_keys(|_| {}).await;
    let token = server.alice().await;
    let call = || server.call("GET", "/me/").token(&token).header("x-request-id", "report-me-1");
    let answer = call().send().await;
    assert_eq!((answer.status, answer.json()["request_id"].as_str()), (503, Some("report-me-1")));
    let page = call().header("accept", "text/html").send().await;
    assert_eq!(page.status, 503);
    assert_has(&page.text(), &["report-me-1"]);
    // Where nothing went wrong on our side there is nothing to report.
    assert!(server.fetch("/me/").await.json().get("request_id").is_none());
}
