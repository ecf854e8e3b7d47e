//! Counters and histograms.

mod endpoint;
