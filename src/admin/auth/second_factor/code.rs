//! `/admin/login/code/`: the second page of a sign-in, for users with a second factor.

use actix_session::SessionExt;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::messages::{WRONG, key_problem};
use super::pending::{self, Pending};
use crate::admin::auth::credentials::{CodeVerdict, Credentials};
use crate::admin::auth::csrf;
use crate::admin::auth::entry::{enter, known_device};
use crate::admin::auth::external::SignInMethods;
use crate::admin::auth::next::{sign_in_address, with_next};
use crate::admin::auth::problem::{Problem, retry_after};
use crate::admin::auth::proof::ExternalAccount;
use crate::admin::auth::session::{self, MESSAGES};
use crate::admin::auth::staff::StaffUser;
use crate::admin::form_data::{FormData, PublicForm};
use crate::admin::message::Message;
use crate::admin::pages::{Gate, page, see_other};
use crate::db::Connection;
use crate::error::{Error, SignInRefusal};
use crate::http::client_address::client_address;
use crate::http::cookies::{self, Cookies};
use crate::http::edge::request_id;
use crate::users::models::{self, User};
use crate::users::refusals::{Kind, Refusals, Who};
use crate::users::second_factor::{self, Proven};

const PATH: &str = "/admin/login/code/";

#[derive(Template)]
#[template(path = "admin/code.html")]
struct CodePage<'a> {
    gate: Gate,
    csrf_token: &'a str,
    next: &'a str,
    error: Option<Problem>,
}

/// Leads to this page after the right password, or from an account elsewhere. A user who was signed in here before is
/// signed out.
pub fn ask(
    request: &HttpRequest,
    (credentials, cookies): (&Credentials, &Cookies),
    user: &User,
    external: Option<ExternalAccount>,
    next: &str,
) -> Result<Result<HttpResponse, Problem>, Error> {
    let key = match credentials.factor_key.get() {
        Ok(key) => key,
        Err(error) => {
            record(request, user, SignInRefusal::SecondFactorUnavailable);
            return Ok(Err(Problem::error(key_problem(&error))));
        }
    };
    if let Some(staff) = StaffUser::of(request) {
        staff.sign_out();
    }
    let mut response = see_other(&with_next(PATH, next));
    cookies.set(
        &mut response,
        cookies::SECOND_FACTOR,
        &Pending::begin(user, external).seal(&key)?,
        Some(pending::AGE),
    )?;
    Ok(Ok(response))
}

pub async fn form(
    request: HttpRequest,
    credentials: web::Data<Credentials>,
    cookies: web::Data<Cookies>,
) -> Result<HttpResponse, Error> {
    let next = FormData::of_query(&request).next_page();
    if StaffUser::of(&request).is_some() {
        return Ok(see_other(&next));
    }
    match find(&request, &credentials, &cookies).await? {
        Some(_) => show(&request, StatusCode::OK, &next, None),
        None => Ok(see_other(&sign_in_address(&next))),
    }
}

fn show(request: &HttpRequest, status: StatusCode, next: &str, error: Option<Problem>) -> Result<HttpResponse, Error> {
    let token = csrf::anonymous_token(request)?;
    let gate = Gate::new(request, "Enter a code");
    let mut response = page(status, &CodePage { gate, csrf_token: &token, next, error })?;
    csrf::keep_token(request, &mut response, &token)?;
    Ok(response)
}

/// The user who signed in a moment ago, and who still has the password, the access and the second factor.
async fn find(
    request: &HttpRequest,
    credentials: &Credentials,
    cookies: &Cookies,
) -> Result<Option<(User, Pending, String)>, Error> {
    let Ok(key) = credentials.factor_key.get() else { return Ok(None) };
    let has_passwords = request.app_data::<web::Data<SignInMethods>>().is_some_and(|methods| methods.password);
    let sealed = cookies.get(request, cookies::SECOND_FACTOR);
    let pending = sealed.iter().find_map(|sealed| Pending::open(sealed, &key));
    let Some(pending) = pending.filter(|pending| has_passwords || pending.external.is_some()) else { return Ok(None) };
    let find = move |conn: &mut Connection| {
        let user = models::find(conn, pending.user_id)?.filter(|user| pending.is_of(user));
        let factor = second_factor::find(conn, pending.user_id)?;
        Ok(user.zip(factor).map(|(user, factor)| (user, pending, factor.fingerprint())))
    };
    credentials.db.read(find).await
}

pub async fn submit(
    request: HttpRequest,
    PublicForm(form): PublicForm,
    credentials: web::Data<Credentials>,
    cookies: web::Data<Cookies>,
) -> Result<HttpResponse, Error> {
    let next = form.next_page();
    let Some((user, pending, factor)) = find(&request, &credentials, &cookies).await? else {
        return Ok(see_other(&sign_in_address(&next)));
    };
    let device = known_device(&request, (&credentials, &cookies), &user, Some(&factor));
    let buckets = credentials.throttle.code_buckets(&user, client_address(&request), device.as_deref());
    let typed = form.get("code").unwrap_or_default().to_owned();
    let verdict = credentials.check_code(buckets, user.clone(), typed).await?;
    note(&request, &user, &verdict);
    match verdict {
        CodeVerdict::Right(proven) => {
            let proof = pending.proof(proven.fingerprint.clone());
            let mut response = enter(&request, (&credentials, &cookies), &user, proof, &next).await?;
            cookies.set(&mut response, cookies::SECOND_FACTOR, "", Some(pending::OVER))?;
            warn_of_last_codes(&request, &proven)?;
            Ok(response)
        }
        CodeVerdict::Wrong => show(&request, StatusCode::OK, &next, Some(Problem::error(WRONG))),
        CodeVerdict::Throttled(seconds) => {
            let response = show(&request, StatusCode::TOO_MANY_REQUESTS, &next, Some(Problem::throttled(seconds)))?;
            Ok(retry_after(response, seconds))
        }
        CodeVerdict::NoKey(error) => {
            show(&request, StatusCode::SERVICE_UNAVAILABLE, &next, Some(Problem::error(key_problem(&error))))
        }
    }
}

fn note(request: &HttpRequest, user: &User, verdict: &CodeVerdict) {
    let (level, what) = match verdict {
        CodeVerdict::Right(Proven { recovery_codes: Some(_), .. }) => {
            (log::Level::Warn, "signed in to the admin with a recovery code")
        }
        CodeVerdict::Right(_) => (log::Level::Info, "signed in to the admin"),
        CodeVerdict::Wrong => (log::Level::Warn, "code refused"),
        CodeVerdict::Throttled(_) => (log::Level::Warn, "too many attempts to sign in"),
        CodeVerdict::NoKey(_) => (log::Level::Error, "code not checked"),
    };
    let refusal = match verdict {
        CodeVerdict::Wrong => Some(SignInRefusal::CodeWrong),
        CodeVerdict::Throttled(_) => Some(SignInRefusal::TooManyAttempts),
        CodeVerdict::NoKey(_) => Some(SignInRefusal::SecondFactorUnavailable),
        CodeVerdict::Right(_) => None,
    };
    if let Some(refusal) = refusal {
        record(request, user, refusal);
    }
    let (name, from) = (user.username.escape_debug(), client_address(request));
    log::log!(level, request_id = request_id(request); "{what}: `{name}` from {from}");
}

fn record(request: &HttpRequest, user: &User, refusal: SignInRefusal) {
    if let Some(refusals) = request.app_data::<web::Data<Refusals>>() {
        refusals.add(Kind::SignIn, refusal.code(), Who::User(user.id));
    }
}

/// The first page after the sign-in says it.
fn warn_of_last_codes(request: &HttpRequest, proven: &Proven) -> Result<(), Error> {
    let Some(left) = proven.recovery_codes else { return Ok(()) };
    let left = if left == 1 { "1 is left".to_owned() } else { format!("{left} are left") };
    let message = Message::warning(format!("You have used a recovery code. {left}."));
    let message = message.about("/admin/second_factor/", "Second factor");
    session::insert(&request.get_session(), MESSAGES, vec![message])
}
