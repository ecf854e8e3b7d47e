//! How many requests the API answered on each day. They are counted in memory and written once a minute, so that no
//! request writes. Each process adds its own.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{NaiveDate, TimeDelta, Utc};
use diesel::prelude::*;

use crate::db::rows::{self, Sql};
use crate::db::{Connection, Db};
use crate::schema::api_requests;

const EVERY: Duration = Duration::from_secs(60);
const KEPT_DAYS: i64 = 366;

/// The counters of all worker threads, which would otherwise contend for one.
#[derive(Clone, Default)]
pub struct ApiRequests(Arc<Mutex<Vec<Arc<AtomicU64>>>>);

pub struct Worker(Arc<AtomicU64>);

impl Worker {
    pub fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl ApiRequests {
    pub fn worker(&self) -> Worker {
        let counter = Arc::new(AtomicU64::new(0));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(counter.clone());
        Worker(counter)
    }

    /// What was counted and is not written yet.
    pub fn waiting(&self) -> i64 {
        self.sum(|counter| counter.load(Ordering::Relaxed))
    }

    fn take(&self) -> i64 {
        self.sum(|counter| counter.swap(0, Ordering::Relaxed))
    }

    fn sum(&self, of: impl Fn(&AtomicU64) -> u64) -> i64 {
        let counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counters.iter().map(|counter| of(counter)).sum::<u64>().try_into().unwrap_or(i64::MAX)
    }

    /// For the next time.
    fn put_back(&self, requests: i64) {
        let counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(counter) = counters.first() {
            counter.fetch_add(requests.unsigned_abs(), Ordering::Relaxed);
        }
    }

    /// Adds what was counted to the present day.
    pub async fn write(&self, db: &Db) {
        let requests = self.take();
        if requests == 0 {
            return;
        }
        let written = db.write(move |conn| Ok(add(conn, Utc::now().date_naive(), requests)?)).await;
        if let Err(error) = written {
            log::warn!("requests are not counted yet: {}", error.logged());
            self.put_back(requests);
        }
    }

    /// Never returns.
    pub async fn run(self, db: Db) {
        loop {
            tokio::time::sleep(EVERY).await;
            self.write(&db).await;
        }
    }
}

fn number_of(day: NaiveDate) -> i64 {
    (day - NaiveDate::default()).num_days()
}

fn add(conn: &mut Connection, day: NaiveDate, requests: i64) -> QueryResult<()> {
    let mut statement = Sql::new("INSERT INTO api_requests (day, requests) VALUES (?, ?)");
    statement.bind(number_of(day)).bind(requests);
    statement.push(" ON CONFLICT (day) DO UPDATE SET requests = api_requests.requests + excluded.requests");
    rows::execute(conn, statement).map(drop)
}

/// The days since then that had any.
pub fn per_day(conn: &mut Connection, since: NaiveDate) -> QueryResult<Vec<(NaiveDate, i64)>> {
    let days = api_requests::table.filter(api_requests::day.ge(number_of(since))).order(api_requests::day);
    let days: Vec<(i64, i64)> = days.load(conn)?;
    Ok(days.into_iter().map(|(day, requests)| (NaiveDate::default() + TimeDelta::days(day), requests)).collect())
}

pub fn expired(conn: &mut Connection, limit: i64) -> QueryResult<Vec<i64>> {
    let last = number_of(Utc::now().date_naive()) - KEPT_DAYS;
    api_requests::table.filter(api_requests::day.lt(last)).limit(limit).select(api_requests::day).load(conn)
}

pub fn forget(conn: &mut Connection, days: &[i64]) -> QueryResult<usize> {
    diesel::delete(api_requests::table.filter(api_requests::day.eq_any(days))).execute(conn)
}
