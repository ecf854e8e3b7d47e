//! The page of a job: its progress, then what it did.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::job::{self, Job, Running, State};
use super::parts::Report;
use crate::admin::message::Message;
use crate::admin::model_admin::Staff;
use crate::admin::pages::page;
use crate::admin::{AdminContext, Frame};
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
}

pub async fn show(cx: AdminContext, running: web::Data<Running>, path: web::Path<i64>) -> Result<HttpResponse, Error> {
    let id = path.into_inner();
    let (job, report) = cx.read(move |conn, _, staff| read(conn, id, staff)).await?;
    let list = cx.site.get(&job.model)?.options();
    let frame = Frame::new(&cx, job.title.clone(), &job.model);
    let mut frame = frame.under(format!("/admin/{}/", list.slug()), list.heading());
    let running = match job.state(&running) {
        State::Running(done) => Some(done),
        state => {
            let stopped = (state == State::Failed).then(|| stopped(&job, report.failure));
            frame.messages.extend(stopped.into_iter().chain(report.message));
            None
        }
    };
    page(StatusCode::OK, &JobPage { frame, job, running })
}

fn read(conn: &mut Connection, id: i64, staff: &Staff) -> Result<(Job, Report), Error> {
    let is_visible = |job: &Job| Some(job.user_id) == staff.user_id() || staff.rights.is_superuser;
    // An import has a page of its own.
    let job = job::find(conn, id)?.filter(|job| job.kind != job::IMPORT && is_visible(job));
    let job = job.ok_or(Error::NoSuchObject("job"))?;
    let mut report: Report = job.report();
    if let Some(message) = &mut report.message
        && let Some(batch) = &message.undo
        && changed_rows::count(conn, batch)? + deleted_rows::count(conn, batch)? == 0
    {
        // It has been undone.
        message.undo = None;
    }
    Ok((job, report))
}

fn stopped(job: &Job, failure: Option<String>) -> Message {
    let failure =
        failure.unwrap_or_else(|| "There was no progress for a minute: its server was probably stopped.".to_owned());
    Message::error(format!("Stopped after {}. {failure}", job.so_far(&(job.done as usize))))
}
