//! Views of lists that a user has saved: a search, filters and an order under a name. Only that user sees them.

use actix_web::HttpResponse;
use diesel::prelude::*;
use form_urlencoded::Serializer;

use super::query::{ChangeListQuery, Place};
use crate::admin::context::AdminContext;
use crate::admin::form_data::PostForm;
use crate::admin::message::Message;
use crate::admin::model_admin::Staff;
use crate::admin::pages::see_other;
use crate::admin::site::Site;
use crate::db::Connection;
use crate::error::Error;
use crate::models::clean::strip;
use crate::schema::saved_views;
use crate::users::permissions::Verb;

pub const MAX_NAME_CHARS: usize = 50;
/// Of one user and one list.
const MOST: i64 = 30;

#[derive(Clone, Debug, Queryable, Selectable)]
pub struct SavedView {
    pub id: i64,
    pub name: String,
    /// Of the list's URL.
    pub query: String,
}

/// By name. Without a LIMIT: SQLite prepares a statement again each time a value is bound to one.
pub fn of(conn: &mut Connection, staff: &Staff, slug: &str) -> QueryResult<Vec<SavedView>> {
    let Some(user) = staff.user_id() else { return Ok(Vec::new()) };
    let views = saved_views::table.filter(saved_views::user_id.eq(user).and(saved_views::model.eq(slug)));
    views.order(saved_views::name).select(SavedView::as_select()).load(conn)
}

/// A view of the same name is replaced. `false` if there are too many.
fn save(conn: &mut Connection, user: i64, slug: &str, name: &str, query: &str) -> QueryResult<bool> {
    let own = saved_views::user_id.eq(user).and(saved_views::model.eq(slug));
    diesel::delete(saved_views::table.filter(own).filter(saved_views::name.eq(name))).execute(conn)?;
    if saved_views::table.filter(own).count().get_result::<i64>(conn)? >= MOST {
        return Ok(false);
    }
    let row = (saved_views::user_id.eq(user), saved_views::model.eq(slug));
    let view = (saved_views::name.eq(name), saved_views::query.eq(query));
    diesel::insert_into(saved_views::table).values((row, view)).execute(conn).map(|_| true)
}

fn delete(conn: &mut Connection, user: i64, slug: &str, id: i64) -> QueryResult<usize> {
    let own = saved_views::user_id.eq(user).and(saved_views::model.eq(slug));
    diesel::delete(saved_views::table.filter(own).filter(saved_views::id.eq(id))).execute(conn)
}

/// The form has the view and a name for it, or the id of one to delete.
pub async fn change(cx: AdminContext, PostForm(form): PostForm) -> Result<HttpResponse, Error> {
    let options = cx.model(Verb::View)?;
    let view = form.get("view").unwrap_or_default();
    // Any text is a query, once it is encoded.
    let view = Serializer::new(String::new()).extend_pairs(form_urlencoded::parse(view.as_bytes())).finish();
    let back = format!("/admin/{}/?{view}", options.slug());
    if let Some(id) = form.get("delete") {
        let id = options.parse_id(id)?;
        cx.write(move |conn, _: &Site, staff: &Staff| Ok(delete(conn, staff.user()?.id, options.slug(), id)?)).await?;
        cx.staff.tell(Message::success("The view was deleted."));
        return Ok(see_other(&back));
    }
    let name = strip(form.get("name").unwrap_or_default()).to_owned();
    if name.is_empty() || name.chars().count() > MAX_NAME_CHARS || name.contains('\0') {
        cx.staff.tell(Message::error(format!("A view needs a name of at most {MAX_NAME_CHARS} characters.")));
        return Ok(see_other(&back));
    }
    let (named, asked) = (name.clone(), view);
    let write = move |conn: &mut Connection, _: &Site, staff: &Staff| {
        // As the list itself writes it.
        let query = ChangeListQuery::parse(conn, options, &asked)?.place_link(&Place::First).split_off(1);
        Ok(save(conn, staff.user()?.id, options.slug(), &named, &query)?)
    };
    cx.staff.tell(match cx.write(write).await? {
        true => Message::success(format!("The view “{name}” was saved.")),
        false => Message::error(format!("You have {MOST} views of this list. Delete one first.")),
    });
    Ok(see_other(&back))
}
