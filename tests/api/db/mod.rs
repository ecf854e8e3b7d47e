//! The database: what is acknowledged lasts, and what fails leaves nothing half done.

mod durability;
#[cfg(feature = "postgres")]
mod failover;
#[cfg(feature = "postgres")]
mod failures;
#[cfg(feature = "postgres")]
mod insertions;
mod migrations;
mod panics;
#[cfg(feature = "postgres")]
mod pgbouncer;
#[cfg(feature = "postgres")]
mod postgres;
mod queue;
mod sqlite;
#[cfg(feature = "postgres")]
mod standby;

use crate::harness::client::Answer;

/// Fails unless the answer asks to come back later.
#[track_caller]
fn assert_unavailable(answer: &Answer) {
    assert_eq!((answer.status, answer.code().as_str()), (503, "unavailable"), "{answer:?}");
    assert_eq!(answer.header("retry-after"), "5");
}
