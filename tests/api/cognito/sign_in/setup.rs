//! How sign-in with Cognito is set up: the public origin, passwords, the local pool's page, and what `check` says.

use gatepost::cognito::provider::ProviderSettings;
use gatepost::config::{Mode, Pool};
use url::Url;

use super::{BEGIN, Begun, server, server_with};
use crate::harness::admin::AdminClient;
use crate::harness::client::Answer;
use crate::harness::pool::TestKey;
use crate::harness::program::Program;
use crate::harness::provider::{ADMIN_CLIENT, ProviderFixture};
use crate::harness::{TestServer, assert_has, assert_lacks, free_port};

#[tokio::test]
async fn each_endpoint_can_be_set_and_the_others_come_from_discovery() {
    let set: [fn(&mut ProviderSettings, Url); 3] = [
        |settings, url| settings.authorization_url = Some(url),
        |settings, url| settings.token_url = Some(url),
        |settings, url| settings.logout_url = Some(url),
    ];
    for (place, set) in set.into_iter().enumerate() {
        let provider = ProviderFixture::start().await;
        let issuer = provider.url("");
        let mut settings = ProviderSettings { issuer: issuer.clone(), ..ProviderSettings::local("") };
        set(&mut settings, provider.url("/elsewhere").parse().expect("a URL"));
        let server = TestServer::start_with(|config| {
            config.provider = Some(settings);
            if let Pool::Cognito(pool) = &mut config.pool {
                pool.issuers = vec![issuer];
            }
        })
        .await;
        let mut flow = Begun::at(&server, "/admin/").await;
        flow.come_back().await;
        let path = |answer: &Answer| Url::parse(answer.header("location")).expect("a URL").path().to_owned();
        let token = provider.requests().remove(0);
        let asked = [
            path(&flow.browser.get(BEGIN).await),
            token.split(' ').nth(1).unwrap_or_default().to_owned(),
            path(&flow.browser.get("/admin/logout/cognito/").await),
        ];
        let mut expected = ["/oauth2/authorize", "/oauth2/token", "/logout"];
        expected[place] = "/elsewhere";
        assert_eq!(asked, expected);
    }
}

#[tokio::test]
async fn a_sign_in_begins_at_the_public_origin() {
    let (server, _provider) =
        server_with(|config| config.public_origin = Some("https://staff.example.com".to_owned())).await;
    let mut browser = AdminClient::new(server.address);
    let answer = browser.get("/admin/login/cognito/?next=/admin/articles/").await;
    let moved = "https://staff.example.com/admin/login/cognito/?next=%2Fadmin%2Farticles%2F&moved=1";
    assert_eq!((answer.status, answer.header("location")), (302, moved));
    // Behind a proxy that rewrites Host, once is enough.
    let answer = browser.get("/admin/login/cognito/?next=/&again=1").await;
    assert_eq!(answer.header("location"), "https://staff.example.com/admin/login/cognito/?next=%2F&again=1&moved=1");
    let answer = browser.get("/admin/login/cognito/?next=/&moved=1").await;
    let callback = "redirect_uri=https%3A%2F%2Fstaff.example.com%2Fadmin%2Flogin%2Fcognito%2Fcallback%2F";
    assert!(answer.header("location").contains(callback), "{}", answer.header("location"));
}

#[tokio::test]
async fn passwords_can_be_closed() {
    let (server, _provider) = server_with(|config| config.password_sign_in = false).await;
    server.staff("jane", |_| {}).await;
    let mut browser = AdminClient::new(server.address);
    let page = browser.page("/admin/login/").await;
    assert_has(&page, &["Sign in with Cognito"]);
    assert_lacks(&page, &["password"]);
    browser.get("/admin/login/").await;
    let answer = browser.sign_in("jane", crate::harness::admin::PASSWORD).await;
    assert_eq!(answer.status, 403);
}

#[tokio::test]
async fn the_local_pool_has_a_sign_in_page_of_its_own() {
    let server = TestServer::start_with(|config| {
        config.mode = Mode::Development;
        config.pool = Pool::Local;
    })
    .await;
    server.staff("jane", |new| new.is_superuser = true).await;
    server.user("alice").await;
    let mut browser = AdminClient::new(server.address);
    assert_has(&browser.page("/admin/login/").await, &["Sign in with Cognito"]);
    let sign_in = async |browser: &mut AdminClient, email: &str| {
        let answer = browser.get("/admin/login/cognito/?next=/admin/users/").await;
        let url = Url::parse(answer.header("location")).expect("a URL");
        assert_eq!(url.path(), "/local-pool/oauth2/authorize");
        let path = url[url::Position::BeforePath..].to_owned();
        assert_has(&browser.page(&path).await, &["stands for Cognito", "id_email"]);
        let repeated = browser.get(&format!("{path}&state=other")).await;
        assert_eq!(repeated.status, 400);
        assert_has(&repeated.text(), &["A parameter is repeated."]);
        let mut fields: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        fields.push(("email".to_owned(), email.to_owned()));
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        browser.post("/local-pool/oauth2/authorize", &fields).await
    };
    let empty = sign_in(&mut browser, "").await;
    assert_eq!(empty.status, 400);
    assert_has(&empty.text(), &["This field is required."]);
    for (email, status) in [("alice@example.com", 403), ("nobody@example.com", 403), ("JANE@example.com", 303)] {
        let answer = sign_in(&mut browser, email).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        let url = Url::parse(answer.header("location")).expect("a URL");
        let answer = browser.get(&url[url::Position::BeforePath..]).await;
        assert_eq!(answer.status, status, "{email}: {}", answer.text());
    }
    assert_has(&browser.page("/admin/users/").await, &["jane"]);
    for query in [
        "client_id=other&response_type=code",
        "client_id=localdevelopmentadmin00000&response_type=code&redirect_uri=https://evil.example/admin/login/cognito/callback/",
    ] {
        let answer = browser.get(&format!("/local-pool/oauth2/authorize?{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
    }
    // Who comes through a proxy or a tunnel may be anybody.
    for header in ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip"] {
        let page = server.call("GET", "/local-pool/oauth2/authorize").header(header, "192.0.2.1");
        assert_eq!(page.send().await.status, 404, "{header}");
    }
    let token = server.call("POST", "/local-pool/oauth2/token");
    let form = "grant_type=authorization_code&code=guess&client_id=localdevelopmentadmin00000";
    token.body("application/x-www-form-urlencoded", form).send().await.assert(400, r#"{"error":"invalid_grant"}"#);
}

#[tokio::test]
async fn with_a_genuine_pool_there_is_no_local_one() {
    let (server, _provider) = server().await;
    for (method, path) in
        [("GET", "/local-pool/oauth2/authorize"), ("POST", "/local-pool/oauth2/token"), ("GET", "/local-pool/logout")]
    {
        assert_eq!(server.call(method, path).send().await.status, 404, "{path}");
    }
    let without = TestServer::start().await;
    let answer = AdminClient::new(without.address).get(BEGIN).await;
    assert_eq!(answer.header("location"), "/admin/login/?next=/admin/login/cognito/");
    assert_lacks(&AdminClient::new(without.address).page("/admin/login/").await, &["Cognito"]);
}

#[tokio::test]
async fn check_says_whether_staff_can_sign_in() {
    let provider = ProviderFixture::start().await;
    let keys = crate::harness::jwks::JwksFixture::start(&[&TestKey::nth(0)]).await;
    let program = || {
        let program = Program::with_keys_at(keys.url()).set("COGNITO_ISSUER", &provider.url(""));
        program.set("COGNITO_ADMIN_CLIENT_ID", ADMIN_CLIENT).set("PUBLIC_URL", "https://staff.example.com")
    };
    let found = format!("ok    sign-in        at {}, or with a password", provider.url("/oauth2/authorize"));
    assert!(program().run(&["check"]).await.success().contains(&found));
    let closed = program().set("ADMIN_PASSWORD_SIGN_IN", "false");
    let outcome = closed.run(&["check"]).await;
    outcome.assert_error("1 of 5 checks failed");
    assert!(outcome.stdout.contains("no active staff user has a link or an e-mail for Cognito"), "{outcome:?}");
    let person = ["createsuperuser", "--noinput", "--username", "jane", "--email", "jane@example.com"];
    closed.run(&person).await.success();
    assert!(closed.run(&["check"]).await.success().contains("ok    sign-in"));
    let fails = async |provider: &str, problem: &str| {
        let outcome = program().set("COGNITO_ISSUER", provider).run(&["check"]).await;
        assert!(outcome.stdout.contains(&format!("FAIL  sign-in        {problem}")), "{outcome:?}");
    };
    provider.discovers("https://evil.example");
    fails(&provider.url(""), "its answer cannot be used: discovery names another issuer").await;
    provider.discovers_no_endpoints();
    fails(&provider.url(""), "its answer cannot be used: discovery names no endpoints: does the pool have a domain?")
        .await;
    let nowhere = format!("http://{}", free_port());
    fails(&nowhere, &format!("it cannot be reached: error sending request for url ({nowhere}/.well-known/")).await;
}

#[tokio::test]
async fn settings_that_would_lock_everybody_out_or_lead_nowhere_are_refused() {
    let keys = crate::harness::jwks::JwksFixture::start(&[&TestKey::nth(0)]).await;
    let program = || Program::with_keys_at(keys.url()).set("APP_ENV", "production");
    for (settings, problem) in [
        (&[("ADMIN_PASSWORD_SIGN_IN", "false")][..], "ADMIN_PASSWORD_SIGN_IN: `false` would lock everybody out"),
        (&[("COGNITO_ADMIN_CLIENT_ID", ADMIN_CLIENT)], "PUBLIC_URL: is not set."),
        (&[("COGNITO_ADMIN_CLIENT_SECRET", "s")], "COGNITO_ADMIN_CLIENT_SECRET: is set, but COGNITO_ADMIN_CLIENT_ID"),
        (&[("COGNITO_TOKEN_URL", "https://a.example/")], "COGNITO_TOKEN_URL: is set, but COGNITO_ADMIN_CLIENT_ID"),
        (
            &[("COGNITO_ADMIN_CLIENT_ID", ADMIN_CLIENT), ("PUBLIC_URL", "https://a.example/b")],
            "PUBLIC_URL: `https://a.example/b` has a path",
        ),
        (
            &[
                ("COGNITO_ADMIN_CLIENT_ID", ADMIN_CLIENT),
                ("PUBLIC_URL", "https://a.example"),
                ("COGNITO_TOKEN_URL", "http://a.example/"),
            ],
            "COGNITO_TOKEN_URL: ",
        ),
    ] {
        let program = settings.iter().fold(program(), |program, (name, value)| program.set(name, value));
        let outcome = program.run(&["check"]).await;
        assert!(outcome.stderr.contains(problem), "{problem}: {outcome:?}");
        assert_ne!(outcome.code, Some(0));
    }
}
