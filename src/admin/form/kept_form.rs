//! What was typed into a form whose session has ended. It is kept for an hour, encrypted with a cookie that only the
//! browser has, and shown again to the same user in the same browser. It is never saved without a new click on Save.

use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use chrono::{TimeDelta, Utc};
use diesel::prelude::*;
use futures_util::future::LocalBoxFuture;

use crate::admin::auth::credentials::Credentials;
use crate::admin::auth::next::{KEPT, sign_in_address};
use crate::admin::auth::staff::{StaffUser, sign_in_required};
use crate::admin::auth::{csrf, origin};
use crate::admin::context::AdminContext;
use crate::admin::form_data::{FormData, read};
use crate::admin::model_admin::Staff;
use crate::crypto::Seal;
use crate::db::Connection;
use crate::error::Error;
use crate::http::body::Body;
use crate::http::cookies::{self, Cookies};
use crate::schema::kept_forms;

/// The field that names the user for whom the form was made.
const USER: &str = "_user";
const AGE: TimeDelta = TimeDelta::hours(1);
/// Of each user. The oldest ones go first.
const MOST: i64 = 5;

/// A form that adds or changes a row.
pub struct TypedForm {
    pub cx: AdminContext,
    pub data: FormData,
    /// It was made in another session of the same user, so it must be sent again.
    pub is_stale: bool,
}

/// Fails as [`StaffUser`] does if nobody is signed in. The sign-in then leads back to what was typed.
impl FromRequest for TypedForm {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<TypedForm, Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let body = Body::from_request(&request, payload);
        Box::pin(async move {
            if StaffUser::of(&request).is_none() {
                return Err(keep(&request, body.await?).await);
            }
            let (cx, data) = (AdminContext::of(&request)?, read(body.await?).await?);
            match csrf::check_token(&request, data.get(csrf::FIELD)) {
                Ok(()) => Ok(TypedForm { cx, data, is_stale: false }),
                Err(_) if is_of(&data, cx.staff.staff.user_id()) && origin::is_told(&request) => {
                    Ok(TypedForm { cx, data: without_secrets(data), is_stale: true })
                }
                Err(error) => Err(error),
            }
        })
    }
}

fn is_of(data: &FormData, user_id: Option<i64>) -> bool {
    user_id.is_some() && data.get(USER).and_then(|user| user.parse().ok()) == user_id
}

fn without_secrets(FormData(fields): FormData) -> FormData {
    let is_secret = |name: &str| name.starts_with("password") || name == "code" || name == csrf::FIELD;
    FormData(fields.into_iter().filter(|(name, _)| !is_secret(name)).collect())
}

/// A user who has signed in with this browser before, and a secret of the browser.
fn owner(request: &HttpRequest) -> Option<(i64, String)> {
    let credentials = request.app_data::<web::Data<Credentials>>()?;
    let cookies = request.app_data::<web::Data<Cookies>>()?.get(request, cookies::DEVICE);
    cookies.iter().find_map(|cookie| credentials.devices.owner(cookie))
}

/// Returns the redirect to the sign-in page. Strangers keep nothing.
async fn keep(request: &HttpRequest, body: Body) -> Error {
    let Some((user_id, secret)) = owner(request).filter(|_| origin::is_told(request)) else {
        return sign_in_required(request);
    };
    match store(request, body, user_id, &secret).await {
        Ok(Some(id)) => {
            let query = FormData::of_query(request).0;
            let query = query.into_iter().filter(|(name, _)| name != KEPT).chain([(KEPT.to_owned(), id.to_string())]);
            let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
            Error::SignInRequired(sign_in_address(&format!("{}?{query}", request.path())))
        }
        Ok(None) => sign_in_required(request),
        Err(error) => {
            log::warn!("cannot keep a form: {}", error.logged());
            sign_in_required(request)
        }
    }
}

async fn store(request: &HttpRequest, body: Body, user_id: i64, secret: &str) -> Result<Option<i64>, Error> {
    let credentials = request.app_data::<web::Data<Credentials>>();
    let (data, Some(credentials)) = (read(body).await?, credentials) else { return Ok(None) };
    if !is_of(&data, Some(user_id)) {
        return Ok(None);
    }
    let json = serde_json::to_vec(&without_secrets(data).0).map_err(|error| Error::Internal(error.to_string()))?;
    let Some(seal) = Seal::of_secret(secret) else { return Ok(None) };
    let content = seal.seal(&purpose(user_id, request.path()), &json)?;
    let store = move |conn: &mut Connection| {
        Staff::find(conn, user_id)?;
        let row = (
            kept_forms::user_id.eq(user_id),
            kept_forms::at.eq(Utc::now().naive_utc()),
            kept_forms::content.eq(&content),
        );
        let id = diesel::insert_into(kept_forms::table).values(row).returning(kept_forms::id).get_result(conn)?;
        let of_user = kept_forms::table.filter(kept_forms::user_id.eq(user_id)).order(kept_forms::id.desc());
        let surplus: Vec<i64> = of_user.offset(MOST).limit(MOST).select(kept_forms::id).load(conn)?;
        forget(conn, &surplus)?;
        Ok(Some(id))
    };
    credentials.db.write(store).await
}

fn purpose(user_id: i64, path: &str) -> String {
    format!("form of user {user_id} at {path}")
}

/// The kept form that the URL asks for.
pub fn asked(request: &HttpRequest) -> Option<i64> {
    FormData::of_query(request).get(KEPT)?.parse().ok()
}

/// `None` if it is over, or another user's or browser's.
pub async fn find(cx: &AdminContext) -> Result<Option<FormData>, Error> {
    let (Some(id), Some((user_id, secret))) = (asked(&cx.request), owner(&cx.request)) else { return Ok(None) };
    if cx.staff.staff.user_id() != Some(user_id) {
        return Ok(None);
    }
    let read = move |conn: &mut Connection| {
        let own = kept_forms::table.filter(kept_forms::id.eq(id).and(kept_forms::user_id.eq(user_id)));
        Ok(own.filter(kept_forms::at.ge(kept_since())).select(kept_forms::content).first::<String>(conn).optional()?)
    };
    let Some(content) = cx.db.read(read).await? else { return Ok(None) };
    let json = Seal::of_secret(&secret).and_then(|seal| seal.open(&purpose(user_id, cx.request.path()), &content));
    Ok(json.and_then(|json| serde_json::from_slice(&json).ok()).map(FormData))
}

/// Once it is saved.
pub fn end(conn: &mut Connection, id: Option<i64>, staff: &Staff) -> QueryResult<()> {
    let own = kept_forms::table
        .filter(kept_forms::id.nullable().eq(id).and(kept_forms::user_id.nullable().eq(staff.user_id())));
    diesel::delete(own).execute(conn).map(drop)
}

fn kept_since() -> chrono::NaiveDateTime {
    Utc::now().naive_utc() - AGE
}

pub fn expired(conn: &mut Connection, limit: i64) -> QueryResult<Vec<i64>> {
    let over = kept_forms::table.filter(kept_forms::at.lt(kept_since())).order(kept_forms::at).limit(limit);
    over.select(kept_forms::id).load(conn)
}

pub fn forget(conn: &mut Connection, ids: &[i64]) -> QueryResult<usize> {
    diesel::delete(kept_forms::table.filter(kept_forms::id.eq_any(ids))).execute(conn)
}
