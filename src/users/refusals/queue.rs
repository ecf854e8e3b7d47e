//! Refusals wait in a bounded queue until one task writes them: a flood of refused requests is no flood of writes.

use std::time::Duration;

use chrono::{NaiveDateTime, Utc};
use prometheus::IntCounter;
use prometheus::core::Collector;
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::table::{self, Counted, Kind, Refused, Who};
use crate::db::{Connection, Db};
use crate::error::Error;
use crate::metrics;

const QUEUE: usize = 1_000;
const EVERY: Duration = Duration::from_secs(1);

/// The way into the queue.
pub struct Refusals {
    sender: Sender<(NaiveDateTime, Refused)>,
    dropped: IntCounter,
}

/// The other end, for [`Queue::run`].
pub struct Queue {
    receiver: Receiver<(NaiveDateTime, Refused)>,
    dropped: IntCounter,
}

impl Refusals {
    pub fn new() -> (Refusals, Queue) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let dropped = metrics::counter(
            "gatepost_refusals_dropped_total",
            "Refused tokens and sign-ins that were not recorded, because there were too many.",
        );
        (Refusals { sender, dropped: dropped.clone() }, Queue { receiver, dropped })
    }

    pub fn collector(&self) -> Box<dyn Collector> {
        Box::new(self.dropped.clone())
    }

    /// Never waits.
    pub fn add(&self, kind: Kind, code: &'static str, who: Who) {
        if self.sender.try_send((Utc::now().naive_utc(), Refused { kind, code, who })).is_err() {
            self.dropped.inc();
        }
    }
}

impl Queue {
    /// Writes at most once a second. `issuer` is that of the pool's links. Returns when the server has ended.
    pub async fn run(mut self, db: Db, issuer: String) {
        let mut dropped = 0;
        while let Some(first) = self.receiver.recv().await {
            tokio::time::sleep(EVERY).await;
            let batch = self.rest_after(first);
            if let Err(error) = write(&db, issuer.clone(), batch).await {
                log::warn!("refused tokens and sign-ins were not recorded: {}", error.logged());
            }
            let (before, now) = (dropped, self.dropped.get());
            if now > before {
                log::warn!("{} refused tokens and sign-ins were not recorded: there are too many", now - before);
            }
            dropped = now;
        }
    }

    fn rest_after(&mut self, first: (NaiveDateTime, Refused)) -> Vec<Counted> {
        let mut batch: Vec<Counted> = Vec::new();
        let waiting = std::iter::from_fn(|| self.receiver.try_recv().ok());
        for (at, refused) in [first].into_iter().chain(waiting).take(QUEUE) {
            match batch.iter_mut().find(|(known, ..)| *known == refused) {
                Some((_, last, times)) => (*last, *times) = (at, *times + 1),
                None => batch.push((refused, at, 1)),
            }
        }
        batch
    }
}

async fn write(db: &Db, issuer: String, batch: Vec<Counted>) -> Result<(), Error> {
    db.check_writable().await?;
    db.write(move |conn: &mut Connection| Ok(table::add(conn, &issuer, &batch)?)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_does_not_fit_into_the_queue_is_dropped_and_counted() {
        let (refusals, mut queue) = Refusals::new();
        for _ in 0..QUEUE + 5 {
            refusals.add(Kind::Token, "token_expired", Who::Unknown);
        }
        assert_eq!(refusals.dropped.get(), 5);
        let first = queue.receiver.recv().await.expect("a refusal");
        let batch = queue.rest_after(first);
        let counted: Vec<_> = batch.iter().map(|(refused, _, times)| (refused.code, *times)).collect();
        assert_eq!(counted, [("token_expired", QUEUE as i64)]);
    }
}
