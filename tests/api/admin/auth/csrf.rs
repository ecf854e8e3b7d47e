//! Forms that another site sends.

use gatepost::http::client_address::TrustedProxies;

use crate::harness::admin::{AdminClient, PASSWORD};
use crate::harness::client::Answer;
use crate::harness::{TestServer, assert_has, assert_lacks, log_watch};

const FORM: &str = "application/x-www-form-urlencoded";

/// A password that keeps the rules.
const NEW: &str = "a-much-better-Passphrase-7";

/// What a request says of where it comes from; `OWN` stands for the server's own host and port.
const FOREIGN: &[&[(&str, &str)]] = &[
    &[("origin", "https://evil.example")],
    &[("origin", "null")],
    &[("origin", "")],
    &[("origin", "OWN")],
    &[("origin", "http://OWN.evil.example")],
    &[("origin", "http://evil.example:OWNPORT")],
    &[("origin", "http://OWN:1")],
    &[("origin", "ftp://OWN")],
    &[("origin", "http://localhost:OWNPORT")],
    &[("origin", "http://OWN"), ("origin", "https://evil.example")],
    &[("origin", "http://OWN"), ("x-forwarded-proto", "https")],
    &[("sec-fetch-site", "cross-site")],
    &[("sec-fetch-site", "same-site")],
    &[("sec-fetch-site", "")],
    &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
    &[("sec-fetch-site", "cross-site"), ("origin", "http://OWN")],
    &[("referer", "https://evil.example/http://OWN/admin/")],
    &[("referer", "http://OWN@evil.example/")],
];

const OWN: &[&[(&str, &str)]] = &[
    &[],
    &[("origin", "http://OWN")],
    &[("origin", "https://OWN")],
    &[("origin", "https://OWN"), ("x-forwarded-proto", "https")],
    &[("sec-fetch-site", "same-origin"), ("origin", "http://OWN")],
    &[("sec-fetch-site", "none")],
    &[("referer", "http://OWN/admin/login/?next=/admin/")],
];

/// Sends a form with these headers; to where a file is wanted, together with one.
async fn send(server: &TestServer, client: &AdminClient, path: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
    let (own, port) = (server.address.to_string(), server.address.port().to_string());
    let mut call = client.call("POST", path);
    call = if path.split('?').next().is_some_and(|path| path.ends_with("/import/")) {
        let fields: Vec<_> = form_urlencoded::parse(body.as_bytes()).collect();
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
        call.multipart(&fields, Some(("a.csv", b"name\nforged\n")))
    } else {
        call.body(FORM, body)
    };
    for (name, value) in headers {
        call = call.header(name, value.replace("OWNPORT", &port).replace("OWN", &own));
    }
    call.send().await
}

/// Every form that there is: where it goes, and what is in it.
fn forms() -> Vec<(&'static str, String)> {
    let sign_in = format!("username=alice&password={}", PASSWORD.replace('#', "%23"));
    vec![
        ("/admin/login/", sign_in),
        ("/admin/theme/", "theme=dark".to_owned()),
        ("/admin/password_change/", "old_password=a&new_password1=b&new_password2=c".to_owned()),
        ("/admin/articles/add/", "name=forged".to_owned()),
        ("/admin/articles/1/change/", "name=forged".to_owned()),
        ("/admin/articles/1/delete/", "post=yes".to_owned()),
        ("/admin/articles/1/action/", "action=delete".to_owned()),
        ("/admin/articles/", "action=delete_selected&_selected_action=1&post=yes".to_owned()),
        ("/admin/users/add/", "username=forged".to_owned()),
        ("/admin/users/2/password/", format!("usable_password=true&password1={NEW}&password2={NEW}")),
        ("/admin/articles/import/", String::new()),
        ("/admin/articles/import/1/", String::new()),
        ("/admin/undo/", "batch=x".to_owned()),
        ("/admin/inspector/", "token=x".to_owned()),
        ("/admin/status/", String::new()),
        ("/admin/sessions/1/revoke/", String::new()),
        ("/admin/sessions/revoke-others/", String::new()),
        ("/admin/logout/", String::new()),
    ]
}

#[tokio::test]
async fn no_form_is_taken_from_another_site_or_without_its_token() {
    let server = TestServer::start().await;
    server.staff("alice", |new| new.is_superuser = true).await;
    server.staff("bob", |_| {}).await;
    server.seed_articles(1).await;
    server.ready().await;
    let fetches = server.pool.jwks.fetches();
    let mut alice = server.sign_in("alice").await;
    alice.upload("/admin/articles/import/", "a.csv", "name\nchecked only\n").await;
    let bob = server.sign_in("bob").await;
    alice.page("/admin/").await;
    let mut stranger = AdminClient::new(server.address);
    stranger.get("/admin/login/").await;
    for (path, fields) in forms() {
        let client = if path == "/admin/login/" { &stranger } else { &alice };
        let with = |token: &str| format!("{fields}&csrfmiddlewaretoken={token}");
        for headers in FOREIGN {
            let answer = send(&server, client, path, &with(&client.token), headers).await;
            assert_eq!(answer.status, 403, "{path} {headers:?}");
            assert!(answer.text().contains("Form refused"), "{path}: {}", answer.text());
        }
        let token = client.token.clone();
        let of_other = if path == "/admin/login/" { &alice.token } else { &stranger.token };
        for (case, body) in [
            ("none", fields.clone()),
            ("empty", with("")),
            ("cut", with(&token[..42])),
            ("longer", with(&format!("{token}A"))),
            ("another case", with(&token.to_uppercase())),
            ("of another session", with(of_other)),
            ("under another name", format!("{fields}&csrf_token={token}")),
            ("doubled, the last one wrong", with(&format!("{token}&csrfmiddlewaretoken=x"))),
            ("NUL", with("%00")),
        ] {
            let answer = send(&server, client, path, &body, &[]).await;
            assert_eq!(answer.status, 403, "{path}: the token is {case}");
        }
        let in_query = format!("{path}?csrfmiddlewaretoken={token}");
        assert_eq!(send(&server, client, &in_query, &fields, &[]).await.status, 403, "{path}: token in the query");
        let wrong_header = send(&server, client, path, &fields, &[("x-csrftoken", "x")]).await;
        assert_eq!(wrong_header.status, 403, "{path}");
        // The cookies are what another site cannot leave out, and all that it can send.
        let mut bare = client.clone();
        bare.cookies.clear();
        let answer = send(&server, &bare, path, &with(&token), &[]).await;
        let expected = if matches!(path, "/admin/login/" | "/admin/theme/") { 403 } else { 302 };
        assert_eq!(answer.status, expected, "{path}: without cookies");
    }
    assert_eq!(server.count("sessions").await, 2, "nothing was done");
    assert_eq!(server.count("history WHERE source = 'admin'").await, 0, "nothing was done");
    assert_eq!(server.count("jobs WHERE state = 'checked'").await, 1, "nothing was done");
    assert_eq!(server.count("jobs").await, 1, "nothing was done");
    assert_eq!(server.pool.jwks.fetches(), fetches, "nothing was done");
    assert_eq!(bob.call("GET", "/admin/").status().await, 200);
}

#[tokio::test]
async fn forms_of_our_own_pages_are_taken_whatever_the_browser_tells() {
    let server = TestServer::start().await;
    let mut stranger = AdminClient::new(server.address);
    stranger.get("/admin/login/").await;
    let body = format!("theme=light&csrfmiddlewaretoken={}", stranger.token);
    for headers in OWN {
        assert_eq!(send(&server, &stranger, "/admin/theme/", &body, headers).await.status, 303, "{headers:?}");
    }
    let header = [("x-csrftoken", stranger.token.as_str())];
    assert_eq!(send(&server, &stranger, "/admin/theme/", "theme=dark", &header).await.status, 303, "by a script");
    let charset = "application/x-www-form-urlencoded; charset=UTF-8";
    assert_eq!(stranger.call("POST", "/admin/theme/").body(charset, body.clone()).status().await, 303);
    let upper = "APPLICATION/X-WWW-FORM-URLENCODED";
    assert_eq!(stranger.call("POST", "/admin/theme/").body(upper, body).status().await, 303);
}

#[tokio::test]
async fn the_hosts_default_port_may_be_left_out() {
    let server = TestServer::start_with(|config| config.allowed_hosts = vec!["example.com".to_owned()]).await;
    for (host, origin, proto, expected) in [
        ("example.com", "https://example.com", "https", 303),
        ("example.com", "https://example.com:443", "https", 303),
        ("example.com:443", "https://example.com", "https", 303),
        ("EXAMPLE.com", "https://example.com", "https", 303),
        ("example.com", "http://example.com", "http", 303),
        ("example.com:80", "http://example.com", "http", 303),
        ("example.com", "http://example.com", "https", 403),
        ("example.com", "https://example.com:444", "https", 403),
        ("example.com:8443", "https://example.com", "https", 403),
        ("example.com", "https://www.example.com", "https", 403),
    ] {
        let mut stranger = AdminClient::new(server.address);
        let page = stranger.call("GET", "/admin/login/").header("host", host).send().await;
        stranger.take(&page);
        let form = stranger.form("/admin/theme/", &[("csrfmiddlewaretoken", &stranger.token), ("theme", "dark")]);
        let answer = form.header("host", host).header("origin", origin).header("x-forwarded-proto", proto).send().await;
        assert_eq!(answer.status, expected, "{host} {origin} {proto}");
    }
}

/// Sends the theme's form through a proxy that asks for `internal:8000`, with these headers besides.
async fn send_through_proxy(server: &TestServer, headers: &[(&str, &str)]) -> Answer {
    let mut stranger = AdminClient::new(server.address);
    let page = stranger.call("GET", "/admin/login/").header("host", "internal:8000").send().await;
    stranger.take(&page);
    let form = stranger.form("/admin/theme/", &[("csrfmiddlewaretoken", &stranger.token), ("theme", "dark")]);
    let call =
        headers.iter().fold(form.header("host", "internal:8000"), |call, (name, value)| call.header(name, value));
    call.send().await
}

#[tokio::test]
async fn the_public_url_is_this_site_behind_a_proxy_that_changes_the_host() {
    let server = TestServer::start_with(|config| {
        config.allowed_hosts = vec!["internal".to_owned()];
        config.public_origin = Some("https://admin.example.com:8443".to_owned());
    })
    .await;
    for (headers, expected) in [
        (&[("origin", "https://admin.example.com:8443")][..], 303),
        (&[("origin", "https://admin.example.com:8443"), ("x-forwarded-proto", "https")], 303),
        (&[("referer", "https://admin.example.com:8443/admin/login/")], 303),
        (&[("origin", "http://internal:8000")], 303),
        (&[("origin", "https://admin.example.com")], 403),
        (&[("origin", "http://admin.example.com:8443")], 403),
        (&[("origin", "https://admin.example.com:8443.evil.example")], 403),
        (&[("origin", "https://evil.example")], 403),
        (&[("origin", "null")], 403),
        (&[("origin", "https://admin.example.com:8443"), ("sec-fetch-site", "cross-site")], 403),
        (&[("origin", "https://evil.example"), ("x-forwarded-host", "evil.example")], 403),
        (&[("origin", "https://evil.example"), ("forwarded", "host=evil.example")], 403),
    ] {
        assert_eq!(send_through_proxy(&server, headers).await.status, expected, "{headers:?}");
    }
    let answer =
        send_through_proxy(&server, &[("referer", "https://admin.example.com:8443/admin/articles/?o=1")]).await;
    assert_eq!(answer.header("location"), "/admin/articles/?o=1", "the theme leads back to its page");
}

#[tokio::test]
async fn a_forwarded_host_counts_from_a_trusted_proxy_alone() {
    let start = async |proxies: &[&str]| {
        let trusted = proxies.iter().map(|proxy| proxy.parse().expect("an address")).collect();
        TestServer::start_with(|config| {
            config.allowed_hosts = vec!["internal".to_owned()];
            config.trusted_proxies = TrustedProxies(trusted);
        })
        .await
    };
    let (trusting, wary) = (start(&["127.0.0.1"]).await, start(&["192.0.2.1"]).await);
    let origin = ("origin", "https://admin.example.com:8443");
    for header in [
        ("x-forwarded-host", "admin.example.com:8443"),
        ("x-forwarded-host", "admin.example.com:8443, inner:80"),
        ("forwarded", "for=192.0.2.7;proto=https;host=\"admin.example.com:8443\", host=inner"),
    ] {
        assert_eq!(send_through_proxy(&trusting, &[origin, header]).await.status, 303, "{header:?}");
        assert_eq!(send_through_proxy(&wary, &[origin, header]).await.status, 403, "{header:?} is forged");
        for foreign in ["https://evil.example", "null", "https://admin.example.com"] {
            let answer = send_through_proxy(&trusting, &[("origin", foreign), header]).await;
            assert_eq!(answer.status, 403, "{foreign} {header:?}");
        }
    }
}

#[tokio::test]
async fn the_log_says_what_both_sides_are_and_which_setting_to_change() {
    let server = TestServer::start_with(|config| {
        config.allowed_hosts = vec!["internal".to_owned()];
        config.public_origin = Some("https://other.example".to_owned());
    })
    .await;
    for (headers, expected) in [
        (
            &[("origin", "https://renamed.example:8443")][..],
            "Origin is `https://renamed.example:8443`; Host is `internal:8000`; PUBLIC_URL is `https://other.example`. If browsers know this site as `https://renamed.example:8443`, set PUBLIC_URL to that",
        ),
        (
            &[("origin", "https://told.example"), ("x-forwarded-host", "told.example")],
            "Origin is `https://told.example`; Host is `internal:8000`; PUBLIC_URL is `https://other.example`. A proxy has forwarded that host: if 127.0.0.1 is yours, add it to TRUSTED_PROXIES",
        ),
        (
            &[("referer", "https://referred.example/private?path")],
            "Referer is `https://referred.example`; Host is `internal:8000`",
        ),
        (&[("origin", "null")], "Origin is `null`; Host is `internal:8000`"),
        (
            &[("origin", "https://told.example"), ("sec-fetch-site", "cross-site")],
            "Sec-Fetch-Site is `cross-site`; Host is `internal:8000`",
        ),
    ] {
        let answer = send_through_proxy(&server, headers).await;
        assert_eq!(answer.status, 403, "{headers:?}");
        assert_has(&answer.text(), &["it comes from another site", "their log says what to set"]);
        assert_lacks(&answer.text(), &["cookies"]);
        let lines = log_watch::lines();
        assert!(lines.iter().any(|line| line.contains(&format!("refused a form: {expected}"))), "{expected}");
        assert!(!lines.iter().any(|line| line.contains("private?path")), "a path was logged");
    }
}

#[tokio::test]
async fn the_token_is_another_one_after_signing_in_and_for_each_session() {
    let server = TestServer::start().await;
    server.staff("alice", |_| {}).await;
    let mut alice = AdminClient::new(server.address);
    alice.get("/admin/login/").await;
    let before = alice.token.clone();
    assert_eq!(before.len(), 43, "256 bits in base64url");
    alice.get("/admin/login/").await;
    assert_eq!(alice.token, before, "a page in another tab stays good");
    alice.sign_in("alice", PASSWORD).await;
    alice.page("/admin/").await;
    let one = alice.token.clone();
    let mut elsewhere = server.sign_in("alice").await;
    elsewhere.page("/admin/").await;
    assert!(one != before && elsewhere.token != one);
    assert_eq!(alice.form("/admin/logout/", &[("csrfmiddlewaretoken", &before)]).status().await, 403);
    assert_eq!(alice.form("/admin/logout/", &[("csrfmiddlewaretoken", &elsewhere.token)]).status().await, 403);
    // A token that the visitor brings along, not one of ours, is not taken over.
    let mut planted = AdminClient::new(server.address);
    planted.cookies.insert("__Host-gatepost_csrftoken".to_owned(), "known".to_owned());
    planted.get("/admin/login/").await;
    assert_eq!(planted.token.len(), 43);
}

#[tokio::test]
async fn a_body_that_is_no_form_is_refused() {
    let server = TestServer::start().await;
    server.staff("alice", |_| {}).await;
    let mut alice = server.sign_in("alice").await;
    alice.page("/admin/").await;
    let body = format!("csrfmiddlewaretoken={}&theme=dark", alice.token);
    for content_type in ["application/json", "text/plain", "multipart/form-data; boundary=x", "x", ""] {
        let answer = alice.call("POST", "/admin/theme/").body(content_type, body.clone()).send().await;
        assert_eq!(answer.status, 415, "{content_type}");
    }
    assert_eq!(alice.call("POST", "/admin/theme/").bare_body(body.clone()).status().await, 415);
    let large = alice.call("POST", "/admin/theme/").body(FORM, format!("{body}&x={}", "x".repeat(1_048_576)));
    assert_eq!(large.status().await, 413);
    let fields = |count: usize| format!("{body}{}", "&a=b".repeat(count));
    let answer = alice.call("POST", "/admin/theme/").body(FORM, fields(9_998)).send().await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_eq!(alice.call("POST", "/admin/theme/").body(FORM, fields(9_999)).status().await, 400);
    // A percent sign may stand for itself, as in browsers and Django; bytes that are no text are refused.
    for (broken, status) in
        [("%", 303), ("%zz", 303), ("&&=&==", 303), ("\u{fffd}", 303), ("%EF%BF%BD", 303), ("%ff%fe", 400)]
    {
        let answer = alice.call("POST", "/admin/theme/").body(FORM, format!("{body}&x={broken}")).send().await;
        assert_eq!(answer.status, status, "{broken}");
    }
}
