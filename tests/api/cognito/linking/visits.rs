//! What a visit leaves behind.

use gatepost::cognito::Refusal;

use super::{creating, entered};
use crate::cognito::tokens::{assert_accepted, assert_refused};
use crate::harness::{TestServer, ago, eventually};

/// Has each visit that is written leave a row.
#[cfg(not(feature = "postgres"))]
const VISITS_ARE_NOTED: &str = "CREATE TABLE visits (user_id INTEGER);
    CREATE TRIGGER visit AFTER UPDATE OF last_seen_at ON users BEGIN INSERT INTO visits VALUES (new.id); END;";

#[cfg(feature = "postgres")]
const VISITS_ARE_NOTED: &str = "CREATE TABLE visits (user_id BIGINT);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN INSERT INTO visits VALUES (new.id); RETURN NULL; END';
    CREATE TRIGGER visit AFTER UPDATE OF last_seen_at ON users FOR EACH ROW EXECUTE FUNCTION note();";

#[tokio::test]
async fn the_time_of_the_last_visit_is_written_once_a_minute() {
    let server = TestServer::start().await;
    server.user("alice").await;
    server.user("bob").await;
    server.sql(VISITS_ARE_NOTED).await;
    const VISITS: &str = "visits WHERE user_id = 1";
    let (alice, bob) = (server.pool.token("alice").sign(), server.pool.token("bob").sign());
    assert_accepted(&server, "alice", &alice).await;
    eventually("the first visit is written", async || server.count(VISITS).await == 1).await;
    let lately = format!("users WHERE id = 1 AND last_seen_at BETWEEN {} AND {}", ago(60), ago(-60));
    assert_eq!(server.count(&lately).await, 1);
    for _ in 0..10 {
        assert_accepted(&server, "alice again", &alice).await;
    }
    // Writes are made in their order: when one for Bob that was caused later is there, any for Alice would be.
    assert_accepted(&server, "bob", &bob).await;
    eventually("Bob's visit is written", async || server.count("visits WHERE user_id = 2").await == 1).await;
    assert_eq!(server.count(VISITS).await, 1);
    server.sql(format!("UPDATE users SET last_seen_at = {} WHERE id = 1; DELETE FROM visits", ago(120))).await;
    assert_accepted(&server, "alice, later", &alice).await;
    eventually("the later visit is written", async || server.count(VISITS).await == 1).await;
    // A visit is no change of the user.
    assert_eq!(server.count("history WHERE changes LIKE '%last_seen%'").await, 0);
}

#[tokio::test]
async fn a_refused_visitor_leaves_no_trace() {
    let server = creating().await;
    server.user("alice").await;
    let history = server.count("history").await;
    for (what, token, refusal) in [
        ("unverified", server.pool.token("alice").claim("email_verified", false), Refusal::EmailUnverified),
        ("expired", server.pool.token("alice").claim("exp", 1), Refusal::TokenExpired),
        (
            "look-alike",
            server.pool.token("x").claim("email", "al\u{131}ce@example.com").claim("email_verified", false),
            Refusal::EmailUnverified,
        ),
    ] {
        assert_refused(&server, what, &token.sign(), refusal).await;
    }
    assert_eq!((entered(&server).await, server.count("users").await), (0, 1));
    assert_eq!(server.count("history").await, history);
    assert_eq!(server.count("users WHERE last_seen_at IS NOT NULL").await, 0);
}
