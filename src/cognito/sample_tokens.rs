//! In development: tokens of the local pool, to try the API with. With another pool, nothing of this is registered.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::local_pool::{LocalPool, TokenRequest};
use crate::admin::addresses::Addresses;
use crate::admin::model_admin::{Cell, Staff, Tab};
use crate::admin::pages::page;
use crate::admin::row_head::RowHead;
use crate::admin::{AdminContext, Frame, Site};
use crate::db::Connection;
use crate::error::Error;
use crate::http::routes::get;
use crate::users::cognito_groups;
use crate::users::models::{self, User};
use crate::users::permissions::Verb;

/// The model whose rows have the tab.
pub const SLUG: &str = "users";

pub static TAB: Tab = Tab {
    name: "token",
    label: "Token",
    has_permission: |rights| rights.has("users.change_user"),
    allow: "GET, HEAD",
    routes: || vec![get().to(show)],
};

#[derive(Template)]
#[template(path = "admin/user_token.html")]
struct TokenPage {
    frame: Frame,
    addresses: Addresses,
    head: RowHead,
    sample: Option<Sample>,
}

pub struct Sample {
    pub token: String,
    pub curl: String,
}

impl Sample {
    /// An ID token of the user, with the groups that the pool gave last. `None` without an e-mail, by which the local
    /// pool knows its users.
    fn of(request: &HttpRequest, pool: &LocalPool, user: &User, groups: Vec<String>) -> Result<Option<Sample>, Error> {
        if user.email.is_empty() {
            return Ok(None);
        }
        let token = pool.token(&TokenRequest { groups, ..TokenRequest::new(user.email.clone()) })?;
        let connection = request.connection_info();
        let url = format!("{}://{}/me/", connection.scheme(), connection.host());
        let curl = format!("curl -H 'Authorization: Bearer {token}' {url}");
        Ok(Some(Sample { token, curl }))
    }

    /// Of the user who is signed in; `None` without a local pool.
    pub async fn own(cx: &AdminContext) -> Result<Option<Sample>, Error> {
        let Some(pool) = cx.request.app_data::<Data<LocalPool>>() else { return Ok(None) };
        let user = cx.staff.staff.user()?.clone();
        let id = user.id;
        let groups = cx.read(move |conn, _, _| groups(conn, id)).await?;
        Sample::of(&cx.request, pool, &user, groups)
    }
}

fn groups(conn: &mut Connection, id: i64) -> Result<Vec<String>, Error> {
    Ok(cognito_groups::of_user(conn, id)?.into_iter().map(|group| group.cognito_group).collect())
}

async fn show(cx: AdminContext, pool: Data<LocalPool>) -> Result<HttpResponse, Error> {
    let (options, id) = cx.row(Verb::Change)?;
    let read = move |conn: &mut Connection, site: &Site, staff: &Staff| {
        let user = models::find(conn, id)?.ok_or(Error::NoSuchObject("user"))?;
        if !staff.has_object_permission(conn, site.get(options.slug())?, Verb::Change, id)? {
            return Err(Error::PermissionDenied);
        }
        Ok((groups(conn, id)?, RowHead::of(conn, site, staff, (options, id), TAB.name)?, user))
    };
    let (groups, head, user) = cx.read(read).await?;
    let sample = Sample::of(&cx.request, &pool, &user, groups)?;
    let addresses = Addresses::new(&cx, options, Some(id));
    let frame = addresses.frame(&cx, head.title.clone());
    page(StatusCode::OK, &TokenPage { frame, addresses, head, sample })
}
