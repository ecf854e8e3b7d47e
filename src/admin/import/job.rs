//! Imports the rows of a file: a rehearsal that is rolled back, then the same for good, all or nothing. Every row goes
//! through [`ModelAdmin::save`], as a form does.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use chrono::{NaiveDateTime, TimeDelta, Utc};
use diesel::prelude::*;
use serde_json::Value;

use super::csv_file::{self, CsvRow, Sheet};
use super::lines::Lists;
use super::report::{Preview, Report, Saved};
use crate::admin::default_admin::initial;
use crate::admin::model_admin::{IMPORT, ModelAdmin, Staff, new_batch};
use crate::admin::site::Site;
use crate::db::{self, Connection, Db};
use crate::error::{Error, FieldErrors};
use crate::schema::imports;
use crate::users::permissions::Verb;

/// Rows with errors that a report lists; the others are only counted.
const NAMED_ERRORS: usize = 100;
/// Rows that a report shows with their old and new values.
const PREVIEWED: usize = 50;
const KEPT: TimeDelta = TimeDelta::days(1);
/// After this time, an import in the state “running” was cut off with its process.
const CUT_OFF: TimeDelta = TimeDelta::minutes(10);

#[derive(Clone, Debug, Queryable, Selectable)]
pub struct Import {
    pub id: i64,
    pub user_id: i64,
    pub model: String,
    pub file_name: String,
    pub content: String,
    pub state: String,
    pub report: String,
    pub created_at: NaiveDateTime,
}

impl Import {
    pub fn report(&self) -> Report {
        serde_json::from_str(&self.report).unwrap_or_default()
    }

    pub fn is_cut_off(&self) -> bool {
        self.state == "running" && Utc::now().naive_utc() - self.created_at > CUT_OFF
    }
}

/// The imports that this process runs, with the number of rows done.
#[derive(Clone, Default)]
pub struct Running(Arc<Mutex<HashMap<i64, Arc<AtomicUsize>>>>);

impl Running {
    fn map(&self) -> std::sync::MutexGuard<'_, HashMap<i64, Arc<AtomicUsize>>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub fn done(&self, id: i64) -> Option<usize> {
        self.map().get(&id).map(|done| done.load(Ordering::Relaxed))
    }
}

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
    let now = Utc::now().naive_utc();
    let import = diesel::insert_into(imports::table)
        .values((
            imports::user_id.eq(staff.user()?.id),
            imports::model.eq(model.options().slug()),
            imports::file_name.eq(file_name),
            imports::content.eq(content),
            imports::state.eq("checked"),
            imports::report.eq(json(&report)?),
            imports::created_at.eq(now),
        ))
        .returning(imports::id)
        .get_result(conn)?;
    Ok(import)
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

pub fn expired(conn: &mut Connection, limit: i64) -> QueryResult<Vec<i64>> {
    let over = imports::table.filter(imports::created_at.lt(Utc::now().naive_utc() - KEPT));
    over.order(imports::created_at).limit(limit).select(imports::id).load(conn)
}

pub fn forget(conn: &mut Connection, ids: &[i64]) -> QueryResult<usize> {
    diesel::delete(imports::table.filter(imports::id.eq_any(ids))).execute(conn)
}

pub fn find(conn: &mut Connection, id: i64, slug: &str, user_id: i64) -> QueryResult<Option<Import>> {
    imports::table
        .find(id)
        .filter(imports::model.eq(slug).and(imports::user_id.eq(user_id)))
        .select(Import::as_select())
        .first(conn)
        .optional()
}

/// Marks a checked file as running; `false` if it was started before.
pub fn start(conn: &mut Connection, id: i64) -> QueryResult<bool> {
    let checked = imports::table.find(id).filter(imports::state.eq("checked"));
    let started = diesel::update(checked)
        .set((imports::state.eq("running"), imports::created_at.eq(Utc::now().naive_utc())))
        .execute(conn)?;
    Ok(started == 1)
}

/// Imports a file that is marked as running. Rows, history and the mark that it is done are one transaction.
pub async fn run(db: &Db, site: Arc<Site>, running: Running, import: Import) {
    let id = import.id;
    let done = Arc::new(AtomicUsize::new(0));
    running.map().insert(id, done.clone());
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
    running.map().remove(&id);
}

/// Parsing blocks, so it has a thread of its own.
async fn sheet(site: &Arc<Site>, import: &Import) -> Result<Sheet, Error> {
    let options = site.find(&import.model).ok_or(Error::PermissionDenied)?.options();
    let content = import.content.clone();
    let read = tokio::task::spawn_blocking(move || csv_file::read(options, &content).map_err(Error::Parse));
    read.await.map_err(|error| Error::Internal(error.to_string()))?
}

fn import_rows(
    conn: &mut Connection,
    site: &Site,
    import: &Import,
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
    // The content is no longer needed.
    diesel::update(imports::table.find(id))
        .set((imports::state.eq(state), imports::report.eq(json(report)?), imports::content.eq("")))
        .execute(conn)?;
    Ok(())
}

fn json(report: &Report) -> Result<String, Error> {
    serde_json::to_string(report).map_err(|error| Error::Internal(error.to_string()))
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
    let mut report = Report {
        rows: sheet.rows.len(),
        ignored: sheet.ignored.clone(),
        empty_lines: sheet.empty_lines,
        ..Report::default()
    };
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
        let flags = sheet.flags().filter(|field| values.flag(field.name) != initial.flag(field.name));
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
            fields.into_iter().map(|(name, messages)| (name.to_owned(), messages.join(" "))).collect()
        }
        error => vec![(String::new(), error.to_string())],
    }
}
