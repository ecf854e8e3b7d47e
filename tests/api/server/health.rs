//! `/healthz` and `/readyz`.

use gatepost::http::assets;
use serde_json::json;

use crate::harness::{TestServer, eventually};

#[tokio::test]
async fn healthz_says_that_the_process_is_there_and_asks_for_nothing() {
    let server = TestServer::without_keys(|_| {}).await;
    server.fetch("/healthz").await.assert(200, r#"{"status":"ok"}"#);
    server
        .call("GET", "/healthz")
        .token("nonsense")
        .header("host", "10.0.0.1:8000")
        .send()
        .await
        .assert(200, r#"{"status":"ok"}"#);
    for path in ["/healthz", "/readyz", &assets::url("gatepost.css")] {
        let head = server.call("HEAD", path).send().await;
        let get = server.fetch(path).await;
        assert_eq!(
            (head.status, head.body.len(), head.header("content-type")),
            (get.status, 0, get.header("content-type")),
            "{path}"
        );
        let post = server.call("POST", path).send().await;
        assert_eq!((post.status, post.header("allow")), (405, "GET, HEAD"), "{path}");
    }
}

#[tokio::test]
async fn readyz_names_each_thing_that_is_missing() {
    let server = TestServer::start().await;
    server.ready().await;
    let ready = server.call("GET", "/readyz").header("host", "10.0.0.1:8000").send().await;
    ready.assert(200, r#"{"status":"ready","checks":{"database":"ok","migrations":"ok","keys":"ok"}}"#);
    for (case, statement) in [
        ("a newer program was here", "INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')"),
        ("migrations are pending", "DELETE FROM __diesel_schema_migrations"),
    ] {
        server.sql(statement).await;
        let answer = server.fetch("/readyz").await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, "5"), "{case}");
        let expected = json!({
            "status": "not ready",
            "checks": { "database": "ok", "migrations": "the migrations of the database and the program differ", "keys": "ok" },
        });
        assert_eq!(answer.json(), expected, "{case}");
    }
}

#[cfg_attr(feature = "postgres", ignore = "removes SQLite's file")]
#[tokio::test]
async fn a_database_that_takes_no_writes_is_not_ready() {
    let server = TestServer::start().await;
    let alice = server.alice().await;
    eventually("the keys are loaded", async || server.get("/me/", &alice).await.status == 200).await;
    // That is written after the answer, and a write that meets the missing file could close the readers, too.
    let seen = "users WHERE last_seen_at IS NOT NULL";
    eventually("alice has been seen", async || server.count(seen).await == 1).await;
    std::fs::remove_file(server.sqlite_file()).expect("the file is there");
    // A reader that has to connect anew finds no file, and says "unavailable". One that is connected still reads.
    eventually("it is found to be read-only", async || {
        let answer = server.fetch("/readyz").await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, "5"));
        answer.json()["checks"]["database"] == "read-only"
    })
    .await;
}
