//! The members of a group: `/admin/groups/<id>/members/`.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::memberships::{ADD_TO_GROUP, REMOVE_FROM_GROUP};
use super::options::OPTIONS as USERS;
use crate::admin::addresses::Addresses;
use crate::admin::form_data::FormData;
use crate::admin::list::actions::run_on;
use crate::admin::list::cells::text;
use crate::admin::list::page::ListRow;
use crate::admin::list::view::{Pages, rows_within};
use crate::admin::model_admin::{Cell, Staff, Tab};
use crate::admin::pages::{page, see_other};
use crate::admin::row_head::RowHead;
use crate::admin::site::Site;
use crate::admin::{AdminContext, Frame, Message, PostForm};
use crate::db::Connection;
use crate::db::rows::{Sql, Value};
use crate::error::Error;
use crate::http::routes::get;
use crate::users::models;
use crate::users::permissions::Verb;
use crate::users::validators;

/// The field for a username or e-mail.
const TYPED: &str = "user";

pub static TAB: Tab = Tab {
    name: "members",
    label: "Members",
    has_permission: |rights| USERS.has_permission(rights, Verb::View),
    allow: "GET, HEAD, POST",
    routes: || vec![get().to(members), web::post().to(change_members)],
};

#[derive(Template)]
#[template(path = "admin/members.html")]
struct MembersPage {
    frame: Frame,
    addresses: Addresses,
    head: RowHead,
    rows: Vec<Member>,
    pages: Pages,
    id: i64,
    may_change: bool,
    /// What names no user, to be corrected.
    typed: String,
}

struct Member {
    id: i64,
    username: String,
    email: String,
    by_hand: bool,
    by_cognito: bool,
}

async fn members(cx: AdminContext) -> Result<HttpResponse, Error> {
    let (options, id) = cx.row(Verb::View)?;
    let asked = cx.request.query_string().to_owned();
    let read = move |conn: &mut Connection, site: &Site, staff: &Staff| {
        let head = RowHead::of(conn, site, staff, (options, id), TAB.name)?;
        let of = |table: &str| format!("id IN (SELECT user_id FROM {table} WHERE group_id = {id})");
        let (by_hand, by_cognito) = (of("user_groups"), of("user_cognito_groups"));
        let within = Sql::new(format!("({by_hand} OR {by_cognito})"));
        let columns = ["username", "email", &by_hand, &by_cognito];
        let (rows, pages) = rows_within(conn, &USERS, &columns, &asked, within)?;
        Ok((head, rows.iter().map(Member::of).collect(), pages))
    };
    let (head, rows, pages) = cx.read(read).await?;
    let addresses = Addresses::new(&cx, options, Some(id));
    let frame = addresses.frame(&cx, head.title.clone());
    let may_change = USERS.has_permission(cx.rights(), Verb::Change);
    let typed = FormData::of_query(&cx.request).get(TYPED).unwrap_or_default().to_owned();
    page(StatusCode::OK, &MembersPage { frame, addresses, head, rows, pages, id, may_change, typed })
}

impl Member {
    fn of(row: &ListRow) -> Member {
        let value = |at: usize| row.values.get(at).unwrap_or(&Value::Null);
        Member {
            id: row.id,
            username: text(value(0)).unwrap_or_default(),
            email: text(value(1)).unwrap_or_default(),
            by_hand: value(2).as_bool() == Some(true),
            by_cognito: value(3).as_bool() == Some(true),
        }
    }

    fn source(&self) -> &'static str {
        match (self.by_hand, self.by_cognito) {
            (true, true) => "By hand and through Cognito",
            (false, true) => "Through Cognito",
            _ => "By hand",
        }
    }
}

/// The form sends the id of a user to remove, or the username or e-mail of one to add.
async fn change_members(cx: AdminContext, PostForm(form): PostForm) -> Result<HttpResponse, Error> {
    let (options, id) = cx.row(Verb::View)?;
    let users = cx.site.get(USERS.slug())?.options();
    cx.staff.check_permission(users, Verb::Change)?;
    let here = Addresses::new(&cx, options, Some(id)).tab(TAB.name);
    let typed = form.get(TYPED).unwrap_or_default().trim();
    let (user, action) = match form.get("remove") {
        Some(user) => (user.parse().ok(), REMOVE_FROM_GROUP.name),
        None => (find(&cx, typed).await?, ADD_TO_GROUP.name),
    };
    let Some(user) = user else {
        cx.staff.tell(Message::error("No user has this username or e-mail."));
        let query = form_urlencoded::Serializer::new(String::new()).append_pair(TYPED, typed).finish();
        let separator = if here.contains('?') { '&' } else { '?' };
        return Ok(see_other(&format!("{here}{separator}{query}")));
    };
    run_on(&cx, users, user, (action, id.to_string())).await?;
    Ok(see_other(&here))
}

async fn find(cx: &AdminContext, name: &str) -> Result<Option<i64>, Error> {
    let name = name.to_owned();
    let find = move |conn: &mut Connection, _: &Site, _: &Staff| {
        let user = match models::find_by_username(conn, &validators::normalize_username(&name))? {
            None => models::find_by_email(conn, &name)?.filter(|user| user.has_email(&name)),
            user => user,
        };
        Ok(user.map(|user| user.id))
    };
    cx.read(find).await
}
