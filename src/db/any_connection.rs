//! A connection to either database.

/// A connection to the database, of whichever kind it is. What a query has to say differently to one of
/// them stands in [`super::rows`], [`super::references`], what copies databases ([`super::bulk`],
/// [`super::copy`]) and the migrations, and nowhere else.
#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    /// A SQLite file.
    Sqlite(diesel::SqliteConnection),
    /// A PostgreSQL server.
    #[cfg(feature = "postgres")]
    Postgres(diesel::PgConnection),
}

/// What stands for either database in the types of queries.
pub type Backend = MultiBackend;
