//! `/admin/users/<id>/password/`: another user's password is set, or taken away.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::credentials::Credentials;
use super::staff::StaffUser;
use crate::admin::addresses::Addresses;
use crate::admin::form::fields;
use crate::admin::form_data::PostForm;
use crate::admin::message::Message;
use crate::admin::model_admin::{Options, Staff, Values, field_error};
use crate::admin::pages::{Frame, page, see_other};
use crate::admin::site::Site;
use crate::db::{Connection, Db};
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

/// A user whose password `staff` may set, and what it must not resemble. One's own is changed elsewhere, with
/// the old one.
fn find(conn: &mut Connection, site: &Site, id: i64, staff: &Staff) -> Result<(User, Values), Error> {
    let model = site.get(SLUG)?;
    staff.require(model.options(), Verb::Change)?;
    let missing = || Error::NoSuchObject(model.options().name());
    let user = models::find(conn, id)?.ok_or_else(missing)?;
    if id == staff.user.id || !staff.may(conn, model, Verb::Change, id)? {
        return Err(Error::PermissionDenied);
    }
    let values = model.load(conn, id)?.ok_or_else(missing)?;
    Ok((user, values))
}

/// The form.
pub async fn form(
    staff: StaffUser,
    site: web::Data<Site>,
    db: web::Data<Db>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let options = site.get(SLUG)?.options();
    let id = options.parse_id(&id)?;
    if id == staff.staff.user.id {
        return Ok(see_other("/admin/password_change/"));
    }
    let (all, viewer) = (site.clone().into_inner(), staff.staff.clone());
    let (user, _) = db.read(move |conn| find(conn, &all, id, &viewer)).await?;
    show(StatusCode::OK, &request, &site, &staff, options, &user, FieldErrors::default())
}

/// Sets the password, or takes it away. The user's sessions end.
pub async fn submit(
    staff: StaffUser,
    site: web::Data<Site>,
    db: web::Data<Db>,
    credentials: web::Data<Credentials>,
    request: HttpRequest,
    id: web::Path<String>,
    PostForm(data): PostForm,
) -> Result<HttpResponse, Error> {
    let options = site.get(SLUG)?.options();
    let id = options.parse_id(&id)?;
    let (all, viewer) = (site.clone().into_inner(), staff.staff.clone());
    let (user, values) = db.read(move |conn| find(conn, &all, id, &viewer)).await?;
    let hash = match fields::new_password(options, &data, &values) {
        Ok(Some(password)) => Some(credentials.hasher.hash(password).await?),
        Ok(None) => None,
        Err(errors) => return show(StatusCode::BAD_REQUEST, &request, &site, &staff, options, &user, errors),
    };
    let is_set = hash.is_some();
    let (all, staff_id) = (site.clone().into_inner(), staff.staff.user.id);
    let set = move |conn: &mut Connection| {
        let staff = Staff::find(conn, staff_id)?;
        let (user, _) = find(conn, &all, id, &staff)?;
        if hash.is_none() && user.password.is_none() {
            return Ok(());
        }
        if hash.is_none() && rules::is_last_superuser(conn, &user)? {
            return field_error("password1", rules::LAST_SUPERUSER);
        }
        Ok(models::set_password(conn, &user, hash, None, &staff.actor())?)
    };
    match db.write(set).await {
        Err(Error::Invalid(errors)) => {
            return show(StatusCode::BAD_REQUEST, &request, &site, &staff, options, &user, errors);
        }
        result => result?,
    }
    staff.tell(Message::success(if is_set {
        format!("The password of “{}” was changed successfully.", user.username)
    } else {
        format!("“{}” no longer has a password and can sign in only with Cognito.", user.username)
    }));
    Ok(see_other(&Addresses::new(options, Some(id), &request).change()))
}

fn show(
    status: StatusCode,
    request: &HttpRequest,
    site: &Site,
    staff: &StaffUser,
    options: &'static Options,
    user: &User,
    errors: FieldErrors,
) -> Result<HttpResponse, Error> {
    let addresses = Addresses::new(options, Some(user.id), request);
    let title = format!("Password of {}", user.username);
    let frame = addresses.frame(request, site, staff, title).under(addresses.change(), user.username.clone());
    let errors_of = |name| {
        let of_field = errors.0.iter().filter(|(field, _)| *field == name);
        of_field.flat_map(|(_, messages)| messages.clone()).collect::<Vec<_>>()
    };
    let (first_errors, second_errors) = (errors_of("password1"), errors_of("password2"));
    page(status, &UserPasswordPage { frame, addresses, first_errors, second_errors })
}
