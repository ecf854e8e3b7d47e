//! User models of a project's own.

use super::{Project, users};
use crate::harness::assert_has;

/// Members with UUIDs and without usernames, in tables as Django names them.
const MEMBERS: &str = "
    DROP TABLE auth_user; DROP TABLE auth_user_groups; DROP TABLE auth_user_user_permissions; DROP TABLE django_admin_log;
    CREATE TABLE accounts_member (uuid char(32) PRIMARY KEY, mail varchar(254), password varchar(128), enabled bool,
        is_staff bool, last_login datetime, nickname text);
    CREATE TABLE accounts_member_groups (id integer PRIMARY KEY, member_id char(32), group_id integer);
    CREATE TABLE accounts_member_user_permissions (id integer PRIMARY KEY, member_id char(32), permission_id integer);
    CREATE TABLE django_admin_log (id integer PRIMARY KEY, object_id text, object_repr text, action_flag integer,
        change_message text, content_type_id integer, user_id char(32) REFERENCES accounts_member (uuid), action_time datetime);
    INSERT INTO django_content_type VALUES (9, 'accounts', 'member');
    INSERT INTO auth_permission VALUES (20, 9, 'change_member', '');
    INSERT INTO auth_group VALUES (1, 'Editors');
    INSERT INTO accounts_member VALUES
        ('0f', 'ann@example.com', '', 1, 1, NULL, 'a'), ('0a', 'bob+x@example.com', '', 0, 0, NULL, 'b'),
        ('0b', '\"odd name\"@example.com', '', 1, 0, NULL, 'c');
    INSERT INTO accounts_member_groups VALUES (1, '0f', 1);
    INSERT INTO accounts_member_user_permissions VALUES (1, '0f', 20);
    INSERT INTO django_admin_log VALUES (1, '0a', 'bob', 2, '', 9, '0f', '2021-05-01 10:00:00'),
        (2, '1', 'Editors', 1, '', 3, '0f', '2021-05-02 10:00:00');
";
const FIELDS: [&str; 4] = ["--user-field", "email=mail", "--user-field", "is_active=enabled"];

#[tokio::test]
async fn the_table_is_found_by_the_admin_logs_foreign_key() {
    let project = Project::new();
    project.sql(MEMBERS);
    let report = project.report(&[&FIELDS[..], &["--skip-refused", "--history"]].concat()).await;
    assert_eq!(
        report.codes(),
        ["refused user 0b username_rule", "changed user 0b email_invalid", "left_out log_entry  object_id_invalid"]
    );
    let columns = "id || ' ' || username || ' ' || email || ' ' || is_active || is_staff || is_superuser";
    let expected = ["1 bob+x@example.com bob+x@example.com 000", "2 ann@example.com ann@example.com 110"];
    assert_eq!(users(&project.program, columns), expected);
    assert_eq!(project.program.texts("SELECT user_id || ' ' || group_id FROM user_groups"), ["2 1"]);
    assert_eq!(project.program.texts("SELECT permission FROM user_permissions"), ["users.change_user"]);
    assert_eq!(
        project.program.texts("SELECT actor_id || ' ' || object FROM history WHERE at < '2026-01-01'"),
        ["2 Editors"]
    );

    let again = project.report(&[&FIELDS[..], &["--skip-refused", "--history"]].concat()).await;
    assert_eq!((again.outcome(), again.counts("users")), ("nothing_to_do", (0, 2, 1)));
}

#[tokio::test]
async fn tables_and_columns_that_are_not_there_are_named() {
    let project = Project::new();
    project.sql(MEMBERS);
    project.import(&[]).await.assert_error("the users have neither a username nor an e-mail; see --user-field");
    project.import(&["--user-table", "people"]).await.assert_error("the source has no table people");
    let outcome = project.import(&["--user-field", "email=nowhere"]).await;
    outcome.assert_error("the users have no column nowhere; they have uuid, mail, password");
    let outcome = project.import(&["--user-field", "shoe=size"]).await;
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert_has(&outcome.stderr, &["write NAME=COLUMN with one of the names username, email"]);
    assert!(!project.program.path("gatepost.sqlite3").exists());
}
