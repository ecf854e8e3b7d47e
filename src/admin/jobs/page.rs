//! The page of a job: its progress, then what it did.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::job::{self, Job, Running, State};
use super::parts::Report;
use crate::admin::message::Message;
use crate::admin::model_admin::Staff;
use crate::admin::pages::page;
use crate::admin::{AdminContext, Frame, Site};
use crate::db::Connection;
use crate::error::Error;
use crate::history::{changed_rows, deleted_rows};

#[derive(Template)]
#[template(path = "admin/job.html")]
struct JobPage {
    frame: Frame,
    job: Job,
    /// The rows done, while it runs.
    running: Option<usize>,
    back: String,
}

pub async fn show(cx: AdminContext, running: web::Data<Running>, path: web::Path<i64>) -> Result<HttpResponse, Error> {
    let id = path.into_inner();
    let read = move |conn: &mut Connection, _: &Site, staff: &Staff| {
        let is_visible = |job: &Job| Some(job.user_id) == staff.user_id() || staff.rights.is_superuser;
        // An import has a page of its own.
        let job = job::find(conn, id)?.filter(|job| job.kind != job::IMPORT && is_visible(job));
        let job = job.ok_or(Error::NoSuchObject("job"))?;
        let mut report: Report = serde_json::from_str(&job.report).unwrap_or_default();
        if let Some(message) = &mut report.message {
            message.undo = message.undo.take().filter(|batch| can_be_undone(conn, batch));
        }
        Ok((job, report))
    };
    let (job, report) = cx.read(read).await?;
    let mut frame = Frame::new(&cx, job.title.clone(), &job.model);
    let running = match job.state(&running) {
        State::Running(done) => Some(done),
        State::Failed => {
            frame.messages.push(Message::error(stopped(&job, report.failure)));
            frame.messages.extend(report.message);
            None
        }
        _ => {
            frame.messages.extend(report.message);
            None
        }
    };
    let back = if job.content.is_empty() { "/admin/".to_owned() } else { job.content.clone() };
    page(StatusCode::OK, &JobPage { frame, job, running, back })
}

/// If the database cannot say so, the undo will.
fn can_be_undone(conn: &mut Connection, batch: &str) -> bool {
    let is_kept = |conn: &mut Connection| {
        Ok::<_, Error>(changed_rows::count(conn, batch)? > 0 || deleted_rows::count(conn, batch)? > 0)
    };
    is_kept(conn).unwrap_or(true)
}

fn stopped(job: &Job, failure: Option<String>) -> String {
    let failure = failure.unwrap_or_else(|| "The server was stopped.".to_owned());
    format!("Stopped after {}. {failure}", job.so_far(&(job.done as usize)))
}
