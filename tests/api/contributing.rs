//! CONTRIBUTING.md shows how a resource is added, with tags as the example. Here its code is compiled and tried.

mod schema;
mod tags;

use gatepost::db::DatabaseUrl;
use gatepost::server::{self, Resources};
use serde_json::json;

use crate::harness::TestServer;
use crate::harness::pool::TestPool;

/// Each file of the example, as CONTRIBUTING.md names it, and as it stands here.
const FILES: &[(&str, &str)] = &[
    ("migrations/sqlite/2026-12-01-000001_tags/up.sql", include_str!("contributing/migration/sqlite/up.sql")),
    ("migrations/sqlite/2026-12-01-000001_tags/down.sql", include_str!("contributing/migration/sqlite/down.sql")),
    ("migrations/postgresql/2026-12-01-000001_tags/up.sql", include_str!("contributing/migration/postgresql/up.sql")),
    (
        "migrations/postgresql/2026-12-01-000001_tags/down.sql",
        include_str!("contributing/migration/postgresql/down.sql"),
    ),
    ("src/schema.rs", include_str!("contributing/schema.rs")),
    ("src/tags/mod.rs", include_str!("contributing/tags/mod.rs")),
    ("src/tags/models.rs", include_str!("contributing/tags/models.rs")),
    ("src/tags/api.rs", include_str!("contributing/tags/api.rs")),
    ("src/tags/admin.rs", include_str!("contributing/tags/admin.rs")),
];

#[test]
fn the_text_shows_the_code_that_is_tried_here() {
    let text = include_str!("../../CONTRIBUTING.md");
    for (name, content) in FILES {
        // Within the project, the library is `crate`.
        let content = content.replace("crate::contributing::schema", "crate::schema").replace("gatepost::", "crate::");
        let (_, rest) = text.split_once(&format!("`{name}`")).unwrap_or_else(|| panic!("{name} is not in the text"));
        let (_, block) = rest.split_once("```").expect("a block of code");
        let (_, block) = block.split_once('\n').expect("a language");
        let (block, _) = block.split_once("\n```").expect("the end of the block");
        assert_eq!(block, content.trim_end(), "{name}");
    }
}

#[test]
fn the_admin_of_a_resource_takes_about_a_hundred_lines() {
    let lines = include_str!("contributing/tags/admin.rs").lines().count();
    assert!(lines <= 100, "{lines} lines");
}

async fn server() -> TestServer {
    let resources = || Resources {
        api: |app, origins| {
            server::api(app, origins);
            app.service(tags::api::tags_resource(origins));
        },
        site: server::site().register(tags::admin::TagAdmin),
    };
    let server = TestServer::start_with_resources(TestPool::start().await, resources, |_| {}).await;
    let migration = match server.db.url() {
        DatabaseUrl::Sqlite(_) => include_str!("contributing/migration/sqlite/up.sql"),
        #[cfg(feature = "postgres")]
        DatabaseUrl::Postgres(_) => include_str!("contributing/migration/postgresql/up.sql"),
    };
    server.sql(migration).await;
    server
}

#[tokio::test]
async fn the_new_resource_is_in_the_api() {
    let server = server().await;
    let alice = server.alice().await;
    let answer = server.call("POST", "/tags/").token(&alice).json(r#"{"name": "rust"}"#).send().await;
    assert_eq!(answer.status, 403, "only the staff adds tags");
    server.staff("jane", |_| {}).await;
    let jane = server.pool.token("jane").sign();
    let create = async |name: &str| {
        server.call("POST", "/tags/").token(&jane).json(json!({ "name": name }).to_string()).send().await
    };
    create("rust").await.assert(201, r#"{"id":1,"name":"rust"}"#);
    create("rust").await.assert(400, r#"{"name":["A tag with this name already exists."]}"#);
    create(" ").await.assert(400, r#"{"name":["This field may not be blank."]}"#);
    create(&"x".repeat(31)).await.assert(400, r#"{"name":["Ensure this field has no more than 30 characters."]}"#);
    server.get("/tags/", &alice).await.assert(200, r#"[{"id":1,"name":"rust"}]"#);
    assert_eq!(server.call("GET", "/tags/").send().await.status, 401);
    assert_eq!(server.number("SELECT count(*) FROM history WHERE model = 'tag' AND source = 'api'").await, 1);
}

#[tokio::test]
async fn the_new_resource_is_in_the_admin() {
    let server = server().await;
    let mut root = server.superuser().await;
    assert!(root.page("/admin/").await.contains("/admin/tags/"));
    let answer = root.post("/admin/tags/add/", &[("name", "rust"), ("_save", "1")]).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/admin/tags/"));
    let answer = root.post("/admin/tags/add/", &[("name", "rust"), ("_save", "1")]).await;
    assert!(answer.text().contains("A tag with this name already exists."), "{}", answer.text());
    root.post("/admin/tags/add/", &[("name", "cognito"), ("_save", "1")]).await;

    let list = root.page("/admin/tags/?q=RUS").await;
    assert!(list.contains(">rust</a>") && !list.contains(">cognito</a>"), "{list}");
    assert!(root.page("/admin/tags/export/").await.contains("rust"));
    assert!(root.page("/admin/history/").await.contains("rust"));

    let answer = root.post("/admin/tags/1/delete/", &[("post", "yes")]).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_eq!(server.number("SELECT count(*) FROM tags WHERE name = 'rust'").await, 0);
    let batch = server.texts("SELECT batch AS t FROM deleted_rows").await.remove(0);
    root.post("/admin/undo/", &[("batch", batch.as_str())]).await;
    assert_eq!(server.number("SELECT count(*) FROM tags WHERE id = 1 AND name = 'rust'").await, 1);

    // Its permissions are there to be given, and hold.
    assert!(root.page("/admin/groups/add/").await.contains("tags.delete_tag"));
    let mut viewer = server.staff_with("vera", &["tags.view_tag"]).await;
    assert!(viewer.page("/admin/tags/").await.contains("cognito"));
    assert_eq!(viewer.get("/admin/tags/add/").await.status, 403);
    assert_eq!(viewer.get("/admin/articles/").await.status, 403);
}
