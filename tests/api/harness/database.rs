//! A database of its own for each test: a SQLite file, or with the feature `postgres` a database on a
//! PostgreSQL server that lives as long as the test run.

use gatepost::db::DatabaseUrl;
use tempfile::TempDir;

/// A fresh database. Removed when dropped.
pub struct TestDatabase {
    pub url: DatabaseUrl,
    #[cfg(feature = "postgres")]
    _database: super::postgres::Database,
    _folder: TempDir,
}

impl TestDatabase {
    #[cfg(not(feature = "postgres"))]
    pub fn new() -> TestDatabase {
        let folder = TempDir::new().expect("a folder for the database");
        TestDatabase { url: DatabaseUrl::Sqlite(folder.path().join("test.sqlite3")), _folder: folder }
    }

    #[cfg(feature = "postgres")]
    pub fn new() -> TestDatabase {
        let folder = TempDir::new().expect("a folder for what lies beside the database");
        let database = super::postgres::shared().database();
        TestDatabase { url: database.url.clone(), _database: database, _folder: folder }
    }
}
