//! Files of `dumpdata`.

use std::io::Write;

use super::{Project, users};

/// Users and groups by their ids, and rows that refer to later ones.
const DUMP: &str = r#"[{"model": "admin.logentry", "pk": 1, "fields": {"action_time": "2021-05-01T10:00:00.123Z", "user": 7,
 "content_type": 6, "object_id": "3", "object_repr": "Über", "action_flag": 1, "change_message": "[{\"added\": {}}]"}},
{"model": "auth.user", "pk": 7, "fields": {"password": "", "last_login": null, "is_superuser": false, "username": "ann",
 "first_name": "", "last_name": "\u00c4nn", "email": "ann@example.com", "is_staff": true, "is_active": true,
 "date_joined": "2021-03-04T05:06:07.123Z", "groups": [2, 99], "user_permissions": [6]}},
{"model": "auth.group", "pk": 2, "fields": {"name": "Editors", "permissions": [6]}},
{"model": "articles.article", "pk": 3, "fields": {"name": "Über"}},
{"model": "other.thing", "pk": 1, "fields": {"anything": [1, {"a": null}]}},
{"model": "auth.permission", "pk": 6, "fields": {"name": "", "content_type": 6, "codename": "add_article"}},
{"model": "contenttypes.contenttype", "pk": 6, "fields": {"app_label": "articles", "model": "article"}}]"#;

const NATURAL: &str = r#"[
{"model": "auth.group", "fields": {"name": "Editors", "permissions": [["add_article", "articles", "article"]]}},
{"model": "auth.user", "fields": {"password": "", "last_login": null, "is_superuser": false, "username": "ann",
 "first_name": "", "last_name": "Änn", "email": "ann@example.com", "is_staff": true, "is_active": true,
 "date_joined": "2021-03-04T05:06:07.123Z", "groups": [["Editors"], ["Nobody's"]],
 "user_permissions": [["add_article", "articles", "article"]]}},
{"model": "articles.article", "pk": 3, "fields": {"name": "Über"}},
{"model": "admin.logentry", "pk": 1, "fields": {"action_time": "2021-05-01T10:00:00.123Z", "user": ["ann"],
 "content_type": ["articles", "article"], "object_id": "3", "object_repr": "Über", "action_flag": 1, "change_message": ""}},
{"model": "admin.logentry", "pk": 2, "fields": {"action_time": "2021-05-01T10:00:00.123Z", "user": ["ann"],
 "content_type": ["auth", "user"], "object_id": "1", "object_repr": "somebody", "action_flag": 2, "change_message": ""}}
]"#;

/// Each row on a line of its own.
fn json_lines() -> String {
    let rows: Vec<serde_json::Value> = serde_json::from_str(DUMP).expect("a list");
    rows.iter().map(|row| format!("{row}\n")).collect()
}

fn gzipped(text: &str) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(text.as_bytes()).expect("it is compressed");
    gzip.finish().expect("it is compressed")
}

fn utf16(text: &str) -> Vec<u8> {
    "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

#[tokio::test]
async fn a_dump_is_read_in_every_format() {
    for (name, content, id) in [
        ("dump.json", DUMP.as_bytes().to_vec(), 7),
        ("bom.json", format!("\u{feff}{DUMP}").into_bytes(), 7),
        ("dump.json.gz", gzipped(DUMP), 7),
        ("dump.jsonl", json_lines().into_bytes(), 7),
        ("utf16.json", utf16(DUMP), 7),
        ("natural.json.gz", gzipped(NATURAL), 1),
    ] {
        let Project { program } = Project::new();
        std::fs::write(program.path(name), content).expect("a file");
        let outcome = program.run(&["import-django", name, "--history"]).await;
        assert!(outcome.success().contains("does not exist\n"), "{name}: {outcome:?}");
        let columns = "id || username || last_name || is_active || is_staff || is_superuser || ' ' || date_joined";
        assert_eq!(users(&program, columns), [format!("{id}annÄnn110 2021-03-04 05:06:07.123")], "{name}");
        assert_eq!(program.texts("SELECT name FROM user_groups JOIN groups ON group_id = id"), ["Editors"], "{name}");
        let granted = "SELECT permission FROM user_permissions UNION ALL SELECT permission FROM group_permissions";
        assert_eq!(program.texts(granted), ["articles.add_article", "articles.add_article"], "{name}");
        assert_eq!(
            program.texts("SELECT id || name || ' ' || created_at FROM articles"),
            ["3Über 2021-05-01 10:00:00.123"]
        );
        let log = "SELECT actor_id || ' ' || actor || ' ' || object FROM history WHERE at < '2026-01-01'";
        assert_eq!(program.texts(log), [format!("{id} ann Über")], "{name}");
        let again = program.run(&["import-django", name, "--history"]).await;
        assert!(again.success().ends_with("Nothing was changed.\n"), "{name}: {again:?}");
    }
}

#[tokio::test]
async fn permissions_by_number_need_the_tables_that_have_the_numbers() {
    let Project { program } = Project::new();
    for table in ["auth.permission", "contenttypes.contenttype"] {
        let rows: Vec<serde_json::Value> = serde_json::from_str(DUMP).expect("a list");
        let rows: Vec<_> = rows.into_iter().filter(|row| row["model"] != table).collect();
        std::fs::write(program.path("dump.json"), serde_json::to_string(&rows).expect("JSON")).expect("a file");
        let outcome = program.run(&["import-django", "dump.json"]).await;
        outcome.assert_error("dump.json: it has permissions by number, and not the tables auth.permission and");
    }
    assert!(!program.path("gatepost.sqlite3").exists());
}

#[tokio::test]
async fn a_key_that_a_dump_has_twice_is_refused() {
    let Project { program } = Project::new();
    let row = |model: &str, name: &str| format!(r#"{{"model": "{model}", "pk": 1, "fields": {{"name": "{name}"}}}}"#);
    let rows = ["articles.article", "auth.group"].map(|model| format!("{}\n{}\n", row(model, "a"), row(model, "b")));
    std::fs::write(program.path("dump.jsonl"), rows.concat()).expect("a file");
    let outcome = program.run(&["import-django", "dump.jsonl", "--skip-refused"]).await;
    let refused = outcome.success().matches("another row has the same primary key\n").count();
    assert_eq!(refused, 2, "{outcome:?}");
    assert_eq!(program.texts("SELECT name FROM articles UNION ALL SELECT name FROM groups"), ["a", "a"]);
}

#[tokio::test]
async fn a_users_model_of_a_dump_is_known_by_its_fields() {
    let Project { program } = Project::new();
    let dump = r#"[{"model": "accounts.member", "pk": "9f1c", "fields": {"password": "", "last_login": null, "mail": "ann@example.com"}}]"#;
    std::fs::write(program.path("dump.json"), dump).expect("a file");
    program.run(&["import-django", "dump.json", "--user-field", "email=mail"]).await.success();
    assert_eq!(users(&program, "username || is_active || is_staff"), ["ann@example.com10"]);
}
