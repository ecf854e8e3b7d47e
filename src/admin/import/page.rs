//! The pages of an import, `/admin/<slug>/import/`: choose a file, see what would happen, import it.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::csv_file::{self, Sheet};
use super::job;
use super::report::Report;
use crate::admin::form_data::UploadForm;
use crate::admin::jobs::job::{self as jobs, Job, Running, State};
use crate::admin::model_admin::{Options, Staff};
use crate::admin::pages::{page, see_other};
use crate::admin::text::thousands;
use crate::admin::{AdminContext, Frame, PostForm, Site};
use crate::db::Connection;
use crate::error::Error;
use crate::http::body::MaxBodyBytes;
use crate::models::{Field, Kind};
use crate::users::permissions::Verb;

/// One transaction, for which other writes wait.
const MAX_ROWS: usize = 10_000;

#[derive(Template)]
#[template(path = "admin/import.html")]
struct ImportPage {
    frame: Frame,
    options: &'static Options,
    columns: Vec<(&'static Field, String)>,
    max_kib: String,
    max_rows: String,
    problem: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/import_report.html")]
struct ReportPage {
    frame: Frame,
    options: &'static Options,
    import: Job,
    report: Report,
    state: State,
}

impl ReportPage {
    fn running_title(&self) -> String {
        format!("Importing {}", self.import.title)
    }
}

pub async fn choose(cx: AdminContext) -> Result<HttpResponse, Error> {
    import_page(&cx, importable(&cx)?, None)
}

pub async fn upload(cx: AdminContext, form: UploadForm) -> Result<HttpResponse, Error> {
    let options = importable(&cx)?;
    let checked = match read(options, form).await? {
        Ok((name, content, sheet)) => {
            let (content, sheet) = (Arc::new(content), Arc::new(sheet));
            let check = move |conn: &mut Connection, site: &Site, staff: &Staff| {
                staff.check_permission(options, Verb::Add)?;
                job::check(conn, site.get(options.slug())?, &name, &content, &sheet, staff)
            };
            cx.write(check).await
        }
        Err(problem) => Err(Error::Parse(problem)),
    };
    match checked {
        Ok(id) => Ok(see_other(&format!("/admin/{}/import/{id}/", options.slug()))),
        Err(Error::Parse(problem)) => import_page(&cx, options, Some(problem)),
        Err(error) => Err(error),
    }
}

pub async fn show(
    cx: AdminContext,
    running: web::Data<Running>,
    path: web::Path<(String, i64)>,
) -> Result<HttpResponse, Error> {
    let (options, id) = (importable(&cx)?, path.1);
    let find = move |conn: &mut Connection, _: &Site, staff: &Staff| {
        Ok(job::find(conn, id, options.slug(), staff.user()?.id)?)
    };
    let import = cx.read(find).await?;
    let import = import.ok_or(Error::NoSuchObject("import"))?;
    let mut report: Report = import.report();
    let state = import.state(&running);
    if import.is_unfinished() && state == State::Failed {
        report.failure = Some("The import stopped before it was complete. Upload the file again.".to_owned());
    }
    let frame = frame(&cx, options);
    page(StatusCode::OK, &ReportPage { frame, options, import, report, state })
}

pub async fn start(
    cx: AdminContext,
    running: web::Data<Running>,
    path: web::Path<(String, i64)>,
    _: PostForm,
) -> Result<HttpResponse, Error> {
    let (options, id) = (importable(&cx)?, path.1);
    let started = move |conn: &mut Connection, _: &Site, staff: &Staff| {
        let import = job::find(conn, id, options.slug(), staff.user()?.id)?.ok_or(Error::NoSuchObject("import"))?;
        // A file with errors is not imported in part.
        let can_start = import.report::<Report>().wrong == 0 && jobs::start(conn, id)?;
        Ok(can_start.then_some(import))
    };
    let report_page = format!("/admin/{}/import/{id}/", options.slug());
    let Some(import) = cx.write(started).await? else { return Ok(see_other(&report_page)) };
    let (db, site, progress) = (cx.db.clone(), cx.site.clone(), running.begin(id));
    Ok(jobs::in_background(async move { job::run(&db, site, progress, import).await }, &report_page).await)
}

fn importable(cx: &AdminContext) -> Result<&'static Options, Error> {
    let options = cx.options().ok().filter(|options| options.importable).ok_or(Error::NoSuchObject("model"))?;
    cx.staff.check_permission(options, Verb::Add)?;
    Ok(options)
}

/// The file's name, text and rows, or what is wrong with it. Parsing blocks, so it has a thread of its own.
async fn read(options: &'static Options, form: UploadForm) -> Result<Result<(String, String, Sheet), String>, Error> {
    let read = move || {
        let (name, content) = text(&form)?;
        let sheet = csv_file::read(options, &content)?;
        if sheet.rows.len() > MAX_ROWS {
            return Err(format!("The file has more than {MAX_ROWS} rows. Split it into several files."));
        }
        Ok((name, content, sheet))
    };
    web::block(read).await.map_err(|error| Error::Internal(error.to_string()))
}

fn text(form: &UploadForm) -> Result<(String, String), String> {
    let file = form.file.as_ref().filter(|file| !file.name.is_empty() || !file.content.is_empty());
    let file = file.ok_or("Choose a file.")?;
    let content = csv_file::text(&file.content)?;
    Ok((file.name.chars().filter(|c| !c.is_control()).take(200).collect(), content.to_owned()))
}

fn frame(cx: &AdminContext, options: &Options) -> Frame {
    let frame = Frame::new(cx, format!("Import {}", options.label_plural()), options.slug());
    frame.under(format!("/admin/{}/", options.slug()), options.heading())
}

fn import_page(cx: &AdminContext, options: &'static Options, problem: Option<String>) -> Result<HttpResponse, Error> {
    let frame = frame(cx, options);
    let columns = csv_file::importable(options).map(|field| (field, meaning(field))).collect();
    let max_bytes = cx.request.app_data::<web::Data<MaxBodyBytes>>().map_or(0, |limit| limit.0);
    let status = if problem.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let (max_kib, max_rows) = (thousands((max_bytes / 1024) as i64), thousands(MAX_ROWS as i64));
    page(status, &ImportPage { frame, options, columns, max_kib, max_rows, problem })
}

fn meaning(field: &Field) -> String {
    let form = match field.kind {
        Kind::Char(max_length) => format!("at most {max_length} characters."),
        Kind::Email => "an e-mail address.".to_owned(),
        Kind::Integer => "a whole number.".to_owned(),
        Kind::Boolean => "true or false, yes or no, 1 or 0.".to_owned(),
        Kind::DateTime => "a time in UTC, such as 2026-12-24T18:00:00Z.".to_owned(),
        Kind::Choice(choices) => {
            let values: Vec<&str> = choices.iter().map(|(value, _)| *value).collect();
            format!("one of: {}.", values.join(", "))
        }
        Kind::ForeignKey(model) => format!("the ID of the {}.", model.verbose_name()),
        Kind::ManyToMany => "all of them by name, each on a line of its own within the cell.".to_owned(),
        Kind::Password => String::new(),
    };
    format!("{form} {}", field.help_text).trim().to_owned()
}
