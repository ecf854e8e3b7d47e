//! The second page of a sign-in: what the password alone opens, which codes count, and how often they can be guessed.

use crate::harness::admin::{AdminClient, PASSWORD, SESSION_COOKIE};
use crate::harness::client::Answer;
use crate::harness::{TestServer, assert_has, assert_lacks, log_watch};

const PENDING: &str = "__Host-gatepost_second_factor";
const CODE: &str = "/admin/login/code/";
const WRONG: &str = "This code is wrong, was already used, or is too old.";

/// A browser in which the password was right.
async fn pending(server: &TestServer, name: &str) -> AdminClient {
    let mut client = AdminClient::new(server.address);
    client.give_password(name).await;
    client
}

#[track_caller]
fn assert_wrong(answer: &Answer) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_has(&answer.text(), &[WRONG]);
    assert_eq!(
        answer.headers.get_all("set-cookie").iter().filter(|c| c.as_bytes().starts_with(b"__Host-gatepost_s")).count(),
        0
    );
}

#[tokio::test]
async fn password_and_code_lead_where_the_user_wanted_to_go() {
    let server = TestServer::start().await;
    let (app, ..) = server.staff_with_factor("alice").await;
    let mut alice = AdminClient::new(server.address);
    alice.get("/admin/login/").await;
    let next = "/admin/articles/?q=a%20b&p=2";
    let fields = [("username", "alice"), ("password", PASSWORD), ("next", next)];
    let answer = alice.post("/admin/login/", &fields).await;
    assert_eq!(answer.redirect(), (303, "/admin/login/code/?next=/admin/articles/%3Fq%3Da%2520b%26p%3D2"));
    let page = alice.follow(&answer).await;
    assert_has(&page, &[r#"name="next" value="/admin/articles/?q=a%20b&#38;p=2""#, "Enter a code"]);
    let answer = alice.post(CODE, &[("code", &app.code(1)), ("next", next)]).await;
    assert_eq!(answer.redirect(), (303, next), "{}", answer.text());
    assert!(!alice.cookies.contains_key(PENDING), "it is over");
    assert_has(&alice.page("/admin/").await, &["Signed in as <strong>alice</strong>"]);
    // Foreign paths are not followed here either.
    server.forget_used_codes().await;
    let mut other = pending(&server, "alice").await;
    let page = other.page("/admin/login/code/?next=//evil.example").await;
    assert_has(&page, &[r#"name="next" value="/admin/""#]);
    let answer = other.post(CODE, &[("code", &app.code(1)), ("next", "https://evil.example/")]).await;
    assert_eq!(answer.redirect(), (303, "/admin/"));
}

#[tokio::test]
async fn the_right_password_alone_opens_nothing() {
    let server = TestServer::start().await;
    server.staff_with_factor("alice").await;
    let (sessions, signed_in) = (server.count("sessions").await, server.texts("SELECT last_login FROM users").await);
    let alice = pending(&server, "alice").await;
    assert!(alice.session().is_empty() && !alice.cookies.keys().any(|name| name.contains("device")));
    assert!(!alice.is_in().await);
    for path in ["/admin/second_factor/", "/admin/password_change/", "/admin/users/", "/admin/sessions/"] {
        assert_eq!(alice.call("GET", path).status().await, 302, "{path}");
    }
    for (path, fields) in [
        ("/admin/second_factor/", [("action", "off"), ("password", PASSWORD)]),
        ("/admin/password_change/", [("old_password", PASSWORD), ("new_password1", "x")]),
    ] {
        assert_eq!(alice.clone().post(path, &fields).await.status, 302, "{path}");
    }
    let api = alice.call("GET", "/me/").header("accept", "text/html").header("sec-fetch-site", "same-origin");
    assert_eq!(api.status().await, 401, "the browsable API");
    // The cookie is no session either.
    let mut as_session = AdminClient::new(server.address);
    as_session.cookies.insert(SESSION_COOKIE.to_owned(), alice.cookies[PENDING].clone());
    assert!(!as_session.is_in().await);
    assert_eq!(server.count("sessions").await, sessions);
    assert_eq!(server.texts("SELECT last_login FROM users").await, signed_in);
    assert!(log_watch::lines().iter().any(|line| line.contains("password accepted, a code is asked for: `alice`")));
}

#[tokio::test]
async fn a_code_counts_once_also_the_one_that_confirmed_the_enrolment() {
    let server = TestServer::start().await;
    let (app, ..) = server.staff_with_factor("alice").await;
    let used: i64 =
        server.texts("SELECT CAST(last_step AS TEXT) FROM second_factors").await[0].parse().expect("a step");
    for step in [used, used - 1] {
        assert_wrong(&pending(&server, "alice").await.give_code(&app.code_of(step)).await);
    }
    let (mut one, mut other) = (pending(&server, "alice").await, pending(&server, "alice").await);
    let code = app.code(1);
    assert_eq!(one.give_code(&code).await.redirect(), (303, "/admin/"));
    assert_wrong(&other.give_code(&code).await);
    // Nor does an earlier one count after it.
    assert_wrong(&other.give_code(&app.code(0)).await);
    assert!(!other.is_in().await);
}

#[tokio::test]
async fn of_many_requests_with_one_code_one_enters() {
    let server = TestServer::start_with(|config| config.login_max_failures = 1000).await;
    let (app, codes, _) = server.staff_with_factor("alice").await;
    for code in [app.code(1), codes[0].clone()] {
        let mut alice = pending(&server, "alice").await;
        alice.get(CODE).await;
        let attempts: Vec<_> = (0..20)
            .map(|_| {
                let (mut alice, code) = (alice.clone(), code.clone());
                tokio::spawn(async move {
                    let answer = alice.post(CODE, &[("code", &code)]).await;
                    (answer.status, alice.is_in().await)
                })
            })
            .collect();
        let mut entered = 0;
        for attempt in attempts {
            match attempt.await.expect("an answer") {
                (303, true) => entered += 1,
                (200, false) => {}
                other => panic!("{code}: {other:?}"),
            }
        }
        assert_eq!(entered, 1, "{code}");
    }
}

#[tokio::test]
async fn a_recovery_code_signs_in_once_however_it_is_typed() {
    let server = TestServer::start().await;
    let (_, codes, _) = server.staff_with_factor("alice").await;
    let typed = [codes[0].clone(), codes[1].to_lowercase(), codes[2].replace('-', ""), codes[3].replace('-', "  ")];
    for (used, code) in typed.iter().enumerate() {
        let mut alice = pending(&server, "alice").await;
        assert_eq!(alice.give_code(code).await.redirect(), (303, "/admin/"), "{code}");
        let left = format!("You have used a recovery code. {} are left.", 9 - used);
        assert_has(&alice.page("/admin/").await, &[&left]);
        assert_wrong(&pending(&server, "alice").await.give_code(code).await);
    }
    let history = server.texts("SELECT changes FROM history WHERE changes LIKE '%recovery%' ORDER BY id").await;
    assert_eq!(history[..2], [r#"{"recovery_codes":[10,9]}"#, r#"{"recovery_codes":[9,8]}"#]);
    // Another user's is none.
    let (_, others, _) = server.staff_with_factor("bob").await;
    assert_wrong(&pending(&server, "alice").await.give_code(&others[0]).await);
    assert_eq!(pending(&server, "bob").await.give_code(&others[0]).await.status, 303);
}

#[tokio::test]
async fn what_is_no_code_is_refused() {
    let server = TestServer::start_with(|config| config.login_max_failures = 1000).await;
    let (app, codes, _) = server.staff_with_factor("alice").await;
    let right = app.code(1);
    let wide: String = right.chars().filter_map(|digit| char::from_u32(u32::from(digit) + 0xfee0)).collect();
    let arabic: String = right.chars().filter_map(|digit| char::from_u32(u32::from(digit) + 0x630)).collect();
    let typed =
        ["", " ", "0", &right[..5], &format!("{right}0"), &format!("+{right}"), &format!("0x{right}"), &wide, &arabic]
            .map(str::to_owned);
    let others =
        [codes[0][..18].to_owned(), format!("{}A", codes[0]), "%".repeat(16), "_".repeat(16), "' OR 1=1 --".to_owned()];
    let mut alice = pending(&server, "alice").await;
    for typed in typed.into_iter().chain(others).chain(["9".repeat(100_000), app.wrong_code()]) {
        let answer = alice.give_code(&typed).await;
        assert_wrong(&answer);
        assert!(answer.body.len() < 5_000, "what was typed is not sent back");
    }
    // Blanks do not matter.
    let spaced = format!(" {} {} ", &right[..3], &right[3..]);
    let answer = alice.give_code(&spaced).await;
    assert_eq!(answer.redirect(), (303, "/admin/"), "{}", answer.text());
}

#[tokio::test]
async fn codes_are_guessed_no_more_often_than_passwords_and_from_the_same_budget() {
    let server = TestServer::start().await;
    let (app, codes, _) = server.staff_with_factor("alice").await;
    let mut stranger = AdminClient::new(server.address);
    for _ in 0..2 {
        assert_eq!(stranger.sign_in("alice", "wrong").await.status, 200);
    }
    // The right password does not give the guesses back, whenever it comes.
    for _ in 0..3 {
        stranger.give_password("alice").await;
        assert_wrong(&stranger.give_code(&app.wrong_code()).await);
    }
    for code in [app.wrong_code(), app.code(1), codes[0].clone()] {
        let answer = stranger.give_code(&code).await;
        assert_eq!(answer.status, 429, "{code}: {}", answer.text());
        assert!(answer.header("retry-after").parse::<u64>().is_ok_and(|seconds| (1..=60).contains(&seconds)));
        assert_has(&answer.text(), &["Too many attempts. Try again in"]);
    }
    let mut elsewhere = AdminClient::new(server.address);
    assert_eq!(elsewhere.sign_in("alice", PASSWORD).await.status, 429, "nor does the password go through");
    assert!(!stranger.is_in().await);
    // Nothing was used up by what was not checked.
    server.sql("DELETE FROM throttles").await;
    assert_eq!(stranger.give_code(&codes[0]).await.status, 303);
}

#[tokio::test]
async fn browsers_that_are_known_for_the_user_share_the_budget_of_codes() {
    let server = TestServer::start().await;
    server.staff("alice", |_| {}).await;
    let mut browsers = Vec::new();
    for _ in 0..3 {
        browsers.push(server.sign_in("alice").await);
    }
    let (app, _) = browsers[0].enrol().await;
    let mut guesses = 0;
    for browser in &mut browsers {
        loop {
            if browser.sign_in("alice", PASSWORD).await.status == 429
                || browser.give_code(&app.wrong_code()).await.status == 429
            {
                break;
            }
            guesses += 1;
            assert!(guesses < 20, "without an end");
        }
    }
    assert_eq!(guesses, 5);
}

#[tokio::test]
async fn the_owner_gets_in_with_a_known_browser_while_a_stranger_with_the_password_guesses_codes() {
    let server = TestServer::start().await;
    let (_, codes, _) = server.staff_with_factor("alice").await;
    let mut owner = AdminClient::new(server.address);
    owner.give_password("alice").await;
    assert_eq!(owner.give_code(&codes[0]).await.status, 303, "the browser is known with the factor from now on");
    let mut stranger = AdminClient::new(server.address);
    for _ in 0..5 {
        stranger.give_password("alice").await;
        assert_wrong(&stranger.give_code("000000").await);
    }
    assert_eq!(stranger.give_code("000000").await.status, 429);
    owner.cookies.remove(SESSION_COOKIE);
    owner.give_password("alice").await;
    assert_eq!(owner.give_code(&codes[1]).await.status, 303);
    assert!(owner.is_in().await);
}

#[tokio::test]
async fn a_right_code_costs_no_attempt() {
    let server = TestServer::start().await;
    let (app, ..) = server.staff_with_factor("alice").await;
    for _ in 0..8 {
        let mut alice = pending(&server, "alice").await;
        assert_eq!(alice.give_code(&app.code(1)).await.status, 303);
        server.forget_used_codes().await;
    }
    assert_eq!(server.count("throttles").await, 0, "an empty bucket is not kept");
}

#[tokio::test]
async fn a_sign_in_that_waits_is_void_when_its_grounds_are_gone() {
    let server = TestServer::start().await;
    let hash = gatepost::users::password::hash("another password").expect("a hash");
    for (name, change) in [
        ("password", format!("UPDATE users SET password = '{hash}' WHERE username = 'password'")),
        ("no-password", "UPDATE users SET password = NULL WHERE username = 'no-password'".to_owned()),
        ("inactive", "UPDATE users SET is_active = FALSE WHERE username = 'inactive'".to_owned()),
        ("no-staff", "UPDATE users SET is_staff = FALSE WHERE username = 'no-staff'".to_owned()),
        (
            "reset",
            "DELETE FROM second_factors WHERE user_id = (SELECT id FROM users WHERE username = 'reset')".to_owned(),
        ),
        ("deleted", "DELETE FROM users WHERE username = 'deleted'".to_owned()),
    ] {
        let (app, codes, _) = server.staff_with_factor(name).await;
        let mut client = pending(&server, name).await;
        client.page(CODE).await;
        server.sql(change).await;
        for code in [app.code(1), codes[0].clone()] {
            let answer = client.post(CODE, &[("code", &code)]).await;
            assert_eq!(answer.redirect(), (303, "/admin/login/?next=/admin/"), "{name}: {}", answer.text());
        }
        assert!(!client.is_in().await, "{name}");
    }
}

#[tokio::test]
async fn the_page_is_there_only_for_whose_password_was_right() {
    let server = TestServer::start().await;
    let (app, ..) = server.staff_with_factor("alice").await;
    server.staff("bob", |_| {}).await;
    let mut before = pending(&server, "alice").await;
    before.page(CODE).await;
    let sealed = before.cookies[PENDING].clone();
    let mut changed = sealed.clone().into_bytes();
    changed[30] = if changed[30] == b'A' { b'B' } else { b'A' };
    let changed = String::from_utf8(changed).expect("ASCII");
    for value in ["", "x", "%00", &"A".repeat(200), &changed, &sealed[..sealed.len() - 1]] {
        let mut stranger = AdminClient::new(server.address);
        stranger.get("/admin/login/").await;
        stranger.cookies.insert(PENDING.to_owned(), value.to_owned());
        assert_eq!(stranger.get(CODE).await.redirect(), (303, "/admin/login/?next=/admin/"), "{value}");
        let answer = stranger.post(CODE, &[("code", &app.code(1))]).await;
        assert_eq!(answer.redirect(), (303, "/admin/login/?next=/admin/"), "{value}");
    }
    // Who has no second factor does not come here.
    let mut bob = server.sign_in("bob").await;
    assert_eq!(bob.get(CODE).await.redirect(), (303, "/admin/"));
    // While passwords are closed, nobody does.
    let mut settings = server.config.clone();
    settings.password_sign_in = false;
    let closed = TestServer::start_with(|config| *config = settings).await;
    let mut alice = AdminClient::new(closed.address);
    (alice.cookies, alice.token) = (before.cookies, before.token);
    assert_eq!(alice.post(CODE, &[("code", &app.code(1))]).await.redirect(), (303, "/admin/login/?next=/admin/"));
}

#[tokio::test]
async fn nobody_can_plant_a_session_or_half_a_sign_in() {
    let server = TestServer::start().await;
    let (mallorys, _, mut mallory) = server.staff_with_factor("mallory").await;
    let (app, ..) = server.staff_with_factor("alice").await;
    // A session of Mallory's is in Alice's browser: it ends with the password, and another key comes with the code.
    let planted = mallory.session().to_owned();
    mallory.page("/admin/").await;
    let answer = mallory.post("/admin/login/", &[("username", "alice"), ("password", PASSWORD)]).await;
    assert_eq!(answer.redirect(), (303, "/admin/login/code/?next=/admin/"), "{}", answer.text());
    assert!(mallory.session().is_empty() && !mallory.is_in().await);
    assert_eq!(mallory.give_code(&app.code(1)).await.redirect(), (303, "/admin/"));
    assert_has(&mallory.page("/admin/").await, &["Signed in as <strong>alice</strong>"]);
    let mut replayed = AdminClient::new(server.address);
    replayed.cookies.insert(SESSION_COOKIE.to_owned(), planted);
    assert!(!replayed.is_in().await);
    // Half a sign-in of Mallory's is in Alice's browser: her codes do not fit, and her own password replaces it.
    server.forget_used_codes().await;
    let half = pending(&server, "mallory").await.cookies[PENDING].clone();
    let mut alice = AdminClient::new(server.address);
    alice.cookies.insert(PENDING.to_owned(), half.clone());
    assert_wrong(&alice.give_code(&app.code(1)).await);
    alice.give_password("alice").await;
    assert_ne!(alice.cookies[PENDING], half);
    assert_wrong(&alice.give_code(&mallorys.code(1)).await);
    assert_eq!(alice.give_code(&app.code(1)).await.status, 303);
    assert_has(&alice.page("/admin/").await, &["Signed in as <strong>alice</strong>"]);
}

#[tokio::test]
async fn the_form_needs_its_token_and_our_origin() {
    let server = TestServer::start().await;
    let (app, ..) = server.staff_with_factor("alice").await;
    let mut alice = pending(&server, "alice").await;
    alice.page(CODE).await;
    let code = app.code(1);
    let token = alice.token.clone();
    let good = [("csrfmiddlewaretoken", token.as_str()), ("code", code.as_str())];
    assert_eq!(alice.form(CODE, &good[1..]).status().await, 403, "no token");
    assert_eq!(
        alice.form(CODE, &[("csrfmiddlewaretoken", &"A".repeat(43)), good[1]]).status().await,
        403,
        "a wrong one"
    );
    assert_eq!(alice.form(CODE, &good).header("origin", "https://evil.example").status().await, 403);
    assert_eq!(alice.form(CODE, &good).header("sec-fetch-site", "cross-site").status().await, 403);
    assert_eq!(alice.form(CODE, &good).status().await, 303, "and the code was not used up");
}

#[tokio::test]
async fn the_way_back_leads_to_no_form_that_still_works() {
    let server = TestServer::start().await;
    let (app, ..) = server.staff_with_factor("alice").await;
    let mut alice = pending(&server, "alice").await;
    let page = alice.get(CODE).await;
    assert_has(page.header("cache-control"), &["no-store"]);
    let before = alice.clone();
    assert_eq!(alice.post(CODE, &[("code", &app.code(1))]).await.status, 303);
    assert_eq!(alice.get(CODE).await.redirect(), (303, "/admin/"), "signed in already");
    assert_eq!(before.clone().post(CODE, &[("code", &app.code(1))]).await.status, 200, "the code is used up");
    alice.page("/admin/").await;
    alice.post("/admin/logout/", &[]).await;
    assert_eq!(alice.get(CODE).await.redirect(), (303, "/admin/login/?next=/admin/"), "signed out");
    assert!(!alice.is_in().await);
    assert_lacks(&log_watch::lines().join("\n"), &[&app.base32]);
}
