//! Search: splitting a search into words, and limiting concurrent searches.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::Error;

pub const MAX_CHARS: usize = 200;
pub const MAX_WORDS: usize = 20;
const AT_ONCE: usize = 2;
const PATIENCE: Duration = Duration::from_secs(3);

/// All words must occur. Text in quotation marks is one word. The error is a message for the user.
pub fn words(search: &str) -> Result<Vec<String>, String> {
    if search.chars().count() > MAX_CHARS {
        return Err(format!("Ensure this has no more than {MAX_CHARS} characters."));
    }
    let mut words = Vec::new();
    for (part, is_quoted) in search.split('"').zip([false, true].into_iter().cycle()) {
        let found: Vec<&str> = if is_quoted { vec![part.trim()] } else { part.split([' ', ',', '\t', '\n']).collect() };
        words.extend(found.into_iter().map(|word| word.replace('\0', "")).filter(|word| !word.is_empty()));
    }
    if words.len() > MAX_WORDS {
        return Err(format!("Ensure this has no more than {MAX_WORDS} words."));
    }
    Ok(words)
}

pub type Turn = OwnedSemaphorePermit;

/// Limits concurrent searches: each scans all rows, and other reads must keep their share of the CPU.
#[derive(Clone)]
pub struct Turns(Arc<Semaphore>);

impl Default for Turns {
    fn default() -> Turns {
        Turns(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Turns {
    pub async fn wait(&self) -> Option<Turn> {
        // Fails only for a closed semaphore, and this one is never closed.
        self.0.clone().acquire_owned().await.ok()
    }

    pub async fn take(&self) -> Result<Option<Turn>, Error> {
        let turn = tokio::time::timeout(PATIENCE, self.wait()).await;
        turn.map_err(|_| Error::Unavailable("too many searches at once".to_owned()))
    }
}
