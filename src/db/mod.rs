//! Database access through [`Db::read`] and [`Db::write`], which deal with threads, pools, transactions and waiting.
//! Model functions take `&mut Connection` and return `QueryResult`.

mod any_connection;
mod backup;
mod bulk;
mod connection;
pub mod copy;
mod database;
mod errors;
pub mod kept_keys;
pub mod keyset;
pub mod migrations;
mod open_error;
mod pool;
#[cfg(feature = "postgres")]
mod postgres;
mod probe;
mod queue;
pub mod references;
mod remembered;
pub mod rows;
pub mod search;
mod shared_reads;
mod sqlite;
pub mod text;
mod transaction;
mod url;
mod version;
mod writable;
mod writer;

pub use any_connection::Backend;
pub use backup::backup;
pub use connection::Connection;
pub use database::{Db, DbState};
pub use open_error::OpenError;
pub use remembered::Remembered;
pub use transaction::{attempt, savepoint};
pub use url::DatabaseUrl;
pub use version::Version;
