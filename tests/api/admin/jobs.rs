//! Actions and undos on many rows go on after the response, on a page that shows how far they are.

use crate::harness::admin::AdminClient;
use crate::harness::client::Answer;
use crate::harness::form::Form;
use crate::harness::{TestServer, ago, assert_has, assert_lacks};

const LIST: &str = "/admin/users/?q=many";
const DEACTIVATE: [(&str, &str); 3] = [("action", "deactivate"), ("select_across", "1"), ("post", "yes")];

/// Users with the ids from 1001 to 3100, too many for one request.
async fn with_many_users() -> (TestServer, AdminClient) {
    let (server, root) = TestServer::with_superuser().await;
    insert_users(&server, 1001, 3100).await;
    (server, root)
}

async fn insert_users(server: &TestServer, first: i64, last: i64) {
    let insert = format!(
        "WITH RECURSIVE numbers (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM numbers WHERE n < {last})
        INSERT INTO users (id, username, email, first_name, last_name, is_active, is_staff, is_superuser, date_joined, origin)
        SELECT n, 'many' || n, '', '', '', TRUE, FALSE, FALSE, '2026-01-01 00:00:00', 'admin' FROM numbers"
    );
    server.sql(insert).await;
}

/// The page of the job, once it has ended.
async fn end(client: &mut AdminClient, started: &Answer) -> String {
    let (status, page) = started.redirect();
    assert!(status == 303 && page.starts_with("/admin/jobs/"), "{status} {page}");
    let page = page.to_owned();
    loop {
        let html = client.page(&page).await;
        if !html.contains("data-progress") {
            return html;
        }
        assert_has(&html, &["of 2,100 rows", "<noscript><meta http-equiv=\"refresh\""]);
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
}

async fn insert_job(server: &TestServer, updated_at: String) {
    let report =
        r#"{"message":{"level":"success","text":"1500 users deactivated.","link":null,"undo":"gone"},"failure":null}"#;
    let insert = format!(
        "INSERT INTO jobs (user_id, kind, model, title, content, state, report, done, total, updated_at)
         SELECT id, 'action', 'users', 'Deactivate users', '/admin/users/?staff=no', 'running', '{report}', 1500, 100000, {updated_at}
         FROM users WHERE username = 'root'"
    );
    server.sql(insert).await;
}

#[tokio::test]
async fn an_action_on_many_rows_and_its_undo_are_jobs() {
    let (server, mut root) = with_many_users().await;
    let answer = root.post(LIST, &DEACTIVATE).await;
    // It would match, but was not there when the action was confirmed.
    insert_users(&server, 4000, 4000).await;
    let page = end(&mut root, &answer).await;
    assert_has(&page, &["Deactivate users", "2100 users deactivated.", "href=\"/admin/users/?q=many\""]);
    assert_eq!(server.count("users WHERE NOT is_active").await, 2100);
    assert_eq!(server.number("SELECT count(DISTINCT batch) FROM changed_rows").await, 1);

    let mut viewer = server.staff_with("viewer", &["users.view_user"]).await;
    let batch = server.texts("SELECT DISTINCT batch FROM changed_rows").await.remove(0);
    assert_eq!(viewer.post("/admin/undo/", &[("batch", &batch)]).await.status, 403);
    assert_eq!(server.count("jobs").await, 1, "nothing was begun");

    let answer = Form::with(&page, "name=\"batch\"").send(&mut root, "/", "x").await;
    let undone = end(&mut root, &answer).await;
    // One goes on where the button was.
    let expected = ["Undo a change to users", "The change to 2100 users was undone.", "href=\"/admin/jobs/1/\""];
    assert_has(&undone, &expected);
    assert_eq!(server.count("users WHERE NOT is_active").await, 0);
    assert_eq!(server.count("changed_rows").await, 0);
    // The first job cannot be undone twice.
    let first = root.page("/admin/jobs/1/").await;
    assert_has(&first, &["2100 users deactivated."]);
    assert_lacks(&first, &["name=\"batch\""]);
}

#[tokio::test]
async fn a_deletion_of_many_rows_is_a_job_and_comes_back_as_one() {
    let (server, mut root) = TestServer::with_superuser().await;
    server.seed_articles(2100).await;
    let fields = [("action", "delete_selected"), ("select_across", "1"), ("post", "yes")];
    let answer = root.post("/admin/articles/", &fields).await;
    let page = end(&mut root, &answer).await;
    assert_has(&page, &["Delete articles", "Deleted 2100 articles."]);
    assert_eq!(server.count("articles").await, 0);
    let answer = Form::with(&page, "name=\"batch\"").send(&mut root, "/", "x").await;
    assert_has(&end(&mut root, &answer).await, &["Restore articles", "Restored 2100 articles."]);
    assert_eq!(server.count("articles").await, 2100);
}

#[tokio::test]
async fn a_job_that_fails_says_how_many_rows_were_done_and_these_can_be_undone() {
    let (server, mut root) = with_many_users().await;
    // The database refuses one row of the fourth part.
    let refusal =
        "CREATE UNIQUE INDEX refusal ON history (model) WHERE action = 'changed' AND object_id IN (1700, 1701)";
    server.sql(refusal).await;
    let answer = root.post(LIST, &DEACTIVATE).await;
    let page = end(&mut root, &answer).await;
    assert_has(&page, &["Stopped after 600 of 2,100 rows.", "600 users deactivated."]);
    assert_eq!(server.count("users WHERE NOT is_active").await, 600);
    let answer = Form::with(&page, "name=\"batch\"").send(&mut root, "/", "x").await;
    assert_eq!(answer.redirect(), (303, "/admin/jobs/1/"), "these are few enough for one request");
    let page = root.follow(&answer).await;
    assert_has(&page, &["The change to 600 users was undone."]);
    assert_lacks(&page, &["name=\"batch\""]);
    assert_eq!(server.count("users WHERE NOT is_active").await, 0);
}

#[tokio::test]
async fn a_running_job_shows_its_progress_until_its_server_is_silent() {
    let (server, mut root) = TestServer::with_superuser().await;
    insert_job(&server, ago(0)).await;
    let page = root.page("/admin/jobs/1/").await;
    assert_has(
        &page,
        &[
            "Deactivate users",
            "1,500 of 100,000 rows",
            "data-progress=\"/admin/jobs/1/\"",
            "<progress max=\"100000\" value=\"1500\"",
            "<noscript><meta http-equiv=\"refresh\" content=\"2\">",
        ],
    );
    insert_job(&server, ago(120)).await;
    let page = root.page("/admin/jobs/2/").await;
    assert_has(
        &page,
        &[
            "Stopped after 1,500 of 100,000 rows. There was no progress for a minute: its server was probably stopped.",
            "1500 users deactivated.",
        ],
    );
    assert_lacks(&page, &["data-progress", "http-equiv=\"refresh\"", "name=\"batch\""]);
}

#[tokio::test]
async fn a_job_is_seen_by_the_one_who_started_it_and_by_superusers() {
    let (server, mut root) = TestServer::with_superuser().await;
    insert_job(&server, ago(0)).await;
    server.staff("boss", |new| new.is_superuser = true).await;
    let mut boss = server.sign_in("boss").await;
    let mut clerk = server.staff_with("clerk", &["users.view_user", "users.change_user"]).await;
    assert_eq!(AdminClient::new(server.address).call("GET", "/admin/jobs/1/").status().await, 302);
    assert_eq!((root.get("/admin/jobs/1/").await.status, boss.get("/admin/jobs/1/").await.status), (200, 200));
    let answer = clerk.get("/admin/jobs/1/").await;
    assert_eq!(answer.status, 404);
    assert_lacks(&answer.text(), &["Deactivate users"]);
    server.sql("UPDATE jobs SET user_id = (SELECT id FROM users WHERE username = 'clerk')").await;
    assert_eq!(clerk.get("/admin/jobs/1/").await.status, 200);
    // Nor is it an import.
    for path in ["/admin/users/import/1/", "/admin/jobs/2/", "/admin/jobs/x/"] {
        assert_eq!(root.get(path).await.status, 404, "{path}");
    }
}
