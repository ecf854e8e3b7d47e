//! `/admin/second_factor/`: how far users are with their second factor. [`steps`](super::steps) lead on.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::enrolment::{Enrolment, Instructions};
use super::messages::key_problem;
use crate::admin::auth::credentials::Credentials;
use crate::admin::auth::problem::retry_after;
use crate::admin::context::AdminContext;
use crate::admin::form_data::FormData;
use crate::admin::model_admin::Staff;
use crate::admin::moment::Moment;
use crate::admin::pages::{Frame, Gate, page};
use crate::admin::site::Site;
use crate::db::Connection;
use crate::error::Error;
use crate::users::second_factor::{self, KeyError, SecondFactor};

pub const TITLE: &str = "Second factor";

/// In the frame of the admin.
#[derive(Template)]
#[template(path = "admin/second_factor.html")]
struct FactorPage {
    frame: Frame,
    csrf_token: String,
    next: String,
    stage: Stage,
    problems: Problems,
}

/// For users who may not do anything else before.
#[derive(Template)]
#[template(path = "admin/second_factor_required.html")]
struct RequiredPage {
    gate: Gate,
    csrf_token: String,
    next: String,
    stage: Stage,
    problems: Problems,
}

/// How far the user is.
enum Stage {
    NoPassword,
    NoKey(String),
    Begin,
    Confirm(Instructions),
    On { since: Moment, codes: i64 },
}

#[derive(Default)]
pub struct Problems {
    status: StatusCode,
    password: Vec<String>,
    code: Vec<String>,
    /// Seconds until the next attempt.
    wait: Option<u64>,
}

impl Problems {
    pub fn password(text: impl Into<String>) -> Problems {
        Problems { status: StatusCode::BAD_REQUEST, password: vec![text.into()], ..Problems::default() }
    }

    pub fn code(text: impl Into<String>) -> Problems {
        Problems { status: StatusCode::BAD_REQUEST, code: vec![text.into()], ..Problems::default() }
    }

    pub fn unavailable(self) -> Problems {
        Problems { status: StatusCode::SERVICE_UNAVAILABLE, ..self }
    }

    pub fn wait(self, seconds: u64) -> Problems {
        Problems { status: StatusCode::TOO_MANY_REQUESTS, wait: Some(seconds), ..self }
    }
}

pub async fn form(cx: AdminContext, credentials: web::Data<Credentials>) -> Result<HttpResponse, Error> {
    let next = FormData::of_query(&cx.request).next_page();
    show(&cx, &credentials, next, Problems::default()).await
}

pub async fn show(
    cx: &AdminContext,
    credentials: &Credentials,
    next: String,
    problems: Problems,
) -> Result<HttpResponse, Error> {
    let (csrf_token, status, wait) = (cx.staff.csrf_token.clone(), problems.status, problems.wait);
    let stage = stage(cx, credentials).await?;
    let response = if cx.staff.must_enrol {
        let gate = Gate::new(&cx.request, TITLE);
        page(status, &RequiredPage { gate, csrf_token, next, stage, problems })?
    } else {
        let frame = Frame::new(cx, TITLE, "second_factor");
        page(status, &FactorPage { frame, csrf_token, next, stage, problems })?
    };
    Ok(match wait {
        Some(seconds) => retry_after(response, seconds),
        None => response,
    })
}

async fn stage(cx: &AdminContext, credentials: &Credentials) -> Result<Stage, Error> {
    let user = cx.staff.staff.user()?;
    if let Some((factor, codes)) = own(cx).await? {
        return Ok(Stage::On { since: Moment::new(factor.confirmed_at), codes });
    }
    if user.password.is_none() {
        return Ok(Stage::NoPassword);
    }
    let Some(enrolment) = Enrolment::of(&cx.staff.session) else {
        return Ok(match credentials.factor_key.is_missing() {
            true => Stage::NoKey(key_problem(&KeyError::NotSet)),
            false => Stage::Begin,
        });
    };
    match credentials.factor_key.get().map(|key| enrolment.secret(user, &key)) {
        Ok(Some(secret)) => Ok(Stage::Confirm(Instructions::new(&cx.request, user, &secret)?)),
        Ok(None) => Ok(Stage::Begin),
        Err(error) => Ok(Stage::NoKey(key_problem(&error))),
    }
}

/// The user's factor, and how many recovery codes are left.
pub async fn own(cx: &AdminContext) -> Result<Option<(SecondFactor, i64)>, Error> {
    let find = |conn: &mut Connection, _: &Site, staff: &Staff| {
        let id = staff.user()?.id;
        let Some(factor) = second_factor::find(conn, id)? else { return Ok(None) };
        Ok(Some((factor, second_factor::count_recovery_codes(conn, id)?)))
    };
    cx.read(find).await
}
