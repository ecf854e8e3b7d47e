//! `/articles/` and `/articles/{id}/` beyond what the original had.

use crate::harness::TestServer;

#[tokio::test]
async fn a_user_creates_an_article_and_finds_it_in_the_list() {
    let server = TestServer::start().await;
    let token = server.alice().await;
    let answer = server.post(&token, r#"{"name":"A new article"}"#).await;
    answer.assert(201, r#"{"id":1,"name":"A new article"}"#);
    assert_eq!(answer.header("location"), "/articles/1/");
    server.get("/articles/", &token).await.assert(200, r#"[{"id":1,"name":"A new article"}]"#);
    assert_eq!(server.number("SELECT count(*) FROM history WHERE model = 'article' AND source = 'api'").await, 1);
}
