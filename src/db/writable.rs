//! [`Writable`]: whether SQLite's file takes writes, asked rarely.

use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::sqlite;

/// Probes come every few seconds, from several sides, and each look takes the write lock for a moment.
const EVERY: Duration = Duration::from_secs(5);

/// The last outcome.
#[derive(Default)]
pub struct Writable(Mutex<Option<(Instant, Result<(), String>)>>);

impl Writable {
    pub fn check(&self, path: &Path) -> Result<(), String> {
        let mut last = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some((at, outcome)) = &*last
            && at.elapsed() < EVERY
        {
            return outcome.clone();
        }
        // SQLite would create a missing file.
        let outcome = if path.exists() { sqlite::probe_writing(path) } else { Err("its file is gone".to_owned()) };
        *last = Some((Instant::now(), outcome.clone()));
        outcome
    }
}
