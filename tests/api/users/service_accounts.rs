//! Service accounts in the admin: what staff enter, what they may give, and what comes back after a deletion.

use crate::harness::admin::AdminClient;
use crate::harness::client::Answer;
use crate::harness::html::unescape;
use crate::harness::pool::MACHINE;
use crate::harness::{TestServer, assert_has, assert_lacks};

const LIST: &str = "/admin/service_accounts/";
const ADD: &str = "/admin/service_accounts/add/";

/// Staff who may do everything with service accounts, and view articles.
const CLERK: &[&str] = &[
    "service_accounts.view_service_account",
    "service_accounts.add_service_account",
    "service_accounts.change_service_account",
    "service_accounts.delete_service_account",
    "articles.view_article",
];

fn change(id: i64) -> String {
    format!("{LIST}{id}/change/")
}

async fn add(client: &mut AdminClient, name: &str, client_id: &str, permissions: &[&str]) -> Answer {
    let form = client.open_form(ADD).await.set("name", &[name]).set("client_id", &[client_id]);
    form.set("permissions", permissions).save(client).await
}

async fn accounts(server: &TestServer) -> Vec<String> {
    let query = "SELECT concat_ws(' ', id, name, client_id, CASE WHEN is_active THEN 'on' ELSE 'off' END, permission)
        FROM service_accounts LEFT JOIN service_account_permissions ON account_id = id ORDER BY 1";
    server.texts(query).await
}

#[track_caller]
fn assert_wrong(answer: &Answer, field: &str, message: &str) {
    let page = unescape(&answer.text());
    assert_eq!(answer.status, 400, "{message}: {page}");
    assert_has(&page, &[&format!("<a href=\"#id_{field}\">"), message]);
}

#[tokio::test]
async fn an_account_is_added_changed_found_deleted_and_brought_back() {
    let server = TestServer::with_resource_server(|_| {}).await;
    let mut root = server.superuser().await;
    let token = server.pool.machine_token(MACHINE, "articles/read").sign();
    let status = async || server.get("/articles/", &token).await.status;
    assert_eq!(status().await, 401);
    let pasted = format!("  {MACHINE}\n");
    let answer = add(&mut root, "Nightly import", &pasted, &["articles.view_article"]).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_eq!(accounts(&server).await, [format!("1 Nightly import {MACHINE} on articles.view_article")]);
    assert_eq!(status().await, 200);
    for query in ["", "?q=night", &format!("?q={MACHINE}"), "?active=yes"] {
        assert_has(&root.page(&format!("{LIST}{query}")).await, &["Nightly import", MACHINE]);
    }
    assert_lacks(&root.page(&format!("{LIST}?q=daily")).await, &["Nightly import"]);

    let form = root.open_form(&change(1)).await.set("is_active", &[]).set("name", &["Nightly"]);
    assert_eq!(form.save(&mut root).await.status, 303);
    assert_eq!(status().await, 401);
    for (action, expected) in [("activate", 200), ("deactivate", 401), ("activate", 200)] {
        let fields = [("action", action), ("post", "yes"), ("_selected_action", "1")];
        let answer = root.post(LIST, &fields).await;
        assert_has(&root.follow(&answer).await, &[&format!("{action}d")]);
        assert_eq!(status().await, expected, "{action}");
    }
    let history = root.page(&format!("{LIST}1/history/")).await;
    assert_has(&history, &["Client ID", MACHINE, "Can view articles", "Active"]);

    let page = root.page(&format!("{LIST}1/delete/")).await;
    assert_has(&page, &["<dt>Permissions</dt><dd>1 deleted</dd>"]);
    let answer = root.post(&format!("{LIST}1/delete/"), &[("post", "yes")]).await;
    root.follow(&answer).await;
    assert_eq!((accounts(&server).await.len(), status().await), (0, 401));
    let batch = server.texts("SELECT batch FROM deleted_rows").await.remove(0);
    let answer = root.post("/admin/undo/", &[("batch", &batch)]).await;
    assert_has(&root.follow(&answer).await, &["The service account “Nightly” was restored."]);
    assert_eq!(accounts(&server).await, [format!("1 Nightly {MACHINE} on articles.view_article")]);
    assert_eq!(status().await, 200);
}

#[tokio::test]
async fn a_client_id_is_written_as_cognito_writes_it_and_stands_once() {
    let (server, mut root) = TestServer::with_superuser().await;
    let long = "a".repeat(129);
    for bad in ["two words", "tab\tin it", "nul\u{0}", "bell\u{7}", "zero\u{200b}width", "é", "a,b", "a/b", "a\nb"] {
        let answer = add(&mut root, "New", bad, &[]).await;
        assert_eq!(answer.status, 400, "{bad:?}");
        if !bad.contains('\0') {
            let message = "Enter a valid client ID. It may have letters, digits and _/+/- only.";
            assert_wrong(&answer, "client_id", message);
        }
    }
    assert_wrong(&add(&mut root, "New", " ", &[]).await, "client_id", "This field may not be blank.");
    assert_wrong(&add(&mut root, "", MACHINE, &[]).await, "name", "This field may not be blank.");
    let message = "Ensure this field has no more than 128 characters.";
    assert_wrong(&add(&mut root, "New", &long, &[]).await, "client_id", message);
    assert_eq!(server.count("service_accounts").await, 0);

    assert_eq!(add(&mut root, "First", MACHINE, &[]).await.status, 303);
    let twice = "A service account with that client ID already exists.";
    assert_wrong(&add(&mut root, "Second", MACHINE, &[]).await, "client_id", twice);
    let twice = "A service account with that name already exists.";
    assert_wrong(&add(&mut root, "First", "another", &[]).await, "name", twice);
    // Client ids differ by case.
    assert_eq!(add(&mut root, "Second", &MACHINE.to_uppercase(), &[]).await.status, 303);
    // On PostgreSQL, the refused rows have taken numbers.
    let second = server.number("SELECT max(id) FROM service_accounts").await;
    let form = root.open_form(&change(second)).await.set("client_id", &[MACHINE]);
    let answer = form.save(&mut root).await;
    assert_wrong(&answer, "client_id", "A service account with that client ID already exists.");
}

#[tokio::test]
async fn staff_give_an_account_only_what_they_have_and_leave_others_alone() {
    let server = TestServer::start().await;
    server.service_account("Stronger", "strong", &["articles.delete_article"]).await;
    server.service_account("Reader", "reader", &["articles.view_article"]).await;
    let mut clerk = server.staff_with("clerk", CLERK).await;
    let before = accounts(&server).await;
    const BEYOND: &str = "You cannot give permissions that you do not have.";
    assert_wrong(&add(&mut clerk, "New", "new", &["articles.delete_article"]).await, "permissions", BEYOND);
    let form = clerk.open_form(&change(2)).await;
    let form = form.set("permissions", &["articles.view_article", "articles.delete_article"]);
    assert_wrong(&form.save(&mut clerk).await, "permissions", BEYOND);
    // Whoever put in a client of their own could use the account.
    let page = clerk.page(&change(1)).await;
    assert_has(&page, &["Stronger has permissions that you do not have.", "View only"]);
    assert_lacks(&page, &["_save"]);
    let fields = [("name", "Stronger"), ("client_id", "mine"), ("is_active", "on"), ("_save", "")];
    assert_eq!(clerk.post(&change(1), &fields).await.status, 403);
    assert_eq!(clerk.post(&format!("{LIST}1/delete/"), &[("post", "yes")]).await.status, 403);
    for action in ["activate", "deactivate", "delete_selected"] {
        let mut fields = vec![("action", action), ("post", "yes"), ("_selected_action", "1")];
        // A deletion is of all or none.
        fields.extend((action == "delete_selected").then_some(("_selected_action", "2")));
        let answer = clerk.post(LIST, &fields).await;
        assert!(clerk.follow(&answer).await.contains("Nothing was changed."), "{action}");
    }
    assert_eq!(accounts(&server).await, before);

    let mut root = server.superuser().await;
    assert_eq!(root.post(&format!("{LIST}1/delete/"), &[("post", "yes")]).await.status, 303);
    let batch = server.texts("SELECT batch FROM deleted_rows").await.remove(0);
    assert_eq!(clerk.post("/admin/undo/", &[("batch", &batch)]).await.status, 403);
    assert_eq!(server.count("service_accounts").await, 1);
    let form = clerk.open_form(&change(2)).await.set("permissions", &[]);
    assert_eq!(form.save(&mut clerk).await.status, 303);
    assert_eq!(add(&mut clerk, "New", "new", &["articles.view_article"]).await.status, 303);
}

#[tokio::test]
async fn each_page_takes_a_permission_of_its_own() {
    let server = TestServer::start().await;
    server.service_account("Reader", "reader", &[]).await;
    let pages = [
        ("service_accounts.view_service_account", LIST.to_owned()),
        ("service_accounts.view_service_account", change(1)),
        ("service_accounts.add_service_account", ADD.to_owned()),
        ("service_accounts.delete_service_account", format!("{LIST}1/delete/")),
    ];
    let mut nobody = server.staff_with("nobody", &["users.view_user", "groups.view_group"]).await;
    assert_lacks(&nobody.page("/admin/").await, &["Service accounts"]);
    for (number, (permission, page)) in pages.iter().enumerate() {
        assert_eq!(nobody.get(page).await.status, 403, "{page}");
        let mut staff = server.staff_with(&format!("staff{number}"), &[permission]).await;
        assert_eq!(staff.get(page).await.status, 200, "{page}");
    }
}
