//! Searches: the words of what was typed, and the turns that searches take.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::Error;

/// The longest search, in characters.
pub const MAX_CHARS: usize = 200;
/// The most words of a search.
pub const MAX_WORDS: usize = 20;
/// Searches that run at once.
const AT_ONCE: usize = 2;
/// How long a search waits for its turn.
const PATIENCE: Duration = Duration::from_secs(3);

/// The words of a search, of which each must occur; what stands between quotation marks is one word.
/// `Err` says of what there is too much.
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

/// A search's turn; over when it is dropped.
pub type Turn = OwnedSemaphorePermit;

/// A search looks at every row, so only a few run at once: other reads keep their share. Cheap to clone.
#[derive(Clone)]
pub struct Turns(Arc<Semaphore>);

impl Default for Turns {
    fn default() -> Turns {
        Turns(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Turns {
    /// Waits for a turn as long as it takes.
    pub async fn wait(&self) -> Option<Turn> {
        // It fails only for a semaphore that was closed, and nobody closes this one.
        self.0.clone().acquire_owned().await.ok()
    }

    /// Waits for a turn, but not for long.
    pub async fn take(&self) -> Result<Option<Turn>, Error> {
        let turn = tokio::time::timeout(PATIENCE, self.wait()).await;
        turn.map_err(|_| Error::Unavailable("too many searches at once".to_owned()))
    }
}
