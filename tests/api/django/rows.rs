//! What becomes of each row, by value.

use super::{Project, users};

#[tokio::test]
async fn users_keep_their_ids_names_flags_and_times() {
    let project = Project::new();
    project
        .user(7, "ann", "first_name = 'Änn', last_name = '<b>', is_staff = 1, is_superuser = 1, last_login = '2026-10-11 12:13:14.000150'")
        .user(9, "bob", "is_active = 0, date_joined = '2020-01-02T03:04:05.678901+02:00', email = ''")
        .user(12, "old", "date_joined = '0001-01-01 00:00:00', last_login = '9999-12-31 23:59:59.999999'")
        .sql("UPDATE sqlite_sequence SET seq = 50 WHERE name = 'auth_user'");
    let report = project.report(&[]).await;
    assert_eq!((report.outcome(), report.codes().as_slice()), ("imported", [].as_slice()));
    let columns = "id || ' ' || username || ' ' || email || ' ' || first_name || last_name || ' ' || is_active || is_staff \
         || is_superuser || ' ' || date_joined || ' ' || coalesce(last_login, '-') || ' ' || origin";
    assert_eq!(
        users(&project.program, columns),
        [
            "7 ann user7@example.com Änn<b> 111 2021-03-04 05:06:07 2026-10-11 12:13:14.000150 command_line",
            "9 bob   000 2020-01-02 01:04:05.678901 - command_line",
            "12 old user12@example.com  100 0001-01-01 00:00:00 9999-12-31 23:59:59.999999 command_line",
        ]
    );
    let next = "SELECT CAST(seq AS TEXT) FROM sqlite_sequence WHERE name = 'users'";
    assert_eq!(project.program.texts(next), ["50"], "an id that Django has given is not given again");
    let history = "SELECT source || ' ' || action || ' ' || object FROM history WHERE model = 'user' ORDER BY id";
    let created = ["ann", "bob", "old"].map(|name| format!("command_line created {name}"));
    assert_eq!(project.program.texts(history), created);
}

#[tokio::test]
async fn usernames_are_normalized_and_those_that_break_the_rules_are_refused() {
    let project = Project::new();
    let long = "m".repeat(151);
    project
        .user(1, "Anna", "")
        .user(2, "\u{ff21}nna", "")
        .user(3, "Zoe\u{308}", "")
        .user(4, "john smith", "")
        .user(5, "x", "username = ''")
        .user(6, "x", "username = 'nul' || char(0) || 'name'")
        .user(7, "x", "username = 'trailing' || char(10)")
        .user(8, &long, "")
        .user(9, "x", "username = x'ff'")
        .user(10, "y", "username = CAST(x'80' AS TEXT)")
        .user(11, "bob", "first_name = printf('%.*c', 151, 'f'), last_name = 'a' || char(0)")
        .user(12, "Bob", "");
    let refused = project.report(&[]).await;
    assert_eq!(refused.outcome(), "refused");
    assert_eq!(
        refused.codes(),
        [
            "changed user 2 username_normalized",
            "refused user 2 username_taken",
            "changed user 3 username_normalized",
            "refused user 4 username_rule",
            "refused user 5 username_empty",
            "refused user 6 username_nul",
            "refused user 7 username_rule",
            "refused user 8 username_too_long",
            "refused user 9 username_not_text",
            "refused user 10 username_not_text",
            "refused user 11 first_name_too_long",
            "refused user 11 last_name_nul",
        ]
    );
    assert!(users(&project.program, "username").is_empty());
    let imported = project.report(&["--skip-refused"]).await;
    assert_eq!((imported.outcome(), imported.counts("users")), ("imported", (3, 0, 9)));
    assert_eq!(users(&project.program, "id || ' ' || username"), ["1 Anna", "3 Zo\u{eb}", "12 Bob"]);
}

#[tokio::test]
async fn an_email_that_could_be_somebody_elses_is_left_out() {
    let project = Project::new();
    project
        .user(1, "a", "email = 'same@example.com', date_joined = '2019-01-01 00:00:00'")
        .user(2, "b", "email = 'same@example.com', last_login = '2026-01-01 00:00:00'")
        .user(3, "c", "email = 'Case@example.com'")
        .user(4, "d", "email = 'cASE@EXAMPLE.com'")
        .user(5, "e", "email = '\u{212a}elvin@example.com'")
        .user(6, "f", "email = 'kelvin@example.com'")
        .user(7, "g", "email = '   '")
        .user(8, "h", "email = ' padded@example.com'")
        .user(9, "i", "email = x'ff'")
        .user(10, "j", "email = 'upper@EXAMPLE.COM'");
    let report = project.report(&["--dry-run"]).await;
    let shared = (1..=6).map(|id| format!("changed user {id} email_shared"));
    let invalid = (7..=9).map(|id| format!("changed user {id} email_invalid"));
    assert_eq!(report.codes(), shared.chain(invalid).collect::<Vec<_>>());
    let printed = project.import(&["--dry-run"]).await;
    assert!(printed.success().contains("user 1 \"a\": the e-mail address is also that of user 2, "), "{printed:?}");
    assert!(printed.stdout.contains("user 3 \"c\": the e-mail address differs only in case from that of user 4, "));

    for (keep, kept) in [("first-joined", ["1 same@example.com", "2 "]), ("last-login", ["1 ", "2 same@example.com"])] {
        std::fs::remove_file(project.program.path("gatepost.sqlite3")).ok();
        project.import(&["--keep-email", keep]).await.success();
        assert_eq!(users(&project.program, "id || ' ' || email")[..2], kept);
    }
    std::fs::remove_file(project.program.path("gatepost.sqlite3")).expect("a database");
    project.import(&[]).await.success();
    let emails = users(&project.program, "email || coalesce(email_key, '')");
    assert_eq!(emails.concat(), "upper@EXAMPLE.COMupper@example.com");
}

#[tokio::test]
async fn only_hashes_that_can_be_checked_come_along() {
    let project = Project::new();
    let pbkdf2 = "pbkdf2_sha256$1200$SalzüBergŁódź$6F73679GbPxBYOIsqh3LuD4c/x0NMW3S9B1VZw53RVg=";
    for (id, hash) in [
        (1, pbkdf2),
        (2, "!Dn4Zh81BDpyblF1NMGGacyz2Lge2zDgTIXG2SwS5"),
        (3, ""),
        (4, "sha1$salt$2f0a34e0b4e9ccdd7ff4c1d5a2d9ec0c2b9bb2a6"),
        (5, "Hunter-two$3"),
        (6, "pbkdf2_sha256$4000000000$salt$6F73679GbPxBYOIsqh3LuD4c/x0NMW3S9B1VZw53RVg="),
        (7, "pbkdf2_sha256$1200$SalzüBergŁódź$6F73679GbPxBYOIsqh3LuA=="),
    ] {
        project.user(id, &format!("user{id}"), &format!("password = '{hash}', is_staff = {}", i64::from(id != 1)));
    }
    let outcome = project.import(&["--dry-run"]).await;
    for text in ["Hunter-two", "SalzüBerg", "2f0a34e0"] {
        assert!(!format!("{outcome:?}").contains(text), "{text}: {outcome:?}");
    }
    let codes = project.report(&["--passwords", "staff", "--dry-run"]).await.codes();
    assert_eq!(codes, (4..=7).map(|id| format!("changed user {id} password_unusable")).collect::<Vec<_>>());
    assert!(project.report(&["--passwords", "none", "--dry-run"]).await.codes().is_empty());

    project.import(&[]).await.success();
    let stored = users(&project.program, "coalesce(password, '-')");
    assert_eq!(stored, [pbkdf2, "-", "-", "-", "-", "-", "-"]);
    assert_eq!(project.program.texts("SELECT changes FROM history").concat().matches("pbkdf2").count(), 0);
}

#[tokio::test]
async fn a_value_that_is_no_flag_or_no_time_becomes_what_gives_no_rights() {
    let project = Project::new();
    project.sql(
        "DROP TABLE auth_user;
         CREATE TABLE auth_user (id integer PRIMARY KEY, username, email, password, is_active, is_superuser, last_login, date_joined);
         INSERT INTO auth_user VALUES (1, 'ann', NULL, NULL, NULL, NULL, 'yesterday', 'infinity');",
    );
    let report = project.report(&[]).await;
    assert_eq!(
        report.codes(),
        [
            "changed user 1 is_active_unset",
            "changed user 1 is_superuser_unset",
            "changed user 1 last_login_invalid",
            "changed user 1 date_joined_invalid",
        ]
    );
    assert_eq!(users(&project.program, "is_active || is_staff || is_superuser"), ["000"]);
    assert_eq!(users(&project.program, "coalesce(last_login, '-') || (date_joined > '2026-01-01')"), ["-1"]);
}

#[tokio::test]
async fn times_without_a_zone_are_read_in_the_given_one() {
    if !std::path::Path::new("/usr/share/zoneinfo/Europe/Berlin").exists() {
        return crate::harness::skip("times_without_a_zone_are_read_in_the_given_one", "tzdata");
    }
    let project = Project::new();
    project.user(1, "summer", "date_joined = '2021-07-01 12:00:00', last_login = '2021-07-01T12:00:00Z'").user(
        2,
        "twice",
        "date_joined = '2021-10-31 02:30:00', last_login = '2021-03-28 02:30:00'",
    );
    project.import(&["--time-zone", "Europe/Berlin"]).await.success();
    assert_eq!(
        users(&project.program, "date_joined || ' ' || last_login"),
        ["2021-07-01 10:00:00 2021-07-01 12:00:00", "2021-10-31 00:30:00 2021-03-28 01:30:00"]
    );
    let outcome = project.import(&["--time-zone", "Europe/Atlantis"]).await;
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
}

#[tokio::test]
async fn groups_come_with_members_and_with_the_permissions_that_are_here() {
    let project = Project::new();
    project
        .user(1, "ann", "")
        .user(2, "b b", "")
        .sql(
            "INSERT INTO auth_group VALUES (3, 'Editors'), (4, '  Editors '), (5, 'editors'), (6, ' '), (7, 'a' || char(0));
             INSERT INTO auth_group_permissions VALUES (1, 3, 6), (2, 3, 7), (3, 3, 2), (4, 3, 1), (5, 99, 6), (6, 3, 98);
             INSERT INTO auth_user_groups VALUES (1, 1, 3), (2, 1, 6), (3, 1, 97), (4, 424242, 3), (5, 2, 3);
             INSERT INTO auth_user_user_permissions VALUES (1, 1, 3), (2, 1, 4), (3, 1, 5);",
        );
    let report = project.report(&["--skip-refused"]).await;
    assert_eq!(
        report.codes(),
        [
            "changed user 1 group_missing",
            "changed user 1 permission_unknown",
            "refused user 2 username_rule",
            "changed group 3 permission_unknown",
            "changed group 3 permission_unknown",
            "changed group 4 name_normalized",
            "refused group 4 name_taken",
            "refused group 6 name_empty",
            "changed group 6 name_normalized",
            "refused group 7 name_nul",
            "left_out group_permission 5 owner_missing",
            "left_out group_permission 6 other_missing",
            "left_out membership 3 other_missing",
            "left_out membership 4 owner_missing",
        ]
    );
    let program = &project.program;
    assert_eq!(program.texts("SELECT id || ' ' || name FROM groups ORDER BY id"), ["3 Editors", "5 editors"]);
    assert_eq!(program.texts("SELECT user_id || ' ' || group_id FROM user_groups"), ["1 3"]);
    let permissions = "SELECT permission FROM user_permissions ORDER BY permission";
    assert_eq!(program.texts(permissions), ["groups.change_group", "users.delete_user"]);
    let permissions = "SELECT group_id || ' ' || permission FROM group_permissions ORDER BY permission";
    assert_eq!(program.texts(permissions), ["3 articles.add_article", "3 history.view_entry"]);
    let changes = program.texts("SELECT changes FROM history WHERE object = 'ann'");
    assert!(
        changes[0].contains(r#""groups":[[],["Editors"]],"user_permissions":[[],["groups.change_group""#),
        "{changes:?}"
    );
}

#[tokio::test]
async fn articles_keep_ids_and_names_and_get_the_time_at_which_they_were_added() {
    let project = Project::new();
    project.user(1, "ann", "").sql(
        "INSERT INTO articles_article VALUES (1, 'First'), (2, ''), (5, '  padded  '), (6, 'two' || char(10) || 'lines'),
             (7, '<script>'), (9007199254740993, 'an id beyond 2^53');
         INSERT INTO articles_article VALUES (10, printf('%.*c', 50, 'é')), (11, printf('%.*c', 51, 'é')), (12, 'a' || char(0)),
             (13, x'ff'), (9223372036854775807, 'no room');
         UPDATE sqlite_sequence SET seq = 9007199254740999 WHERE name = 'articles_article';
         INSERT INTO django_admin_log VALUES (1, '1', 'First', 1, '', 6, 1, '2021-05-01 10:00:00.000001'),
             (2, '1', 'First', 1, '', 6, 1, '2022-05-01 10:00:00'), (3, '5', 'padded', 2, '', 6, 1, '2021-05-01 10:00:00');",
    );
    let report = project.report(&["--skip-refused"]).await;
    assert_eq!(
        report.codes(),
        [
            "refused article 11 name_too_long",
            "refused article 12 name_nul",
            "refused article 13 name_not_text",
            "refused article row 12 id_invalid",
        ]
    );
    let names = "SELECT id || ' ' || name FROM articles ORDER BY id";
    let long = format!("10 {}", "é".repeat(50));
    assert_eq!(
        project.program.texts(names),
        ["1 First", "2 ", "5   padded  ", "6 two\nlines", "7 <script>", &long, "9007199254740993 an id beyond 2^53"]
    );
    let times =
        "SELECT created_at || ' ' || updated_at FROM articles WHERE created_at < '2026-01-01' AND created_by IS NULL";
    assert_eq!(project.program.texts(times), ["2021-05-01 10:00:00.000001 2021-05-01 10:00:00.000001"]);
    let next = "SELECT CAST(seq AS TEXT) FROM sqlite_sequence WHERE name = 'articles'";
    assert_eq!(project.program.texts(next), ["9007199254740999"]);
    let count = "SELECT CAST(row_count AS TEXT) FROM row_counts WHERE table_name = 'articles'";
    assert_eq!(project.program.texts(count), ["7"]);
    let history = "SELECT changes FROM history WHERE model = 'article' AND object_id = 7";
    assert_eq!(project.program.texts(history), [r#"{"name":[null,"<script>"]}"#]);
}
