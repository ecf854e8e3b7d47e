//! Imports the rows of a file: a rehearsal that is rolled back, then the same for good, all or nothing. Every row goes
//! through [`ModelAdmin::save`], as a form does.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use diesel::prelude::*;
use serde_json::Value;

use super::csv_file::{self, CsvRow, Sheet};
use super::lines::Lists;
use super::report::{Preview, Report, Saved};
use crate::admin::default_admin::initial;
use crate::admin::jobs::job::{self, Job, NewJob, Progress, json};
use crate::admin::model_admin::{IMPORT, ModelAdmin, Staff, new_batch};
use crate::admin::site::Site;
use crate::db::{self, Connection, Db};
use crate::error::{Error, FieldErrors, NON_FIELD_ERRORS};
use crate::models::Kind;
use crate::schema::jobs;
use crate::users::permissions::Verb;

/// Rows with errors that a report lists; the others are only counted.
const NAMED_ERRORS: usize = 100;
/// Rows that a report shows with their old and new values.
const PREVIEWED: usize = 50;
/// Tries the rows, rolls back, and keeps the file with the report. Returns its id.
pub fn check(
    conn: &mut Connection,
    model: &dyn ModelAdmin,
    file_name: &str,
    content: &str,
    sheet: &Sheet,
    staff: &Staff,
) -> Result<i64, Error> {
    let report = import(conn, model, sheet, staff, true)?;
    let new = NewJob {
        user_id: staff.user()?.id,
        kind: job::IMPORT,
        model: model.options().slug(),
        title: file_name,
        content,
        state: "checked",
        report: &json(&report)?,
        total: report.rows() as i64,
    };
    Ok(job::insert(conn, new)?)
}

/// Imports all rows, or none if one of them is wrong. A dry run imports none and reports the same.
pub fn import(
    conn: &mut Connection,
    model: &dyn ModelAdmin,
    sheet: &Sheet,
    staff: &Staff,
    is_dry_run: bool,
) -> Result<Report, Error> {
    let save = |conn: &mut Connection| save_rows(conn, model, sheet, staff, &AtomicUsize::new(0));
    db::attempt(conn, save, |report| report.wrong == 0 && !is_dry_run)
}

/// The user's own.
pub fn find(conn: &mut Connection, id: i64, slug: &str, user_id: i64) -> QueryResult<Option<Job>> {
    let is_own = |job: &Job| job.kind == job::IMPORT && job.model == slug && job.user_id == user_id;
    Ok(job::find(conn, id)?.filter(is_own))
}

/// Imports a file that is marked as running. Rows, history and the mark that it is done are one transaction.
pub async fn run(db: &Db, site: Arc<Site>, progress: Progress, import: Job) {
    let (id, done) = (import.id, progress.done.clone());
    let outcome = match sheet(&site, &import).await {
        Ok(sheet) => {
            let sheet = Arc::new(sheet);
            db.write(move |conn| import_rows(conn, &site, &import, &sheet, &done)).await
        }
        Err(error) => Err(error),
    };
    if let Err(error) = outcome {
        if let Some(cause) = error.cause() {
            log::error!("import {id} failed: {}", cause.escape_debug());
        }
        let failed = db.write(move |conn| fail(conn, id, &error)).await;
        if let Err(error) = failed {
            log::error!("import {id} cannot be marked as failed: {}", error.logged());
        }
    }
}

/// Parsing blocks, so it has a thread of its own.
async fn sheet(site: &Arc<Site>, import: &Job) -> Result<Sheet, Error> {
    let options = site.find(&import.model).ok_or(Error::PermissionDenied)?.options();
    let content = import.content.clone();
    let read = tokio::task::spawn_blocking(move || csv_file::read(options, &content).map_err(Error::Parse));
    read.await.map_err(|error| Error::Internal(error.to_string()))?
}

fn import_rows(
    conn: &mut Connection,
    site: &Site,
    import: &Job,
    sheet: &Sheet,
    done: &AtomicUsize,
) -> Result<(), Error> {
    let model = site.find(&import.model).ok_or(Error::PermissionDenied)?;
    let staff = Staff::find(conn, import.user_id)?;
    staff.check_permission(model.options(), Verb::Add)?;
    let report = save_rows(conn, model, sheet, &staff, done)?;
    // A default may be the time of the import.
    let counts = |mut report: Report| {
        report.previews.retain(|preview| !preview.is_new);
        Report { errors: Vec::new(), ..report }
    };
    if counts(report.clone()) != counts(import.report()) {
        // Something has changed since the check.
        return Err(Error::Parse(json(&report)?));
    }
    set(conn, import.id, "done", &report)
}

fn fail(conn: &mut Connection, id: i64, error: &Error) -> Result<(), Error> {
    let report = match error {
        Error::Parse(text) => serde_json::from_str(text).ok(),
        _ => None,
    };
    let failure = Report { failure: Some(error.to_string()), ..Report::default() };
    set(conn, id, "failed", &report.unwrap_or(failure))
}

fn set(conn: &mut Connection, id: i64, state: &str, report: &Report) -> Result<(), Error> {
    job::finish(conn, id, state, &json(report)?)?;
    // No longer needed.
    diesel::update(jobs::table.find(id)).set(jobs::content.eq("")).execute(conn)?;
    Ok(())
}

/// Saves all rows that can be saved, and reports the others. The caller decides whether to roll back.
fn save_rows(
    conn: &mut Connection,
    model: &dyn ModelAdmin,
    sheet: &Sheet,
    staff: &Staff,
    done: &AtomicUsize,
) -> Result<Report, Error> {
    let staff = &staff.in_batch(new_batch(IMPORT)?);
    let mut report = Report { ignored: sheet.ignored.clone(), empty_lines: sheet.empty_lines, ..Report::default() };
    let lists = Lists::of(conn, model, sheet)?;
    // A write may be retried.
    done.store(0, Ordering::Relaxed);
    for row in &sheet.rows {
        match db::savepoint(conn, |conn| save_row(conn, model, (sheet, row, &lists), staff)) {
            Ok((saved, preview)) => {
                report.add(saved);
                report.previews.extend(preview.filter(|_| report.previews.len() < PREVIEWED));
            }
            Err(error) if error.cause().is_some() => return Err(error),
            Err(error) => {
                report.wrong += 1;
                let room = NAMED_ERRORS.saturating_sub(report.errors.len());
                let named = messages(error).into_iter().map(|(column, message)| (row.line, column, message));
                report.errors.extend(named.take(room));
            }
        }
        done.fetch_add(1, Ordering::Relaxed);
    }
    Ok(report)
}

/// All errors of the row at once. Where the file itself is wrong, it is not said again what the model says of the same
/// field.
fn save_row(
    conn: &mut Connection,
    model: &dyn ModelAdmin,
    line: (&Sheet, &CsvRow, &Lists),
    staff: &Staff,
) -> Result<(Saved, Option<Preview>), Error> {
    let mut errors = line.0.repeats(line.1);
    match save_values(conn, model, line, staff, &mut errors) {
        Err(Error::Invalid(found)) => {
            let others = found.0.into_iter().filter(|(name, _)| !errors.0.iter().any(|(known, _)| known == name));
            let others: Vec<_> = others.collect();
            errors.0.extend(others);
            Err(errors.into())
        }
        Ok(saved) => {
            errors.into_result()?;
            Ok(saved)
        }
        Err(error) => Err(error),
    }
}

fn save_values(
    conn: &mut Connection,
    model: &dyn ModelAdmin,
    (sheet, row, lists): (&Sheet, &CsvRow, &Lists),
    staff: &Staff,
    errors: &mut FieldErrors,
) -> Result<(Saved, Option<Preview>), Error> {
    let options = model.options();
    let Some(id) = sheet.id(row)? else {
        let initial = initial(options, staff);
        let values = sheet.fill(row, initial.clone(), errors);
        let values = lists.fill(conn, model, (sheet, row), staff, values, errors)?;
        model.save(conn, None, &values, staff)?;
        let flags = sheet.fields().filter(|field| matches!(field.kind, Kind::Boolean));
        let flags = flags.filter(|field| values.flag(field.name) != initial.flag(field.name));
        let flags = flags.map(|field| (field.name.to_owned(), values.flag(field.name))).collect();
        return Ok((Saved::Created(flags), Some(Preview::of(options, row.line, true, (&initial, &values), lists))));
    };
    staff.check_permission(options, Verb::Change)?;
    let present = model.load(conn, id)?;
    let present = present.ok_or_else(|| FieldErrors::one("id", format!("There is no {} {id}.", options.label())))?;
    let values = sheet.fill(row, present.clone(), errors);
    let values = lists.fill(conn, model, (sheet, row), staff, values, errors)?;
    if values == present {
        return Ok((Saved::Unchanged, None));
    }
    if let Some(refusal) = model.refusal(conn, Verb::Change, id, staff)? {
        return Err(FieldErrors::one("id", refusal).into());
    }
    let differs = |(name, value): &(&String, &Value)| present.0.get(*name) != Some(*value);
    let fields = values.0.iter().filter(differs).map(|(name, value)| (name.clone(), value.as_bool())).collect();
    model.save(conn, Some(id), &values, staff)?;
    Ok((Saved::Changed(fields), Some(Preview::of(options, row.line, false, (&present, &values), lists))))
}

fn messages(error: Error) -> Vec<(String, String)> {
    match error {
        Error::Invalid(FieldErrors(fields)) => {
            let column = |name| if name == NON_FIELD_ERRORS { "" } else { name };
            fields.into_iter().map(|(name, messages)| (column(name).to_owned(), messages.join(" "))).collect()
        }
        error => vec![(String::new(), error.to_string())],
    }
}
