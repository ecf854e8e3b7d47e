//! A connection to either database.

/// A connection to either database. SQL that differs between them is confined to [`super::rows`],
/// [`super::references`], the database copy ([`super::bulk`], [`super::copy`]) and the migrations.
#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    /// A SQLite file.
    Sqlite(diesel::SqliteConnection),
    /// A PostgreSQL server.
    #[cfg(feature = "postgres")]
    Postgres(diesel::PgConnection),
}

/// The backend type of queries that run on either database.
pub type Backend = MultiBackend;
