//! Where users are signed in, and how to end sessions: `/admin/sessions/`, and a tab of each user for superusers, who
//! see the sessions of all users.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::next::own_path;
use super::staff::StaffUser;
use super::user_agent;
use crate::admin::addresses::Addresses;
use crate::admin::context::AdminContext;
use crate::admin::form_data::{FormData, PostForm};
use crate::admin::message::Message;
use crate::admin::model_admin::{Cell, Staff, Tab};
use crate::admin::moment::Moment;
use crate::admin::pages::{Frame, page, see_other};
use crate::admin::row_head::RowHead;
use crate::admin::site::{Page, Site};
use crate::db::Connection;
use crate::error::Error;
use crate::http::routes::get;
use crate::users::permissions::Verb;
use crate::users::sessions::{self, Session, SessionLimits};

pub static PAGE: Page = Page {
    label: "Sessions",
    slug: "sessions",
    section: "Records",
    icon: "session",
    allow: "GET, HEAD",
    has_permission: |_| true,
    routes: || vec![get().to(list)],
    figure: None,
};

pub static TAB: Tab = Tab {
    name: "sessions",
    label: "Sessions",
    has_permission: |rights| rights.is_superuser,
    allow: "GET, HEAD, POST",
    routes: || vec![get().to(of_user), web::post().to(revoke_of_user)],
};

pub const MOST: i64 = 200;

#[derive(Template)]
#[template(path = "admin/sessions.html")]
struct SessionsPage {
    frame: Frame,
    own: Vec<SessionRow>,
    others: usize,
    /// Sessions of other users, for superusers.
    all: Option<Vec<SessionRow>>,
    search: String,
}

#[derive(Template)]
#[template(path = "admin/user_sessions.html")]
struct UserSessionsPage {
    frame: Frame,
    addresses: Addresses,
    head: RowHead,
    rows: Vec<SessionRow>,
    can_end: bool,
    is_self: bool,
    here: String,
}

struct SessionRow {
    id: i64,
    username: String,
    browser: String,
    address: String,
    created_at: Moment,
    last_seen_at: Moment,
    is_this: bool,
}

pub async fn list(cx: AdminContext, limits: web::Data<SessionLimits>) -> Result<HttpResponse, Error> {
    let search = FormData::of_query(&cx.request).get("q").unwrap_or_default().trim().to_owned();
    let words = search.clone();
    let read = move |conn: &mut Connection, _: &Site, staff: &Staff| {
        let id = staff.user()?.id;
        let own = sessions::list(conn, sessions::Of::User(id), &limits, MOST)?;
        let all = match staff.rights.is_superuser {
            true => Some(sessions::list(conn, sessions::Of::Others(id, &words), &limits, MOST)?),
            false => None,
        };
        Ok((own, all))
    };
    let (own, all) = cx.read(read).await?;
    let rows = |found: Vec<(Session, String)>| found.into_iter().map(|found| row(found, &cx.staff)).collect();
    let own: Vec<SessionRow> = rows(own);
    let others = own.iter().filter(|row| !row.is_this).count();
    let frame = Frame::new(&cx, PAGE.label, PAGE.slug);
    page(StatusCode::OK, &SessionsPage { frame, own, others, all: all.map(rows), search })
}

fn row((session, username): (Session, String), staff: &StaffUser) -> SessionRow {
    SessionRow {
        id: session.id,
        username,
        browser: user_agent::describe(&session.user_agent),
        address: session.address,
        created_at: Moment::new(session.created_at),
        last_seen_at: Moment::new(session.last_seen_at),
        is_this: session.id == staff.session_id,
    }
}

async fn of_user(cx: AdminContext, limits: web::Data<SessionLimits>) -> Result<HttpResponse, Error> {
    let (options, id) = cx.row(Verb::View)?;
    let read = move |conn: &mut Connection, site: &Site, staff: &Staff| {
        let head = RowHead::of(conn, site, staff, (options, id), TAB.name)?;
        Ok((head, sessions::list(conn, sessions::Of::User(id), &limits, MOST)?))
    };
    let (head, found) = cx.read(read).await?;
    let rows: Vec<SessionRow> = found.into_iter().map(|found| row(found, &cx.staff)).collect();
    let addresses = Addresses::new(&cx, options, Some(id));
    let frame = addresses.frame(&cx, head.title.clone());
    let can_end = rows.iter().any(|row| !row.is_this);
    let (is_self, here) = (Some(id) == cx.staff.staff.user_id(), addresses.tab(TAB.name));
    page(StatusCode::OK, &UserSessionsPage { frame, addresses, head, rows, can_end, is_self, here })
}

async fn revoke_of_user(cx: AdminContext, _: PostForm) -> Result<HttpResponse, Error> {
    let (options, id) = cx.row(Verb::View)?;
    let this = cx.staff.session_id;
    let end = move |conn: &mut Connection, _: &Site, staff: &Staff| match (TAB.has_permission)(&staff.rights) {
        true => Ok(sessions::delete_of_user(conn, id, Some(this))?),
        false => Err(Error::PermissionDenied),
    };
    let ended = cx.write(end).await?;
    log::info!("user {} signed user {id} out of {ended} sessions", cx.staff.staff.user()?.id);
    cx.staff.tell(Message::success(signed_out(ended)));
    Ok(see_other(&Addresses::new(&cx, options, Some(id)).tab(TAB.name)))
}

fn signed_out(ended: usize) -> String {
    match ended {
        1 => "1 session was signed out.".to_owned(),
        ended => format!("{ended} sessions were signed out."),
    }
}

/// Users may end their own sessions, superusers any.
pub async fn revoke(cx: AdminContext, PostForm(form): PostForm, id: web::Path<i64>) -> Result<HttpResponse, Error> {
    let (id, user_id) = (id.into_inner(), cx.staff.staff.user()?.id);
    let owner = (!cx.rights().is_superuser).then_some(user_id);
    if !cx.db.write(move |conn| Ok(sessions::delete_by_id(conn, id, owner)?)).await? {
        return Err(Error::NoSuchObject("session"));
    }
    log::info!("user {user_id} signed session {id} out");
    cx.staff.tell(Message::success("The session was signed out."));
    Ok(see_other(&form.get("next").map_or_else(|| "/admin/sessions/".to_owned(), own_path)))
}

pub async fn revoke_others(cx: AdminContext, _: PostForm) -> Result<HttpResponse, Error> {
    let (user_id, this) = (cx.staff.staff.user()?.id, cx.staff.session_id);
    let ended = cx.db.write(move |conn| Ok(sessions::delete_of_user(conn, user_id, Some(this))?)).await?;
    log::info!("user {user_id} signed out of {ended} other sessions");
    cx.staff.tell(Message::success(signed_out(ended)));
    Ok(see_other("/admin/sessions/"))
}
