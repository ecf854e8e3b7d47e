//! `/admin/users/<id>/password/`: sets or removes another user's password.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::credentials::Credentials;
use crate::admin::addresses::Addresses;
use crate::admin::context::AdminContext;
use crate::admin::form::fields;
use crate::admin::form_data::PostForm;
use crate::admin::message::Message;
use crate::admin::model_admin::{Staff, Values, field_error};
use crate::admin::pages::{Frame, page, see_other};
use crate::admin::site::Site;
use crate::db::Connection;
use crate::error::{Error, FieldErrors};
use crate::users::models::{self, User};
use crate::users::permissions::Verb;
use crate::users::rules;

const SLUG: &str = "users";

#[derive(Template)]
#[template(path = "admin/user_password.html")]
struct UserPasswordPage {
    frame: Frame,
    addresses: Addresses,
    first_errors: Vec<String>,
    second_errors: Vec<String>,
}

/// `Values` are what the password must not resemble. Users change their own password elsewhere, with the old one.
fn find(conn: &mut Connection, site: &Site, staff: &Staff, id: i64) -> Result<(User, Values), Error> {
    let model = site.get(SLUG)?;
    staff.check_permission(model.options(), Verb::Change)?;
    let missing = || Error::NoSuchObject(model.options().name());
    let user = models::find(conn, id)?.ok_or_else(missing)?;
    if Some(id) == staff.user_id() || !staff.has_object_permission(conn, model, Verb::Change, id)? {
        return Err(Error::PermissionDenied);
    }
    let values = model.load(conn, id)?.ok_or_else(missing)?;
    Ok((user, values))
}

pub async fn form(cx: AdminContext) -> Result<HttpResponse, Error> {
    let id = cx.id(cx.site.get(SLUG)?.options())?;
    if Some(id) == cx.staff.staff.user_id() {
        return Ok(see_other("/admin/password_change/"));
    }
    let (user, _) = cx.read(move |conn, site, staff| find(conn, site, staff, id)).await?;
    show(&cx, StatusCode::OK, &user, FieldErrors::default())
}

/// Ends the user's sessions.
pub async fn submit(
    cx: AdminContext,
    credentials: web::Data<Credentials>,
    PostForm(data): PostForm,
) -> Result<HttpResponse, Error> {
    let options = cx.site.get(SLUG)?.options();
    let id = cx.id(options)?;
    let (user, values) = cx.read(move |conn, site, staff| find(conn, site, staff, id)).await?;
    let hash = match fields::new_password(options, &data, &values) {
        Ok(Some(password)) => Some(credentials.hasher.hash(password).await?),
        Ok(None) => None,
        Err(errors) => return show(&cx, StatusCode::BAD_REQUEST, &user, errors),
    };
    let is_set = hash.is_some();
    let set = move |conn: &mut Connection, site: &Site, staff: &Staff| {
        let (user, _) = find(conn, site, staff, id)?;
        if hash.is_none() && user.password.is_none() {
            return Ok(());
        }
        if hash.is_none() && rules::is_last_superuser(conn, &user)? {
            return field_error("password1", rules::LAST_SUPERUSER);
        }
        Ok(models::set_password(conn, &user, hash, None, &staff.actor())?)
    };
    match cx.write(set).await {
        Err(Error::Invalid(errors)) => return show(&cx, StatusCode::BAD_REQUEST, &user, errors),
        result => result?,
    }
    cx.staff.tell(Message::success(if is_set {
        format!("The password of “{}” was changed successfully.", user.username)
    } else {
        format!("“{}” no longer has a password and can sign in only with Cognito.", user.username)
    }));
    Ok(see_other(&Addresses::new(&cx, options, Some(id)).change()))
}

fn show(cx: &AdminContext, status: StatusCode, user: &User, errors: FieldErrors) -> Result<HttpResponse, Error> {
    let addresses = Addresses::new(cx, cx.site.get(SLUG)?.options(), Some(user.id));
    let title = format!("Password of {}", user.username);
    let frame = addresses.frame(cx, title).under(addresses.change(), user.username.clone());
    let (first_errors, second_errors) = (errors.of("password1"), errors.of("password2"));
    page(status, &UserPasswordPage { frame, addresses, first_errors, second_errors })
}
