//! A connection to either database. SQL that differs between them is confined to [`super::rows`],
//! [`super::references`], the database copy ([`super::bulk`], [`super::copy`]) and the migrations.

#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    Sqlite(diesel::SqliteConnection),
    #[cfg(feature = "postgres")]
    Postgres(diesel::PgConnection),
}

pub type Backend = MultiBackend;
