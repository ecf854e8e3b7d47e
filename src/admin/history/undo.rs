//! Restores deleted rows.

use std::sync::Arc;

use actix_web::HttpResponse;

use crate::admin::context::AdminContext;
use crate::admin::form_data::PostForm;
use crate::admin::message::Message;
use crate::admin::model_admin::{Options, Staff};
use crate::admin::pages::see_other;
use crate::admin::site::Site;
use crate::db::{self, Connection};
use crate::error::Error;
use crate::history::deleted_rows::{self, DeletedRow, Tables};
use crate::users::permissions::Verb;

/// Rows per transaction: other writes wait for it.
const CHUNK: i64 = 500;
/// Rows that a message names of those that were not restored.
const NAMED: usize = 3;

pub async fn undo(cx: AdminContext, PostForm(form): PostForm) -> Result<HttpResponse, Error> {
    let batch: Arc<str> = form.get("batch").filter(|batch| !batch.contains('\0')).unwrap_or_default().into();
    let (outcome, result) = restore(&cx, &batch).await;
    if outcome.restored > 0 || result.is_ok() {
        // Users who may restore none of the rows need not know what they are.
        if outcome.denied > 0 && outcome.denied == outcome.rows() {
            return Err(Error::PermissionDenied);
        }
        cx.staff.tell(outcome.message(&cx.site));
    }
    result?;
    Ok(see_other(&outcome.address(&cx.site)))
}

/// Restores a batch in parts. If a part fails, the earlier ones stay restored.
async fn restore(cx: &AdminContext, batch: &Arc<str>) -> (Outcome, Result<(), Error>) {
    let (mut outcome, mut before) = (Outcome::default(), i64::MAX);
    loop {
        let (batch, mut so_far) = (batch.clone(), outcome.clone());
        let part = move |conn: &mut Connection, site: &Site, staff: &Staff| {
            let rows = deleted_rows::in_batch(conn, &batch, before, CHUNK)?;
            so_far.restore(conn, site, &rows, staff)?;
            Ok((rows.last().map(|row| row.id), so_far))
        };
        match cx.write(part).await {
            Ok((None, _)) => return (outcome, Ok(())),
            Ok((Some(last), so_far)) => (outcome, before) = (so_far, last),
            Err(error) => return (outcome, Err(error)),
        }
    }
}

#[derive(Clone, Default)]
struct Outcome {
    restored: usize,
    /// Model, id and name of the first row tried.
    first: Option<(String, i64, String)>,
    /// Rows that were deleted with them and could not be restored.
    left_out: usize,
    stayed: usize,
    denied: usize,
    named: Vec<(String, String)>,
}

impl Outcome {
    /// Restores each row separately: one whose name is taken does not stop the others.
    fn restore(&mut self, conn: &mut Connection, site: &Site, rows: &[DeletedRow], staff: &Staff) -> Result<(), Error> {
        let mut tables = Tables::default();
        for row in rows {
            self.first.get_or_insert_with(|| (row.model.clone(), row.object_id, row.object.clone()));
            match db::savepoint(conn, |conn| restore_row(conn, &mut tables, site, row, staff)) {
                Ok(left_out) => {
                    self.restored += 1;
                    self.left_out += left_out;
                }
                Err(Error::PermissionDenied) => {
                    self.denied += 1;
                    self.stay(row, "you do not have permission to restore it".to_owned());
                }
                Err(Error::Invalid(errors)) => {
                    let reasons: Vec<String> = errors.0.into_iter().flat_map(|(_, messages)| messages).collect();
                    self.stay(row, reasons.join(", "));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn stay(&mut self, row: &DeletedRow, reason: String) {
        self.stayed += 1;
        if self.named.len() < NAMED {
            self.named.push((row.object.clone(), reason));
        }
    }

    fn rows(&self) -> usize {
        self.restored + self.stayed
    }

    fn options(&self, site: &Site) -> Option<&'static Options> {
        let (model, ..) = self.first.as_ref()?;
        site.find_by_name(model).map(|model| model.options())
    }

    fn message(&self, site: &Site) -> Message {
        let Some((_, _, name)) = &self.first else {
            return Message::warning("There is nothing to undo. It was already undone, or is too old.");
        };
        let (label, plural) = self
            .options(site)
            .map_or(("row".into(), "rows".into()), |options| (options.label(), options.label_plural()));
        if let ([(name, reason)], 1) = (self.named.as_slice(), self.rows()) {
            return Message::error(format!("“{name}” cannot be restored: {reason}. Nothing was restored."));
        }
        let mut text = match (self.restored, self.rows()) {
            (0, _) => "Nothing was restored.".to_owned(),
            (1, 1) => format!("The {label} “{name}” was restored."),
            (1, _) => format!("Restored 1 {label}."),
            (count, _) => format!("Restored {count} {plural}."),
        };
        text += &self.missing();
        text += &self.away();
        match (self.restored, self.left_out + self.stayed) {
            (0, _) => Message::error(text),
            (_, 0) => Message::success(text),
            _ => Message::warning(text),
        }
    }

    fn missing(&self) -> String {
        match self.left_out {
            0 => String::new(),
            1 => " 1 related record is missing, because what it belonged to was deleted.".to_owned(),
            count => format!(" {count} related records are missing, because what they belonged to was deleted."),
        }
    }

    fn away(&self) -> String {
        if self.stayed == 0 {
            return String::new();
        }
        let named: Vec<String> = self.named.iter().map(|(name, reason)| format!("“{name}” ({reason})")).collect();
        let more = match self.stayed - named.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!(" {} cannot be restored: {}{more}.", self.stayed, named.join(", "))
    }

    fn address(&self, site: &Site) -> String {
        match (&self.first, self.options(site)) {
            (Some((_, id, _)), Some(options)) if self.restored == 1 && self.rows() == 1 => {
                format!("/admin/{}/{id}/change/", options.slug())
            }
            (_, Some(options)) if self.restored > 0 => format!("/admin/{}/", options.slug()),
            _ => "/admin/".to_owned(),
        }
    }
}

/// Restoring needs the rights to add the row and to change it: a user with more rights than your own stays deleted.
fn restore_row(
    conn: &mut Connection,
    tables: &mut Tables,
    site: &Site,
    row: &DeletedRow,
    staff: &Staff,
) -> Result<usize, Error> {
    let model = site.find_by_name(&row.model).ok_or(Error::PermissionDenied)?;
    staff.check_permission(model.options(), Verb::Add)?;
    let left_out = deleted_rows::restore(conn, tables, row, &staff.actor())?;
    match model.refusal(conn, Verb::Change, row.object_id, staff)? {
        Some(_) => Err(Error::PermissionDenied),
        None => Ok(left_out),
    }
}
