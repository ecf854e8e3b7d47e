//! [`SharedReads`]: readers of the same key at the same time share one query.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard};

use tokio::sync::oneshot;

use crate::error::Error;

/// Who comes while a read is under way waits for it to end; then one of those who waited reads anew, and its value is
/// everyone's. So each gets what was read after it came, as if it had read alone.
pub struct SharedReads<K: Eq + Hash, V>(Mutex<HashMap<K, Vec<oneshot::Sender<Turn<V>>>>>);

enum Turn<V> {
    /// Read for these, too.
    Lead(Vec<oneshot::Sender<Turn<V>>>),
    Value(V),
}

impl<K: Clone + Eq + Hash, V: Clone> SharedReads<K, V> {
    pub fn new() -> SharedReads<K, V> {
        SharedReads(Mutex::default())
    }

    pub async fn read(&self, key: K, read: impl Future<Output = Result<V, Error>>) -> Result<V, Error> {
        let followers = match self.join(&key) {
            None => Vec::new(),
            Some(turn) => match turn.await {
                Ok(Turn::Value(value)) => return Ok(value),
                Ok(Turn::Lead(followers)) => followers,
                // The reader failed, or its client has gone away.
                Err(_) => return read.await,
            },
        };
        let _leader = Leader { reads: self, key };
        let value = read.await?;
        for follower in followers {
            // Fails if its client has gone away.
            let _ = follower.send(Turn::Value(value.clone()));
        }
        Ok(value)
    }

    /// `None`: nobody is reading, and the caller now is.
    fn join(&self, key: &K) -> Option<oneshot::Receiver<Turn<V>>> {
        let mut waiting = self.waiting();
        match waiting.get_mut(key) {
            None => {
                waiting.insert(key.clone(), Vec::new());
                None
            }
            Some(others) => {
                let (sender, turn) = oneshot::channel();
                others.push(sender);
                Some(turn)
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<K, Vec<oneshot::Sender<Turn<V>>>>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// Hands over to one of those who wait when the read ends, however it ends.
struct Leader<'a, K: Clone + Eq + Hash, V: Clone> {
    reads: &'a SharedReads<K, V>,
    key: K,
}

impl<K: Clone + Eq + Hash, V: Clone> Drop for Leader<'_, K, V> {
    fn drop(&mut self) {
        let mut waiting = self.reads.waiting();
        let mut others = waiting.get_mut(&self.key).map(std::mem::take).unwrap_or_default();
        while let Some(next) = others.pop() {
            match next.send(Turn::Lead(others)) {
                Ok(()) => return,
                // That client has gone away.
                Err(Turn::Lead(left)) => others = left,
                Err(Turn::Value(_)) => return,
            }
        }
        waiting.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use tokio::task::LocalSet;

    use super::*;

    async fn rest() {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }

    /// Ten readers come while the first reads. `outcome` is what the first one's read ends with.
    async fn crowd(outcome: Result<u32, Error>) -> (u32, Vec<Result<u32, Error>>) {
        let (reads, count) = (Rc::new(SharedReads::new()), Rc::new(Cell::new(0)));
        let (end, ended) = oneshot::channel();
        let tasks = LocalSet::new();
        let first = reads.clone();
        tasks.spawn_local(async move {
            first.read("key", async { ended.await.unwrap_or_else(|_| Err(Error::Internal("cut".to_owned()))) }).await
        });
        tasks.run_until(rest()).await;
        let crowd: Vec<_> = (0..10)
            .map(|_| {
                let (reads, count) = (reads.clone(), count.clone());
                tasks.spawn_local(async move {
                    let read = async {
                        rest().await;
                        count.set(count.get() + 1);
                        Ok(count.get() + 100)
                    };
                    reads.read("key", read).await
                })
            })
            .collect();
        tasks.run_until(rest()).await;
        let _ = end.send(outcome);
        tasks.await;
        let mut values = Vec::new();
        for reader in crowd {
            values.push(reader.await.expect("no panic"));
        }
        assert!(reads.waiting().is_empty(), "nothing is left behind");
        (count.get(), values)
    }

    #[tokio::test]
    async fn readers_who_wait_share_one_read_that_begins_after_they_came() {
        let (reads, values) = crowd(Ok(1)).await;
        assert_eq!(reads, 1);
        assert!(values.iter().all(|value| matches!(value, Ok(101))), "{values:?}");
    }

    #[tokio::test]
    async fn a_read_that_fails_fails_for_its_reader_alone() {
        let (reads, values) = crowd(Err(Error::Internal("the first".to_owned()))).await;
        assert_eq!(reads, 1);
        assert!(values.iter().all(|value| matches!(value, Ok(101))), "{values:?}");
    }

    #[tokio::test]
    async fn a_reader_who_goes_away_holds_up_nobody() {
        let reads = Rc::new(SharedReads::<&str, u32>::new());
        let gone = reads.read("key", std::future::pending());
        assert!(tokio::time::timeout(std::time::Duration::ZERO, gone).await.is_err());
        assert!(matches!(reads.read("key", async { Ok(7) }).await, Ok(7)));
        assert!(reads.waiting().is_empty());
    }
}
