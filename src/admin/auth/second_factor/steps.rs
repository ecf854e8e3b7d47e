//! The steps on the page of the second factor: users turn it on and off, and make recovery codes.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::enrolment::{Enrolment, confirmed_step};
use super::messages::{WRONG, key_problem};
use super::page::{Problems, TITLE, own, show};
use crate::admin::auth::credentials::{self, CodeVerdict, Credentials, Verdict};
use crate::admin::auth::next::with_next;
use crate::admin::auth::staff::ENROLMENT;
use crate::admin::context::AdminContext;
use crate::admin::form_data::{FormData, PostForm};
use crate::admin::message::Message;
use crate::admin::model_admin::Staff;
use crate::admin::pages::{Frame, page, see_other};
use crate::admin::site::Site;
use crate::db::Connection;
use crate::error::Error;
use crate::http::client_address::client_address;
use crate::users::models::User;
use crate::users::second_factor;

#[derive(Template)]
#[template(path = "admin/recovery_codes.html")]
struct CodesPage {
    frame: Frame,
    codes: Vec<String>,
    next: String,
}

pub async fn submit(
    cx: AdminContext,
    PostForm(form): PostForm,
    credentials: web::Data<Credentials>,
) -> Result<HttpResponse, Error> {
    let next = form.next_page();
    let done = match form.get("action").unwrap_or_default() {
        "begin" => begin(&cx, &credentials, &form, &next).await,
        "confirm" => confirm(&cx, &credentials, &form, &next).await,
        "codes" => replace_codes(&cx, &credentials, &form).await,
        "off" => turn_off(&cx, &credentials, &form).await,
        _ => return Err(Error::Parse("The form has no action.".to_owned())),
    };
    match done {
        Err(Stop::Problems(problems)) => show(&cx, &credentials, next, problems).await,
        Err(Stop::Error(error)) => Err(error),
        Ok(response) => Ok(response),
    }
}

/// Why a step does not lead on.
enum Stop {
    /// The page is shown again, and says them.
    Problems(Problems),
    Error(Error),
}

impl From<Problems> for Stop {
    fn from(problems: Problems) -> Stop {
        Stop::Problems(problems)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Error(error)
    }
}

type Step = Result<HttpResponse, Stop>;

/// Shows a secret, for who knows the password.
async fn begin(cx: &AdminContext, credentials: &Credentials, form: &FormData, next: &str) -> Step {
    let user = cx.staff.staff.user()?;
    let back = see_other(&with_next(ENROLMENT, next));
    if own(cx).await?.is_some() || user.password.is_none() {
        return Ok(back);
    }
    check_password(cx, credentials, form).await?;
    let is_first = !cx.db.read(|conn| Ok(second_factor::exists(conn)?)).await?;
    let key = if is_first { credentials.factor_key.get_or_create() } else { credentials.factor_key.get() };
    let key = key.map_err(|error| Problems::password(key_problem(&error)).unavailable())?;
    Enrolment::begin(&cx.staff.session, user, &key)?;
    Ok(back)
}

/// Turns the factor on, for who has the secret in an app. The other sessions end; this one gets a new key.
async fn confirm(cx: &AdminContext, credentials: &Credentials, form: &FormData, next: &str) -> Step {
    let user = cx.staff.staff.user()?;
    let enrolment = Enrolment::of(&cx.staff.session);
    let secret = credentials.factor_key.get().ok().zip(enrolment.as_ref());
    let secret = secret.and_then(|(key, enrolment)| enrolment.secret(user, &key));
    let (Some(enrolment), Some(secret)) = (enrolment, secret) else {
        return Ok(see_other(&with_next(ENROLMENT, next)));
    };
    let Some(step) = confirmed_step(&secret, form.get("code").unwrap_or_default()) else {
        return Err(Problems::code(WRONG).into());
    };
    let (session_id, checked) = (cx.staff.session_id, user.password.clone());
    let enrol = move |conn: &mut Connection, _: &Site, staff: &Staff| {
        let user = staff.user()?;
        if user.password != checked {
            return Err(Error::PermissionDenied);
        }
        second_factor::enrol(conn, user, &enrolment.sealed, step, Some(session_id))
    };
    Enrolment::end(&cx.staff.session);
    match cx.write(enrol).await? {
        Some((factor, codes)) => {
            let csrf_token = cx.staff.renew_session(user, &cx.staff.proof.with_factor(Some(factor.fingerprint())))?;
            log::info!("user {} has turned a second factor on", user.id);
            show_codes(cx, csrf_token, codes, next)
        }
        // Another tab was faster.
        None => Ok(see_other(&with_next(ENROLMENT, next))),
    }
}

/// Recovery codes are shown once, so this is the answer to the form.
fn show_codes(cx: &AdminContext, csrf_token: String, codes: Vec<String>, next: &str) -> Step {
    let frame = Frame { csrf_token, ..Frame::new(cx, "Recovery codes", "second_factor") };
    Ok(page(StatusCode::OK, &CodesPage { frame: frame.under(ENROLMENT, TITLE), codes, next: next.to_owned() })?)
}

async fn replace_codes(cx: &AdminContext, credentials: &Credentials, form: &FormData) -> Step {
    let factor = prove(cx, credentials, form).await?;
    let replace = move |conn: &mut Connection, _: &Site, staff: &Staff| {
        check_factor(conn, staff.user()?, &factor)?;
        second_factor::replace_recovery_codes(conn, staff.user()?)
    };
    let codes = cx.write(replace).await?;
    show_codes(cx, cx.staff.csrf_token.clone(), codes, ENROLMENT)
}

/// The other sessions end; this one gets a new key.
async fn turn_off(cx: &AdminContext, credentials: &Credentials, form: &FormData) -> Step {
    let factor = prove(cx, credentials, form).await?;
    let session_id = cx.staff.session_id;
    let remove = move |conn: &mut Connection, _: &Site, staff: &Staff| {
        let user = staff.user()?;
        check_factor(conn, user, &factor)?;
        Ok(second_factor::remove(conn, user, Some(session_id), &staff.actor())?)
    };
    cx.write(remove).await?;
    let user = cx.staff.staff.user()?;
    cx.staff.renew_session(user, &cx.staff.proof.with_factor(None))?;
    log::warn!("user {} has turned the second factor off", user.id);
    cx.staff.tell(Message::success("Your second factor is off."));
    Ok(see_other(ENROLMENT))
}

/// Fails if the factor is another one than that whose code was checked.
fn check_factor(conn: &mut Connection, user: &User, fingerprint: &str) -> Result<(), Error> {
    let factor = second_factor::find(conn, user.id)?;
    match factor.is_some_and(|factor| factor.fingerprint() == fingerprint) {
        true => Ok(()),
        false => Err(Error::PermissionDenied),
    }
}

async fn check_password(cx: &AdminContext, credentials: &Credentials, form: &FormData) -> Result<(), Stop> {
    let user = cx.staff.staff.user()?;
    let password = form.get("password").unwrap_or_default().to_owned();
    let buckets = credentials.throttle.own_buckets(user, client_address(&cx.request));
    let problems = match credentials.check(buckets, Some(user), password).await? {
        Verdict::Right => return Ok(()),
        Verdict::Wrong => Problems::password("Your password was entered incorrectly. Please enter it again."),
        Verdict::Throttled(seconds) => Problems::password(credentials::wait(seconds)).wait(seconds),
    };
    Err(problems.into())
}

/// Checks the password and a code, which is used up. Returns the factor's fingerprint.
async fn prove(cx: &AdminContext, credentials: &Credentials, form: &FormData) -> Result<String, Stop> {
    check_password(cx, credentials, form).await?;
    let user = cx.staff.staff.user()?;
    let typed = form.get("code").unwrap_or_default().to_owned();
    let buckets = credentials.throttle.own_code_buckets(user, client_address(&cx.request));
    let problems = match credentials.check_code(buckets, user.clone(), typed).await? {
        CodeVerdict::Right(proven) => return Ok(proven.fingerprint),
        CodeVerdict::Wrong => Problems::code(WRONG),
        CodeVerdict::Throttled(seconds) => Problems::code(credentials::wait(seconds)).wait(seconds),
        CodeVerdict::NoKey(error) => Problems::code(key_problem(&error)).unavailable(),
    };
    Err(problems.into())
}
