//! Undoes deletions and actions.

use std::sync::Arc;

use actix_web::{HttpResponse, web};

use super::outcome::{Outcome, Undone};
use crate::admin::auth::next::own_path;
use crate::admin::context::AdminContext;
use crate::admin::form_data::PostForm;
use crate::admin::jobs::job::{Running, UNDO};
use crate::admin::jobs::parts::{self, CHUNK, Parts, WITHIN_REQUEST};
use crate::admin::message::Message;
use crate::admin::model_admin::{ModelAdmin, Options, Staff, UNDO as UNDOING, Values, field_error, new_batch};
use crate::admin::pages::see_other;
use crate::admin::site::Site;
use crate::db::references::Catalog;
use crate::db::{self, Connection};
use crate::error::Error;
use crate::history::changed_rows::{self, ChangedRow, Present};
use crate::history::deleted_rows::{self, DeletedRow};
use crate::history::{Action, Object, record};
use crate::users::permissions::Verb;

pub async fn undo(
    cx: AdminContext,
    running: web::Data<Running>,
    PostForm(form): PostForm,
) -> Result<HttpResponse, Error> {
    let batch = form.get("batch").filter(|batch| !batch.contains('\0')).unwrap_or_default().to_owned();
    // Back to the page with the button.
    let next = form.get("next").filter(|next| !next.is_empty()).map(own_path);
    let (undo, total) = cx.read(move |conn, site, _| UndoBatch::of(conn, site, batch)).await?;
    if let (true, Some(options)) = (total > WITHIN_REQUEST, undo.options) {
        cx.staff.check_permission(options, undo.verb())?;
        let back = next.unwrap_or_else(|| format!("/admin/{}/", options.slug()));
        return parts::start(&cx, &running, (UNDO, undo.title(options)), (options.slug(), total, back), undo).await;
    }
    let (undo, result) = parts::run(&cx.worker()?, undo, None).await;
    if undo.outcome.restored > 0 || result.is_ok() {
        cx.staff.tell(undo.message(&cx.site)?);
    }
    result?;
    Ok(see_other(&next.unwrap_or_else(|| undo.outcome.address(&cx.site))))
}

/// The rows of a batch, from the last one to the first.
#[derive(Clone)]
struct UndoBatch {
    batch: Arc<str>,
    /// Of the undo itself.
    undoing: String,
    /// The model of the last row.
    options: Option<&'static Options>,
    /// The id of the last row tried.
    before: i64,
    is_over: bool,
    outcome: Outcome,
}

impl UndoBatch {
    /// And the number of its rows.
    fn of(conn: &mut Connection, site: &Site, batch: String) -> Result<(UndoBatch, i64), Error> {
        let changed = changed_rows::count(conn, &batch)?;
        let (undone, total) = match changed {
            0 => (Undone::Deletion, deleted_rows::count(conn, &batch)?),
            _ => (Undone::Change, changed),
        };
        let model = match undone {
            Undone::Change => changed_rows::in_batch(conn, &batch, i64::MAX, 1)?.pop().map(|row| row.model),
            Undone::Deletion => deleted_rows::in_batch(conn, &batch, i64::MAX, 1)?.pop().map(|row| row.model),
        };
        let options = model.and_then(|model| site.find_by_name(&model)).map(|model| model.options());
        let (undoing, outcome) = (new_batch(UNDOING)?, Outcome::of(undone));
        Ok((UndoBatch { batch: batch.into(), undoing, options, before: i64::MAX, is_over: false, outcome }, total))
    }

    /// Users who may do this with no row at all may not begin.
    fn verb(&self) -> Verb {
        match self.outcome.undone {
            Undone::Deletion => Verb::Add,
            Undone::Change => Verb::Change,
        }
    }

    fn title(&self, options: &Options) -> String {
        match self.outcome.undone {
            Undone::Deletion => format!("Restore {}", options.label_plural()),
            Undone::Change => format!("Undo a change to {}", options.label_plural()),
        }
    }

    /// Returns the id of the last row tried.
    fn restore(&mut self, conn: &mut Connection, site: &Site, staff: &Staff) -> Result<Option<i64>, Error> {
        let mut catalog = Catalog::default();
        let rows = deleted_rows::in_batch(conn, &self.batch, self.before, CHUNK as i64)?;
        for row in &rows {
            let restored = db::savepoint(conn, |conn| restore_row(conn, &mut catalog, site, row, staff));
            self.outcome.note((&row.model, row.object_id, &row.object), restored)?;
        }
        Ok(rows.last().map(|row| row.id))
    }

    /// Returns the id of the last row tried.
    fn put_back(&mut self, conn: &mut Connection, site: &Site, staff: &Staff) -> Result<Option<i64>, Error> {
        let tables = site.tables();
        let rows = changed_rows::in_batch(conn, &self.batch, self.before, CHUNK as i64)?;
        let mut present = Present::of(conn, &tables, &rows)?;
        for row in &rows {
            let put_back = db::savepoint(conn, |conn| put_back_row(conn, site, &mut present, row, staff));
            self.outcome.note((&row.model, row.object_id, &row.object), put_back.map(|()| 0))?;
        }
        Ok(rows.last().map(|row| row.id))
    }
}

impl Parts for UndoBatch {
    fn find(&mut self, _: &mut Connection) -> Result<bool, Error> {
        Ok(!self.is_over)
    }

    fn run(&mut self, conn: &mut Connection, site: &Site, staff: &Staff) -> Result<(), Error> {
        let staff = &staff.in_batch(self.undoing.clone());
        let last = match self.outcome.undone {
            Undone::Deletion => self.restore(conn, site, staff)?,
            Undone::Change => self.put_back(conn, site, staff)?,
        };
        match last {
            Some(last) => self.before = last,
            None => self.is_over = true,
        }
        Ok(())
    }

    fn rows(&self) -> usize {
        self.outcome.rows()
    }

    fn message(&self, site: &Site) -> Result<Message, Error> {
        // Users who may undo none of it need not know what it is.
        if self.outcome.denied > 0 && self.outcome.denied == self.outcome.rows() {
            return Err(Error::PermissionDenied);
        }
        Ok(self.outcome.message(site))
    }
}

/// Restoring needs the rights to add the row and to change it: a user with more rights than your own stays deleted.
fn restore_row(
    conn: &mut Connection,
    catalog: &mut Catalog,
    site: &Site,
    row: &DeletedRow,
    staff: &Staff,
) -> Result<usize, Error> {
    let model = site.find_by_name(&row.model).ok_or(Error::PermissionDenied)?;
    staff.check_permission(model.options(), Verb::Add)?;
    let left_out = deleted_rows::restore(conn, catalog, row, &staff.actor())?;
    check_refusal(conn, model, row.object_id, staff)?;
    Ok(left_out)
}

fn check_refusal(conn: &mut Connection, model: &dyn ModelAdmin, id: i64, staff: &Staff) -> Result<(), Error> {
    match model.refusal(conn, Verb::Change, id, staff)? {
        Some(_) => Err(Error::PermissionDenied),
        None => Ok(()),
    }
}

/// Needs the rights to change the row as it is and as it becomes. The model itself saves what its form can change, so
/// that all its rules hold; the rest, such as a link to Cognito, is put back as it was.
fn put_back_row(
    conn: &mut Connection,
    site: &Site,
    present: &mut Present,
    row: &ChangedRow,
    staff: &Staff,
) -> Result<(), Error> {
    let (model, id) = (site.find_by_name(&row.model).ok_or(Error::PermissionDenied)?, row.object_id);
    staff.check_permission(model.options(), Verb::Change)?;
    let action = model.options().actions.iter().find(|action| action.name == row.action);
    if !action.is_some_and(|action| !action.superusers_only || staff.rights.is_superuser) {
        return Err(Error::PermissionDenied);
    }
    check_refusal(conn, model, id, staff)?;
    let Some(now) = model.load(conn, id)? else { return field_error("id", "it was deleted") };
    if !row.is_as_left(present) {
        return field_error("id", "it has changed since");
    }
    let earlier = earlier_values(conn, model, row, present)?;
    let saved: Vec<&str> =
        earlier.0.keys().map(String::as_str).filter(|name| earlier.0.get(*name) != now.0.get(*name)).collect();
    if !saved.is_empty() {
        model.save(conn, Some(id), &earlier, staff)?;
        present.read_again(conn, row)?;
    }
    row.put_back(conn, present)?;
    let rest = row.reverse(&[&saved[..], &["cognito_groups"]].concat());
    if !rest.is_empty() {
        let name = model.options().model.title_of(conn, id)?.unwrap_or_default();
        record(conn, &staff.actor(), Action::Changed, Object { model: &row.model, id, name: &name }, &rest)?;
    }
    changed_rows::forget(conn, &[row.id])?;
    check_refusal(conn, model, id, staff)
}

/// The values that the form would have once all is put back.
fn earlier_values(
    conn: &mut Connection,
    model: &dyn ModelAdmin,
    row: &ChangedRow,
    present: &Present,
) -> Result<Values, Error> {
    let load = |conn: &mut Connection| {
        row.put_back(conn, present)?;
        Ok(model.load(conn, row.object_id)?.unwrap_or_default())
    };
    db::attempt(conn, load, |_| false)
}
