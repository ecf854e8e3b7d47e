//! The admin log.

use super::Project;

#[tokio::test]
async fn the_admin_log_becomes_the_oldest_part_of_the_history() {
    let project = Project::new();
    project.user(1, "ann", "").user(2, "b b", "").sql(
        "INSERT INTO auth_group VALUES (3, 'Editors'); INSERT INTO articles_article VALUES (1, 'One');
         INSERT INTO django_admin_log VALUES
             (1, '1', 'One', 2, '[{\"changed\": {\"fields\": [\"Name\", \"First name\"]}}]', 6, 1, '2021-05-02 10:00:00.5'),
             (2, '1', 'One', 1, '[{\"added\": {}}]', 6, 1, '2021-05-01 10:00:00'),
             (3, '20', 'Gone', 3, '', 6, 2, '2021-05-03 10:00:00'),
             (4, '1', 'ann', 2, 'Changed email.', 4, 77, '2021-05-04 10:00:00'),
             (5, '3', 'Editors', 1, 'not JSON: [', 3, 1, '2021-05-05 10:00:00'),
             (6, NULL, 'x', 2, '', 6, 1, '2021-05-05 10:00:00'),
             (7, 'abc', 'x', 2, '', 6, 1, '2021-05-05 10:00:00'),
             (8, '99999999999999999999', 'x', 2, '', 6, 1, '2021-05-05 10:00:00'),
             (9, '1', 'x', 2, '', 5, 1, '2021-05-05 10:00:00'),
             (10, '1', 'x', 2, '', NULL, 1, '2021-05-05 10:00:00'),
             (11, '1', 'x', 4, '', 6, 1, '2021-05-05 10:00:00'),
             (12, '1', 'x', 2, '', 6, 1, 'noon'),
             (13, '1', 'x' || char(0), 2, '', 6, 1, '2021-05-05 10:00:00');",
    );
    let report = project.report(&["--history", "--skip-refused"]).await;
    assert_eq!(report.counts("log_entries"), (5, 0, 0));
    let left_out: Vec<String> = report.codes().into_iter().filter(|code| code.contains("log_entry")).collect();
    assert_eq!(
        left_out,
        [
            "left_out log_entry  object_id_invalid",
            "left_out log_entry  model_unknown",
            "left_out log_entry  action_unknown",
            "left_out log_entry  time_invalid",
            "left_out log_entry  object_invalid",
        ]
    );
    let printed = project.import(&["--history", "--skip-refused"]).await;
    assert!(
        printed
            .stdout
            .contains("left out log entry: 3 entries: the object has no id, or one that is not a 64-bit number"),
        "{printed:?}"
    );
    let entries = "SELECT at || ' ' || coalesce(actor_id, '-') || ' ' || actor || ' ' || source || ' ' || action || ' ' || model \
         || ' ' || object_id || ' ' || object || ' ' || changes FROM history ORDER BY id LIMIT 5";
    assert_eq!(
        project.program.texts(entries),
        [
            r#"2021-05-01 10:00:00 1 ann command_line created article 1 One {}"#,
            r#"2021-05-02 10:00:00.500 1 ann command_line changed article 1 One {"name":"changed","first_name":"changed"}"#,
            r#"2021-05-03 10:00:00 - b b command_line deleted article 20 Gone {}"#,
            r#"2021-05-04 10:00:00 -  command_line changed user 1 ann {"message":[null,"Changed email."]}"#,
            r#"2021-05-05 10:00:00 1 ann command_line created group 3 Editors {"message":[null,"not JSON: ["]}"#,
        ]
    );
    let order = "SELECT CAST(count(*) AS TEXT) FROM history later JOIN history earlier ON earlier.id < later.id AND earlier.at > later.at";
    assert_eq!(project.program.texts(order), ["0"], "ids are in the order of time");
    let next = "SELECT CAST(seq AS TEXT) FROM sqlite_sequence WHERE name = 'articles'";
    assert_eq!(project.program.texts(next), ["20"], "the log knows an id that was given");
}

#[tokio::test]
async fn without_the_option_the_log_only_dates_the_articles() {
    let project = Project::new();
    project.user(1, "ann", "").sql(
        "INSERT INTO articles_article VALUES (1, 'One');
         INSERT INTO django_admin_log VALUES (1, '1', 'One', 1, '', 6, 1, '2021-05-01 10:00:00');",
    );
    let report = project.report(&[]).await;
    assert!(report.0["counts"].get("log_entries").is_none());
    assert_eq!(project.program.texts("SELECT created_at FROM articles"), ["2021-05-01 10:00:00"]);
    assert_eq!(project.program.texts("SELECT object FROM history WHERE at < '2026-01-01'"), [""; 0]);
}
