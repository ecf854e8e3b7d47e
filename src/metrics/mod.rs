//! What the service tells Prometheus (<https://prometheus.io/docs/instrumenting/exposition_formats/>).
//!
//! Each part counts for itself, and hands out what it counts as collectors. The server gathers them when it is
//! asked. No label ever takes a value that a caller can choose.

mod collectors;
pub mod process;
mod requests;

pub use collectors::{counters, gauge, histogram, read_gauges, registry};
pub use requests::{Requests, Worker};
