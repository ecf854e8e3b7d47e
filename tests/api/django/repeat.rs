//! Importing again, and into a database that has rows.

use diesel::connection::SimpleConnection;

use super::{Project, users};
use crate::harness::program::Program;

/// Every row of the tables that the import fills.
fn everything(program: &Program) -> Vec<String> {
    let mut rows = Vec::new();
    for query in [
        "SELECT id || username || email || coalesce(password, '') || date_joined FROM users ORDER BY id",
        "SELECT id || name || created_at FROM articles ORDER BY id",
        "SELECT id || name FROM groups ORDER BY id",
        "SELECT user_id || ' ' || group_id FROM user_groups ORDER BY user_id, group_id",
        "SELECT id || action || object FROM history ORDER BY id",
        "SELECT model || source_key || local_id FROM django_rows ORDER BY model, source_key",
        "SELECT name || seq FROM sqlite_sequence ORDER BY name",
    ] {
        rows.extend(program.texts(query));
    }
    rows
}

fn filled() -> Project {
    let project = Project::new();
    project.user(1, "ann", "").user(2, "bob", "").sql(
        "INSERT INTO auth_group VALUES (1, 'Editors');
         INSERT INTO auth_user_groups VALUES (1, 1, 1), (2, 2, 1);
         INSERT INTO articles_article VALUES (1, 'One'), (2, 'Two');
         INSERT INTO django_admin_log VALUES (1, '1', 'One', 1, '', 6, 1, '2021-05-01 10:00:00');",
    );
    project
}

#[tokio::test]
async fn the_same_project_again_changes_nothing_and_says_so() {
    let project = filled();
    project.import(&["--history"]).await.success();
    let program = &project.program;
    let before = everything(program);
    let again = project.import(&["--history"]).await;
    assert!(again.success().ends_with("There is nothing new to import. Nothing was changed.\n"), "{again:?}");
    assert_eq!(everything(program), before);

    // Renamed and deleted here, so the names are free for others.
    project.program.run(&["createsuperuser", "--username", "root", "--email", ""]).await;
    {
        let changes =
            "PRAGMA foreign_keys = ON; UPDATE users SET username = 'anna', email = '', email_key = NULL WHERE id = 1;
             DELETE FROM users WHERE id = 2; UPDATE groups SET name = 'Writers'; DELETE FROM articles WHERE id = 2;
             UPDATE articles SET name = 'Renamed'";
        program.database().batch_execute(changes).expect("the changes");
    }
    let before = everything(program);
    let again = project.report(&["--history"]).await;
    assert_eq!(again.outcome(), "nothing_to_do");
    assert_eq!((again.counts("users"), again.counts("articles")), ((0, 2, 0), (0, 2, 0)));
    assert_eq!(everything(program), before);
}

#[tokio::test]
async fn rows_that_are_new_in_django_come_the_next_time() {
    let project = filled();
    project.import(&[]).await.success();
    project.user(3, "eve", "").sql(
        "INSERT INTO auth_user_groups VALUES (3, 3, 1); INSERT INTO articles_article VALUES (3, 'Three');
         UPDATE auth_user SET username = 'ann2' WHERE id = 1;",
    );
    let report = project.report(&["--history"]).await;
    assert_eq!(
        (report.outcome(), report.counts("users"), report.counts("log_entries")),
        ("imported", (1, 2, 0), (1, 0, 0))
    );
    assert_eq!(users(&project.program, "id || ' ' || username"), ["1 ann", "2 bob", "3 eve"]);
    assert_eq!(
        project.program.texts("SELECT user_id || ' ' || group_id FROM user_groups ORDER BY 1"),
        ["1 1", "2 1", "3 1"]
    );
    assert_eq!(project.program.texts("SELECT name FROM articles ORDER BY id"), ["One", "Two", "Three"]);
}

#[tokio::test]
async fn a_group_that_was_deleted_here_gets_no_members() {
    let project = filled();
    project.import(&[]).await.success();
    {
        project
            .program
            .database()
            .batch_execute("PRAGMA foreign_keys = ON; DELETE FROM groups")
            .expect("it is deleted");
    }
    project.user(3, "eve", "").sql("INSERT INTO auth_user_groups VALUES (3, 3, 1)");
    assert_eq!(project.report(&[]).await.codes(), ["changed user 3 group_missing"]);
    assert_eq!(users(&project.program, "username"), ["ann", "bob", "eve"]);
}

#[tokio::test]
async fn another_project_is_not_taken_for_the_one_that_was_imported() {
    let project = filled();
    project.import(&[]).await.success();
    let before = everything(&project.program);
    project.sql(
        "UPDATE auth_user SET date_joined = '2011-01-01 00:00:00'; INSERT INTO articles_article VALUES (9, 'Nine')",
    );
    project.import(&[]).await.assert_error("this is not the Django project that was imported before");
    assert_eq!(everything(&project.program), before);
}

#[tokio::test]
async fn users_get_new_ids_where_there_are_users_and_articles_never_do() {
    let project = filled();
    let program = &project.program;
    program
        .run_with(
            &["createsuperuser", "--username", "root", "--email", "USER2@example.com"],
            "winter-Giraffe-71\nwinter-Giraffe-71\n",
        )
        .await
        .success();
    project.user(5, "root", "");
    let refused = project.report(&["--history"]).await;
    assert_eq!(refused.codes(), ["changed user 2 email_taken", "refused user 5 username_taken"]);
    let report = project.report(&["--history", "--skip-refused"]).await;
    assert_eq!(report.outcome(), "imported");
    assert_eq!(
        users(program, "id || ' ' || username || ' ' || email"),
        ["1 root USER2@example.com", "2 ann user1@example.com", "3 bob "]
    );
    assert_eq!(program.texts("SELECT user_id || ' ' || group_id FROM user_groups ORDER BY 1"), ["2 1", "3 1"]);
    let log = "SELECT actor_id || ' ' || actor || ' ' || at FROM history WHERE at < '2026-01-01'";
    assert_eq!(program.texts(log), ["2 ann 2021-05-01 10:00:00"]);
    assert_eq!(program.texts("SELECT CAST(id AS TEXT) FROM articles ORDER BY id"), ["1", "2"]);

    project.sql("INSERT INTO articles_article VALUES (3, 'Three')");
    {
        let article = "INSERT INTO articles VALUES (3, 'Ours', NULL, '2026-01-01', '2026-01-01')";
        program.database().batch_execute(article).expect("an article");
    }
    let taken = project.report(&["--skip-refused"]).await;
    assert_eq!(taken.codes(), ["refused user 5 username_taken", "refused article 3 id_taken"]);
}
