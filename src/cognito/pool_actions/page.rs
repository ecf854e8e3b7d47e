//! The page of a user's account in the pool, and the page that asks before an action.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::Utc;

use super::PoolActions;
use super::action::PoolAction;
use super::comparison::{Line, compare};
use super::run::{SLUG, may_change};
use crate::admin::addresses::Addresses;
use crate::admin::model_admin::{Cell, Tab};
use crate::admin::pages::{page, see_other};
use crate::admin::row_head::RowHead;
use crate::admin::{AdminContext, FormData, Frame, Message, PostForm};
use crate::cognito::pool_api::PoolUser;
use crate::error::Error;
use crate::history::Source;
use crate::http::routes::get;
use crate::users::cognito_groups::TokenGroups;
use crate::users::models::User;

pub static TAB: Tab = Tab {
    name: "cognito",
    label: "In Cognito",
    has_permission: |rights| rights.has("users.change_user"),
    allow: "GET, HEAD, POST",
    routes: || vec![get().to(show), web::post().to(submit)],
};

#[derive(Template)]
#[template(path = "admin/pool_account.html")]
struct AccountPage {
    frame: Frame,
    addresses: Addresses,
    head: RowHead,
    is_linked: bool,
    problem: Option<String>,
    comparison: Option<[Line; 7]>,
    actions: Vec<PoolAction>,
}

#[derive(Template)]
#[template(path = "admin/pool_action.html")]
struct ActionPage {
    frame: Frame,
    addresses: Addresses,
    action: PoolAction,
    username: String,
    obstacle: Option<&'static str>,
}

impl PoolActions {
    fn offers(&self, action: PoolAction) -> bool {
        self.offered.contains(&action)
    }

    /// The action with this name, if the setting has it.
    fn chosen(&self, name: &str) -> Result<PoolAction, Error> {
        let action = name.parse().ok().filter(|action| *action != PoolAction::Compare && self.offers(*action));
        action.ok_or(Error::NotFound)
    }

    /// What the pool says of the user, if that may be asked.
    async fn compare(&self, cx: &AdminContext, user: &User) -> Result<(Option<PoolUser>, Option<[Line; 7]>), String> {
        if !self.offers(PoolAction::Compare) || PoolAction::Compare.obstacle(user, &self.rules.issuer).is_some() {
            return Ok((None, None));
        }
        let in_pool = self.linked(user).await?;
        let (iat, staff_group) = (Utc::now().timestamp(), self.rules.staff_group.clone());
        let groups = self.groups(&in_pool).await.map_err(String::from);
        let groups = groups.map(|names| TokenGroups { names, iat, staff_group, source: Source::PoolSync });
        let (user, shown) = (user.clone(), in_pool.clone());
        let comparison = cx.read(move |conn, _, _| compare(conn, &user, &shown, groups)).await;
        let comparison = comparison.map_err(|error| error.to_string())?;
        Ok((Some(in_pool), Some(comparison)))
    }
}

fn addresses(cx: &AdminContext, id: i64) -> Result<Addresses, Error> {
    Ok(Addresses::new(cx, cx.site.get(SLUG)?.options(), Some(id)))
}

async fn user(cx: &AdminContext) -> Result<User, Error> {
    let id = cx.id(cx.site.get(SLUG)?.options())?;
    cx.read(move |conn, site, staff| may_change(conn, site, staff, id)).await
}

/// Without `?action=`, the account.
async fn show(cx: AdminContext, actions: web::Data<PoolActions>) -> Result<HttpResponse, Error> {
    let user = user(&cx).await?;
    match FormData::parse(cx.request.query_string().as_bytes()).get("action") {
        Some(name) => confirm(&cx, actions.chosen(name)?, &user, &actions),
        None => show_account(&cx, &actions, user).await,
    }
}

async fn show_account(cx: &AdminContext, actions: &PoolActions, user: User) -> Result<HttpResponse, Error> {
    let (in_pool, comparison, problem) = match actions.compare(cx, &user).await {
        Ok((in_pool, comparison)) => (in_pool, comparison, None),
        Err(problem) => (None, None, Some(problem)),
    };
    let suits = |action: &PoolAction| {
        action.obstacle(&user, &actions.rules.issuer).is_none() && action.is_useful(&user, in_pool.as_ref())
    };
    let (options, id) = (cx.site.get(SLUG)?.options(), user.id);
    let head = cx.read(move |conn, site, staff| RowHead::of(conn, site, staff, (options, id), TAB.name)).await?;
    let addresses = addresses(cx, id)?;
    let frame = addresses.frame(cx, head.title.clone());
    let offered = actions.offered.iter().copied().filter(suits).collect();
    let is_linked = user.cognito_sub.is_some();
    page(StatusCode::OK, &AccountPage { frame, addresses, head, is_linked, problem, comparison, actions: offered })
}

fn confirm(cx: &AdminContext, action: PoolAction, user: &User, actions: &PoolActions) -> Result<HttpResponse, Error> {
    let (addresses, username) = (addresses(cx, user.id)?, user.username.clone());
    let frame = addresses.frame(cx, format!("{}: {username}", action.label()));
    let frame = frame.under(addresses.change(), username.clone()).under(addresses.tab(TAB.name), "In Cognito");
    let obstacle = action.obstacle(user, &actions.rules.issuer);
    page(StatusCode::OK, &ActionPage { frame, addresses, action, username, obstacle })
}

async fn submit(
    cx: AdminContext,
    actions: web::Data<PoolActions>,
    PostForm(form): PostForm,
) -> Result<HttpResponse, Error> {
    let action = actions.chosen(form.get("action").unwrap_or_default())?;
    let user = user(&cx).await?;
    let message = match action.obstacle(&user, &actions.rules.issuer) {
        Some(obstacle) => Message::error(obstacle),
        None => actions.run(&cx, action, &user).await?,
    };
    cx.staff.tell(message);
    Ok(see_other(&addresses(&cx, user.id)?.tab(TAB.name)))
}
