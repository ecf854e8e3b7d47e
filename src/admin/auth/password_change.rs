//! `/admin/password_change/`: changing your own password.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::credentials::{self, Credentials, Verdict};
use super::problem::retry_after;
use crate::admin::context::AdminContext;
use crate::admin::form_data::PostForm;
use crate::admin::message::Message;
use crate::admin::model_admin::Staff;
use crate::admin::pages::{Frame, page, see_other};
use crate::admin::site::Site;
use crate::db::Connection;
use crate::error::Error;
use crate::http::client_address::client_address;
use crate::users::models::{self, User};
use crate::users::validators;

#[derive(Template)]
#[template(path = "admin/password_change.html")]
struct PasswordChangePage {
    frame: Frame,
    has_password: bool,
    problems: Problems,
}

#[derive(Default)]
struct Problems {
    old: Vec<String>,
    new: Vec<String>,
    again: Vec<String>,
}

fn show(cx: &AdminContext, status: StatusCode, problems: Problems) -> Result<HttpResponse, Error> {
    let frame = Frame::new(cx, "Change password", "password_change");
    let has_password = cx.staff.staff.user()?.password.is_some();
    page(status, &PasswordChangePage { frame, has_password, problems })
}

pub async fn form(cx: AdminContext) -> Result<HttpResponse, Error> {
    show(&cx, StatusCode::OK, Problems::default())
}

pub async fn submit(
    cx: AdminContext,
    PostForm(form): PostForm,
    credentials: web::Data<Credentials>,
) -> Result<HttpResponse, Error> {
    let field = |name| form.get(name).unwrap_or_default().to_owned();
    let (user, new) = (cx.staff.staff.user()?, field("new_password1"));
    let mut problems = Problems { new: problems_of(&new, user), ..Problems::default() };
    if new != field("new_password2") {
        problems.again.push("The two password fields didn’t match.".to_owned());
    }
    let buckets = credentials.throttle.own_buckets(user, client_address(&cx.request));
    match credentials.check(buckets, Some(user), field("old_password")).await? {
        Verdict::Right if problems.new.is_empty() && problems.again.is_empty() => {
            return change(&cx, &credentials, new).await;
        }
        Verdict::Right => {}
        Verdict::Wrong => {
            problems.old.push("Your old password was entered incorrectly. Please enter it again.".to_owned());
        }
        Verdict::Throttled(seconds) => {
            problems.old.push(credentials::wait(seconds));
            return Ok(retry_after(show(&cx, StatusCode::TOO_MANY_REQUESTS, problems)?, seconds));
        }
    }
    show(&cx, StatusCode::BAD_REQUEST, problems)
}

fn problems_of(password: &str, user: &User) -> Vec<String> {
    if password.is_empty() {
        return vec!["This field is required.".to_owned()];
    }
    validators::password(
        password,
        &[
            ("username", &user.username),
            ("e-mail address", &user.email),
            ("first name", &user.first_name),
            ("last name", &user.last_name),
        ],
    )
}

/// Fails if the password was changed since the old one was checked. The other sessions end; this one gets a new key.
async fn change(cx: &AdminContext, credentials: &Credentials, password: String) -> Result<HttpResponse, Error> {
    let hash = credentials.hasher.hash(password).await?;
    let (session_id, checked) = (cx.staff.session_id, cx.staff.staff.user()?.password.clone());
    let set = move |conn: &mut Connection, _: &Site, staff: &Staff| {
        let user = staff.user()?;
        if user.password != checked {
            return Err(Error::PermissionDenied);
        }
        models::set_password(conn, user, Some(hash), Some(session_id), &staff.actor())?;
        models::find(conn, user.id)?.ok_or(Error::PermissionDenied)
    };
    let changed = cx.write(set).await?;
    cx.staff.renew_session(&changed, &cx.staff.proof)?;
    cx.staff.tell(Message::success("Your password was changed."));
    Ok(see_other("/admin/"))
}
