//! The token inspector of the admin: why a token is accepted or refused, for people.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatepost::cognito::Refusal;

use crate::cognito::tokens::codes::refused;
use crate::harness::admin::AdminClient;
use crate::harness::client::Answer;
use crate::harness::html::unescape;
use crate::harness::pool::{CLIENT_ID, ISSUER};
use crate::harness::{TestServer, assert_has, assert_lacks, log_watch};

const PAGE: &str = "/admin/inspector/";

const CHECKS: [&str; 10] =
    ["form", "header", "key", "signature", "claims", "iss", "token_use", "client", "times", "user"];

/// Pastes a text into the page.
async fn inspect(client: &mut AdminClient, text: &str) -> String {
    let answer = client.post(PAGE, &[("token", text)]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    unescape(&answer.text())
}

/// The checks of the page in their order, each with how it ended.
fn checks(page: &str) -> Vec<(String, String)> {
    let list = page.split_once(r#"<ol class="checks">"#).and_then(|(_, rest)| rest.split_once("</ol>"));
    let (list, _) = list.unwrap_or_else(|| panic!("no checks in {page}"));
    let lines = list.split("<strong>").skip(1).map(|line| {
        let (name, rest) = line.split_once("<span class=\"visually-hidden\">: ").expect("how it ended");
        (name.to_owned(), rest.split('<').next().unwrap_or_default().to_owned())
    });
    lines.collect()
}

fn assert_stops_at(page: &str, failing: &str) {
    let at = CHECKS.iter().position(|check| *check == failing).expect("a check");
    let expected = |index: usize| if index < at { "passed" } else { "not reached" };
    let lines = checks(page);
    assert_eq!(lines.len(), CHECKS.len(), "{failing}");
    for (index, (name, state)) in lines.iter().enumerate() {
        assert_eq!(name, CHECKS[index]);
        assert_eq!(state, if index == at { "failed" } else { expected(index) }, "{failing}: {name}");
    }
    assert!(page.contains(&format!("{at} of {} passed", CHECKS.len())), "{failing}: {page}");
}

/// The check that each refusal comes from; a new refusal has to be added here.
fn check_of(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::NoToken | Refusal::AuthorizationInvalid | Refusal::TokenTooLarge | Refusal::TokenMalformed => "form",
        Refusal::AlgorithmNotAllowed | Refusal::HeaderNotSupported | Refusal::KeyIdInvalid => "header",
        Refusal::KeyUnknown | Refusal::KeysUnavailable => "key",
        Refusal::SignatureInvalid => "signature",
        Refusal::ClaimInvalid => "claims",
        Refusal::IssuerNotAccepted => "iss",
        Refusal::IdTokenWanted | Refusal::AccessTokenWanted | Refusal::TokenUseInvalid => "token_use",
        Refusal::ClientNotAccepted => "client",
        Refusal::TokenExpired | Refusal::TokenNotYetValid => "times",
        Refusal::EmailMissing
        | Refusal::EmailUnverified
        | Refusal::EmailAmbiguous
        | Refusal::EmailLinked
        | Refusal::UserUnknown
        | Refusal::UserInactive
        | Refusal::ResourceServerUnset
        | Refusal::ServiceAccountUnknown
        | Refusal::ServiceAccountInactive => "user",
    }
}

#[tokio::test]
async fn each_refusal_stands_above_with_its_advice_and_at_the_check_that_failed() {
    // What is wrong with a request's header is no token that could be pasted.
    let of_header = [Refusal::NoToken, Refusal::AuthorizationInvalid];
    for refusal in Refusal::ALL.iter().copied().filter(|refusal| !of_header.contains(refusal)) {
        let (server, token) = refused(refusal).await;
        let page = inspect(&mut server.superuser().await, &token).await;
        let (above, lines) = page.split_once(r#"<ol class="checks">"#).expect("the checks");
        assert_has(above, &[&format!("with the code <code>{}</code>", refusal.code())]);
        assert!(above.contains(refusal.detail()), "{refusal:?}: {above}");
        assert!(lines.contains(refusal.detail()), "{refusal:?}: {lines}");
        assert!(page.contains("Untrusted") && !page.contains("Accepted."), "{refusal:?}");
        assert_stops_at(&page, check_of(refusal));
        match refusal {
            Refusal::IssuerNotAccepted => assert!(lines.contains(&format!("Accepted: {ISSUER}")), "{lines}"),
            Refusal::ClientNotAccepted => assert!(lines.contains(&format!("Accepted: {CLIENT_ID}")), "{lines}"),
            _ => assert!(!lines.contains("Accepted:"), "{refusal:?}: {lines}"),
        }
    }
}

#[tokio::test]
async fn what_is_no_token_is_told_so_whatever_it_is() {
    let (_server, mut root) = TestServer::with_superuser().await;
    for text in ["", " ", "x", "a.b.c", "eyJ.eyJ.x", "<script>", "Bearer", "Bearer  ", "\u{0}", "ä.ö.ü"] {
        let page = inspect(&mut root, text).await;
        assert!(page.contains("<code>token_malformed</code>"), "{text:?}: {page}");
        assert_stops_at(&page, "form");
    }
    // What it says of itself is shown and stays text.
    let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
    let token = format!("{}.{}.x", part(r#"{"alg":"<b>none"}"#), part(r#"{"exp":1,"x":[1,{"y":"<i>"}]}"#));
    let answer = root.post(PAGE, &[("token", token.as_str())]).await.text();
    assert_has(&answer, &["&#60;b&#62;none"]);
    assert_lacks(&answer, &["<b>", "<i>"]);
    assert_has(&answer, &["1 (1970-01-01 00:00:01 UTC)"]);
}

#[tokio::test]
async fn an_accepted_token_tells_its_local_user_and_changes_nothing() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.user("jane").await;
    let token = server.pool.token("jane").sign();
    for text in [token.clone(), format!("Bearer {token}"), format!("bearer   {token} "), format!("\n {token}\r\n")] {
        let page = inspect(&mut root, &text).await;
        assert_has(&page, &["<strong>Accepted.</strong>", "10 of 10 passed"]);
        assert_has(&page, &["Local user: jane (id 2), linked by the next request"]);
        assert_lacks(&page, &["Untrusted"]);
    }
    assert_eq!(server.count("users WHERE cognito_sub IS NOT NULL").await, 0, "nobody is linked");
    assert_eq!(server.get("/me/", &token).await.status, 200);
    assert!(inspect(&mut root, &token).await.contains("Local user: jane (id 2), linked</p>"));

    let open = TestServer::start_with(|config| config.create_users = true).await;
    let mut root = open.superuser().await;
    let page = inspect(&mut root, &open.pool.token("new").sign()).await;
    assert_has(&page, &["Local user: new@example.com, created by the next request"]);
    assert_eq!(open.count("users").await, 1, "nobody is created");
}

#[tokio::test]
async fn the_inspector_is_for_who_may_see_users_and_for_forms_with_their_token() {
    let server = TestServer::start().await;
    let token = server.pool.token("root").sign();
    let body = [("token", token.as_str())];
    let nobody = AdminClient::new(server.address);
    let answer = nobody.call("GET", PAGE).send().await;
    assert_eq!(answer.redirect(), (302, "/admin/login/?next=/admin/inspector/"));
    assert_eq!(nobody.form(PAGE, &body).status().await, 302);

    let mut author = server.staff_with("author", &["articles.change_article", "users.add_user"]).await;
    assert_eq!(author.get(PAGE).await.status, 403);
    let answer = author.post(PAGE, &body).await;
    assert_eq!(answer.status, 403);
    assert_lacks(&answer.text(), &["root@example.com"]);
    assert!(!author.page("/admin/").await.contains(PAGE));

    for permission in ["users.view_user", "users.change_user"] {
        let mut viewer = server.staff_with(&permission.replace('.', "-"), &[permission]).await;
        assert!(viewer.page("/admin/").await.contains(PAGE), "{permission}");
        viewer.page(PAGE).await;
        assert_eq!(viewer.form(PAGE, &body).status().await, 403, "without its CSRF token");
        assert!(inspect(&mut viewer, &token).await.contains("user_unknown"), "{permission}");
        assert_eq!(viewer.call("PUT", PAGE).send().await.header("allow"), "GET, HEAD, POST");
    }
}

#[tokio::test]
async fn a_pasted_token_stays_nowhere() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.user("jane").await;
    let token = server.pool.token("jane").claim("custom:note", "s3cret-of-jane").sign();
    let (_, signature) = token.rsplit_once('.').expect("a signature");
    let answer = root.post(PAGE, &[("token", token.as_str())]).await;
    let says = |answer: &Answer, text: &str| format!("{:?}{}", answer.headers, answer.text()).contains(text);
    assert!(!says(&answer, signature) && !says(&answer, &token), "the token is not shown again");
    assert!(says(&answer, "s3cret-of-jane"), "what it says is");
    assert!(answer.header("cache-control").contains("no-store"));
    // It was sent in the body, to the address of the page: nothing of it is in an address that could be passed on.
    assert_eq!((answer.status, answer.header("location"), answer.header("referrer-policy")), (200, "", "same-origin"));
    // An address that brings one shows none.
    let page = root.page(&format!("{PAGE}?token={token}")).await;
    assert_lacks(&page, &[signature, "s3cret-of-jane", "Refused"]);
    for line in log_watch::lines() {
        assert_lacks(&line, &[signature, "s3cret-of-jane"]);
    }
}

#[cfg_attr(feature = "postgres", ignore = "about SQLite's file and what is kept beside it")]
#[tokio::test]
async fn a_pasted_token_is_in_no_file_of_the_database() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.user("jane").await;
    let token = server.pool.token("jane").claim("custom:note", "s3cret-of-jane").sign();
    inspect(&mut root, &token).await;
    let folder = server.sqlite_file().parent().expect("a folder");
    let (_, signature) = token.rsplit_once('.').expect("a signature");
    for file in std::fs::read_dir(folder).expect("the folder").map(|file| file.expect("a file").path()) {
        let bytes = std::fs::read(&file).expect("a file");
        for secret in [signature, "s3cret-of-jane"] {
            let is_there = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!is_there, "{}: {secret}", file.display());
        }
    }
}
