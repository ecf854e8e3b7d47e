//! CONTRIBUTING.md shows how a resource is added, with tags as the example. Here its code is compiled and tried, and so is
//! a second one, whose model has a field of every kind.

mod events;
mod start;
mod tags;

use diesel::connection::SimpleConnection;
use gatepost::config::Config;
use gatepost::db::{DatabaseUrl, Db};
use gatepost::server::{self, Resources};
use serde_json::{Value, json};

use crate::harness::pool::TestPool;
use crate::harness::{TestServer, assert_has};

/// Each file of the example, as CONTRIBUTING.md names it, and as it stands here.
const FILES: &[(&str, &str)] = &[
    ("migrations/sqlite/2026-12-01-000001_tags/up.sql", include_str!("contributing/tags/migrations/sqlite_up.sql")),
    ("migrations/sqlite/2026-12-01-000001_tags/down.sql", include_str!("contributing/tags/migrations/down.sql")),
    (
        "migrations/postgresql/2026-12-01-000001_tags/up.sql",
        include_str!("contributing/tags/migrations/postgresql_up.sql"),
    ),
    ("src/tags/mod.rs", include_str!("contributing/tags/mod.rs")),
];

#[test]
fn the_text_shows_the_code_that_is_tried_here() {
    let text = include_str!("../../CONTRIBUTING.md");
    for (name, content) in FILES {
        // Within the project, the library is `crate`.
        let content = content.replace("gatepost::", "crate::");
        let (_, rest) = text.split_once(&format!("`{name}`")).unwrap_or_else(|| panic!("{name} is not in the text"));
        let (_, block) = rest.split_once("```").expect("a block of code");
        let (_, block) = block.split_once('\n').expect("a language");
        let (block, _) = block.split_once("\n```").expect("the end of the block");
        assert_eq!(block, content.trim_end(), "{name}");
    }
}

#[test]
fn a_resource_takes_few_lines() {
    let lines = |text: &str| text.lines().filter(|line| !line.trim().is_empty()).count();
    let (tags, events) = (include_str!("contributing/tags/mod.rs"), include_str!("contributing/events/mod.rs"));
    assert!(lines(tags) <= 80 && lines(events) <= 120, "{} and {}", lines(tags), lines(events));
}

async fn server() -> TestServer {
    let resources = || {
        let mut api = server::api();
        api.extend([&tags::API, &events::API]);
        Resources { api, site: server::site().register(&tags::ADMIN).register(&events::ADMIN) }
    };
    let with_tables = |config: &mut Config| {
        let url = config.database.clone();
        // `write_blocking` must not run on a thread of the test's runtime.
        std::thread::spawn(move || migrate(&url)).join().expect("the tables");
    };
    TestServer::start_with_resources(TestPool::start().await, resources, with_tables).await
}

/// As the migrations of a resource would do it at the start.
fn migrate(url: &DatabaseUrl) {
    let migrations = match url {
        DatabaseUrl::Sqlite(_) => [
            include_str!("contributing/tags/migrations/sqlite_up.sql"),
            include_str!("contributing/events/migrations/sqlite_up.sql"),
        ],
        #[cfg(feature = "postgres")]
        DatabaseUrl::Postgres(_) => [
            include_str!("contributing/tags/migrations/postgresql_up.sql"),
            include_str!("contributing/events/migrations/postgresql_up.sql"),
        ],
    };
    let (db, _) = Db::open(url).expect("a database");
    for migration in migrations {
        db.write_blocking(|conn| Ok(conn.batch_execute(migration)?)).expect("a migration");
    }
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

#[tokio::test]
async fn a_list_has_pages_search_and_order_by_fields_of_every_kind() {
    let server = server().await;
    let alice = server.alice().await;
    for (name, starts_at) in
        [("b", "2026-12-24T18:00"), ("a", "2027-01-01T00:00:00.5+01:00"), ("c", "2026-12-24T18:00:00Z")]
    {
        let body = json!({ "name": name, "starts_at": starts_at }).to_string();
        let answer = server.call("POST", "/events/").token(&alice).json(body).send().await;
        assert_eq!(answer.status, 201, "{}", answer.text());
    }
    let mut path = Some("/events/?ordering=-starts_at&limit=1".to_owned());
    let mut names = Vec::new();
    while let Some(next) = path {
        let answer = server.get(&next, &alice).await;
        assert_eq!((answer.status, answer.header("x-total-count")), (200, "3"));
        names.push(answer.json()[0]["name"].as_str().expect("a name").to_owned());
        path = answer.link("next");
    }
    assert_eq!(names, ["a", "c", "b"], "of equal times, the one with the greater id comes first");
    let by_time = server.get("/events/?ordering=starts_at&limit=1", &alice).await.link("next").expect("a next page");
    let answer = server.get(&by_time.replace("ordering=starts_at", "ordering=name"), &alice).await;
    answer.assert(400, r#"{"cursor":["This cursor belongs to another ordering."]}"#);
    let found = server.get("/events/?search=A", &alice).await;
    assert_eq!((found.json().as_array().map(Vec::len), found.header("x-total-count")), (Some(1), "1"));
    let first = &found.json()[0];
    let expected = json!({
        "id": 2, "name": "a", "starts_at": "2026-12-31T23:00:00.500000Z", "ends_at": null, "is_public": false,
        "kind": "talk",
        "owner": server.number("SELECT id FROM users WHERE email = 'alice@example.com'").await,
    });
    assert_eq!(*first, expected);
}

#[tokio::test]
async fn a_body_with_several_wrong_fields_is_told_all_of_them() {
    let server = server().await;
    let alice = server.alice().await;
    let post = async |body: Value| server.call("POST", "/events/").token(&alice).json(body.to_string()).send().await;
    let answer = post(json!({ "starts_at": "tomorrow", "is_public": "maybe", "kind": "party" })).await;
    const WRONG_TIME: &str = "Datetime has wrong format. Use one of these formats instead: \
                              YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].";
    let expected = json!({
        "name": ["This field is required."],
        "starts_at": [WRONG_TIME],
        "is_public": ["Must be a valid boolean."],
        "kind": ["\"party\" is not a valid choice."],
    });
    assert_eq!((answer.status, answer.json()), (400, expected));
    for (field, value, message) in [
        ("starts_at", json!(20261224), WRONG_TIME),
        ("starts_at", json!("12026-12-24T18:00:00Z"), WRONG_TIME),
        ("starts_at", json!(null), "This field may not be null."),
        ("is_public", json!(null), "This field may not be null."),
        ("is_public", json!([true]), "Must be a valid boolean."),
        ("kind", json!(true), "\"True\" is not a valid choice."),
        ("kind", json!(""), "\"\" is not a valid choice."),
    ] {
        let mut body = json!({ "name": "x", "starts_at": "2026-12-24T18:00:00Z" });
        body[field] = value;
        let answer = post(body.clone()).await;
        assert_eq!((answer.status, answer.json()), (400, json!({ field: [message] })), "{body}");
    }
    assert_eq!(server.number("SELECT count(*) FROM events").await, 0);
}

#[tokio::test]
async fn a_broken_rule_over_several_fields_is_told_at_its_field() {
    const MESSAGE: &str = "The event has to end after it starts.";
    let server = server().await;
    let alice = server.alice().await;
    let call = async |method: &str, path: &str, body: Value| {
        let answer = server.call(method, path).token(&alice).json(body.to_string()).send().await;
        (answer.status, answer.json()["ends_at"].clone())
    };
    let (early, late) = ("2026-12-24T18:00:00Z", "2026-12-24T20:00:00Z");
    let refused = (400, json!([MESSAGE]));
    let body = |starts_at, ends_at| json!({ "name": "x", "starts_at": starts_at, "ends_at": ends_at });
    assert_eq!(call("POST", "/events/", body(early, late)).await, (201, json!(late)));
    assert_eq!(call("POST", "/events/", body(late, early)).await, refused);
    assert_eq!(call("PUT", "/events/1/", body(late, early)).await, refused);
    assert_eq!(call("PATCH", "/events/1/", json!({ "starts_at": "2026-12-25T00:00:00Z" })).await, refused);
    let mut root = server.superuser().await;
    let fields = [("name", "typed"), ("starts_at", late), ("ends_at", early), ("kind", "talk"), ("_save", "1")];
    let form = root.post("/admin/events/add/", &fields).await.text();
    assert_has(&form, &[&format!("Ends at: {MESSAGE}"), &format!(">{MESSAGE}</li>"), "value=\"typed\""]);
    let file = format!("name,starts_at,ends_at,is_public,kind\nx,{late},{early},false,talk\n");
    let answer = root.upload("/admin/events/import/", "events.csv", file.as_bytes()).await;
    let report = root.page(answer.header("location")).await;
    assert_has(&report, &["<code>ends_at</code>", MESSAGE]);
    assert_eq!(server.number("SELECT count(*) FROM events").await, 1);
}

#[tokio::test]
async fn a_form_sends_a_box_that_is_not_ticked_by_leaving_it_out() {
    let server = server().await;
    let alice = server.alice().await;
    let send = async |method: &str, path: &str, form: &str| {
        server.call(method, path).token(&alice).body("application/x-www-form-urlencoded", form).send().await
    };
    let answer = send("POST", "/events/", "name=x&starts_at=2026-12-24T18:00&is_public=true").await;
    assert_eq!((answer.status, &answer.json()["is_public"]), (201, &json!(true)));
    let answer = send("PATCH", "/events/1/", "name=y").await;
    assert_eq!(
        (answer.status, &answer.json()["is_public"]),
        (200, &json!(true)),
        "PATCH leaves alone what it does not name"
    );
    let answer = send("PUT", "/events/1/", "name=y&starts_at=2026-12-24T18:00").await;
    assert_eq!((answer.status, &answer.json()["is_public"]), (200, &json!(false)));
}

#[tokio::test]
async fn owners_and_staff_change_a_row_and_nobody_sets_what_is_read_only() {
    let server = server().await;
    let alice = server.alice().await;
    server.superuser().await;
    let body = r#"{"name":"x","starts_at":"2026-12-24T18:00:00Z","owner":1}"#;
    let created = server.call("POST", "/events/").token(&alice).json(body).send().await;
    assert_eq!(created.status, 201);
    let owner = server.number("SELECT id FROM users WHERE email = 'alice@example.com'").await;
    assert_eq!(created.json()["owner"], owner);
    server.user("bob").await;
    let bob = server.pool.token("bob").sign();
    let put = r#"{"name":"y","starts_at":"2026-12-24T18:00:00Z"}"#;
    assert_eq!(server.call("PUT", "/events/1/").token(&bob).json(put).send().await.status, 403);
    let tag = server.get("/events/1/", &alice).await.header("etag").to_owned();
    let changed = server.call("PUT", "/events/1/").token(&alice).header("if-match", &tag).json(put).send().await;
    assert_eq!((changed.status, &changed.json()["name"]), (200, &json!("y")));
    let stale = server.call("PATCH", "/events/1/").token(&alice).header("if-match", &tag).json(put).send().await;
    assert_eq!(stale.status, 412);
    assert_eq!(server.call("DELETE", "/events/1/").token(&alice).send().await.status, 204);
    assert_eq!(server.get("/events/1/", &alice).await.status, 404);
}

#[tokio::test]
async fn options_and_the_document_tell_the_kind_of_every_field() {
    let server = server().await;
    let alice = server.alice().await;
    let metadata = server.call("OPTIONS", "/events/").token(&alice).send().await.json();
    let expected = json!({
        "id": { "type": "integer", "required": false, "read_only": true, "label": "ID" },
        "name": { "type": "string", "required": true, "read_only": false, "label": "Name", "max_length": 60 },
        "starts_at": { "type": "datetime", "required": true, "read_only": false, "label": "Starts at" },
        "ends_at": { "type": "datetime", "required": false, "read_only": false, "label": "Ends at" },
        "is_public": { "type": "boolean", "required": false, "read_only": false, "label": "Public" },
        "kind": {
            "type": "choice", "required": false, "read_only": false, "label": "Kind",
            "choices": [
                { "value": "talk", "display_name": "Talk" },
                { "value": "workshop", "display_name": "Workshop" },
            ],
        },
        "owner": { "type": "field", "required": false, "read_only": true, "label": "Owner" },
    });
    assert_eq!(metadata["actions"]["POST"], expected);
    let document = server.call("GET", "/openapi.json").send().await.json();
    let event = &document["components"]["schemas"]["Event"]["properties"];
    assert_eq!(event["starts_at"], json!({ "type": "string", "format": "date-time" }));
    assert_eq!(event["is_public"], json!({ "type": "boolean" }));
    assert_eq!(event["kind"], json!({ "type": "string", "enum": ["talk", "workshop"] }));
    assert_eq!(event["owner"], json!({ "type": ["integer", "null"], "format": "int64" }));
    let body = &document["components"]["schemas"]["EventFields"];
    assert_eq!(body["required"], json!(["name", "starts_at"]));
    assert!(body["properties"].get("owner").is_none());
    for path in ["/tags/", "/tags/{id}/", "/events/", "/events/{id}/"] {
        assert!(document["paths"][path].is_object(), "{path}");
    }
}

#[tokio::test]
async fn the_browsable_api_has_an_input_for_every_kind() {
    let server = server().await;
    let alice = server.alice().await;
    server
        .call("POST", "/events/")
        .token(&alice)
        .json(r#"{"name":"x","starts_at":"2026-12-24T18:00:00Z","is_public":true}"#)
        .send()
        .await;
    let page = server.call("GET", "/events/1/").token(&alice).header("accept", "text/html").send().await.text();
    for part in [
        r#"<input type="checkbox" id="field-is_public" name="is_public" value="true" checked>"#,
        r#"<option value="talk" selected>Talk</option>"#,
        r#"name="starts_at" value="2026-12-24T18:00:00Z""#,
        "&quot;is_public&quot;: true",
    ] {
        assert!(page.contains(part) || page.contains(&part.replace("&quot;", "&#34;")), "{part} is not in {page}");
    }
    assert!(!page.contains("name=\"owner\""), "what is read-only has no input");
}

#[tokio::test]
async fn the_admin_has_a_column_a_filter_and_an_input_for_every_kind() {
    let server = server().await;
    let mut root = server.superuser().await;
    let form = root.page("/admin/events/add/").await;
    for part in [
        r#"<input type="datetime-local" id="id_starts_at""#,
        r#"<input type="checkbox" id="id_is_public""#,
        r#"<option value="workshop">Workshop</option>"#,
        r#"<select id="id_owner""#,
    ] {
        assert!(form.contains(part), "{part} is not in {form}");
    }
    let owner = server.number("SELECT id FROM users WHERE is_superuser").await.to_string();
    assert!(form.contains(&format!(r#"<option value="{owner}" selected>"#)), "the caller owns it by default: {form}");
    assert!(!form.contains("ID."), "nobody has to know an id: {form}");
    let fields = [
        ("name", "x"),
        ("starts_at", "2999-12-24T18:00:30.5"),
        ("kind", "workshop"),
        ("owner", owner.as_str()),
        ("_save", "1"),
    ];
    let answer = root.post("/admin/events/add/", &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    for (query, is_there) in [
        ("", true),
        ("?kind=workshop&is_public=no&owner=yes&starts_at=future", true),
        ("?starts_at=day", false),
        ("?starts_at=year", false),
        ("?kind=talk", false),
        ("?is_public=yes", false),
        ("?owner=no", false),
    ] {
        let list = root.page(&format!("/admin/events/{query}")).await;
        assert_eq!(list.contains(">x</a>"), is_there, "{query}");
    }
    let list = root.page("/admin/events/").await;
    assert!(list.contains("Workshop") && list.contains("2999-12-24"), "{list}");
    let form = root.page("/admin/events/1/change/").await;
    let time = r#"<input type="datetime-local" id="id_starts_at" name="starts_at" value="2999-12-24T18:00:30.500""#;
    assert!(form.contains(time), "{form}");
    let empty = [("name", "y"), ("starts_at", ""), ("kind", ""), ("owner", ""), ("_save", "1")];
    let text = root.post("/admin/events/add/", &empty).await.text();
    assert_eq!(text.matches(">This field is required.</li>").count(), 2, "the time and the kind: {text}");
    let answer = root
        .post("/admin/events/add/", &[("name", "y"), ("starts_at", "soon"), ("owner", "999999"), ("_save", "1")])
        .await;
    let text = answer.text();
    assert!(text.contains("Datetime has wrong format.") && text.contains("value=\"soon\""), "{text}");
    let fields =
        [("name", "y"), ("starts_at", "2026-12-24T18:00"), ("kind", "talk"), ("owner", "999999"), ("_save", "1")];
    let text = root.post("/admin/events/add/", &fields).await.text();
    assert!(text.contains("Invalid pk") && text.contains("object does not exist."), "{text}");
    let history = root.page("/admin/history/").await;
    let root_name = server.texts("SELECT username AS t FROM users WHERE is_superuser").await.remove(0);
    assert!(history.contains("Owner") && history.contains(&root_name), "{history}");
    assert!(history.contains("2999-12-24 18:00:30.500000 UTC"), "{history}");
}

/// What a property tries: names that files have to quote, times of every precision, everything else.
fn rows(seed: u64, owner: i64) -> Vec<String> {
    let names = ["plain", "a, b", "say \"hi\"", "=1+1", "'quoted", "línea", "-5", " x"];
    (0..names.len() as u64)
        .map(|at| {
            let number =
                seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(at.wrapping_mul(1_442_695_040_888_963_407));
            let fraction = [String::new(), format!(".{:03}", number % 1_000), format!(".{:06}", number % 1_000_000)];
            let fraction = &fraction[(number >> 20) as usize % 3];
            let kind = if number & 1 == 0 { "talk" } else { "workshop" };
            let owner = if number & 2 == 0 { owner.to_string() } else { "NULL".to_owned() };
            let is_public = if number & 4 == 0 { "TRUE" } else { "FALSE" };
            let ends_at = if number & 8 == 0 { "'2999-12-31 00:00:00.5'" } else { "NULL" };
            let name = names[at as usize].trim().replace('\'', "''");
            let (month, second) = (number % 12 + 1, number % 60);
            format!(
                "('{name}', '20{:02}-{month:02}-07 23:59:{second:02}{fraction}', {ends_at}, {is_public}, '{kind}', {owner})",
                number % 90 + 10
            )
        })
        .collect()
}

#[tokio::test]
async fn an_export_that_is_imported_untouched_changes_nothing() {
    let server = server().await;
    let mut root = server.superuser().await;
    let owner = server.number("SELECT id FROM users WHERE is_superuser").await;
    for seed in 1..=8 {
        let rows = rows(seed, owner).join(", ");
        server
            .sql(&format!("INSERT INTO events (name, starts_at, ends_at, is_public, kind, owner) VALUES {rows}"))
            .await;
    }
    let all = "SELECT id || name || CAST(starts_at AS TEXT) || coalesce(CAST(ends_at AS TEXT), '-') || kind || CAST(is_public AS TEXT) || coalesce(CAST(owner AS TEXT), '-') AS t FROM events ORDER BY id";
    let before = server.texts(all).await;
    let file = root.get("/admin/events/export/").await.body;
    let answer = root.upload("/admin/events/import/", "events.csv", &file).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let report = root.page(answer.header("location")).await;
    let text = server.texts("SELECT report AS t FROM jobs").await.remove(0);
    let found: Value = serde_json::from_str(&text).expect("a report");
    let counts = [&found["unchanged"], &found["changed"], &found["created"], &found["wrong"]];
    assert_eq!(counts.map(Value::as_u64), [Some(64), Some(0), Some(0), Some(0)], "{text} {report}");
    assert_eq!(server.texts(all).await, before);
}
