//! "Why can't Jane get in?": refused tokens and sign-ins in the admin.

use futures_util::future::join_all;
use gatepost::cognito::Refusal;
use gatepost::error::SignInRefusal;

use super::sign_in::{Begun, server_with};
use super::tokens::codes::refused;
use crate::harness::admin::{AdminClient, PASSWORD};
use crate::harness::html::unescape;
use crate::harness::pool::TestKey;
use crate::harness::{TestServer, ago, assert_has, assert_lacks, eventually};

const PAGE: &str = "/admin/refusals/";

/// Waits until this many refusals are recorded, and returns them: kind, code, who, and how often.
async fn recorded(server: &TestServer, count: i64) -> Vec<String> {
    const COUNT: &str = "SELECT coalesce(sum(times), 0) FROM refusals";
    eventually(&format!("{count} refusals are recorded"), async || server.number(COUNT).await >= count).await;
    let who = "coalesce((SELECT username FROM users WHERE users.id = user_id), '-')";
    server.texts(&format!("SELECT concat_ws(' ', kind, code, {who}, sub, email, times) FROM refusals ORDER BY 1")).await
}

#[tokio::test]
async fn each_refused_token_is_recorded_and_names_somebody_only_if_its_signature_is_good() {
    let one = async |refusal: Refusal| {
        let (server, token) = refused(refusal).await;
        assert_ne!(server.get("/me/", &token).await.status, 200, "{refusal:?}");
        let rows = recorded(&server, 1).await;
        // What is missing in the claims, or cannot be read, names nobody.
        let is_named = refusal.is_after_signature() && refusal != Refusal::ClaimInvalid;
        let (row, start) = (rows[0].as_str(), format!("token {} ", refusal.code()));
        assert!(rows.len() == 1 && row.starts_with(&start), "{refusal:?}: {rows:?}");
        assert_eq!(!row.ends_with(" -   1"), is_named, "{refusal:?}: {row}");
        let dump = server.texts("SELECT concat_ws(' ', code, sub, email) FROM refusals").await.remove(0);
        assert!(!dump.contains("eyJ"), "no text of a token: {dump}");
    };
    // Without a token nothing was refused, and without keys nothing was checked. The header is another test's.
    let others = [Refusal::NoToken, Refusal::AuthorizationInvalid, Refusal::KeysUnavailable];
    let all = Refusal::ALL.iter().copied().filter(|refusal| !others.contains(refusal));
    join_all(all.map(one)).await;
}

#[tokio::test]
async fn a_forged_token_speaks_for_nobody_and_a_flood_of_them_is_one_row() {
    let server = TestServer::start().await;
    server.user("jane").await;
    let forged = server.pool.token("jane").signed_by(&TestKey::nth(2)).sign();
    for _ in 0..60 {
        assert_eq!(server.get("/me/", &forged).await.status, 401);
    }
    server.fetch("/me/").await;
    let odd = server.call("GET", "/me/").header("authorization", "Basic amFuZTpzM2NyZXQ=");
    assert_eq!(odd.status().await, 401);
    let rows = recorded(&server, 61).await;
    assert_eq!(rows, ["token authorization_invalid -   1", "token signature_invalid -   60"]);
}

#[tokio::test]
async fn a_token_that_expired_in_use_names_its_user() {
    let server = TestServer::start().await;
    server.user("jane").await;
    server.me(&server.pool.token("jane").sign()).await;
    server.get("/me/", &server.pool.token("jane").claim("exp", 1).sign()).await;
    let rows = recorded(&server, 1).await;
    assert_eq!(rows, ["token token_expired jane sub-of-jane jane@example.com 1"]);
    // Who has an e-mail of somebody else in their token is recorded where that person looks for it.
    let stranger = server.pool.token("jane").claim("sub", "stranger").claim("email_verified", false);
    server.get("/me/", &stranger.sign()).await;
    assert_has(&recorded(&server, 2).await[0], &["token email_unverified jane stranger jane@example.com"]);
}

#[tokio::test]
async fn a_sign_in_with_a_password_is_recorded_for_known_users_alone() {
    let server = TestServer::start_with(|config| config.login_max_failures = 2).await;
    server.staff("jane", |_| {}).await;
    server.staff("gone", |new| new.is_active = false).await;
    server.staff("alice", |new| new.is_staff = false).await;
    server.staff("carl", |new| new.password = None).await;
    let mut browser = AdminClient::new(server.address);
    for (name, password) in [
        ("s3cret typed into the wrong field", "x"),
        ("jane", "wrong s3cret"),
        ("jane", "wrong s3cret"),
        ("jane", "wrong s3cret"),
        ("gone", PASSWORD),
        ("alice", PASSWORD),
        ("carl", PASSWORD),
    ] {
        browser.sign_in(name, password).await;
    }
    let expected = [
        "sign_in not_staff alice   1",
        "sign_in password_missing carl   1",
        "sign_in password_wrong jane   2",
        "sign_in too_many_attempts jane   1",
        "sign_in user_inactive gone   1",
    ];
    assert_eq!(recorded(&server, 6).await, expected);
}

#[tokio::test]
async fn a_sign_in_with_cognito_is_recorded_if_somebody_was_refused() {
    let (server, provider) = server_with(|_| {}).await;
    server.user("alice").await;
    server.staff("jane", |_| {}).await;
    let mut flow = Begun::at(&server, "/admin/").await;
    flow.come_back_with("error=access_denied").await;
    for (name, claim) in [("alice", ""), ("nobody", ""), ("jane", "nonce"), ("jane", "auth_time"), ("jane", "exp")] {
        let mut flow = Begun::at(&server, "/admin/").await;
        let token = flow.token(&server, name);
        let token = match claim {
            "nonce" => token.claim("nonce", "another"),
            "auth_time" => token.claim("auth_time", 1),
            "exp" => token.claim("exp", 1),
            _ => token,
        };
        provider.issues(&token.sign());
        assert_eq!(flow.come_back().await.status, 403, "{name} {claim}");
    }
    let expected = [
        "sign_in nonce_wrong jane sub-of-jane jane@example.com 1",
        "sign_in not_staff alice sub-of-alice alice@example.com 1",
        "sign_in sign_in_too_old jane sub-of-jane jane@example.com 1",
        "sign_in token_expired jane sub-of-jane jane@example.com 1",
        "sign_in user_unknown - sub-of-nobody nobody@example.com 1",
    ];
    assert_eq!(recorded(&server, 5).await, expected);
    // No sign-in creates a user.
    let page = server.superuser().await.page(PAGE).await;
    assert_has(&page, &["Create the user, as staff."]);
    assert_lacks(&page, &["COGNITO_CREATE_USERS"]);
}

/// A refusal so many seconds ago.
fn insert(seconds: i64, code: &str, sub: &str, user: &str) -> String {
    let at = ago(seconds);
    format!(
        "INSERT INTO refusals (at, kind, code, sub, email, user_id, times)
         VALUES ({at}, 'token', '{code}', '{sub}', '', {user}, 3);"
    )
}

#[tokio::test]
async fn the_page_says_when_who_why_and_what_to_do() {
    let server = TestServer::start().await;
    server.user("jane").await;
    let mut root = server.superuser().await;
    assert_has(&root.page(PAGE).await, &["No refusals"]);
    let rows = [
        insert(30, "token_expired", "sub-of-jane", "1"),
        insert(20, "user_unknown", "<b>sub</b>", "NULL"),
        insert(10, "password_wrong", "", "1"),
        insert(5, "code_of_another_version", "", "NULL"),
    ];
    server.sql(rows.concat()).await;
    let html = root.page(PAGE).await;
    assert_lacks(&html, &["<b>sub"]);
    let page = unescape(&html);
    let codes: Vec<&str> =
        page.split("<td class=\"tight\"><code>").skip(1).filter_map(|rest| rest.split('<').next()).collect();
    assert_eq!(codes, ["code_of_another_version", "password_wrong", "user_unknown", "token_expired"], "newest first");
    assert_has(&page, &[Refusal::TokenExpired.detail(), SignInRefusal::PasswordWrong.detail(), "<b>sub</b>"]);
    // What the sentence for clients does not say.
    assert_has(&page, &["No local user has the token's e-mail address. Create the user, or set COGNITO_CREATE_USERS."]);
    assert_has(&page, &["href=\"/admin/users/1/change/\">jane</a>", ">Unknown</span>", "1–4 of 4"]);

    let form = root.page("/admin/users/1/change/").await;
    assert_has(&form, &["href=\"/admin/refusals/?user=1\""]);
    let of_jane = root.page("/admin/refusals/?user=1").await;
    assert_has(&of_jane, &["User: jane", "1–2 of 2"]);
    assert_has(&root.page("/admin/refusals/?user=1&code=token_expired").await, &["1–1 of 1", "?code=token_expired\""]);
    // What is no user and no code does not filter.
    for query in
        ["?user=x&code=%00", "?user=99&code=none&page=x", "?page=-1", "?page=99999999999999999999", "?user=%ff"]
    {
        assert_has(&root.page(&format!("{PAGE}{query}")).await, &["1–4 of 4"]);
    }
}

#[tokio::test]
async fn refusals_are_searched_by_sub_e_mail_and_code_and_told_by_kind_and_age() {
    let (server, mut root) = TestServer::with_superuser().await;
    for (seconds, kind, code, sub, email) in [
        (60, "token", "token_expired", "sub-of-jane", "Jane@example.com"),
        (90_000, "token", "email_unverified", "sub-of-joe", "joe@example.com"),
        (60, "sign_in", "password_wrong", "", ""),
    ] {
        let at = ago(seconds);
        let row = format!("({at}, '{kind}', '{code}', '{sub}', '{email}', 1)");
        server.sql(format!("INSERT INTO refusals (at, kind, code, sub, email, times) VALUES {row}")).await;
    }
    for (query, found) in [
        ("q=sub-of-jane", &["token_expired"][..]),
        ("q=JANE%40example", &["token_expired"]),
        ("q=expired", &["token_expired"]),
        ("q=sub+unverified", &["email_unverified"]),
        ("q=nobody", &[]),
        ("kind=token", &["token_expired", "email_unverified"]),
        ("kind=token&at=day", &["token_expired"]),
        ("kind=sign_in&q=wrong", &["password_wrong"]),
        ("q=%25", &[]),
    ] {
        let page = root.page(&format!("{PAGE}?{query}")).await;
        let codes: Vec<&str> =
            page.split("<td class=\"tight\"><code>").skip(1).filter_map(|rest| rest.split('<').next()).collect();
        assert_eq!(codes, found, "{query}");
    }
    assert_has(&root.page("/admin/refusals/?q=a%22b").await, &["name=\"q\" value=\"a&#34;b\""]);
}

#[tokio::test]
async fn the_page_has_fifty_rows() {
    let (server, mut root) = TestServer::with_superuser().await;
    let rows: String = (0..120).map(|n| insert(1000 - n, "user_unknown", &format!("sub-{n}"), "NULL")).collect();
    server.sql(rows).await;
    let page = root.page("/admin/refusals/?code=user_unknown").await;
    assert_has(&page, &["1–50 of 120", "sub-119<", "sub-70<", "?code=user_unknown&#38;page=2\" rel=\"next\""]);
    assert_lacks(&page, &["sub-69<", "rel=\"prev\""]);
    let page = root.page("/admin/refusals/?page=3").await;
    assert_has(&page, &["101–120 of 120", "sub-0<", "?page=2\" rel=\"prev\""]);
    assert_lacks(&page, &["rel=\"next\""]);
}

#[tokio::test]
async fn the_page_is_for_who_may_see_users() {
    let server = TestServer::start().await;
    let mut author = server.staff_with("author", &["articles.change_article", "users.add_user"]).await;
    assert_eq!(author.get(PAGE).await.status, 403);
    assert_lacks(&author.page("/admin/").await, &[PAGE]);
    let mut viewer = server.staff_with("viewer", &["users.view_user"]).await;
    assert_has(&viewer.page("/admin/").await, &[PAGE]);
    viewer.page(PAGE).await;
    assert_eq!(viewer.post(PAGE, &[]).await.status, 405, "it is read-only");
    assert_eq!(AdminClient::new(server.address).get(PAGE).await.status, 302);
}

#[tokio::test]
async fn refusals_end_after_a_week_and_with_their_user() {
    let server = TestServer::start().await;
    server.user("jane").await;
    let mut root = server.superuser().await;
    let rows =
        [insert(8 * 86_400, "old", "", "NULL"), insert(6 * 86_400, "new", "", "NULL"), insert(9, "of jane", "", "1")];
    server.sql(rows.concat()).await;
    let page = root.page("/admin/users/1/delete/").await;
    assert_has(&page, &["<dt>Refused tokens and sign-ins</dt><dd>1 deleted</dd>"]);
    let answer = root.post("/admin/users/1/delete/", &[("post", "yes")]).await;
    let page = root.follow(&answer).await;
    assert_has(&crate::harness::form::undo(&mut root, &page).await, &["The user “jane” was restored."]);
    let _second = server.second().await;
    let left = async || server.texts("SELECT code FROM refusals ORDER BY 1").await;
    eventually("the old one is gone", async || left().await.len() == 1).await;
    assert_eq!(left().await, ["new"]);
}
