//! The pages of the history: all of it, `/admin/history/`, one object's, `/admin/<slug>/<id>/history/`, and what
//! concerns a user, `/admin/users/<id>/activity/`.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use diesel::QueryResult;

use super::entries::{COLUMNS, Entry};
use super::model::{HistoryAdmin, OPTIONS};
use crate::admin::addresses::Addresses;
use crate::admin::context::AdminContext;
use crate::admin::list::display::ListDisplay;
use crate::admin::list::matches::Matches;
use crate::admin::list::page::{ListRow, Page};
use crate::admin::list::query::ChangeListQuery;
use crate::admin::list::recent::Recent;
use crate::admin::list::saved_views;
use crate::admin::list::view::{ListView, Pages, rows_within};
use crate::admin::model_admin::{Cell, Restrictions, Staff, Tab};
use crate::admin::pages::{Frame, page};
use crate::admin::row_head::RowHead;
use crate::admin::site::Site;
use crate::db::Connection;
use crate::db::rows::Sql;
use crate::db::search::Turns;
use crate::error::Error;
use crate::http::routes::get;
use crate::users::permissions::{Rights, Verb};

#[derive(Template)]
#[template(path = "admin/history_list.html")]
struct HistoryListPage<'a> {
    frame: Frame,
    list: &'a ListView,
    entries: &'a [Entry],
}

pub struct Listed {
    list: ListView,
    entries: Vec<Entry>,
}

pub async fn history_list(
    cx: AdminContext,
    turns: web::Data<Turns>,
    recent: web::Data<Recent<Listed>>,
) -> Result<HttpResponse, Error> {
    cx.staff.check_permission(&OPTIONS, Verb::View)?;
    let (site, of_staff) = (cx.site.clone(), cx.staff.staff.clone());
    let asked = cx.request.query_string().to_owned();
    let read = move |conn: &mut Connection| {
        let rights = &of_staff.rights;
        let mut query = ChangeListQuery::parse(conn, &OPTIONS, &asked)?;
        query.within = HistoryAdmin.visible(&site.options(), rights);
        let matches = Matches::of(conn, &OPTIONS, &query)?;
        let page = Page::read(conn, &OPTIONS, COLUMNS, &query, &matches)?;
        let entries = entries(conn, &site, rights, &page.rows)?;
        let saved = saved_views::of(conn, &of_staff, OPTIONS.slug())?;
        let list = ListView::read(conn, &OPTIONS, &query, &matches, &page)?;
        Ok(Listed { list: ListView { saved, ..list }, entries })
    };
    let shown = (&OPTIONS, ListDisplay::of(&cx.request, &OPTIONS));
    let listed = recent.get(&cx, &turns, shown, read).await?;
    let frame = Frame::new(&cx, OPTIONS.heading(), OPTIONS.slug());
    page(StatusCode::OK, &HistoryListPage { frame, list: &listed.list, entries: &listed.entries })
}

fn entries(conn: &mut Connection, site: &Site, rights: &Rights, rows: &[ListRow]) -> QueryResult<Vec<Entry>> {
    rows.iter().map(|row| Entry::read(conn, site, rights, &row.values)).collect()
}

#[derive(Template)]
#[template(path = "admin/object_history.html")]
struct ObjectHistoryPage {
    frame: Frame,
    entries: Vec<Entry>,
    pages: Pages,
    as_actor: Option<String>,
}

/// Also for deleted objects.
pub async fn object_history(cx: AdminContext) -> Result<HttpResponse, Error> {
    let (options, id) = cx.row(Verb::View)?;
    let asked = cx.request.query_string().to_owned();
    let read = move |conn: &mut Connection, site: &Site, staff: &Staff| {
        let (rows, pages) = rows_within(conn, &OPTIONS, COLUMNS, &asked, of_object(options.name(), id))?;
        let entries = entries(conn, site, &staff.rights, &rows)?;
        let name = options.model.title_of(conn, id)?;
        let is_there = name.is_some();
        // A deleted object keeps its last name.
        let name = name.or_else(|| entries.first().map(|entry| entry.object.clone()));
        let name = name.ok_or(Error::NoSuchObject(options.name()))?;
        Ok((name, is_there, entries, pages))
    };
    let (name, is_there, entries, pages) = cx.read(read).await?;
    // Only users act, so only they have a list of what they did.
    let is_actor = options.name() == "user" && OPTIONS.has_permission(cx.rights(), Verb::View);
    let addresses = Addresses::new(&cx, options, Some(id));
    let mut frame = addresses.frame(&cx, format!("History of {name}"));
    if is_there {
        frame = frame.under(addresses.change(), name);
    }
    let object_history = ObjectHistoryPage { frame, entries, pages, as_actor: is_actor.then(|| as_actor(id)) };
    page(StatusCode::OK, &object_history)
}

fn of_object(model: &str, id: i64) -> Sql {
    Sql::new("model = ? AND object_id = ?").with(model).with(id)
}

/// What a user did, and what was done to them.
pub static ACTIVITY: Tab = Tab {
    name: "activity",
    label: "Activity",
    has_permission: |rights| OPTIONS.has_permission(rights, Verb::View),
    allow: "GET, HEAD",
    routes: || vec![get().to(activity)],
};

#[derive(Template)]
#[template(path = "admin/activity.html")]
struct ActivityPage {
    frame: Frame,
    addresses: Addresses,
    head: RowHead,
    entries: Vec<Entry>,
    pages: Pages,
    as_actor: String,
}

async fn activity(cx: AdminContext) -> Result<HttpResponse, Error> {
    let (options, id) = cx.row(Verb::View)?;
    let asked = cx.request.query_string().to_owned();
    let read = move |conn: &mut Connection, site: &Site, staff: &Staff| {
        let head = RowHead::of(conn, site, staff, (options, id), ACTIVITY.name)?;
        let visible = HistoryAdmin.visible(&site.options(), &staff.rights);
        let within = Sql::all([of_user(id)].into_iter().chain(visible));
        let (rows, pages) = rows_within(conn, &OPTIONS, COLUMNS, &asked, within)?;
        Ok((head, entries(conn, site, &staff.rights, &rows)?, pages))
    };
    let (head, entries, pages) = cx.read(read).await?;
    let addresses = Addresses::new(&cx, options, Some(id));
    let frame = addresses.frame(&cx, head.title.clone());
    let as_actor = as_actor(id);
    page(StatusCode::OK, &ActivityPage { frame, addresses, head, entries, pages, as_actor })
}

fn as_actor(id: i64) -> String {
    format!("/admin/history/?actor_id={id}")
}

fn of_user(id: i64) -> Sql {
    Sql::new("(actor_id = ? OR (model = 'user' AND object_id = ?))").with(id).with(id)
}
