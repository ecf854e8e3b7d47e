//! [`Progress`]: a line on a terminal that says how far a command is.

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

const REFRESH: Duration = Duration::from_millis(100);

/// It is not essential, so errors of writing it are ignored.
pub struct Progress {
    is_terminal: bool,
    shown: Instant,
}

impl Progress {
    pub fn start() -> Progress {
        Progress { is_terminal: std::io::stderr().is_terminal(), shown: Instant::now() }
    }

    pub fn show(&mut self, text: impl Display) {
        if self.is_terminal && self.shown.elapsed() > REFRESH {
            let _ = write!(std::io::stderr(), "\r{text}\x1b[K");
            self.shown = Instant::now();
        }
    }

    pub fn clear(&self) {
        if self.is_terminal {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
