//! The database: what is kept, whatever happens.

mod durability;
mod migrations;
#[cfg(feature = "postgres")]
mod postgres;
