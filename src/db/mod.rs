//! Database access through [`Db::read`] and [`Db::write`], which deal with threads, pools, transactions and waiting.
//! Model functions take `&mut Connection` and return `QueryResult`.

mod any_connection;
mod backup;
pub mod bulk;
mod connection;
pub mod copy;
mod database;
mod errors;
mod exclusive;
mod foreign;
pub mod ids;
pub mod kept_keys;
pub mod keyset;
mod lock;
pub mod migrations;
mod open_error;
mod pool;
#[cfg(feature = "postgres")]
mod postgres;
mod probe;
mod queue;
pub mod recorded_write;
pub mod references;
mod remembered;
pub mod rows;
pub mod search;
mod shared_reads;
mod sqlite;
mod standby;
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
pub use exclusive::Exclusive;
pub use foreign::open_foreign;
pub use lock::Lock;
pub use open_error::OpenError;
pub use remembered::Remembered;
pub use sqlite::open_temporary;
pub use transaction::{attempt, savepoint};
pub use url::DatabaseUrl;
pub use version::Version;
