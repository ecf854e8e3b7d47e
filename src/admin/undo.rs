//! Bringing deleted rows back.

use std::sync::Arc;

use actix_web::{HttpResponse, web};

use super::forms::PostForm;
use super::model_admin::Staff;
use super::pages::{Message, see_other};
use super::site::Site;
use super::staff::StaffUser;
use crate::db::{Connection, Db};
use crate::deleted_rows::{self, DeletedRow};
use crate::error::Error;
use crate::users::permissions::Verb;

/// Brings all rows of a batch back, or none.
pub async fn undo(
    staff: StaffUser,
    site: web::Data<Site>,
    db: web::Data<Db>,
    PostForm(form): PostForm,
) -> Result<HttpResponse, Error> {
    let batch = form.get("batch").unwrap_or_default().to_owned();
    let (all, staff_id) = (site.clone().into_inner(), staff.staff.user.id);
    let (message, address) = match db.write(move |conn| restore(conn, &all, &batch, staff_id)).await {
        Ok(restored) => (restored.message(&site), restored.address(&site)),
        Err(Error::Invalid(errors)) => {
            let messages: Vec<String> = errors.0.into_iter().flat_map(|(_, messages)| messages).collect();
            (Message::error(messages.join(" ")), "/admin/".to_owned())
        }
        Err(error) => return Err(error),
    };
    staff.tell(message);
    Ok(see_other(&address))
}

/// What came back.
struct Restored {
    rows: Vec<DeletedRow>,
    /// Rows that had gone along and could not come back.
    left_out: usize,
}

/// Who may add rows may bring them back, if they could change them then: a user with more rights than one's
/// own stays away.
fn restore(conn: &mut Connection, site: &Arc<Site>, batch: &str, staff_id: i64) -> Result<Restored, Error> {
    let staff = Staff::find(conn, staff_id)?;
    let rows = deleted_rows::in_batch(conn, batch)?;
    for row in &rows {
        let model = site.find_by_name(&row.model).ok_or(Error::PermissionDenied)?;
        staff.require(model.options(), Verb::Add)?;
    }
    let left_out = deleted_rows::restore(conn, batch, &staff.actor())?;
    for row in &rows {
        let model = site.find_by_name(&row.model).ok_or(Error::PermissionDenied)?;
        if model.refusal(conn, Verb::Change, row.object_id, &staff)?.is_some() {
            return Err(Error::PermissionDenied);
        }
    }
    Ok(Restored { rows, left_out })
}

impl Restored {
    fn message(&self, site: &Site) -> Message {
        let Some(first) = self.rows.first() else {
            return Message::warning("There is nothing to undo: it was undone before, or is too long ago.");
        };
        let options = site.find_by_name(&first.model).map(|model| model.options());
        let (label, plural) = options.map_or(("row", "rows"), |options| (options.label, options.label_plural));
        let what = match self.rows.len() {
            1 => format!("The {label} “{}” was restored.", first.object),
            count => format!("Restored {count} {plural}."),
        };
        match self.left_out {
            0 => Message::success(what),
            1 => Message::warning(format!("{what} 1 thing of theirs is missing: what it belonged to is gone.")),
            count => {
                Message::warning(format!("{what} {count} things of theirs are missing: what they belonged to is gone."))
            }
        }
    }

    fn address(&self, site: &Site) -> String {
        let model = self.rows.first().and_then(|row| site.find_by_name(&row.model));
        let Some(options) = model.map(|model| model.options()) else { return "/admin/".to_owned() };
        match self.rows.as_slice() {
            [row] => format!("/admin/{}/{}/change/", options.slug, row.object_id),
            _ => format!("/admin/{}/", options.slug),
        }
    }
}
