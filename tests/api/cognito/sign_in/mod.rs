//! Staff sign in to the admin with Cognito.

mod setup;

use std::collections::HashMap;

use gatepost::config::{Config, Pool};
use gatepost::crypto::{Secret, fingerprint};
use serde_json::json;
use url::Url;

use crate::harness::admin::{AdminClient, SESSION_COOKIE};
use crate::harness::client::Answer;
use crate::harness::html::unescape;
use crate::harness::pool::{CLIENT_ID, TestKey, TokenBuilder, now};
use crate::harness::provider::{ADMIN_CLIENT, ProviderFixture};
use crate::harness::{TestServer, assert_has, assert_lacks, eventually};

const BEGIN: &str = "/admin/login/cognito/";

/// A server whose staff sign in at this provider.
pub async fn server_with(change: impl FnOnce(&mut Config)) -> (TestServer, ProviderFixture) {
    let provider = ProviderFixture::start().await;
    let settings = provider.settings();
    let server = TestServer::start_with(|config| {
        config.provider = Some(settings);
        change(config);
    })
    .await;
    (server, provider)
}

async fn server() -> (TestServer, ProviderFixture) {
    server_with(|_| {}).await
}

/// A sign-in that has begun.
pub struct Begun {
    pub browser: AdminClient,
    /// The parameters of the authorization request.
    asked: HashMap<String, String>,
}

impl Begun {
    pub async fn at(server: &TestServer, next: &str) -> Begun {
        Begun::in_browser(AdminClient::new(server.address), next).await
    }

    pub async fn in_browser(mut browser: AdminClient, next: &str) -> Begun {
        let answer = browser.get(&format!("{BEGIN}?next={next}")).await;
        assert_eq!(answer.status, 302, "{}", answer.text());
        let url = Url::parse(answer.header("location")).expect("a URL");
        let asked = url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        Begun { browser, asked }
    }

    /// An ID token for this sign-in.
    pub fn token(&self, server: &TestServer, name: &str) -> TokenBuilder {
        server.pool.token(name).claim("aud", ADMIN_CLIENT).claim("nonce", self.asked["nonce"].as_str())
    }

    /// Comes back from the provider with a code.
    pub async fn come_back(&mut self) -> Answer {
        let query = format!("code=the-code&state={}", self.asked["state"]);
        self.come_back_with(&query).await
    }

    pub async fn come_back_with(&mut self, query: &str) -> Answer {
        let path = Url::parse(&self.asked["redirect_uri"]).expect("a URL").path().to_owned();
        self.browser.get(&format!("{path}?{query}")).await
    }
}

/// Fails unless the page says this, and nobody is signed in.
#[track_caller]
pub fn assert_refused(case: &str, answer: &Answer, status: u16, text: &str) {
    let page = unescape(&answer.text());
    assert_eq!(answer.status, status, "{case}: {page}");
    assert!(page.contains(text) && page.contains("You are not signed in"), "{case}: {page}");
    let mut cookies = answer.headers.get_all("set-cookie").iter();
    assert!(!cookies.any(|cookie| cookie.as_bytes().starts_with(SESSION_COOKIE.as_bytes())), "{case}");
}

#[tokio::test]
async fn staff_sign_in_with_cognito_and_land_where_they_wanted_to_go() {
    let (server, provider) = server_with(|config| {
        if let Some(provider) = &mut config.provider {
            provider.client_secret = Some(Secret::new("s&cret".to_owned()));
        }
    })
    .await;
    server.staff("jane", |new| new.is_superuser = true).await;
    let page = AdminClient::new(server.address).page("/admin/login/?next=/admin/articles/").await;
    assert_has(&page, &["Sign in with Cognito", "href=\"/admin/login/cognito/?next=/admin/articles/\""]);

    let mut flow = Begun::at(&server, "/admin/articles/%3Fq%3Da").await;
    let asked = |name: &str| flow.asked[name].as_str();
    assert_eq!((asked("response_type"), asked("client_id")), ("code", ADMIN_CLIENT));
    assert_eq!((asked("scope"), asked("code_challenge_method")), ("openid email profile", "S256"));
    provider.issues(&flow.token(&server, "jane").sign());
    let answer = flow.come_back().await;
    assert_eq!((answer.status, answer.header("location")), (303, "/admin/articles/?q=a"), "{}", answer.text());
    assert_has(&flow.browser.page("/admin/").await, &["jane"]);

    let request = provider.requests().remove(0);
    let (head, body) = request.split_once("\r\n\r\n").expect("a body");
    // RFC 6749, section 2.3.1: form-encoded, then base64 of `7adminclient23456789abcdef:s%26cret`.
    assert_has(head, &["Basic N2FkbWluY2xpZW50MjM0NTY3ODlhYmNkZWY6cyUyNmNyZXQ="]);
    let sent: HashMap<_, _> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    assert_eq!((sent["grant_type"].as_str(), sent["code"].as_str()), ("authorization_code", "the-code"));
    assert_eq!(sent["redirect_uri"], flow.asked["redirect_uri"]);
    assert_eq!(fingerprint(&sent["code_verifier"]), flow.asked["code_challenge"]);
    assert!(!body.contains("cret"), "the secret goes in the header alone: {body}");
    let linked = server.number("SELECT count(*) FROM users WHERE cognito_sub = 'sub-of-jane'").await;
    assert_eq!(linked, 1, "the first sign-in links, as a first token does");
    assert_eq!(server.texts("SELECT state AS t FROM sessions").await.len(), 1);
    let state = server.texts("SELECT state AS t FROM sessions").await.remove(0);
    assert!(!state.contains("eyJ") && !state.contains("refresh"), "tokens are thrown away: {state}");
}

#[tokio::test]
async fn who_may_not_enter_is_told_why_and_nobody_is_made_staff() {
    let (server, provider) = server().await;
    server.user("alice").await;
    server.staff("gone", |new| new.is_active = false).await;
    server.staff("jane", |_| {}).await;
    let cases = [
        ("alice", true, "Your account here is not a staff account."),
        ("gone", true, "Your account here is deactivated."),
        ("nobody", true, "No account here belongs to your Cognito account."),
        ("jane", false, "Cognito has not verified your e-mail address"),
    ];
    for (name, is_verified, text) in cases {
        let mut flow = Begun::at(&server, "/admin/").await;
        provider.issues(&flow.token(&server, name).claim("email_verified", is_verified).sign());
        let answer = flow.come_back().await;
        assert_refused(name, &answer, 403, text);
        assert_lacks(&answer.text(), &[name, "example.com"]);
        assert_has(&answer.text(), &["Sign in with another account", "again=1", "Sign in with a password"]);
    }
    assert_eq!(server.number("SELECT count(*) FROM users WHERE is_staff").await, 2);
    assert_eq!(server.number("SELECT count(*) FROM users").await, 3, "nobody was created");
}

#[tokio::test]
async fn a_token_that_is_not_for_this_sign_in_is_refused() {
    let (server, provider) = server().await;
    server.staff("jane", |_| {}).await;
    const WRONG: &str = "The token from Cognito is not one for this sign-in.";
    let other_key = TestKey::nth(2);
    let as_machine = |token: TokenBuilder| token.claim("sub", ADMIN_CLIENT).without("cognito:username");
    let cases: [(&str, &dyn Fn(TokenBuilder) -> TokenBuilder); 10] = [
        ("no time of sign-in", &|token| token.without("auth_time")),
        ("another nonce", &|token| token.claim("nonce", "n".repeat(43))),
        ("no nonce", &|token| token.without("nonce")),
        ("the API's client", &|token| token.claim("aud", CLIENT_ID)),
        ("another pool", &|token| token.claim("iss", "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other")),
        ("expired", &|token| token.claim("exp", now() - 3600)),
        ("another signature", &|token| token.signed_by(&other_key)),
        ("an access token", &|token| token.claim("token_use", "access").claim("client_id", ADMIN_CLIENT)),
        ("a machine's", &|token| as_machine(token).claim("token_use", "access").claim("client_id", ADMIN_CLIENT)),
        ("not yet valid", &|token| token.claim("auth_time", now() + 3600)),
    ];
    for (case, bend) in cases {
        let mut flow = Begun::at(&server, "/admin/").await;
        provider.issues(&bend(flow.token(&server, "jane")).sign());
        assert_refused(case, &flow.come_back().await, 403, WRONG);
    }
    let mut flow = Begun::at(&server, "/admin/").await;
    provider.issues("no.token.atall");
    assert_refused("no token", &flow.come_back().await, 403, WRONG);
    // A code of somebody else's sign-in, slipped into this browser, fails by the nonce.
    let (other, mut flow) = (Begun::at(&server, "/admin/").await, Begun::at(&server, "/admin/").await);
    provider.issues(&other.token(&server, "jane").sign());
    assert_refused("an injected code", &flow.come_back().await, 403, WRONG);
    assert_eq!(server.number("SELECT count(*) FROM sessions").await, 0);
}

#[tokio::test]
async fn a_callback_counts_once_and_only_in_the_browser_that_began() {
    const NO_FLOW: &str = "This sign-in took too long, was already used, or began in another browser.";
    let (server, provider) = server().await;
    server.staff("jane", |_| {}).await;
    let mut flow = Begun::at(&server, "/admin/").await;
    provider.issues(&flow.token(&server, "jane").sign());
    let query = format!("code=c&state={}", flow.asked["state"]);
    let mut stranger = Begun { browser: AdminClient::new(server.address), asked: flow.asked.clone() };
    assert_refused("login CSRF", &stranger.come_back_with(&query).await, 400, NO_FLOW);
    let mut other = Begun::at(&server, "/admin/").await;
    assert_refused("another flow's state", &other.come_back_with(&query).await, 400, NO_FLOW);
    for query in ["", "code=c", "code=c&state=", "code=c&state=x", "%ff=%fe", &format!("{query}&state=x")] {
        assert_refused(query, &flow.come_back_with(query).await, 400, NO_FLOW);
    }
    assert_eq!(provider.requests().len(), 0, "no code left the server");
    assert_eq!(flow.come_back().await.status, 303);
    let repeated = flow.come_back().await;
    assert_eq!((repeated.status, repeated.header("location")), (303, "/admin/"), "who is signed in goes on");
    assert_eq!(provider.requests().len(), 1);

    let mut flow = Begun::at(&server, "/admin/").await;
    let query = format!("code=c&state={}&iss=https%3A%2F%2Fevil.example", flow.asked["state"]);
    assert_refused("a mix-up", &flow.come_back_with(&query).await, 400, "Cognito’s response is incomplete.");
}

#[tokio::test]
async fn two_tabs_do_not_disturb_each_other() {
    let (server, provider) = server().await;
    server.staff("jane", |_| {}).await;
    let first = Begun::at(&server, "/admin/articles/").await;
    let mut second = Begun::in_browser(first.browser.clone(), "/admin/history/").await;
    provider.issues(&second.token(&server, "jane").sign());
    assert_eq!(second.come_back().await.header("location"), "/admin/history/");
    let mut first = Begun { browser: second.browser.clone(), asked: first.asked };
    provider.issues(&first.token(&server, "jane").sign());
    assert_eq!(first.come_back().await.header("location"), "/admin/articles/");
}

#[tokio::test]
async fn a_browser_keeps_few_flows() {
    let (server, _provider) = server().await;
    let mut browser = AdminClient::new(server.address);
    for _ in 0..12 {
        browser = Begun::in_browser(browser, "/admin/").await.browser;
    }
    let flows = browser.cookies.keys().filter(|name| name.contains("sign_in_")).count();
    assert!((1..=3).contains(&flows), "{flows}");
}

#[tokio::test]
async fn each_error_of_the_provider_has_a_sentence_of_ours() {
    let (server, _provider) = server().await;
    for (error, text) in [
        ("access_denied", "Cognito did not let you in, or you cancelled."),
        ("login_required", "Cognito asks you to sign in again."),
        ("server_error", "Cognito has a problem at the moment."),
        ("unauthorized_client", "The app client of this site is not set up"),
        ("invalid_request", "Cognito refused the sign-in."),
        ("%3Cscript%3E", "Cognito refused the sign-in."),
    ] {
        let mut flow = Begun::at(&server, "/admin/articles/").await;
        let query = format!("error={error}&error_description=%3Cb%3EBuy%3C%2Fb%3E&state={}", flow.asked["state"]);
        let answer = flow.come_back_with(&query).await;
        assert_refused(error, &answer, 400, text);
        assert_lacks(&answer.text(), &["Buy", "<script>"]);
        assert_has(&answer.text(), &["Try again", "/admin/login/cognito/?next=%2Fadmin%2Farticles%2F"]);
    }
}

#[tokio::test]
async fn a_provider_that_is_down_or_lies_is_a_clear_page() {
    let (server, provider) = server().await;
    server.staff("jane", |_| {}).await;
    const AWAY: &str = "Cognito cannot be reached at the moment.";
    const USELESS: &str = "Cognito’s response is not valid.";
    type Case<'a> = (&'a str, &'a dyn Fn(&ProviderFixture), u16, &'a str);
    let cases: [Case; 9] = [
        ("it hangs up", &|provider| provider.hangs_up(), 503, AWAY),
        ("it is slow", &|provider| provider.stalls(), 503, AWAY),
        ("it fails", &|provider| provider.replies("500 Oops", "", "{}"), 503, AWAY),
        ("no JSON", &|provider| provider.replies("200 OK", "", "<html>"), 502, USELESS),
        ("no token", &|provider| provider.replies("200 OK", "", json!({ "access_token": "x" })), 502, USELESS),
        ("a redirect", &|provider| provider.replies("302 Found", "location: /x\r\n", ""), 502, USELESS),
        ("too much", &|provider| provider.replies("200 OK", "", "x".repeat(70_000)), 502, USELESS),
        (
            "a used code",
            &|provider| provider.replies("400 Bad Request", "", json!({ "error": "invalid_grant" })),
            400,
            "Cognito did not accept the code of this sign-in.",
        ),
        (
            "a wrong secret",
            &|provider| provider.replies("401 Unauthorized", "", json!({ "error": "invalid_client" })),
            502,
            "The app client of this site is not set up",
        ),
    ];
    for (case, behave, status, text) in cases {
        let mut flow = Begun::at(&server, "/admin/").await;
        behave(&provider);
        let answer = flow.come_back().await;
        assert_refused(case, &answer, status, text);
        assert_has(&answer.text(), &["Try again", "Sign in with a password"]);
    }
}

#[tokio::test]
async fn the_endpoints_come_from_the_discovery_of_the_very_issuer() {
    let provider = ProviderFixture::start().await;
    let (issuer, mut settings) = (provider.url(""), provider.settings());
    (settings.authorization_url, settings.token_url, settings.logout_url) = (None, None, None);
    settings.issuer = issuer.clone();
    let server = TestServer::start_with(|config| {
        config.provider = Some(settings);
        if let Pool::Cognito(pool) = &mut config.pool {
            pool.issuers = vec![issuer.clone()];
        }
    })
    .await;
    server.staff("jane", |_| {}).await;
    provider.discovers("https://evil.example");
    let answer = AdminClient::new(server.address).get(BEGIN).await;
    assert_refused("another issuer", &answer, 502, "Cognito’s response is not valid.");
    provider.discovers(&issuer);
    eventually("the endpoints are found", async || AdminClient::new(server.address).get(BEGIN).await.status == 302)
        .await;
    let mut flow = Begun::at(&server, "/admin/").await;
    provider.issues(&flow.token(&server, "jane").claim("iss", issuer.as_str()).sign());
    assert_eq!(flow.come_back().await.status, 303);
}

#[tokio::test]
async fn the_time_at_cognito_bounds_the_session() {
    let (server, provider) = server().await;
    server.staff("jane", |_| {}).await;
    let max = server.config.session_limits.max.as_secs() as i64;
    let mut flow = Begun::at(&server, "/admin/").await;
    assert_eq!(flow.asked["max_age"], max.to_string());
    provider.issues(&flow.token(&server, "jane").claim("auth_time", now() - max - 60).sign());
    assert_refused("too old", &flow.come_back().await, 403, "You signed in to Cognito too long ago.");
    let mut flow = Begun::at(&server, "/admin/").await;
    provider.issues(&flow.token(&server, "jane").claim("auth_time", now() - 3600).sign());
    assert_eq!(flow.come_back().await.status, 303);
    let began = server.texts("SELECT CAST(created_at AS TEXT) AS t FROM sessions").await.remove(0);
    let began = chrono::NaiveDateTime::parse_from_str(&began, "%Y-%m-%d %H:%M:%S%.f").expect("a time");
    let age = (chrono::Utc::now().naive_utc() - began).num_seconds();
    assert!((3600..3900).contains(&age), "{age}");
    // A new password renews the session, and not its time.
    flow.browser.page("/admin/password_change/").await;
    let new = "a-new-Passphrase-7";
    let fields = [("old_password", crate::harness::admin::PASSWORD), ("new_password1", new), ("new_password2", new)];
    assert_eq!(flow.browser.post("/admin/password_change/", &fields).await.status, 303);
    let renewed = server.texts("SELECT CAST(created_at AS TEXT) AS t FROM sessions").await.remove(0);
    assert_eq!(renewed[..19], began.format("%Y-%m-%d %H:%M:%S").to_string());
}

#[tokio::test]
async fn a_second_factor_can_be_demanded_of_cognito() {
    let (server, provider) = server_with(|config| {
        if let Some(provider) = &mut config.provider {
            provider.acr = vec!["urn:cognito:loa:2".to_owned()];
        }
    })
    .await;
    server.staff("jane", |_| {}).await;
    for acr in [None, Some("urn:cognito:loa:1")] {
        let mut flow = Begun::at(&server, "/admin/").await;
        assert_eq!(flow.asked["acr_values"], "urn:cognito:loa:2");
        let token = flow.token(&server, "jane");
        provider.issues(&acr.map_or(token.clone(), |acr| token.claim("acr", acr)).sign());
        let text = "This site asks for a second factor, and Cognito did not confirm one.";
        assert_refused("no second factor", &flow.come_back().await, 403, text);
    }
    let mut flow = Begun::at(&server, "/admin/").await;
    provider.issues(&flow.token(&server, "jane").claim("acr", "urn:cognito:loa:2").sign());
    assert_eq!(flow.come_back().await.status, 303);
}

#[tokio::test]
async fn the_way_leads_nowhere_but_to_this_site_and_begins_a_session_of_its_own() {
    let (server, provider) = server().await;
    server.staff("jane", |_| {}).await;
    server.staff("root", |new| new.is_superuser = true).await;
    for next in ["//evil.example", "https://evil.example/", "/%255cevil.example", "%5C%5Cevil.example"] {
        let mut flow = Begun::at(&server, next).await;
        provider.issues(&flow.token(&server, "jane").sign());
        let answer = flow.come_back().await;
        let location = answer.header("location");
        assert!(location.starts_with('/') && !location.contains("//"), "{next}: {location}");
        assert!(!location.starts_with("/\\"), "{next}: {location}");
    }
    // A redirect after Cognito's counts as one from another site, where the API's pages know no session.
    let mut flow = Begun::at(&server, "/articles/").await;
    provider.issues(&flow.token(&server, "jane").sign());
    let answer = flow.come_back().await;
    assert_eq!(answer.status, 200);
    assert_has(&answer.text(), &["content=\"0; url=/articles/\"", "href=\"/articles/\""]);
    // What would make the cookie too large is not kept.
    let mut flow = Begun::at(&server, &format!("/admin/articles/?q={}", "x".repeat(2000))).await;
    assert!(flow.browser.cookies.values().all(|value| value.len() < 2000));
    provider.issues(&flow.token(&server, "jane").sign());
    assert_eq!(flow.come_back().await.header("location"), "/admin/");
    // HEAD changes nothing.
    let mut flow = Begun::at(&server, "/admin/").await;
    provider.issues(&flow.token(&server, "jane").sign());
    let path = format!("/admin/login/cognito/callback/?code=c&state={}", flow.asked["state"]);
    assert_eq!(flow.browser.call("HEAD", &path).send().await.status, 405);
    assert_eq!(flow.come_back().await.status, 303);
    // A session that an attacker has planted does not become jane's.
    let planted = server.sign_in("root").await;
    let before = planted.cookies[SESSION_COOKIE].clone();
    let mut flow = Begun::at(&server, "/admin/").await;
    flow.browser.cookies.insert(SESSION_COOKIE.to_owned(), before.clone());
    provider.issues(&flow.token(&server, "jane").sign());
    assert_eq!(flow.come_back().await.status, 303);
    assert_ne!(flow.browser.cookies[SESSION_COOKIE], before);
    assert_has(&flow.browser.page("/admin/").await, &["jane"]);
}

#[tokio::test]
async fn signing_out_ends_the_session_and_offers_cognitos_sign_out() {
    let (server, provider) = server().await;
    server.staff("jane", |_| {}).await;
    let mut flow = Begun::at(&server, "/admin/").await;
    provider.issues(&flow.token(&server, "jane").sign());
    flow.come_back().await;
    flow.browser.page("/admin/").await;
    let page = flow.browser.post("/admin/logout/", &[]).await.text();
    assert_has(&page, &["Sign out of Cognito", "href=\"/admin/logout/cognito/\""]);
    assert_eq!(flow.browser.get("/admin/").await.status, 302);
    let answer = flow.browser.get("/admin/logout/cognito/").await;
    let url = Url::parse(answer.header("location")).expect("a URL");
    let query: HashMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!((url.path(), query["client_id"].as_str()), ("/logout", ADMIN_CLIENT));
    assert_eq!(query["logout_uri"], format!("https://{}/admin/login/", server.address));
}
