//! Every migration can be taken back and applied again, on either database.

use std::path::{Path, PathBuf};

use gatepost::db::{DatabaseUrl, Db};

use crate::harness::TestServer;

const JOBS: &str = "2026-11-29-000005_jobs";

fn kind(server: &TestServer) -> &'static str {
    match server.db.url() {
        DatabaseUrl::Sqlite(_) => "sqlite",
        #[cfg(feature = "postgres")]
        DatabaseUrl::Postgres(_) => "postgresql",
    }
}

/// The migrations' folders, the oldest first.
fn folders(kind: &str) -> Vec<PathBuf> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(kind);
    let mut folders: Vec<PathBuf> = std::fs::read_dir(all)
        .expect("the migrations")
        .map(|folder| folder.expect("a folder").path())
        .filter(|folder| folder.is_dir())
        .collect();
    folders.sort();
    folders
}

/// What the database says of its tables, columns, indexes, constraints, triggers and functions. Extensions stay.
async fn schema(server: &TestServer) -> Vec<String> {
    let query = match server.db.url() {
        DatabaseUrl::Sqlite(_) => {
            "SELECT type || ' ' || coalesce(sql, name) FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY 1"
        }
        #[cfg(feature = "postgres")]
        DatabaseUrl::Postgres(_) => {
            "SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' '
                 || coalesce(collation_name, '') || ' ' || is_identity
                 FROM information_schema.columns WHERE table_schema = 'public'
             UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
             UNION ALL SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
                 WHERE connamespace = 'public'::regnamespace
             UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
             UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
                 AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
             ORDER BY 1"
        }
    };
    server.texts(query).await
}

#[tokio::test]
async fn every_migration_can_be_taken_back_and_applied_again() {
    let server = TestServer::start().await;
    let kind = kind(&server);
    let before = schema(&server).await;
    assert!(before.len() > 30, "{before:?}");
    // With rows in place, as an operator would meet it.
    server.alice().await;
    server.seed_articles(3).await;
    for folder in folders(kind).into_iter().rev() {
        server.sql(std::fs::read_to_string(folder.join("down.sql")).expect("a way back")).await;
    }
    let left = schema(&server).await;
    assert!(left.iter().all(|line| line.contains("__diesel_schema_migrations")), "{left:?}");
    server.sql("DELETE FROM __diesel_schema_migrations").await;
    let (_, applied) = Db::open(server.db.url()).expect("the migrations are applied again");
    assert_eq!(applied, folders(kind).len());
    assert_eq!(schema(&server).await, before);
    // And all of it works.
    let bob = server.user("bob").await;
    assert_eq!(server.post(&server.pool.token(&bob.username).sign(), r#"{"name":"again"}"#).await.status, 201);
}

/// The number of rows of an import had been only in its report.
#[tokio::test]
async fn an_import_that_was_checked_before_an_upgrade_knows_its_rows_after_it() {
    let server = TestServer::start().await;
    server.alice().await;
    let kind = kind(&server);
    let since: Vec<PathBuf> = folders(kind).into_iter().skip_while(|folder| !folder.ends_with(JOBS)).collect();
    for folder in since.iter().rev() {
        server.sql(std::fs::read_to_string(folder.join("down.sql")).expect("a way back")).await;
    }
    server
        .sql(
            "INSERT INTO imports (user_id, model, file_name, content, state, report, created_at)
             SELECT id, 'users', 'people.csv', '', 'checked', '{\"rows\":12,\"created\":12}', '2026-11-29 10:00:00' FROM users;
             DELETE FROM __diesel_schema_migrations WHERE version >= '20261129000005'",
        )
        .await;
    let (_, applied) = Db::open(server.db.url()).expect("the migrations are applied again");
    assert_eq!(applied, since.len());
    assert_eq!(server.number("SELECT total FROM jobs").await, 12);
}

#[test]
fn both_databases_have_the_same_migrations() {
    let names = |kind| -> Vec<PathBuf> {
        folders(kind).iter().map(|folder| folder.file_name().expect("a name").into()).collect()
    };
    assert_eq!(names("sqlite"), names("postgresql"));
}
