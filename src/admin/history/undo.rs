//! Undoes deletions and actions.

use std::sync::Arc;

use actix_web::HttpResponse;

use super::outcome::{Outcome, Undone};
use crate::admin::auth::next::own_path;
use crate::admin::context::AdminContext;
use crate::admin::form_data::PostForm;
use crate::admin::model_admin::{ModelAdmin, Staff, UNDO, Values, field_error, new_batch};
use crate::admin::pages::see_other;
use crate::admin::site::Site;
use crate::db::references::Catalog;
use crate::db::{self, Connection};
use crate::error::Error;
use crate::history::changed_rows::{self, ChangedRow, Present};
use crate::history::deleted_rows::{self, DeletedRow};
use crate::history::{Action, Object, record};
use crate::users::permissions::Verb;

/// Rows per transaction: other writes wait for it.
const CHUNK: i64 = 500;

pub async fn undo(cx: AdminContext, PostForm(form): PostForm) -> Result<HttpResponse, Error> {
    let batch: Arc<str> = form.get("batch").filter(|batch| !batch.contains('\0')).unwrap_or_default().into();
    let (outcome, result) = undo_parts(&cx, &batch).await;
    if outcome.restored > 0 || result.is_ok() {
        // Users who may undo none of it need not know what it is.
        if outcome.denied > 0 && outcome.denied == outcome.rows() {
            return Err(Error::PermissionDenied);
        }
        cx.staff.tell(outcome.message(&cx.site));
    }
    result?;
    // Back to the page with the button.
    let next = form.get("next").filter(|next| !next.is_empty());
    Ok(see_other(&next.map_or_else(|| outcome.address(&cx.site), own_path)))
}

/// Undoes a batch in parts. If a part fails, the earlier ones stay undone.
async fn undo_parts(cx: &AdminContext, batch: &Arc<str>) -> (Outcome, Result<(), Error>) {
    let of_batch = batch.clone();
    let undone = match cx.db.read(move |conn| Ok(changed_rows::count(conn, &of_batch)?)).await {
        Ok(0) => Undone::Deletion,
        Ok(_) => Undone::Change,
        Err(error) => return (Outcome::default(), Err(error)),
    };
    let undoing = match new_batch(UNDO) {
        Ok(undoing) => undoing,
        Err(error) => return (Outcome::of(undone), Err(error)),
    };
    let (mut outcome, mut before) = (Outcome::of(undone), i64::MAX);
    loop {
        let (batch, mut so_far) = (batch.clone(), outcome.clone());
        let undoing = undoing.clone();
        let part = move |conn: &mut Connection, site: &Site, staff: &Staff| {
            let staff = &staff.in_batch(undoing);
            let last = match undone {
                Undone::Deletion => restore(conn, &mut so_far, site, staff, (&batch, before))?,
                Undone::Change => put_back(conn, &mut so_far, site, staff, (&batch, before))?,
            };
            Ok((last, so_far))
        };
        match cx.write(part).await {
            Ok((None, _)) => return (outcome, Ok(())),
            Ok((Some(last), so_far)) => (outcome, before) = (so_far, last),
            Err(error) => return (outcome, Err(error)),
        }
    }
}

fn restore(
    conn: &mut Connection,
    outcome: &mut Outcome,
    site: &Site,
    staff: &Staff,
    (batch, before): (&str, i64),
) -> Result<Option<i64>, Error> {
    let (rows, mut catalog) = (deleted_rows::in_batch(conn, batch, before, CHUNK)?, Catalog::default());
    for row in &rows {
        let restored = db::savepoint(conn, |conn| restore_row(conn, &mut catalog, site, row, staff));
        outcome.note((&row.model, row.object_id, &row.object), restored)?;
    }
    Ok(rows.last().map(|row| row.id))
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

fn put_back(
    conn: &mut Connection,
    outcome: &mut Outcome,
    site: &Site,
    staff: &Staff,
    (batch, before): (&str, i64),
) -> Result<Option<i64>, Error> {
    let (rows, tables) = (changed_rows::in_batch(conn, batch, before, CHUNK)?, site.tables());
    let mut present = Present::of(conn, &tables, &rows)?;
    for row in &rows {
        let put_back = db::savepoint(conn, |conn| put_back_row(conn, site, &mut present, row, staff));
        outcome.note((&row.model, row.object_id, &row.object), put_back.map(|()| 0))?;
    }
    Ok(rows.last().map(|row| row.id))
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
