//! `/admin/login/` and `/admin/logout/`. An unknown user, a wrong password, a deactivated account and missing staff
//! status take the same time and get the same answer.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::credentials::{Credentials, Verdict};
use super::csrf;
use super::entry::{enter, known_device};
use super::external::SignInMethods;
use super::next::is_kept;
use super::problem::{Problem, retry_after};
use super::proof::Proof;
use super::second_factor::code;
use super::staff::StaffUser;
use crate::admin::form_data::{FormData, PostForm, PublicForm};
use crate::admin::pages::{Gate, page, see_other};
use crate::db::{Connection, Db};
use crate::error::{Error, Refusal, SignInRefusal};
use crate::http::client_address::client_address;
use crate::http::cookies::Cookies;
use crate::http::edge::request_id;
use crate::users::models::{self, User};
use crate::users::refusals::{Kind, Refusals, Who};
use crate::users::second_factor;
use crate::users::validators;

/// Django's sentence.
const REFUSED: &str =
    "Please enter the correct username and password for a staff account. Note that both fields may be case-sensitive.";

const ENDED: &str =
    "Your session ended while you typed. Sign in, and the form is filled in again. Nothing is saved yet.";

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

pub async fn sign_in_page(request: HttpRequest, staff: Option<StaffUser>) -> Result<HttpResponse, Error> {
    let next = FormData::of_query(&request).next_page();
    // A user who must set up a second factor may sign in with another account.
    match staff.filter(|staff| !staff.must_enrol) {
        Some(_) => Ok(see_other(&next)),
        None => {
            let problem = is_kept(&next).then(|| Problem::warning(ENDED));
            show(&request, StatusCode::OK, "", &next, problem)
        }
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
    let (user, factor) = find(&credentials.db, username.clone()).await?;
    let has_factor = factor.is_some();
    let device =
        user.as_ref().and_then(|user| known_device(&request, (&credentials, &cookies), user, factor.as_deref()));
    let buckets = credentials.throttle.buckets(&username, client_address(&request), device.as_deref());
    let verdict = credentials.check(buckets, user.as_ref(), field("password").to_owned()).await?;
    let typed: String = field("username").chars().take(validators::MAX_USERNAME_CHARS).collect();
    note(&request, user.as_ref(), verdict, has_factor);
    let next = form.next_page();
    match (verdict, user) {
        (Verdict::Right, Some(user)) => {
            let user = credentials.renew_hash(user, field("password").to_owned()).await?;
            if !has_factor {
                return enter(&request, (&credentials, &cookies), &user, Proof::default(), &next).await;
            }
            match code::ask(&request, (&credentials, &cookies), &user, None, &next)? {
                Ok(response) => Ok(response),
                Err(problem) => show(&request, StatusCode::SERVICE_UNAVAILABLE, &typed, &next, Some(problem)),
            }
        }
        (Verdict::Throttled(seconds), _) => {
            let problem = Some(Problem::throttled(seconds));
            let response = show(&request, StatusCode::TOO_MANY_REQUESTS, &typed, &next, problem)?;
            Ok(retry_after(response, seconds))
        }
        _ => show(&request, StatusCode::OK, &typed, &next, Some(Problem::error(REFUSED))),
    }
}

/// Omits unknown names: they may be passwords typed into the wrong field.
fn note(request: &HttpRequest, user: Option<&User>, verdict: Verdict, has_factor: bool) {
    let (level, what) = match verdict {
        Verdict::Right if has_factor => (log::Level::Info, "password accepted, a code is asked for"),
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

/// The user, and the fingerprint of the second factor.
async fn find(db: &Db, username: String) -> Result<(Option<User>, Option<String>), Error> {
    let find = move |conn: &mut Connection| {
        let user = models::find_by_username(conn, &username)?;
        let factor = user.as_ref().map(|user| second_factor::find(conn, user.id)).transpose()?.flatten();
        Ok((user, factor.map(|factor| factor.fingerprint())))
    };
    db.read(find).await
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
