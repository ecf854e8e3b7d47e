//! Metrics for Prometheus (<https://prometheus.io/docs/instrumenting/exposition_formats/>). Label values never come
//! from clients, so the number of series is bounded.

mod collectors;
pub mod process;
mod requests;

pub use collectors::{counter, counters, gauge, histogram, read_gauges, registry};
pub use requests::{Requests, Worker};
