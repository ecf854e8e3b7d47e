//! "Why can't Jane get in?": the last refused tokens and sign-ins in the admin, of everybody and of one user.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{NaiveDateTime, TimeDelta, Utc};
use diesel::QueryResult;
use serde::Deserialize;

use crate::admin::addresses::Addresses;
use crate::admin::chart::Figure;
use crate::admin::model_admin::{Cell, Tab};
use crate::admin::moment::Moment;
use crate::admin::pages::page;
use crate::admin::row_head::RowHead;
use crate::admin::site::{Page, Site};
use crate::admin::{AdminContext, Frame, Staff};
use crate::db::Connection;
use crate::error::{Error, Refusal, SignInRefusal};
use crate::http::routes::get;
use crate::users::models;
use crate::users::permissions::Verb;
use crate::users::refusals::Kind;
use crate::users::refusals::table::{self, Filter, Recorded};

pub static PAGE: Page = Page {
    label: "Refusals",
    slug: "refusals",
    section: "Records",
    icon: "warning",
    allow: "GET, HEAD",
    has_permission: |rights| rights.has("users.view_user") || rights.has("users.change_user"),
    routes: || vec![get().to(list)],
    figure: Some(refused_tokens),
};

pub static TAB: Tab = Tab {
    name: "refusals",
    label: "Refused tokens",
    has_permission: |_| true,
    allow: "GET, HEAD",
    routes: || vec![get().to(of_user)],
};

const PAGE_SIZE: i64 = 50;
const MOST_WORDS: usize = 10;

#[derive(Template)]
#[template(path = "admin/refusals.html")]
struct RefusalsPage {
    frame: Frame,
    listed: Listed,
}

#[derive(Template)]
#[template(path = "admin/user_refusals.html")]
struct UserRefusalsPage {
    frame: Frame,
    addresses: Addresses,
    head: RowHead,
    listed: Listed,
}

struct Listed {
    rows: Vec<Row>,
    codes: Vec<String>,
    query: ListQuery,
    /// The user whose refusals are listed: id and name.
    user: Option<(i64, String)>,
    range: String,
    newer: Option<String>,
    older: Option<String>,
}

struct Row {
    at: Moment,
    kind: &'static str,
    code: String,
    advice: String,
    times: i64,
    /// URL and name.
    user: Option<(String, String)>,
    email: String,
    sub: String,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    /// Texts: what is no number is no user and no page.
    user: String,
    code: String,
    /// `token`, `sign_in`, or nothing for both.
    kind: String,
    /// `day`, or nothing for all.
    at: String,
    q: String,
    page: String,
}

impl ListQuery {
    /// Without what is empty.
    fn link(&self, changed: &[(&str, String)]) -> String {
        let own = [("q", &self.q), ("user", &self.user), ("code", &self.code), ("kind", &self.kind), ("at", &self.at)];
        let mut query = form_urlencoded::Serializer::for_suffix("?".to_owned(), 1);
        for (name, value) in own {
            if !value.is_empty() && !changed.iter().any(|(known, _)| *known == name) {
                query.append_pair(name, value);
            }
        }
        query.extend_pairs(changed.iter().filter(|(_, value)| !value.is_empty())).finish()
    }
}

/// For the home page.
fn refused_tokens(conn: &mut Connection) -> QueryResult<Figure> {
    let filter = Filter { kind: Some(Kind::Token), since: Some(a_day_ago()), ..Filter::default() };
    let url = format!("/admin/{}/?kind=token&at=day", PAGE.slug);
    Ok(Figure { label: "tokens refused in 24 hours", number: filter.times(conn)?, url })
}

fn a_day_ago() -> NaiveDateTime {
    Utc::now().naive_utc() - TimeDelta::days(1)
}

async fn list(cx: AdminContext, query: Option<web::Query<ListQuery>>) -> Result<HttpResponse, Error> {
    let query = query.map_or_else(ListQuery::default, web::Query::into_inner);
    let listed = cx.read(move |conn: &mut Connection, _: &Site, _: &Staff| Listed::read(conn, query)).await?;
    let frame = Frame::new(&cx, "Refused tokens and sign-ins", PAGE.slug);
    page(StatusCode::OK, &RefusalsPage { frame, listed })
}

async fn of_user(cx: AdminContext, query: Option<web::Query<ListQuery>>) -> Result<HttpResponse, Error> {
    let (options, id) = cx.row(Verb::View)?;
    let asked = query.map_or_else(ListQuery::default, web::Query::into_inner);
    let read = move |conn: &mut Connection, site: &Site, staff: &Staff| {
        let head = RowHead::of(conn, site, staff, (options, id), TAB.name)?;
        Ok((head, Listed::read(conn, ListQuery { user: id.to_string(), ..asked })?))
    };
    let (head, listed) = cx.read(read).await?;
    let addresses = Addresses::new(&cx, options, Some(id));
    let frame = addresses.frame(&cx, head.title.clone());
    page(StatusCode::OK, &UserRefusalsPage { frame, addresses, head, listed })
}

impl Listed {
    fn read(conn: &mut Connection, query: ListQuery) -> Result<Listed, Error> {
        let user = query.user.parse().ok().map(|id| models::find(conn, id)).transpose()?.flatten();
        let codes = table::codes(conn)?;
        let code = Some(query.code).filter(|code| codes.contains(code));
        let kind = [Kind::Token, Kind::SignIn].into_iter().find(|kind| kind.as_str() == query.kind);
        let is_of_day = query.at == "day";
        let filter = Filter {
            user: user.as_ref().map(|user| user.id),
            sub: user.as_ref().and_then(|user| user.cognito_sub.clone()),
            code: code.clone(),
            kind,
            since: is_of_day.then(a_day_ago),
            words: query.q.split_whitespace().take(MOST_WORDS).map(str::to_owned).collect(),
        };
        let shown = ListQuery {
            user: user.as_ref().map(|user| user.id.to_string()).unwrap_or_default(),
            code: code.unwrap_or_default(),
            kind: kind.map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
            at: if is_of_day { query.at } else { String::new() },
            q: query.q.trim().to_owned(),
            page: String::new(),
        };
        let total = filter.count(conn)?;
        let pages = (total - 1).max(0) / PAGE_SIZE + 1;
        let number = query.page.parse().unwrap_or(1).clamp(1, pages);
        let offset = (number - 1) * PAGE_SIZE;
        let rows: Vec<Row> = filter.list(conn, offset, PAGE_SIZE)?.into_iter().map(Row::new).collect();
        let link = |number: i64| shown.link(&[("page", number.to_string())]);
        Ok(Listed {
            range: match rows.len() as i64 {
                0 => "0".to_owned(),
                shown => format!("{}–{} of {total}", offset + 1, offset + shown),
            },
            newer: (number > 1).then(|| link(number - 1)),
            older: (number < pages).then(|| link(number + 1)),
            rows,
            codes,
            query: shown,
            user: user.map(|user| (user.id, user.username)),
        })
    }
}

impl Row {
    fn new((recorded, username): (Recorded, Option<String>)) -> Row {
        let user = recorded.user_id.zip(username);
        let is_token = recorded.kind == "token";
        Row {
            at: Moment::new(recorded.at),
            kind: if is_token { "Token" } else { "Sign-in" },
            advice: advice(&recorded.code, is_token),
            times: recorded.times,
            user: user.map(|(id, name)| (format!("/admin/users/{id}/change/"), name)),
            code: recorded.code,
            email: recorded.email,
            sub: recorded.sub,
        }
    }
}

/// Why, and what the staff can do. Empty for a code of another version.
fn advice(code: &str, is_token: bool) -> String {
    let (why, remedy) = (reason(code), remedy(code, is_token).unwrap_or_default());
    format!("{why} {remedy}").trim_end().to_owned()
}

/// Where the sentence that a client gets does not say it, or says it to the client alone.
fn remedy(code: &str, is_token: bool) -> Option<&'static str> {
    let refusal = Refusal::ALL.iter().find(|refusal| refusal.code() == code)?;
    Some(match refusal {
        Refusal::TokenTooLarge => "Put less into the token: fewer groups and custom claims.",
        Refusal::AlgorithmNotAllowed | Refusal::HeaderNotSupported | Refusal::KeyIdInvalid => {
            "Cognito signs with RS256, so this token comes from elsewhere."
        }
        Refusal::SignatureInvalid => "The token was changed on its way.",
        Refusal::ClaimInvalid | Refusal::TokenUseInvalid => "Cognito does not issue such a token.",
        Refusal::IssuerNotAccepted => "Compare it with AWS_USER_POOLS_ID or COGNITO_ISSUER.",
        Refusal::IdTokenWanted | Refusal::AccessTokenWanted => "COGNITO_TOKEN_USE chooses what is accepted.",
        Refusal::ClientNotAccepted => "Add the client to AWS_APP_CLIENT_ID.",
        Refusal::EmailMissing => "Let the app client read the e-mail, or have an ID token sent once.",
        Refusal::EmailUnverified => "Verify it in Cognito.",
        Refusal::EmailAmbiguous => "Correct the local user’s e-mail.",
        Refusal::UserUnknown if is_token => "Create the user, or set COGNITO_CREATE_USERS.",
        Refusal::UserUnknown => "Create the user, as staff.",
        Refusal::UserInactive | Refusal::ServiceAccountInactive => "Activate the account if that was a mistake.",
        _ => return None,
    })
}

/// The sentence that a client gets with the code, too.
fn reason(code: &str) -> &'static str {
    let of_token = Refusal::ALL.iter().find(|refusal| refusal.code() == code).map(|refusal| refusal.detail());
    let of_sign_in = SignInRefusal::ALL.iter().find(|refusal| refusal.code() == code).map(|refusal| refusal.detail());
    of_token.or(of_sign_in).unwrap_or_default()
}
