//! Work on many rows, in parts: each is a transaction, for which other writes wait. If a part fails, the earlier ones
//! stay done. Few rows are done within the request, many by a job.

use std::sync::atomic::Ordering;

use actix_web::HttpResponse;
use serde::{Deserialize, Serialize};

use super::job::{self, NewJob, Progress, Running, json};
use crate::admin::context::{AdminContext, Worker};
use crate::admin::message::Message;
use crate::admin::model_admin::Staff;
use crate::admin::site::Site;
use crate::db::Connection;
use crate::error::Error;

/// Rows per transaction. Other writes wait for it.
pub const CHUNK: usize = 200;

/// Rows that are done within the request. At about a millisecond each, they take as long as people wait for a page;
/// proxies give up after 30 to 60 seconds.
pub const WITHIN_REQUEST: i64 = 2_000;

pub trait Parts: Clone + Send + 'static {
    /// Finds the next rows, before the transaction; `false` if there are none.
    fn find(&mut self, conn: &mut Connection) -> Result<bool, Error>;

    /// In the transaction, with the rights of that moment.
    fn run(&mut self, conn: &mut Connection, site: &Site, staff: &Staff) -> Result<(), Error>;

    /// How many rows have been worked on.
    fn rows(&self) -> usize;

    /// What has been done.
    fn message(&self, site: &Site) -> Result<Message, Error>;
}

/// What a job says of its work.
#[derive(Default, Serialize, Deserialize)]
pub struct Report {
    pub message: Option<Message>,
    /// Why it ended early.
    pub failure: Option<String>,
}

impl Report {
    fn so_far(parts: &impl Parts, site: &Site) -> Report {
        Report { message: parts.message(site).ok().filter(|_| parts.rows() > 0), failure: None }
    }
}

pub async fn run<P: Parts>(worker: &Worker, mut parts: P, progress: Option<&Progress>) -> (P, Result<(), Error>) {
    loop {
        match next(worker, &parts, progress.map(|progress| progress.id)).await {
            Ok(Some(next)) => parts = next,
            Ok(None) => return (parts, Ok(())),
            Err(error) => return (parts, Err(error)),
        }
        if let Some(progress) = progress {
            progress.done.store(parts.rows(), Ordering::Relaxed);
        }
    }
}

async fn next<P: Parts>(worker: &Worker, parts: &P, job: Option<i64>) -> Result<Option<P>, Error> {
    let mut next = parts.clone();
    let find = move |conn: &mut Connection| Ok(next.find(conn)?.then_some(next));
    let Some(mut next) = worker.db.read(find).await? else { return Ok(None) };
    let run = move |conn: &mut Connection, site: &Site, staff: &Staff| {
        next.run(conn, site, staff)?;
        if let Some(id) = job {
            job::advance(conn, id, next.rows(), &json(&Report::so_far(&next, site))?)?;
        }
        Ok(next)
    };
    worker.write(run).await.map(Some)
}

/// Starts a job. The response leads to its page.
pub async fn start<P: Parts>(
    cx: &AdminContext,
    running: &Running,
    (kind, title): (&'static str, String),
    (model, total, back): (&'static str, i64, String),
    parts: P,
) -> Result<HttpResponse, Error> {
    let insert = move |conn: &mut Connection, _: &Site, staff: &Staff| {
        let (user_id, report) = (staff.user()?.id, json(&Report::default())?);
        let (title, content) = (title.as_str(), back.as_str());
        Ok(job::insert(
            conn,
            NewJob { user_id, kind, model, title, content, state: "running", report: &report, total },
        )?)
    };
    let (worker, id) = (cx.worker()?, cx.write(insert).await?);
    let progress = running.begin(id);
    let run = async move {
        let (parts, result) = run(&worker, parts, Some(&progress)).await;
        if let Err(error) = finish(&worker, id, &parts, result).await {
            log::error!("job {id} cannot be marked as finished: {}", error.logged());
        }
    };
    Ok(job::in_background(run, &format!("/admin/jobs/{id}/")).await)
}

async fn finish(worker: &Worker, id: i64, parts: &impl Parts, result: Result<(), Error>) -> Result<(), Error> {
    let (state, report) = match result.and_then(|()| parts.message(&worker.site)) {
        Ok(message) => ("done", Report { message: Some(message), failure: None }),
        Err(error) => {
            if error.cause().is_some() {
                log::error!("job {id} failed: {}", error.logged());
            }
            ("failed", Report { failure: Some(reason(error)), ..Report::so_far(parts, &worker.site) })
        }
    };
    let report = json(&report)?;
    worker.db.write(move |conn| Ok(job::finish(conn, id, state, &report)?)).await
}

pub fn reason(error: Error) -> String {
    match error {
        Error::Invalid(errors) => errors.messages().join(" "),
        error => error.to_string(),
    }
}
