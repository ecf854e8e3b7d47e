//! Turning a second factor on and off, and recovery codes.

use crate::harness::admin::{AdminClient, PASSWORD};
use crate::harness::factor::{PAGE, recovery_codes};
use crate::harness::html::between;
use crate::harness::{TestServer, assert_has, assert_lacks, log_watch};

/// What the database has on second factors, but for times.
async fn stored(server: &TestServer) -> Vec<String> {
    server.texts("SELECT concat_ws(' ', user_id, secret) FROM second_factors ORDER BY 1").await
}

#[tokio::test]
async fn the_page_leads_from_the_password_to_the_recovery_codes() {
    let server = TestServer::start().await;
    server.staff("alice", |_| {}).await;
    let mut alice = server.sign_in("alice").await;
    assert_has(&alice.page("/admin/").await, &[r#"<a href="/admin/second_factor/">"#]);
    assert_has(&alice.page(PAGE).await, &["Set up", "Current password"]);
    let app = alice.begin_enrolment().await;
    let page = alice.page(PAGE).await;
    let groups: Vec<&str> =
        app.base32.as_bytes().chunks(4).map(|group| str::from_utf8(group).expect("ASCII")).collect();
    assert_has(&page, &[&format!(">{}</code>", groups.join(" "))]);
    assert_has(&page, &["<svg class=\"qr\"", "<rect width=", "fill=\"#fff\"", "role=\"img\""]);
    assert_has(&page, &["otpauth://totp/Gatepost%20127.0.0.1:alice?secret=", "issuer=Gatepost%20127.0.0.1\""]);
    assert_eq!(server.count("second_factors").await, 0, "nothing is on before it is confirmed");

    let answer = alice.post(PAGE, &[("action", "confirm"), ("code", &app.wrong_code())]).await;
    assert_eq!(answer.status, 400);
    assert_has(&answer.text(), &["This code is wrong", &app.base32[..4]]);
    let answer = alice.post(PAGE, &[("action", "confirm"), ("code", &app.code(0)), ("next", "/admin/users/")]).await;
    let page = answer.text();
    assert_eq!((answer.status, recovery_codes(&page).len()), (200, 10), "{page}");
    assert_has(&page, &["They are not shown again.", r#"href="/admin/users/">Continue"#]);
    assert_has(&alice.page(PAGE).await, &[">On</span>", "<dd>10</dd>", "Turn off"]);
    let history = server
        .texts("SELECT concat_ws(' ', actor, source, object, changes) FROM history WHERE action = 'changed'")
        .await;
    assert_eq!(history, [r#"alice admin alice {"second_factor":[false,true]}"#]);
}

#[tokio::test]
async fn the_secret_is_shown_until_it_is_confirmed_and_then_nowhere_in_clear() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.staff("alice", |_| {}).await;
    let mut alice = server.sign_in("alice").await;
    let app = alice.begin_enrolment().await;
    let everything =
        "SELECT state FROM sessions UNION ALL SELECT changes FROM history UNION ALL SELECT secret FROM second_factors
                      UNION ALL SELECT code_hash FROM recovery_codes UNION ALL SELECT content FROM deleted_rows";
    let mut codes = Vec::new();
    for is_confirmed in [false, true] {
        if is_confirmed {
            let answer = alice.post(PAGE, &[("action", "confirm"), ("code", &app.code(0))]).await;
            codes = recovery_codes(&answer.text());
        }
        let text = server.texts(everything).await.join("\n");
        assert!(text.len() > 200, "{text}");
        assert_lacks(&text, &[&app.base32]);
        for code in &codes {
            assert_lacks(&text, &[code, &code.replace('-', "")]);
        }
        #[cfg(not(feature = "postgres"))]
        for extension in ["sqlite3", "sqlite3-wal"] {
            let bytes = std::fs::read(server.sqlite_file().with_extension(extension)).expect("the database");
            let has = |what: &[u8]| bytes.windows(what.len()).any(|window| window == what);
            assert!(!has(app.base32.as_bytes()) && !has(app.bytes()), "the secret is in the {extension}");
        }
    }
    let id = server.texts("SELECT CAST(id AS TEXT) FROM users WHERE username = 'alice'").await.remove(0);
    let sealed = server.texts("SELECT secret FROM second_factors").await.remove(0);
    let secrets: Vec<&str> =
        [app.base32.as_str(), &app.base32[..4], &sealed].into_iter().chain(codes.iter().map(String::as_str)).collect();
    for path in [
        "/admin/history/".to_owned(),
        format!("/admin/users/{id}/change/"),
        format!("/admin/users/{id}/history/"),
        "/admin/users/export/".to_owned(),
        "/admin/status/".to_owned(),
        format!("/admin/users/{id}/delete/"),
    ] {
        assert_lacks(&root.page(&path).await, &secrets);
    }
    assert_lacks(&alice.page(PAGE).await, &secrets);
    assert_lacks(&log_watch::lines().join("\n"), &[&app.base32, &codes[0], &sealed]);
}

#[tokio::test]
async fn a_secret_is_shown_to_whoever_knows_the_password_alone() {
    let server = TestServer::start().await;
    server.staff("alice", |_| {}).await;
    let mut alice = server.sign_in("alice").await;
    alice.page(PAGE).await;
    for _ in 0..5 {
        let answer = alice.post(PAGE, &[("action", "begin"), ("password", "wrong")]).await;
        assert_eq!(answer.status, 400);
        assert_has(&answer.text(), &["Your password was entered incorrectly."]);
        assert_lacks(&answer.text(), &["otpauth:"]);
    }
    let answer = alice.post(PAGE, &[("action", "begin"), ("password", PASSWORD)]).await;
    assert_eq!(answer.status, 429);
    assert!(answer.header("retry-after").parse::<u64>().is_ok());
    for action in ["", "confirm", "codes", "off", "enrol"] {
        alice.post(PAGE, &[("action", action), ("code", "123456")]).await;
    }
    assert_eq!(server.count("second_factors").await, 0);
    assert_lacks(&alice.page(PAGE).await, &["otpauth:"]);
}

#[tokio::test]
async fn turning_it_on_ends_the_other_sessions_and_moves_this_one() {
    let server = TestServer::start().await;
    server.staff("alice", |_| {}).await;
    server.staff("bob", |_| {}).await;
    let (mut alice, elsewhere, bob) =
        (server.sign_in("alice").await, server.sign_in("alice").await, server.sign_in("bob").await);
    let before = alice.clone();
    alice.enrol().await;
    assert!(alice.is_in().await && bob.is_in().await);
    assert!(!before.is_in().await, "the old key still opens the session");
    assert!(!elsewhere.is_in().await);
    // The page with the codes has the new token: its forms work.
    assert_eq!(alice.post("/admin/theme/", &[("theme", "dark")]).await.status, 303);
}

#[tokio::test]
async fn what_is_on_is_not_replaced_by_another_tab() {
    let server = TestServer::start().await;
    server.staff("alice", |_| {}).await;
    let mut alice = server.sign_in("alice").await;
    let first = alice.begin_enrolment().await;
    let second = alice.begin_enrolment().await;
    assert_ne!(first.base32, second.base32);
    let answer = alice.post(PAGE, &[("action", "confirm"), ("code", &first.code(0))]).await;
    assert_eq!(answer.status, 400, "the first tab's secret is gone");
    alice.page(PAGE).await;
    let answer = alice.post(PAGE, &[("action", "confirm"), ("code", &second.code(0))]).await;
    assert_eq!(answer.status, 200);
    let before = stored(&server).await;
    for fields in [
        [("action", "begin"), ("password", PASSWORD)],
        [("action", "confirm"), ("code", &second.code(1))],
        [("action", "confirm"), ("code", &first.code(0))],
    ] {
        let answer = alice.post(PAGE, &fields).await;
        assert_eq!(answer.redirect(), (303, "/admin/second_factor/?next=/admin/"));
        assert_lacks(&alice.page(PAGE).await, &["otpauth:"]);
    }
    assert_eq!(stored(&server).await, before);
    assert_eq!(server.count("recovery_codes").await, 10);
}

#[tokio::test]
async fn of_many_confirmations_at_once_one_counts() {
    let server = TestServer::start().await;
    server.staff("alice", |_| {}).await;
    let mut alice = server.sign_in("alice").await;
    let app = alice.begin_enrolment().await;
    alice.page(PAGE).await;
    let attempts: Vec<_> = (0..8)
        .map(|_| {
            let (mut alice, code) = (alice.clone(), app.code(0));
            tokio::spawn(async move { alice.post(PAGE, &[("action", "confirm"), ("code", &code)]).await.text() })
        })
        .collect();
    let mut shown = 0;
    for attempt in attempts {
        shown += recovery_codes(&attempt.await.expect("an answer")).len();
    }
    assert_eq!((shown, server.count("recovery_codes").await, server.count("second_factors").await), (10, 10, 1));
    assert_eq!(server.count("history WHERE changes LIKE '%second_factor%'").await, 1);
}

#[tokio::test]
async fn turning_it_off_takes_password_and_code() {
    let server = TestServer::start().await;
    let (app, codes, mut alice) = server.staff_with_factor("alice").await;
    let mut elsewhere = AdminClient::new(server.address);
    elsewhere.give_password("alice").await;
    elsewhere.give_code(&codes[9]).await;
    assert!(elsewhere.is_in().await);
    alice.page(PAGE).await;
    let wrong = app.wrong_code();
    for (password, code, problem) in [
        ("wrong", app.code(1), "Your password was entered incorrectly."),
        ("", app.code(1), "Your password was entered incorrectly."),
        (PASSWORD, wrong, "This code is wrong"),
        (PASSWORD, String::new(), "This code is wrong"),
    ] {
        let answer = alice.post(PAGE, &[("action", "off"), ("password", password), ("code", &code)]).await;
        assert_eq!(answer.status, 400, "{password} {code}");
        assert_has(&answer.text(), &[problem]);
    }
    assert_eq!(server.count("second_factors").await, 1);
    server.sql("DELETE FROM throttles").await;
    let answer = alice.post(PAGE, &[("action", "off"), ("password", PASSWORD), ("code", &app.code(1))]).await;
    assert_eq!(answer.redirect(), (303, PAGE), "{}", answer.text());
    assert_has(&alice.page(PAGE).await, &["Your second factor is off.", "Set up"]);
    assert_eq!((server.count("second_factors").await, server.count("recovery_codes").await), (0, 0));
    assert!(alice.is_in().await && !elsewhere.is_in().await, "the other sessions end");
    let last = server.texts("SELECT changes FROM history ORDER BY id DESC LIMIT 1").await;
    assert_eq!(last, [r#"{"second_factor":[true,false]}"#]);
    server.sign_in("alice").await;
}

#[tokio::test]
async fn new_recovery_codes_replace_the_earlier_ones() {
    let server = TestServer::start().await;
    let (app, earlier, mut alice) = server.staff_with_factor("alice").await;
    alice.page(PAGE).await;
    let answer = alice.post(PAGE, &[("action", "codes"), ("password", PASSWORD), ("code", &app.wrong_code())]).await;
    assert_eq!((answer.status, recovery_codes(&answer.text()).len()), (400, 0));
    let answer = alice.post(PAGE, &[("action", "codes"), ("password", PASSWORD), ("code", &earlier[0])]).await;
    let codes = recovery_codes(&answer.text());
    assert_eq!((answer.status, codes.len()), (200, 10), "{}", answer.text());
    assert!(codes.iter().all(|code| !earlier.contains(code)));
    let mut client = AdminClient::new(server.address);
    client.give_password("alice").await;
    assert_eq!(client.give_code(&earlier[1]).await.status, 200, "it is over");
    assert_eq!(client.give_code(&codes[0]).await.status, 303);
    assert!(alice.is_in().await, "no session ends");
    let history = server.texts("SELECT changes FROM history WHERE changes LIKE '%recovery_codes%' ORDER BY id").await;
    assert_eq!(history[..2], [r#"{"recovery_codes":[10,9]}"#, r#"{"recovery_codes":"changed"}"#]);
}

#[tokio::test]
async fn a_qr_code_has_its_quiet_zone() {
    let server = TestServer::start().await;
    server.staff("alice", |_| {}).await;
    let mut alice = server.sign_in("alice").await;
    alice.begin_enrolment().await;
    let page = alice.page(PAGE).await;
    let width: usize = between(&page, "viewBox=\"0 0 ", " ")[0].parse().expect("a width");
    let runs = between(&page, "shape-rendering=\"crispEdges\" d=\"", "\"")[0];
    let mut dark = 0;
    for run in runs.split('M').skip(1) {
        let (x, rest) = run.split_once(' ').expect("a place");
        let (y, rest) = rest.split_once('h').expect("a place");
        let (length, _) = rest.split_once('v').expect("a length");
        let [x, y, length] = [x, y, length].map(|number| number.parse::<usize>().expect("a number"));
        assert!(x >= 4 && y >= 4 && x + length <= width - 4 && y < width - 4, "{run}");
        dark += length;
    }
    assert!(dark > width * width / 5 && runs.starts_with("M4 4h7v1"), "{dark} of {width}: {runs}");
}
