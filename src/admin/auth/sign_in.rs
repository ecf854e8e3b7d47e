//! `/admin/login/` and `/admin/logout/`. An unknown user, a wrong password, a deactivated account and missing staff
//! status take the same time and get the same answer.

use actix_session::SessionExt;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::credentials::{self, Credentials, Verdict};
use super::csrf;
use super::device;
use super::external::SignInMethods;
use super::next::own_path;
use super::session;
use super::staff::StaffUser;
use crate::admin::form_data::{PostForm, PublicForm};
use crate::admin::pages::{Gate, page, see_other};
use crate::db::Db;
use crate::error::{Error, Refusal, SignInRefusal};
use crate::http::client_address::client_address;
use crate::http::cookies::{self, Cookies};
use crate::http::edge::request_id;
use crate::users::models::{self, User};
use crate::users::refusals::{Kind, Refusals, Who};
use crate::users::validators;

/// Django's sentence.
const REFUSED: &str =
    "Please enter the correct username and password for a staff account. Note that both fields may be case-sensitive.";

#[derive(Deserialize)]
pub struct NextQuery {
    #[serde(default)]
    next: String,
}

#[derive(Template)]
#[template(path = "admin/login.html")]
struct LoginPage<'a> {
    gate: Gate,
    csrf_token: &'a str,
    username: &'a str,
    next: &'a str,
    methods: SignInMethods,
    error: Option<Problem>,
}

struct Problem {
    tone: &'static str,
    icon: &'static str,
    text: String,
}

pub async fn sign_in_page(
    request: HttpRequest,
    query: Option<web::Query<NextQuery>>,
    staff: Option<StaffUser>,
) -> Result<HttpResponse, Error> {
    let next = own_path(&query.map_or_else(String::new, |query| query.into_inner().next));
    match staff {
        Some(_) => Ok(see_other(&next)),
        None => show(&request, StatusCode::OK, "", &next, None),
    }
}

fn show(
    request: &HttpRequest,
    status: StatusCode,
    username: &str,
    next: &str,
    error: Option<Problem>,
) -> Result<HttpResponse, Error> {
    let token = csrf::anonymous_token(request)?;
    let gate = Gate::new(request, "Sign in");
    let mut response =
        page(status, &LoginPage { gate, csrf_token: &token, username, next, methods: methods(request)?, error })?;
    csrf::keep_token(request, &mut response, &token)?;
    Ok(response)
}

fn methods(request: &HttpRequest) -> Result<SignInMethods, Error> {
    let methods = request.app_data::<web::Data<SignInMethods>>().map(|methods| *methods.get_ref());
    methods.ok_or_else(|| Error::Internal("there is no way to sign in".to_owned()))
}

pub async fn sign_in(
    request: HttpRequest,
    PublicForm(form): PublicForm,
    credentials: web::Data<Credentials>,
    cookies: web::Data<Cookies>,
) -> Result<HttpResponse, Error> {
    if !methods(&request)?.password {
        return Err(Error::PermissionDenied);
    }
    let field = |name| form.get(name).unwrap_or_default();
    let username = clean_username(field("username"));
    let user = find(&credentials.db, username.clone()).await?;
    let is_known = |device: &String| user.as_ref().is_some_and(|user| credentials.devices.is_known(device, user.id));
    let device = cookies.get(&request, cookies::DEVICE).into_iter().find(is_known);
    let buckets = credentials.throttle.buckets(&username, client_address(&request), device.as_deref());
    let verdict = credentials.check(buckets, user.as_ref(), field("password").to_owned()).await?;
    let typed: String = field("username").chars().take(validators::MAX_USERNAME_CHARS).collect();
    note(&request, user.as_ref(), verdict);
    let next = own_path(field("next"));
    match (verdict, user) {
        (Verdict::Right, Some(user)) => {
            let device = device.map_or_else(|| credentials.devices.issue(user.id), Ok)?;
            let user = credentials.renew_hash(user, field("password").to_owned()).await?;
            credentials.note_login(user.id).await?;
            enter(&request, &cookies, &user, &device, &next)
        }
        (Verdict::Throttled(seconds), _) => {
            let problem = Problem { tone: "warn", icon: "warning", text: credentials::wait(seconds) };
            let mut response = show(&request, StatusCode::TOO_MANY_REQUESTS, &typed, &next, Some(problem))?;
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
            Ok(response)
        }
        _ => {
            let problem = Problem { tone: "bad", icon: "error", text: REFUSED.to_owned() };
            show(&request, StatusCode::OK, &typed, &next, Some(problem))
        }
    }
}

/// Omits unknown names: they may be passwords typed into the wrong field.
fn note(request: &HttpRequest, user: Option<&User>, verdict: Verdict) {
    let (level, what) = match verdict {
        Verdict::Right => (log::Level::Info, "signed in to the admin"),
        Verdict::Wrong => (log::Level::Warn, "sign-in refused"),
        Verdict::Throttled(_) => (log::Level::Warn, "too many attempts to sign in"),
    };
    if let (Some(user), Some(refusals)) = (user, request.app_data::<web::Data<Refusals>>())
        && let Some(code) = refusal(user, verdict)
    {
        refusals.add(Kind::SignIn, code, Who::User(user.id));
    }
    let name = user.map_or("unknown user".to_owned(), |user| format!("`{}`", user.username.escape_debug()));
    log::log!(level, request_id = request_id(request); "{what}: {name} from {}", client_address(request));
}

/// The code of a refused sign-in, for the staff.
fn refusal(user: &User, verdict: Verdict) -> Option<&'static str> {
    match verdict {
        Verdict::Right => None,
        Verdict::Throttled(_) => Some(SignInRefusal::TooManyAttempts.code()),
        Verdict::Wrong if !user.is_active => Some(Refusal::UserInactive.code()),
        Verdict::Wrong if !user.is_staff => Some(SignInRefusal::NotStaff.code()),
        Verdict::Wrong if user.password.is_none() => Some(SignInRefusal::PasswordMissing.code()),
        Verdict::Wrong => Some(SignInRefusal::PasswordWrong.code()),
    }
}

/// Normalized as at creation; empty if it is longer than any username.
fn clean_username(typed: &str) -> String {
    let typed = typed.trim();
    if typed.chars().count() > validators::MAX_USERNAME_CHARS {
        return String::new();
    }
    validators::normalize_username(typed)
}

async fn find(db: &Db, username: String) -> Result<Option<User>, Error> {
    db.read(move |conn| Ok(models::find_by_username(conn, &username)?)).await
}

fn enter(
    request: &HttpRequest,
    cookies: &Cookies,
    user: &User,
    device: &str,
    next: &str,
) -> Result<HttpResponse, Error> {
    session::begin(&request.get_session(), user, request, None)?;
    let mut response = see_other(next);
    cookies.set(&mut response, cookies::DEVICE, device, Some(device::AGE))?;
    Ok(response)
}

#[derive(Template)]
#[template(path = "admin/logged_out.html")]
struct LoggedOutPage {
    gate: Gate,
    methods: SignInMethods,
}

pub async fn sign_out(request: HttpRequest, staff: StaffUser, _: PostForm) -> Result<HttpResponse, Error> {
    staff.sign_out();
    page(StatusCode::OK, &LoggedOutPage { gate: Gate::new(&request, "Signed out"), methods: methods(&request)? })
}
