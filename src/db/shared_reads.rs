//! [`SharedReads`]: readers of the same key at the same time share one query.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::oneshot;

use crate::error::Error;

/// A reader that arrives while another reads waits for it to end. Then one of the waiting readers reads again, for all of
/// them. So each gets a value that was read after it arrived, as if it had read alone.
pub struct SharedReads<K: Clone + Eq + Hash, V>(Waiting<K, V>);

/// The readers that wait for each key. A key is there as long as somebody reads it.
struct Waiting<K: Clone + Eq + Hash, V>(Arc<Mutex<HashMap<K, Followers<K, V>>>>);

type Followers<K, V> = Vec<oneshot::Sender<Turn<K, V>>>;

enum Turn<K: Clone + Eq + Hash, V> {
    Lead(Leader<K, V>),
    Value(V),
}

/// The reader of a key. When dropped, it hands over to one of the waiting readers, even if its client goes away before
/// learning that it leads.
struct Leader<K: Clone + Eq + Hash, V> {
    waiting: Waiting<K, V>,
    key: K,
    /// They get the value that it reads.
    followers: Followers<K, V>,
}

impl<K: Clone + Eq + Hash, V> Waiting<K, V> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, Followers<K, V>>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl<K: Clone + Eq + Hash, V: Clone> SharedReads<K, V> {
    pub fn new() -> SharedReads<K, V> {
        SharedReads(Waiting(Arc::default()))
    }

    pub async fn read(&self, key: K, read: impl Future<Output = Result<V, Error>>) -> Result<V, Error> {
        let mut leader = match self.join(key) {
            Ok(leader) => leader,
            Err(turn) => match turn.await {
                Ok(Turn::Lead(leader)) => leader,
                Ok(Turn::Value(value)) => return Ok(value),
                Err(_) => return read.await,
            },
        };
        let value = read.await?;
        for follower in leader.followers.drain(..) {
            // Fails if its client has gone away.
            let _ = follower.send(Turn::Value(value.clone()));
        }
        Ok(value)
    }

    /// The caller leads if nobody does.
    fn join(&self, key: K) -> Result<Leader<K, V>, oneshot::Receiver<Turn<K, V>>> {
        let mut waiting = self.0.lock();
        if let Some(followers) = waiting.get_mut(&key) {
            let (sender, turn) = oneshot::channel();
            followers.push(sender);
            return Err(turn);
        }
        waiting.insert(key.clone(), Vec::new());
        Ok(Leader { waiting: Waiting(self.0.0.clone()), key, followers: Vec::new() })
    }
}

impl<K: Clone + Eq + Hash, V> Drop for Leader<K, V> {
    fn drop(&mut self) {
        let mut followers = std::mem::take(&mut self.followers);
        let next = {
            let mut waiting = self.waiting.lock();
            followers.append(waiting.entry(self.key.clone()).or_default());
            followers.retain(|follower| !follower.is_closed());
            let next = followers.pop();
            if next.is_none() {
                waiting.remove(&self.key);
            }
            next
        };
        if let Some(next) = next {
            let leader = Leader { waiting: Waiting(self.waiting.0.clone()), key: self.key.clone(), followers };
            // If its client has gone away meanwhile, the new leader is dropped here and hands over again.
            let _ = next.send(Turn::Lead(leader));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use futures_util::FutureExt;
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
        assert!(reads.0.lock().is_empty(), "nothing is left behind");
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
        assert!(reads.0.lock().is_empty());
    }

    #[tokio::test]
    async fn a_reader_who_goes_away_just_when_its_turn_comes_holds_up_nobody() {
        let reads = SharedReads::<&str, u32>::new();
        let (end, ended) = oneshot::channel();
        let first = async { ended.await.map_err(|_| Error::Internal("cut".to_owned())) };
        let mut first = reads.read("key", first).boxed_local();
        let mut last = reads.read("key", async { Ok(3) }).boxed_local();
        // The last who came leads next.
        let mut next = reads.read("key", async { Ok(2) }).boxed_local();
        for reader in [&mut first, &mut last, &mut next] {
            assert!(reader.now_or_never().is_none(), "it reads, or waits");
        }
        let _ = end.send(1);
        assert!(matches!(first.await, Ok(1)));
        // It leads now, and does not know.
        drop(next);
        let last = tokio::time::timeout(std::time::Duration::from_secs(10), last).await;
        assert!(matches!(last, Ok(Ok(3))), "{last:?}");
        assert!(reads.0.lock().is_empty());
    }
}
