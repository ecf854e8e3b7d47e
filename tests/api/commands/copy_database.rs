//! `copy-database`: all of it arrives, or nothing, and nothing arrives changed.

use diesel::connection::SimpleConnection;
use gatepost::db::Connection;

use crate::harness::load::{Load, assert_kept, client, sound_names};
use crate::harness::program::{Outcome, Program, connect};
use crate::harness::rows::texts;
use crate::harness::{assert_has, assert_lacks};

/// Rows of all kinds: whatever a column can hold at its limits, and ids that were given and are gone. Times have
/// microseconds, as on PostgreSQL.
const SEED: &str = "
    INSERT INTO users (id, username, email, email_key, first_name, last_name, password, is_active, is_staff, is_superuser, last_login,
            date_joined, cognito_issuer, cognito_sub, linked_at, last_seen_at, origin, cognito_groups_iat, staff_by_cognito,
            deactivated_by_sync)
        VALUES
        (7, 'ann', 'Ann@example.com', 'ann@example.com', 'Änn 😀', '', '$argon2id$', 1, 0, 1, '2026-01-02 03:04:05.678', '1999-12-31 23:59:59.999999', 'i', 's', '2026-01-01 00:00:00', NULL, 'admin', 9223372036854775807, 1, 0),
        (3, 'bob ''quoted\" \\', '', NULL, x'' || char(10, 9, 13, 1, 127, 65535), 'ﬀ', NULL, 0, 1, 0, NULL, '0001-01-01 00:00:00', NULL, NULL, NULL, '9999-12-31 23:59:59.500', 'first_token', NULL, 0, 1),
        (9, 'gone', '', NULL, '', '', NULL, 0, 1, 0, NULL, '2026-01-01 00:00:00', NULL, NULL, NULL, NULL, 'admin', NULL, 0, 0);
    DELETE FROM users WHERE id = 9;
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 5000)
        INSERT INTO articles SELECT n, 'Article ' || n, CASE WHEN n % 3 THEN 7 END, '2026-01-01 00:00:00', '2026-01-01 00:00:00.000001' FROM numbers;
    DELETE FROM articles WHERE id > 4990;
    INSERT INTO history SELECT id, created_at, created_by, 'ann', 'api', 'created', 'article', id, name, '{\"name\":[null,\"x\"]}', CASE WHEN id % 2 THEN 'b' END FROM articles;
    INSERT INTO groups VALUES (2, 'editors', 'Łódź');
    INSERT INTO user_groups VALUES (7, 2), (3, 2);
    INSERT INTO user_cognito_groups VALUES (7, 2);
    INSERT INTO user_permissions VALUES (3, 'articles.add_article');
    INSERT INTO group_permissions VALUES (2, 'articles.change_article');
    INSERT INTO second_factors VALUES (7, 'sealed', 58000000, '2026-01-01 00:00:00');
    INSERT INTO recovery_codes VALUES (2, 7, 'hash', '2026-01-01 00:00:00');
    INSERT INTO service_accounts VALUES (2, 'Nightly', 'client', 1, '2026-01-01 00:00:00', NULL), (5, 'x', 'y', 0, '2026-01-01 00:00:00', '2026-01-02 00:00:00.000001');
    DELETE FROM service_accounts WHERE id = 5;
    INSERT INTO service_account_permissions VALUES (2, 'articles.add_article');
    INSERT INTO sessions VALUES (5, 'hash', 7, '{}', '::1', 'Mozilla', '2026-01-01 00:00:00', '2026-01-01 00:00:00');
    INSERT INTO django_rows VALUES ('user', '7', '2026-01-02 03:04:05.678', 7), ('article', '9', NULL, 9223372036854775807);
    INSERT INTO refusals VALUES (8, '2026-01-01 00:00:00', 'token', 'token_expired', 's', '', 7, 9223372036854775807);
    INSERT INTO api_requests VALUES (20786, 9223372036854775807);
    INSERT INTO saved_views VALUES (4, 7, 'users', 'Łódź', 'q=%C5%81&staff=no');
    INSERT INTO secrets VALUES ('key', 'value'), ('number', '0012'), ('empty', '');
    INSERT INTO throttles VALUES
        ('a', 0.1, 9223372036854775807), ('b', 1.7976931348623157e308, -9223372036854775808), ('c', 5e-324, 0),
        ('d', 0.30000000000000004, 1), ('e', 3.0, -1), ('f', 9e999, 2), ('g', -1234567.8901234567, 3);
    INSERT INTO deleted_rows VALUES (4, 'b', '2026-01-01 00:00:00', 'user', 9223372036854775807, 'gone', 'users', '{}');
    INSERT INTO changed_rows VALUES (5, 'b', '2026-01-01 00:00:00', 'deactivate', 9223372036854775807, '{}');
    INSERT INTO kept_forms VALUES (3, 7, '2026-01-01 00:00:00', 'sealed');
    INSERT INTO jobs VALUES (6, 7, 'article', 'large.csv', printf('%.*c', 3000000, 'ü'), 'checked', '{}', '2026-01-01 00:00:00', 'import', 0, 9);
";

/// A program whose database has a row of every kind.
async fn seeded() -> Program {
    let program = Program::new();
    program.run(&["migrate"]).await.success();
    program.database().batch_execute(SEED).expect("the rows are inserted");
    program
}

async fn copy(program: &Program, from: &str, to: &str) -> Outcome {
    program.run(&["copy-database", "--from", from, "--to", to]).await
}

/// Every row of every table as SQL, but for the times at which migrations ran.
fn dump(database: &mut Connection) -> Vec<String> {
    let tables = texts(
        database,
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> '__diesel_schema_migrations' ORDER BY name",
    );
    let mut dump = Vec::new();
    for table in tables {
        let columns = texts(database, &format!("SELECT 'quote(' || name || ')' FROM pragma_table_info('{table}')"));
        let row = columns.join(" || ', ' || ");
        dump.extend(texts(database, &format!("SELECT '{table}: ' || {row} FROM {table} ORDER BY 1")));
    }
    dump
}

/// Compares without printing megabytes.
#[track_caller]
fn assert_same(found: &[String], expected: &[String]) {
    let different = found.iter().zip(expected).find(|(found, expected)| found != expected);
    let short = |text: &String| text.chars().take(300).collect::<String>();
    assert!(different.is_none(), "{:?}", different.map(|(found, expected)| (short(found), short(expected))));
    assert_eq!(found.len(), expected.len());
}

#[tokio::test]
async fn copy_to_another_sqlite_file_is_the_same_in_every_row_and_leaves_the_source_alone() {
    let program = seeded().await;
    let before = dump(&mut program.database());
    let outcome = copy(&program, "sqlite:gatepost.sqlite3", "sqlite:copy.sqlite3").await;
    let text = outcome.success();
    for (table, rows, last_id) in [
        ("articles", 4990, "5000"),
        ("users", 2, "9"),
        ("throttles", 7, ""),
        ("groups", 1, "2"),
        ("service_accounts", 1, "5"),
    ] {
        let expected = format!("{table:24} {rows:>12} {last_id:>12}\n");
        assert!(text.contains(&expected), "{expected}: {text}");
    }
    let (_, summary) = text.rsplit_once("10012 rows of ").expect("a summary");
    let (tables, rest) = summary.split_once(' ').expect("a number of tables");
    assert!(tables.parse::<usize>().is_ok_and(|tables| tables >= 23), "{text}");
    let expected = "tables copied from sqlite:gatepost.sqlite3 to sqlite:copy.sqlite3. The row counts match.\n";
    assert_eq!(rest, expected);
    assert_has(&outcome.stderr, &["articles: 4990 of 4990\n"]);
    assert_same(&dump(&mut connect(&program.path("copy.sqlite3"))), &before);
    assert_same(&dump(&mut program.database()), &before);
}

#[tokio::test]
async fn copy_needs_a_source_that_is_up_to_date_and_a_target_that_is_empty() {
    let program = seeded().await;
    copy(&program, "sqlite:nowhere.sqlite3", "sqlite:copy.sqlite3")
        .await
        .assert_error("sqlite:nowhere.sqlite3: it does not exist");
    assert!(!program.path("nowhere.sqlite3").exists() && !program.path("copy.sqlite3").exists());

    connect(&program.path("other.sqlite3")).batch_execute("CREATE TABLE theirs (id INTEGER)").expect("a table");
    copy(&program, "sqlite:other.sqlite3", "sqlite:copy.sqlite3")
        .await
        .assert_error("its migrations differ from this version of Gatepost");

    copy(&program, "sqlite:gatepost.sqlite3", "sqlite:copy.sqlite3").await.success();
    let before = dump(&mut connect(&program.path("copy.sqlite3")));
    let again = copy(&program, "sqlite:gatepost.sqlite3", "sqlite:copy.sqlite3").await;
    again.assert_error("sqlite:copy.sqlite3: it is not empty: api_requests has rows");
    assert_same(&dump(&mut connect(&program.path("copy.sqlite3"))), &before);

    let wrong = copy(&program, "sqlite:gatepost.sqlite3", "mysql://alice:secret@db.example.com/gatepost").await;
    wrong.assert_error("--to must begin with `sqlite:`");
    assert_lacks(&wrong.stderr, &["secret"]);
}

#[tokio::test]
async fn copy_takes_along_tables_it_has_never_heard_of_whatever_the_order_of_their_rows() {
    let program = seeded().await;
    let table = "CREATE TABLE a_tree (id INTEGER PRIMARY KEY AUTOINCREMENT, parent INTEGER REFERENCES a_tree (id), \
                 owner INTEGER REFERENCES users (id), picture BLOB)";
    let rows = "INSERT INTO a_tree VALUES (1, 2, 7, x'00ff'), (2, NULL, 3, NULL)";
    program.database().batch_execute(&format!("{table}; {rows}")).expect("a table");
    let refused = copy(&program, "sqlite:gatepost.sqlite3", "sqlite:copy.sqlite3").await;
    refused.assert_error("the source has a table a_tree, which no migration of Gatepost creates");

    connect(&program.path("copy.sqlite3")).batch_execute(table).expect("a table");
    copy(&program, "sqlite:gatepost.sqlite3", "sqlite:copy.sqlite3").await.success();
    assert_same(&dump(&mut connect(&program.path("copy.sqlite3"))), &dump(&mut program.database()));
}

#[tokio::test]
async fn copy_of_a_database_in_use_is_one_moment_of_it() {
    let program = Program::new();
    let server = program.serve().await;
    let token = program.token().await;
    let mut load = Load::start(&client(), server.address, &token, "load");
    load.has_acknowledged(200).await;
    let before = load.so_far().into_iter().collect();
    copy(&program, "sqlite:gatepost.sqlite3", "sqlite:copy.sqlite3").await.success();
    load.has_acknowledged(load.so_far().len() + 20).await;
    server.kill();
    load.acknowledged().await;
    assert_kept(&sound_names(&mut connect(&program.path("copy.sqlite3"))), &before);
}

#[cfg(not(feature = "postgres"))]
#[tokio::test]
async fn copy_to_postgresql_needs_a_build_that_knows_it() {
    let program = seeded().await;
    let outcome = copy(&program, "sqlite:gatepost.sqlite3", "postgres://alice:secret@db.example.com/gatepost").await;
    outcome.assert_error(
        "--to needs PostgreSQL support, which this build does not have; build with `--features postgres`",
    );
    assert_lacks(&outcome.stderr, &["secret"]);
}

#[cfg(feature = "postgres")]
mod postgres {
    use diesel::{Connection as _, PgConnection};

    use super::*;
    use crate::harness::postgres::{Database, shared};

    const SQLITE: &str = "sqlite:gatepost.sqlite3";

    fn open(database: &Database) -> Connection {
        let connection = PgConnection::establish(&database.url.to_string());
        Connection::Postgres(connection.expect("the server takes connections"))
    }

    fn is_empty(database: &mut Connection) -> bool {
        let query = "SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM articles) + (SELECT count(*) FROM throttles) + (SELECT sum(row_count) FROM row_counts)";
        texts(database, query) == ["0"]
    }

    #[tokio::test]
    async fn copy_to_postgresql_and_back_is_the_same_in_every_row() {
        let program = seeded().await;
        let database = shared().empty_database();
        let url = database.url.to_string();
        let there = copy(&program, SQLITE, &url).await;
        assert!(there.success().contains("10012 rows of 23 tables"), "{there:?}");
        let back = copy(&program, &url, "sqlite:back.sqlite3").await;
        assert_eq!(back.success().replace(&url, SQLITE), there.stdout.replace(&url, "sqlite:back.sqlite3"));
        assert_same(&dump(&mut connect(&program.path("back.sqlite3"))), &dump(&mut program.database()));

        let other = shared().empty_database();
        copy(&program, &url, &other.url.to_string()).await.success();
        copy(&program, &other.url.to_string(), "sqlite:round.sqlite3").await.success();
        assert_same(&dump(&mut connect(&program.path("round.sqlite3"))), &dump(&mut program.database()));
    }

    #[tokio::test]
    async fn copy_lets_postgresql_go_on_with_ids_counts_and_foreign_keys() {
        let program = seeded().await;
        let database = shared().database();
        copy(&program, SQLITE, &database.url.to_string()).await.success();
        let mut connection = open(&database);
        let article = "INSERT INTO articles (name, created_by, created_at, updated_at) VALUES ('new', 7, now(), now())";
        connection.batch_execute(article).expect("an article");
        let id = "SELECT id FROM articles WHERE name = 'new'";
        assert_eq!(texts(&mut connection, id), ["5001"], "ids that were given are not given again");
        let count = "SELECT sum(row_count) FROM row_counts WHERE table_name = 'articles'";
        assert_eq!(texts(&mut connection, count), ["4991"]);
        let deferrable = "SELECT conname FROM pg_constraint WHERE condeferrable OR NOT convalidated";
        assert_eq!(texts(&mut connection, deferrable), [""; 0], "keys are as the migrations made them");
    }

    #[tokio::test]
    async fn copy_takes_along_new_tables_of_postgresql_whatever_the_order_of_their_rows() {
        let program = seeded().await;
        let in_sqlite = "CREATE TABLE a_tree (id INTEGER PRIMARY KEY AUTOINCREMENT, parent INTEGER REFERENCES a_tree (id), \
                         owner INTEGER REFERENCES users (id), picture BLOB, shown BOOLEAN, weight DOUBLE)";
        let rows = "INSERT INTO a_tree VALUES (1, 2, 7, x'00ff', 1, 0.1), (2, NULL, 3, NULL, 0, NULL), (9, 1, NULL, x'', NULL, -0.5)";
        program.database().batch_execute(&format!("{in_sqlite}; {rows}")).expect("a table");
        let database = shared().database();
        let in_postgresql = "CREATE TABLE a_tree (id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, \
                             parent BIGINT REFERENCES a_tree (id), owner BIGINT REFERENCES users (id), picture BYTEA, \
                             shown BOOLEAN, weight DOUBLE PRECISION)";
        open(&database).batch_execute(in_postgresql).expect("a table");
        copy(&program, SQLITE, &database.url.to_string()).await.success();
        connect(&program.path("back.sqlite3")).batch_execute(in_sqlite).expect("a table");
        copy(&program, &database.url.to_string(), "sqlite:back.sqlite3").await.success();
        assert_same(&dump(&mut connect(&program.path("back.sqlite3"))), &dump(&mut program.database()));
    }

    #[tokio::test]
    async fn copy_cuts_what_postgresql_has_no_room_for_at_microseconds() {
        let program = seeded().await;
        program
            .database()
            .batch_execute("UPDATE users SET last_login = '1970-01-01 00:00:00.123456789'")
            .expect("a time");
        let database = shared().empty_database();
        copy(&program, SQLITE, &database.url.to_string()).await.success();
        let query = "SELECT DISTINCT last_login FROM users";
        assert_eq!(texts(&mut open(&database), query), ["1970-01-01 00:00:00.123456"]);
    }

    #[tokio::test]
    async fn copy_that_postgresql_cannot_take_names_the_value_and_leaves_the_target_empty() {
        for (change, problem) in [
            (
                "UPDATE users SET last_name = 'a' || char(0) || 'b' WHERE id = 7",
                "users.last_name of id 7 contains a NUL character (U+0000), which PostgreSQL text cannot hold",
            ),
            ("UPDATE users SET is_staff = 2 WHERE id = 3", "column \"is_staff\" is of type boolean"),
            ("UPDATE users SET last_login = 'yesterday' WHERE id = 3", "users.last_login of id 3 is not a time"),
            ("PRAGMA foreign_keys = OFF; UPDATE articles SET created_by = 1 WHERE id = 8", "articles_created_by_fkey"),
        ] {
            let program = seeded().await;
            program.database().batch_execute(change).expect("the change");
            let database = shared().empty_database();
            let outcome = copy(&program, SQLITE, &database.url.to_string()).await;
            assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""), "{outcome:?}");
            assert!(outcome.stderr.contains(&format!("gatepost: database {}: ", database.url)), "{outcome:?}");
            assert!(outcome.stderr.contains(problem), "{problem}: {outcome:?}");
            assert!(is_empty(&mut open(&database)), "{change}");
        }
    }

    #[tokio::test]
    async fn copy_leaves_a_postgresql_database_alone_that_has_rows() {
        let program = seeded().await;
        let database = shared().database();
        open(&database).batch_execute("INSERT INTO groups (name) VALUES ('theirs')").expect("a row");
        let outcome = copy(&program, SQLITE, &database.url.to_string()).await;
        outcome.assert_error("it is not empty: groups has rows");
        assert!(is_empty(&mut open(&database)));
    }
}
