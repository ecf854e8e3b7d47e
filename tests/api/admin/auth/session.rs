//! Sessions of the admin: what is kept of them and where, and when they end.

use std::time::Duration;

use gatepost::config::Mode;

use crate::harness::admin::{AdminClient, PASSWORD, SESSION_COOKIE};
use crate::harness::{TestServer, ago, assert_has, assert_lacks, eventually};

/// Whether the first page is shown.
async fn is_in(client: &AdminClient) -> bool {
    let answer = client.call("GET", "/admin/").send().await;
    match answer.status {
        200 => true,
        302 => {
            assert_eq!(answer.header("location"), "/admin/login/?next=/admin/");
            false
        }
        status => panic!("{status}: {}", answer.text()),
    }
}

#[tokio::test]
async fn staff_signs_in_sees_the_first_page_and_signs_out() {
    let server = TestServer::start().await;
    server.staff("alice", |_| {}).await;
    let mut alice = AdminClient::new(server.address);
    assert!(!is_in(&alice).await);
    let page = alice.page("/admin/login/?next=/admin/sessions/%3Fq%3Dx").await;
    assert_has(&page, &[r#"name="next" value="/admin/sessions/?q=x""#]);
    let fields = [("username", "alice"), ("password", PASSWORD), ("next", "/admin/sessions/?q=x")];
    let answer = alice.post("/admin/login/", &fields).await;
    assert_eq!(answer.redirect(), (303, "/admin/sessions/?q=x"));
    let page = alice.page("/admin/").await;
    assert_has(&page, &["Signed in as <strong>alice</strong>"]);
    let cookies = alice.clone();
    let answer = alice.post("/admin/logout/", &[]).await;
    assert_eq!(answer.status, 200);
    assert_has(&answer.text(), &["Sign in again"]);
    assert!(alice.session().is_empty(), "the cookie is taken back");
    assert!(!is_in(&alice).await);
    assert!(!is_in(&cookies).await, "the session is over on the server, too");
    assert_eq!(server.count("sessions").await, 0);
}

#[tokio::test]
async fn cookies_are_for_this_host_alone_and_for_no_script() {
    for (mode, prefix, is_secure) in [(Mode::Production, "__Host-", true), (Mode::Development, "", false)] {
        let server = TestServer::start_with(|config| config.mode = mode).await;
        server.staff("alice", |_| {}).await;
        let mut alice = AdminClient::new(server.address);
        let mut answers = vec![alice.get("/admin/login/").await];
        answers.push(alice.post("/admin/login/", &[("username", "alice"), ("password", PASSWORD)]).await);
        answers.push(alice.get("/admin/").await);
        answers.push(alice.post("/admin/theme/", &[("theme", "dark")]).await);
        let mut names = Vec::new();
        for cookie in answers.iter().flat_map(|answer| answer.headers.get_all("set-cookie")) {
            let cookie = cookie.to_str().expect("ASCII");
            let parts: Vec<&str> = cookie.split("; ").collect();
            names.push(parts[0].split('=').next().expect("a name").to_owned());
            for flag in ["HttpOnly", "SameSite=Lax", "Path=/"] {
                assert!(parts.contains(&flag), "{flag}: {cookie}");
            }
            assert_eq!(parts.contains(&"Secure"), is_secure, "{cookie}");
            assert_lacks(cookie, &["Domain"]);
        }
        let expected = ["csrftoken", "device", "sessionid", "theme"].map(|name| format!("{prefix}gatepost_{name}"));
        names.sort();
        assert_eq!(names, expected);
    }
}

#[cfg_attr(feature = "postgres", ignore = "reads the bytes of SQLite's file")]
#[tokio::test]
async fn the_key_has_256_bits_and_is_not_in_the_database() {
    let server = TestServer::start().await;
    server.staff("alice", |_| {}).await;
    let (one, other) = (server.sign_in("alice").await, server.sign_in("alice").await);
    // The signature is 32 bytes in base64, and what follows is the key.
    let cookie = one.session().replace("%3D", "=").replace("%2F", "/").replace("%2B", "+");
    let (_, key) = cookie.split_at_checked(44).expect("a signature");
    assert_eq!(key.len(), 43, "32 bytes in base64url: {cookie}");
    assert_ne!(one.session(), other.session());
    let state = server.texts("SELECT key_hash || state || address || user_agent FROM sessions").await.join("");
    assert_lacks(&state, &[key]);
    let file = std::fs::read(server.sqlite_file()).expect("the database");
    let wal = std::fs::read(server.sqlite_file().with_extension("sqlite3-wal")).expect("its log");
    for (name, bytes) in [("database", file), ("log", wal)] {
        assert!(!bytes.windows(key.len()).any(|window| window == key.as_bytes()), "the key is in the {name}");
        assert!(!bytes.windows(PASSWORD.len()).any(|window| window == PASSWORD.as_bytes()), "{name}");
    }
}

#[tokio::test]
async fn signing_in_gives_another_key_whatever_cookie_was_there() {
    let server = TestServer::start().await;
    let mallory = server.staff_with("mallory", &["articles.view_article"]).await;
    server.staff("alice", |_| {}).await;
    for planted in [mallory.session().to_owned(), "x".repeat(43), String::new(), "a=b".to_owned()] {
        // Mallory has left a session in Alice's browser.
        let mut alice = AdminClient::new(server.address);
        alice.cookies.insert(SESSION_COOKIE.to_owned(), planted.clone());
        let page = alice.get("/admin/password_change/").await;
        let form = if page.status == 200 { "/admin/password_change/" } else { "/admin/login/" };
        alice.get(form).await;
        let answer = alice.post("/admin/login/", &[("username", "alice"), ("password", PASSWORD)]).await;
        assert_eq!(answer.status, 303, "{planted}: {}", answer.text());
        assert_ne!(alice.session(), planted);
        assert!(alice.page("/admin/").await.contains("<strong>alice</strong>"));
        let mut planted_there = AdminClient::new(server.address);
        planted_there.cookies.insert(SESSION_COOKIE.to_owned(), planted.clone());
        assert!(!is_in(&planted_there).await, "{planted} leads to Alice's session");
    }
    assert_eq!(server.count("sessions").await, 4, "Mallory's is gone, one for each sign-in");
}

#[tokio::test]
async fn who_may_no_longer_be_here_is_out_at_the_next_request() {
    let server = TestServer::start().await;
    let hash = gatepost::users::password::hash("another password").expect("a hash");
    for (name, change) in [
        ("deactivated", "UPDATE users SET is_active = FALSE WHERE username = 'deactivated'".to_owned()),
        ("no-staff", "UPDATE users SET is_staff = FALSE WHERE username = 'no-staff'".to_owned()),
        ("deleted", "DELETE FROM users WHERE username = 'deleted'".to_owned()),
        ("password", format!("UPDATE users SET password = '{hash}' WHERE username = 'password'")),
        ("no-password", "UPDATE users SET password = NULL WHERE username = 'no-password'".to_owned()),
    ] {
        server.staff(name, |_| {}).await;
        let mut client = server.sign_in(name).await;
        let replayed = client.clone();
        assert!(is_in(&client).await, "{name}");
        // Past the functions that would end the sessions: the guard itself must see it.
        server.sql(change).await;
        let answer = client.get("/admin/").await;
        assert_eq!(answer.redirect(), (302, "/admin/login/?next=/admin/"), "{name}");
        // To have the rights again does not bring the session back.
        server.sql("UPDATE users SET is_active = TRUE, is_staff = TRUE").await;
        assert!(!is_in(&replayed).await, "{name}");
        assert_eq!(server.count("sessions").await, 0, "{name}");
    }
}

#[tokio::test]
async fn a_change_of_ones_password_ends_the_other_sessions_and_moves_this_one() {
    let server = TestServer::start().await;
    server.staff("alice", |_| {}).await;
    server.staff("bob", |_| {}).await;
    let (mut alice, elsewhere, bob) =
        (server.sign_in("alice").await, server.sign_in("alice").await, server.sign_in("bob").await);
    let before = alice.clone();
    alice.get("/admin/password_change/").await;
    let new = "a much-better Passphrase 7";
    let fields = [("old_password", PASSWORD), ("new_password1", new), ("new_password2", new)];
    let answer = alice.post("/admin/password_change/", &fields).await;
    assert_eq!(answer.redirect(), (303, "/admin/"), "{}", answer.text());
    let page = alice.page("/admin/").await;
    assert_has(&page, &["Your password was changed."]);
    assert!(!alice.page("/admin/").await.contains("Your password was changed."), "a message is shown once");
    assert!(!is_in(&before).await, "the old key still opens the session");
    assert!(!is_in(&elsewhere).await);
    assert!(is_in(&bob).await);
    let mut again = AdminClient::new(server.address);
    assert_eq!(again.sign_in("alice", PASSWORD).await.status, 200, "the old password is refused");
    assert_eq!(again.sign_in("alice", new).await.status, 303);
    let history = server
        .texts("SELECT actor || ' ' || source || ' ' || object || ' ' || changes FROM history WHERE action = 'changed'")
        .await;
    assert_eq!(history, [r#"alice admin alice {"password":"changed"}"#]);
}

#[tokio::test]
async fn a_session_ends_when_it_is_idle_and_in_any_case_in_the_end() {
    let server = TestServer::start().await;
    server.staff("alice", |_| {}).await;
    let alice = server.sign_in("alice").await;
    for (column, seconds, expected) in [
        ("last_seen_at", 28_700, true),
        ("last_seen_at", 28_900, false),
        ("created_at", 1_209_500, true),
        ("created_at", 1_209_700, false),
    ] {
        server
            .sql(format!(
                "UPDATE sessions SET last_seen_at = {now}, created_at = {now}; UPDATE sessions SET {column} = {then}",
                now = ago(0),
                then = ago(seconds)
            ))
            .await;
        assert_eq!(is_in(&alice).await, expected, "{column} {seconds}");
    }
    // Whoever signs in next clears away what is over.
    server.staff("bob", |_| {}).await;
    server.sign_in("bob").await;
    assert_eq!(server.count("sessions").await, 1);
}

#[tokio::test]
async fn the_limits_can_be_set_and_use_keeps_a_session_alive() {
    let server = TestServer::start_with(|config| {
        config.session_limits.idle = Duration::from_secs(2);
        config.session_limits.max = Duration::from_secs(5);
    })
    .await;
    server.staff("alice", |_| {}).await;
    let (busy, idle) = (server.sign_in("alice").await, server.sign_in("alice").await);
    for _ in 0..6 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(is_in(&busy).await);
    }
    assert!(!is_in(&idle).await);
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert!(!is_in(&busy).await, "in use, but older than the limit");
}

#[tokio::test]
async fn the_time_of_the_last_request_is_written_once_in_a_minute() {
    let server = TestServer::start().await;
    server.staff("alice", |_| {}).await;
    let alice = server.sign_in("alice").await;
    let seen = "SELECT last_seen_at FROM sessions";
    let at_first = server.texts(seen).await;
    assert!(is_in(&alice).await);
    assert_eq!(server.texts(seen).await, at_first);
    server.sql(format!("UPDATE sessions SET last_seen_at = {}", ago(61))).await;
    let a_minute_ago = server.texts(seen).await;
    assert!(is_in(&alice).await);
    assert!(server.texts(seen).await > a_minute_ago);
}

#[tokio::test]
async fn a_cookie_that_was_touched_opens_nothing_and_breaks_nothing() {
    let server = TestServer::start().await;
    server.staff("alice", |_| {}).await;
    let alice = server.sign_in("alice").await;
    let good = alice.session().to_owned();
    let flipped = |at: usize| {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).expect("ASCII")
    };
    let bad = [
        flipped(0),
        flipped(20),
        flipped(50),
        flipped(good.len() - 1),
        good[..good.len() - 1].to_owned(),
        format!("{good}A"),
        good[46..].to_owned(),
        good.to_lowercase(),
        "%00".to_owned(),
        "%zz%".to_owned(),
        "x".repeat(8_000),
        "{\"user_id\":1}".to_owned(),
    ];
    for value in bad {
        let mut client = AdminClient::new(server.address);
        client.cookies.insert(SESSION_COOKIE.to_owned(), value.clone());
        assert!(!is_in(&client).await, "{value}");
    }
    // Two of one name: whichever counts, nobody but Alice is let in.
    let both = alice.call("GET", "/admin/").header("cookie", format!("{SESSION_COOKIE}={}", flipped(50)));
    assert!(matches!(both.status().await, 200 | 302));
    assert!(is_in(&alice).await);
}

#[tokio::test]
async fn visitors_leave_nothing_in_the_database() {
    let server = TestServer::start().await;
    let mut visitor = AdminClient::new(server.address);
    for path in ["/admin/", "/admin/login/", "/admin/articles/", "/admin/nope"] {
        visitor.get(path).await;
    }
    assert_eq!(visitor.post("/admin/theme/", &[("theme", "dark")]).await.status, 303);
    assert!(visitor.session().is_empty());
    assert_eq!(server.count("sessions").await, 0);
}

#[tokio::test]
async fn sessions_hold_beyond_a_restart_and_for_all_processes_on_a_database() {
    let first = TestServer::start().await;
    first.staff("alice", |_| {}).await;
    let alice = first.sign_in("alice").await;
    let second = first.second().await;
    let mut elsewhere = AdminClient::new(second.address);
    elsewhere.cookies = alice.cookies.clone();
    assert!(is_in(&elsewhere).await);
    elsewhere.page("/admin/").await;
    assert_eq!(elsewhere.post("/admin/logout/", &[]).await.status, 200);
    // On SQLite at once, on PostgreSQL within a second.
    eventually("signed out by the other process", async || !is_in(&alice).await).await;
}

#[tokio::test]
async fn nothing_is_left_of_who_was_signed_in_before() {
    let server = TestServer::start().await;
    server.staff("mallory", |_| {}).await;
    server.staff("alice", |_| {}).await;
    let mut browser = server.sign_in("mallory").await;
    browser.page("/admin/").await;
    // A message waits to be shown to Mallory.
    assert_eq!(browser.post("/admin/sessions/revoke-others/", &[]).await.status, 303);
    let answer = browser.post("/admin/login/", &[("username", "alice"), ("password", PASSWORD)]).await;
    assert_eq!(answer.status, 303);
    let page = browser.page("/admin/").await;
    assert_has(&page, &["<strong>alice</strong>"]);
    assert_lacks(&page, &["signed out"]);
}

/// What other programs leave in a browser, before and behind the session's cookie.
const FOREIGN: [&[u8]; 6] = [b"a=\xff\xfe", b"caf\xe9=1", b"x=%ff", b"bare", b"=", b"prefs={\"a\": \"b\"}"];

#[tokio::test]
async fn a_cookie_of_somebody_else_does_not_sign_out() {
    let (server, root) = TestServer::with_superuser().await;
    let own = format!("{SESSION_COOKIE}={}", root.session());
    for foreign in FOREIGN {
        for cookies in [[foreign, b"; ", own.as_bytes()].concat(), [own.as_bytes(), b";", foreign].concat()] {
            let answer = server.call("GET", "/admin/").header("cookie", &cookies).send().await;
            assert_eq!(answer.status, 200, "{}", cookies.escape_ascii());
            let page = server.call("GET", "/articles/").header("cookie", &cookies).header("accept", "text/html");
            let page = page.header("sec-fetch-site", "none").send().await;
            assert_eq!(page.status, 200, "{}", cookies.escape_ascii());
        }
    }
    let two = server.call("GET", "/admin/").header("cookie", FOREIGN[0]).header("cookie", &own);
    assert_eq!(two.status().await, 200, "two headers");
}

#[tokio::test]
async fn of_several_session_cookies_each_is_tried() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.staff("old", |_| {}).await;
    let mut old = server.sign_in("old").await;
    let ended = old.session().to_owned();
    assert_eq!(old.post("/admin/logout/", &[]).await.status, 200);
    let token =
        root.page("/admin/").await.split("csrfmiddlewaretoken\" value=\"").nth(1).expect("a token")[..43].to_owned();
    for other in [ended.as_str(), "django", "", "%ff", "a b"] {
        let (own, other) = (format!("{SESSION_COOKIE}={}", root.session()), format!("{SESSION_COOKIE}={other}"));
        for cookies in [format!("{own}; {other}"), format!("{other}; {own}"), format!("{other}; x=y; {own}; {other}")] {
            let answer = server.call("GET", "/admin/").header("cookie", &cookies).send().await;
            assert_eq!(answer.status, 200, "{cookies}");
            assert_has(&answer.text(), &["Signed in as <strong>root</strong>"]);
            let form = format!("csrfmiddlewaretoken={token}&theme=dark");
            let call = server.call("POST", "/admin/theme/").header("cookie", &cookies);
            let answer = call.body("application/x-www-form-urlencoded", form).send().await;
            assert_eq!(answer.status, 303, "{cookies}");
            let page = server.call("GET", "/articles/").header("cookie", &cookies).header("accept", "text/html");
            assert_eq!(page.header("sec-fetch-site", "none").status().await, 200, "{cookies}");
        }
        let answer = server.call("GET", "/admin/").header("cookie", format!("{other}; {other}")).send().await;
        assert_eq!(answer.status, 302, "{other} alone signs nobody in");
    }
}

#[tokio::test]
async fn a_sign_in_works_beside_cookies_of_somebody_else() {
    let server = TestServer::start().await;
    server.staff("alice", |_| {}).await;
    for foreign in FOREIGN {
        let mut alice = AdminClient::new(server.address);
        alice.get("/admin/login/").await;
        let (token, csrf) = (alice.token.clone(), alice.cookies["__Host-gatepost_csrftoken"].clone());
        let cookies =
            [foreign, b"; __Host-gatepost_csrftoken=", &[b'x'; 43], b"; __Host-gatepost_csrftoken=", csrf.as_bytes()];
        let form = [("csrfmiddlewaretoken", token.as_str()), ("username", "alice"), ("password", PASSWORD)];
        let call = AdminClient::new(server.address).form("/admin/login/", &form).header("cookie", cookies.concat());
        assert_eq!(call.status().await, 303, "{}", foreign.escape_ascii());
    }
}
