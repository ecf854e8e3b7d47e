//! `COGNITO_STAFF_GROUP`: the group whose members are staff.

use super::{history, members, send, set_up, token};
use crate::cognito::sign_in::{self, Begun};
use crate::harness::{TestServer, assert_has, log_watch};

pub async fn server() -> TestServer {
    let server = TestServer::start_with(|config| config.staff_group = Some("staff".into())).await;
    set_up(&server).await;
    server
}

async fn is_staff(server: &TestServer) -> bool {
    server.count("users WHERE username = 'jane' AND is_staff").await == 1
}

#[tokio::test]
async fn members_are_staff_at_once_and_no_longer_once_they_left() {
    let server = server().await;
    let user = server.me(&token(&server, &["staff", "editors"], 20).sign()).await;
    assert_eq!((&user["is_staff"], &user["is_superuser"]), (&true.into(), &false.into()));
    assert_eq!(history(&server).await, [r#"jane {"cognito_groups":[[],["Editors"]],"is_staff":[false,true]}"#]);
    let mut jane = server.sign_in("jane").await;
    assert_eq!(jane.get("/admin/articles/").await.status, 200);

    let user = server.me(&token(&server, &["editors", "Staff"], 10).sign()).await;
    assert_eq!(user["is_staff"], false);
    assert_eq!(jane.get("/admin/articles/").await.status, 302, "the session is over");
    assert_eq!(server.count("sessions").await, 0);
    send(&server, &["staff"], 15).await;
    assert!(!is_staff(&server).await, "an older token does not bring it back");
    assert_eq!(members(&server).await, ["jane Editors"]);
}

#[tokio::test]
async fn staff_by_hand_stay_staff() {
    let server = server().await;
    let mut root = server.superuser().await;
    server.sql("UPDATE users SET is_staff = TRUE").await;
    send(&server, &["staff"], 20).await;
    send(&server, &[], 15).await;
    assert!(is_staff(&server).await);
    assert_eq!(history(&server).await, [""; 0]);

    // Whoever takes it away by hand and gives it again has given it by hand.
    server.sql("UPDATE users SET is_staff = FALSE WHERE username = 'jane'").await;
    send(&server, &["staff"], 14).await;
    for values in [&[][..], &["on"]] {
        let form = root.open_form("/admin/users/1/change/").await.set("is_staff", values);
        assert_eq!(form.save(&mut root).await.status, 303);
    }
    send(&server, &[], 10).await;
    assert!(is_staff(&server).await);
}

#[tokio::test]
async fn the_last_superuser_stays_staff_and_the_log_says_so() {
    let server = server().await;
    send(&server, &["staff"], 20).await;
    server.sql("UPDATE users SET is_superuser = TRUE").await;
    send(&server, &[], 15).await;
    assert!(is_staff(&server).await);
    let line = "`jane` left the Cognito group that made them staff, and stays staff as the last superuser";
    assert!(log_watch::lines().iter().any(|found| found.contains(line)));
    server.staff("root", |new| (new.is_superuser, new.email) = (true, String::new())).await;
    send(&server, &["staff"], 12).await;
    send(&server, &[], 11).await;
    assert!(is_staff(&server).await, "the other superuser cannot sign in with Cognito, and passwords may be closed");
    server
        .sql("UPDATE users SET email = 'root@example.com', email_key = 'root@example.com' WHERE username = 'root'")
        .await;
    send(&server, &[], 10).await;
    assert!(!is_staff(&server).await, "another superuser is there by now");
    send(&server, &["staff"], 5).await;
    assert!(!is_staff(&server).await, "a superuser out of the staff stays so: superusers never come from a group");
}

#[tokio::test]
async fn without_the_setting_whoever_was_staff_by_it_is_no_longer() {
    let server = server().await;
    send(&server, &["staff"], 20).await;
    let settings = server.config.clone();
    let without =
        TestServer::start_with(|config| *config = gatepost::config::Config { staff_group: None, ..settings }).await;
    let token = server.pool.token("jane").claim("cognito:groups", vec!["staff"]).claim("jti", "without").sign();
    assert_eq!(without.me(&token).await["is_staff"], false);
}

#[tokio::test]
async fn the_form_shows_what_comes_from_cognito_apart_from_what_is_given_by_hand() {
    let server = server().await;
    let mut root = server.superuser().await;
    assert!(!root.page("/admin/users/1/change/").await.contains("Groups from Cognito"));
    send(&server, &["staff", "editors"], 20).await;
    let page = root.page("/admin/users/1/change/").await;
    assert_has(&page, &["Groups from Cognito", "<dt>Editors</dt><dd><code>editors</code></dd>", "Given by Cognito"]);
    let form = root.open_form("/admin/users/1/change/").await;
    assert_eq!(form.all("groups"), [""; 0]);
    assert_eq!(form.set("first_name", &["Jane"]).save(&mut root).await.status, 303);
    assert_eq!(members(&server).await, ["jane Editors"]);
    assert_has(&root.page("/admin/users/1/history/").await, &["<td>Cognito", "Cognito groups", "Editors"]);
    assert_has(&root.page("/admin/history/?source=cognito").await, &["jane"]);
    for (query, found) in [("groups=1", "jane"), ("groups=none", "root")] {
        let list = root.page(&format!("/admin/users/?{query}")).await;
        assert_has(&list, &["1–1 of 1", &format!(">{found}</a>")]);
    }
    assert_has(&root.page("/admin/groups/").await, &["editors"]);
    assert_has(&root.page("/admin/groups/1/change/").await, &["1 user"]);
    let file = root.get("/admin/groups/export/").await.text();
    // Numbers of members and of permissions would be taken for data.
    assert_has(&file, &["\"id\",\"name\",\"cognito_group\"\r\n", "\r\n1,\"Editors\",\"editors\"\r\n"]);
}

#[tokio::test]
async fn members_sign_in_to_the_admin_and_those_who_left_do_not() {
    let (server, provider) = sign_in::server_with(|config| config.staff_group = Some("staff".into())).await;
    set_up(&server).await;
    server.seed_articles(1).await;
    let mut jane = None;
    for (groups, is_welcome) in [(&[][..], false), (&["staff", "editors"], true), (&["editors"], false)] {
        let mut flow = Begun::at(&server, "/admin/").await;
        let token = flow.token(&server, "jane").claim("cognito:groups", groups.to_vec());
        provider.issues(&token.sign());
        let answer = flow.come_back().await;
        if is_welcome {
            assert_eq!(answer.status, 303, "{}", answer.text());
            assert_eq!(flow.browser.get("/admin/articles/1/change/").await.status, 200);
            jane = Some(flow.browser);
        } else {
            sign_in::assert_refused("jane", &answer, 403, "Your account here is not a staff account.");
        }
    }
    assert_eq!(jane.expect("jane was in").get("/admin/articles/1/change/").await.status, 302, "the session is over");
    assert_eq!(members(&server).await, ["jane Editors"]);
    assert_eq!(server.count("users").await, 1, "nobody is created");
}
