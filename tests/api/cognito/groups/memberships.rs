//! Members come and go with the tokens of the pool.

use gatepost::cognito::Refusal;
use gatepost::cognito::user_pool::TokenUse;
use gatepost::db::DatabaseUrl;
use serde_json::json;

use super::{history, members, send, server, set_up, token};
use crate::cognito::tokens::assert_refused;
use crate::harness::pool::now;
use crate::harness::{TestServer, assert_has, eventually};

/// The `iat` of the last token of `jane` whose groups were taken.
async fn last_taken(server: &TestServer) -> i64 {
    server.number("SELECT coalesce(max(cognito_groups_iat), 0) FROM users").await
}

const JOINED: &str = r#"jane {"cognito_groups":[[],["Editors"]]}"#;
const LEFT: &str = r#"jane {"cognito_groups":[["Editors"],[]]}"#;

#[tokio::test]
async fn a_member_of_the_group_in_the_pool_has_the_rights_of_the_local_group() {
    let server = server().await;
    server.seed_articles(1).await;
    server.sql("UPDATE users SET is_staff = TRUE WHERE username = 'jane'").await;
    let mut jane = server.sign_in("jane").await;
    assert_eq!(jane.get("/admin/articles/1/change/").await.status, 403);
    // The first token links jane; the others are of a user who is linked.
    for _ in 0..2 {
        send(&server, &["editors", "Readers", "eu-west-1_AbCdEfGhI_Google"], 5).await;
        assert_eq!(members(&server).await, ["jane Editors"]);
        assert_eq!(jane.get("/admin/articles/1/change/").await.status, 200);
    }
    assert_eq!(history(&server).await, [JOINED]);
    assert_eq!(server.count("user_groups").await, 0, "it is no membership given by hand");
    send(&server, &["Editors", "EDITORS", "editors ", "editor"], 4).await;
    assert_eq!(members(&server).await, [""; 0], "another name is another group");
    assert_eq!(jane.get("/admin/articles/1/change/").await.status, 403);
    assert_eq!(history(&server).await, [JOINED, LEFT]);
}

#[tokio::test]
async fn whoever_is_removed_in_the_pool_leaves_with_the_next_new_token() {
    let server = server().await;
    let old = token(&server, &["editors"], 10).sign();
    server.me(&old).await;
    send(&server, &[], 5).await;
    assert_eq!(members(&server).await, [""; 0], "without the claim there are no groups");
    // The older token lives on and is accepted, but its groups are over.
    server.me(&old).await;
    send(&server, &["editors"], 10).await;
    assert_eq!(members(&server).await, [""; 0]);
    send(&server, &["editors"], 5).await;
    assert_eq!(members(&server).await, ["jane Editors"], "one of the same second counts");
    send(&server, &[], 4).await;
    assert_eq!(history(&server).await, [JOINED, LEFT, JOINED, LEFT]);
}

#[tokio::test]
async fn an_older_token_gives_nothing_even_if_the_newer_one_changed_nothing() {
    let server = server().await;
    send(&server, &[], 20).await;
    send(&server, &[], 5).await;
    let newer = now() - 10;
    eventually("the newer token is taken", async || last_taken(&server).await > newer).await;
    send(&server, &["editors"], 10).await;
    assert_eq!((members(&server).await.len(), history(&server).await.len()), (0, 0));
}

#[tokio::test]
async fn of_two_requests_at_once_the_newer_token_wins() {
    let server = server().await;
    send(&server, &[], 100).await;
    for round in 0..10 {
        let (older, newer) = (90 - 8 * round, 86 - 8 * round);
        let (with, without) = (["editors"], []);
        let (older_groups, newer_groups): (&[&str], &[&str]) =
            if round % 2 == 0 { (&with, &without) } else { (&without, &with) };
        let newer_iat = now() - newer;
        let newer = token(&server, newer_groups, 0).claim("iat", newer_iat).sign();
        let older = token(&server, older_groups, older).sign();
        // Both orders of arrival.
        let (first, second) = if round % 4 < 2 { (&older, &newer) } else { (&newer, &older) };
        tokio::join!(server.me(first), server.me(second));
        let expected: &[&str] = if round % 2 == 0 { &[] } else { &["jane Editors"] };
        // What changes nothing is taken in the background.
        let what = format!("the newer token has won round {round}");
        eventually(&what, async || members(&server).await == expected && last_taken(&server).await == newer_iat).await;
    }
}

#[tokio::test]
async fn memberships_given_by_hand_are_left_alone() {
    let server = server().await;
    server.sql("INSERT INTO user_groups SELECT users.id, groups.id FROM users, groups").await;
    send(&server, &["editors"], 10).await;
    send(&server, &[], 5).await;
    assert_eq!((server.count("user_groups").await, members(&server).await.len()), (2, 0));
}

#[tokio::test]
async fn where_no_group_is_mapped_nothing_is_written() {
    let server = server().await;
    server.sql("UPDATE groups SET cognito_group = NULL").await;
    send(&server, &[], 20).await;
    let before = server.count("history").await;
    for (age, groups) in [(10, &["editors", "Readers"][..]), (9, &[])] {
        send(&server, groups, age).await;
    }
    assert_eq!((server.count("history").await, members(&server).await.len()), (before, 0));
    assert_eq!(server.count("users WHERE cognito_groups_iat IS NOT NULL").await, 0);
}

#[tokio::test]
async fn only_the_claim_of_groups_gives_any() {
    let server = server().await;
    let claims =
        ["custom:groups", "custom:cognito:groups", "groups", "cognito:roles", "cognito:preferred_role", "scope"];
    for name in claims {
        for value in [json!(["editors"]), json!("editors")] {
            server.me(&token(&server, &[], 5).claim(name, value).sign()).await;
        }
    }
    assert_eq!(members(&server).await, [""; 0]);
    for value in [json!("editors"), json!(null), json!([["editors"]]), json!(["editors", 7]), json!({ "0": "editors" })]
    {
        let bent = token(&server, &[], 5).claim("cognito:groups", value.clone()).sign();
        assert_refused(&server, &value.to_string(), &bent, Refusal::ClaimInvalid).await;
    }
    assert_eq!(server.count("users WHERE cognito_groups_iat IS NOT NULL").await, 1);
    // Nobody could say whether a token without a time is newer than another one.
    server.me(&token(&server, &["editors"], 0).without("iat").sign()).await;
    assert_eq!(members(&server).await, [""; 0]);
    // A trigger may add as many as a token holds, with any text.
    let many: Vec<String> = (0..300).map(|n| format!("group\0'\"{n}")).chain(["editors".to_owned()]).collect();
    server.me(&token(&server, &[], 0).claim("cognito:groups", many).sign()).await;
    assert_eq!(members(&server).await, ["jane Editors"]);
}

#[tokio::test]
async fn access_tokens_and_first_tokens_of_new_users_bring_groups_as_well() {
    let server = TestServer::start_with(|config| (config.token_use, config.create_users) = (TokenUse::Any, true)).await;
    set_up(&server).await;
    server.me(&server.pool.token("new").claim("cognito:groups", json!(["editors"])).sign()).await;
    assert_eq!(members(&server).await, ["new Editors"]);
    send(&server, &[], 20).await;
    server.me(&server.pool.access_token("jane").claim("cognito:groups", json!(["editors"])).sign()).await;
    assert_eq!(members(&server).await, ["jane Editors", "new Editors"]);
    let history = server.texts("SELECT source || ' ' || action FROM history WHERE object = 'new' ORDER BY id").await;
    assert_eq!(history, ["first_token created", "cognito changed"]);
}

#[tokio::test]
async fn a_mapping_made_later_counts_for_tokens_that_are_in_use() {
    let server = server().await;
    server.sql("UPDATE groups SET cognito_group = NULL").await;
    let token = token(&server, &["editors"], 5).sign();
    server.me(&token).await;
    assert_eq!(members(&server).await, [""; 0]);
    server.sql("UPDATE groups SET cognito_group = 'editors' WHERE name = 'Editors'").await;
    server.me(&token).await;
    assert_eq!(members(&server).await, ["jane Editors"]);
}

#[tokio::test]
async fn a_request_that_cannot_write_them_fails_and_leaves_it_to_the_next_one() {
    let server = server().await;
    if !matches!(server.db.url(), DatabaseUrl::Sqlite(_)) {
        return;
    }
    send(&server, &[], 20).await;
    let stop = "CREATE TRIGGER stop BEFORE INSERT ON user_cognito_groups BEGIN SELECT RAISE(ABORT, 'stopped'); END";
    server.sql(stop).await;
    let token = token(&server, &["editors"], 5).sign();
    for _ in 0..2 {
        assert_eq!(server.get("/me/", &token).await.status, 500);
    }
    server.sql("DROP TRIGGER stop").await;
    server.me(&token).await;
    assert_eq!(members(&server).await, ["jane Editors"]);
}

#[tokio::test]
async fn unlinking_takes_away_what_the_pool_gave() {
    let server = server().await;
    let mut root = server.superuser().await;
    send(&server, &["editors"], 5).await;
    assert_eq!(root.post("/admin/users/1/action/", &[("action", "unlink")]).await.status, 303);
    assert_eq!(members(&server).await, [""; 0]);
    let entry = "SELECT changes FROM history WHERE object = 'jane' ORDER BY id DESC LIMIT 1";
    assert_has(&server.texts(entry).await[0], &["\"cognito_sub\":", "\"cognito_groups\":[[\"Editors\"],[]]"]);
    // The next token links again. An older one is still older.
    send(&server, &["editors"], 10).await;
    assert_eq!(members(&server).await, [""; 0]);
    send(&server, &["editors"], 4).await;
    assert_eq!(members(&server).await, ["jane Editors"]);
}
