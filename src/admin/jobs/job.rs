//! A job: a row that says who started it, how far it is, and what it did.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::HttpResponse;
use chrono::{NaiveDateTime, TimeDelta, Utc};
use diesel::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::admin::pages::see_other;
use crate::admin::text::thousands;
use crate::db::Connection;
use crate::error::Error;
use crate::schema::jobs;

pub const IMPORT: &str = "import";
pub const ACTION: &str = "action";
pub const UNDO: &str = "undo";

const KEPT: TimeDelta = TimeDelta::days(1);
/// A running job that says nothing for longer was cut off with its process. An import says nothing until its end.
const SILENCE: TimeDelta = TimeDelta::minutes(1);
const SILENCE_OF_IMPORT: TimeDelta = TimeDelta::minutes(10);
/// How long the response to the form waits. Most imports are done by then.
const PATIENCE: Duration = Duration::from_millis(300);

#[derive(Clone, Debug, Queryable, Selectable)]
pub struct Job {
    pub id: i64,
    pub user_id: i64,
    pub kind: String,
    pub model: String,
    /// Of an import, the name of the file.
    pub title: String,
    /// The file; of other jobs, the URL of the page to go on with.
    pub content: String,
    state: String,
    /// JSON.
    report: String,
    pub done: i64,
    pub total: i64,
    updated_at: NaiveDateTime,
}

#[derive(PartialEq, Eq)]
pub enum State {
    Checked,
    /// With the rows done so far.
    Running(usize),
    Done,
    Failed,
}

impl Job {
    pub fn state(&self, running: &Running) -> State {
        match (self.state.as_str(), running.done(self.id)) {
            ("checked", _) => State::Checked,
            ("running", Some(done)) => State::Running(done),
            ("running", None) if !self.is_cut_off() => State::Running(self.done as usize),
            ("done", _) => State::Done,
            _ => State::Failed,
        }
    }

    fn is_cut_off(&self) -> bool {
        let silence = if self.kind == IMPORT { SILENCE_OF_IMPORT } else { SILENCE };
        Utc::now().naive_utc() - self.updated_at > silence
    }

    /// The default if it is unreadable.
    pub fn report<R: DeserializeOwned + Default>(&self) -> R {
        serde_json::from_str(&self.report).unwrap_or_default()
    }

    /// `1,500 of 100,000 rows`
    pub fn so_far(&self, done: &usize) -> String {
        format!("{} of {} rows", thousands(*done as i64), thousands(self.total))
    }

    /// Whether its process has stopped before its end.
    pub fn is_unfinished(&self) -> bool {
        self.state == "running"
    }
}

/// The jobs that this process runs, with the number of rows done.
#[derive(Clone, Default)]
pub struct Running(Arc<Mutex<HashMap<i64, Arc<AtomicUsize>>>>);

impl Running {
    fn map(&self) -> MutexGuard<'_, HashMap<i64, Arc<AtomicUsize>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn done(&self, id: i64) -> Option<usize> {
        self.map().get(&id).map(|done| done.load(Ordering::Relaxed))
    }

    pub fn begin(&self, id: i64) -> Progress {
        let done = Arc::new(AtomicUsize::new(0));
        self.map().insert(id, done.clone());
        Progress { id, done, running: self.clone() }
    }
}

/// Counts the rows of a running job, until it is dropped.
pub struct Progress {
    pub id: i64,
    pub done: Arc<AtomicUsize>,
    running: Running,
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.running.map().remove(&self.id);
    }
}

pub struct NewJob<'a> {
    pub user_id: i64,
    pub kind: &'a str,
    pub model: &'a str,
    pub title: &'a str,
    pub content: &'a str,
    pub state: &'a str,
    pub report: &'a str,
    pub total: i64,
}

/// A report, as a job keeps it.
pub fn json(report: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(report).map_err(|error| Error::Internal(error.to_string()))
}

/// Returns its id.
pub fn insert(conn: &mut Connection, new: NewJob) -> QueryResult<i64> {
    diesel::insert_into(jobs::table)
        .values((
            jobs::user_id.eq(new.user_id),
            jobs::kind.eq(new.kind),
            jobs::model.eq(new.model),
            jobs::title.eq(new.title),
            jobs::content.eq(new.content),
            jobs::state.eq(new.state),
            jobs::report.eq(new.report),
            jobs::total.eq(new.total),
            jobs::updated_at.eq(Utc::now().naive_utc()),
        ))
        .returning(jobs::id)
        .get_result(conn)
}

pub fn find(conn: &mut Connection, id: i64) -> QueryResult<Option<Job>> {
    jobs::table.find(id).select(Job::as_select()).first(conn).optional()
}

/// Marks a checked job as running; `false` if it was started before.
pub fn start(conn: &mut Connection, id: i64) -> QueryResult<bool> {
    let checked = jobs::table.find(id).filter(jobs::state.eq("checked"));
    let started = diesel::update(checked)
        .set((jobs::state.eq("running"), jobs::updated_at.eq(Utc::now().naive_utc())))
        .execute(conn)?;
    Ok(started == 1)
}

/// Call it in the transaction that changed the rows.
pub fn advance(conn: &mut Connection, id: i64, done: usize, report: &str) -> QueryResult<()> {
    diesel::update(jobs::table.find(id))
        .set((jobs::done.eq(done as i64), jobs::report.eq(report), jobs::updated_at.eq(Utc::now().naive_utc())))
        .execute(conn)
        .map(drop)
}

/// `state` is `done` or `failed`.
pub fn finish(conn: &mut Connection, id: i64, state: &str, report: &str) -> QueryResult<()> {
    diesel::update(jobs::table.find(id)).set((jobs::state.eq(state), jobs::report.eq(report))).execute(conn).map(drop)
}

/// Runs on after the response, which leads to the page with the progress.
pub async fn in_background(run: impl Future<Output = ()> + 'static, page: &str) -> HttpResponse {
    let _ = tokio::time::timeout(PATIENCE, actix_web::rt::spawn(run)).await;
    see_other(page)
}

pub fn expired(conn: &mut Connection, limit: i64) -> QueryResult<Vec<i64>> {
    let over = jobs::table.filter(jobs::updated_at.lt(Utc::now().naive_utc() - KEPT));
    over.order(jobs::updated_at).limit(limit).select(jobs::id).load(conn)
}

pub fn forget(conn: &mut Connection, ids: &[i64]) -> QueryResult<usize> {
    diesel::delete(jobs::table.filter(jobs::id.eq_any(ids))).execute(conn)
}
