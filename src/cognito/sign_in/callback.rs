//! The way back from Cognito: exchanges the code, checks the ID token and begins a session.

use std::collections::HashMap;

use actix_session::SessionExt;
use actix_web::cookie::time::Duration;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};

use super::SignIn;
use super::failure::{End, Failure, refuse};
use super::flow::Flow;
use crate::admin::auth::credentials::Credentials;
use crate::admin::auth::entry::know_device;
use crate::admin::auth::external::SignInMethods;
use crate::admin::auth::proof::{ExternalAccount, Proof};
use crate::admin::auth::second_factor::code;
use crate::admin::auth::session;
use crate::admin::auth::staff::StaffUser;
use crate::admin::pages::{Gate, page, see_other};
use crate::cognito::linking::{self, Identity};
use crate::cognito::token::Claims;
use crate::crypto::equal;
use crate::error::{Error, Refusal};
use crate::http::client_address::client_address;
use crate::http::cookies::Cookies;
use crate::http::edge::request_id;
use crate::http::rate_limit::RateLimits;
use crate::users::models::User;
use crate::users::refusals::{Kind, Refusals, Who};
use crate::users::second_factor;

/// `GET /admin/login/cognito/callback/`: where Cognito leads back to.
pub async fn callback(
    request: HttpRequest,
    sign_in: web::Data<SignIn>,
    methods: web::Data<SignInMethods>,
    credentials: web::Data<Credentials>,
    cookies: web::Data<Cookies>,
    staff: Option<StaffUser>,
) -> Result<HttpResponse, Error> {
    let parameters = redirect_parameters(request.query_string()).unwrap_or_default();
    let state = parameters.get("state").map_or("", String::as_str);
    let name = Flow::cookie_name(state);
    let flow = name.as_ref().and_then(|name| {
        let values = cookies.get(&request, name);
        values.iter().find_map(|value| Flow::open(name, value, &sign_in.flow_key, state))
    });
    let next = flow.as_ref().map_or_else(|| "/admin/".to_owned(), |flow| flow.next.clone());
    let entered = match (flow, code(&sign_in, &parameters)) {
        (None, _) => Err(Failure::NoFlow.into()),
        (Some(_), Err(failure)) => Err(failure.into()),
        (Some(flow), Ok(code)) => enter(&request, &sign_in, (&credentials, &cookies), &flow, code).await,
    };
    let mut response = match entered {
        Ok(response) => response,
        // A page that is loaded again.
        Err(End::Refused(Failure::NoFlow)) if staff.is_some() => see_other(&next),
        Err(End::Refused(failure)) => refuse(&request, &methods, &next, failure)?,
        Err(End::Error(error)) => return Err(error),
    };
    if let Some(name) = name {
        // A flow ends with its first answer.
        cookies.set(&mut response, &name, "", Some(Duration::ZERO))?;
    }
    Ok(response)
}

/// The parameters of the redirect back, each once: a second value is an attack (RFC 6749, section 3.1).
fn redirect_parameters(query: &str) -> Option<HashMap<String, String>> {
    let mut parameters = HashMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if parameters.insert(name.into_owned(), value.into_owned()).is_some() {
            return None;
        }
    }
    Some(parameters)
}

/// The code that the provider has sent.
fn code<'a>(sign_in: &SignIn, parameters: &'a HashMap<String, String>) -> Result<&'a str, Failure> {
    if let Some(error) = parameters.get("error") {
        return Err(Failure::Redirect(error.chars().take(100).collect()));
    }
    // RFC 9207: the answer of another provider must not be taken for this one's.
    let is_ours = parameters.get("iss").is_none_or(|issuer| *issuer == sign_in.provider.settings.issuer);
    let code = parameters.get("code").filter(|code| is_ours && !code.is_empty());
    code.map(String::as_str).ok_or(Failure::Malformed)
}

#[derive(Template)]
#[template(path = "admin/signed_in.html")]
struct SignedInPage<'a> {
    gate: Gate,
    next: &'a str,
}

/// Leads on. Browsers say of a redirect after Cognito's that it comes from another site, and the pages of the API do not
/// know a session then. So a page of ours leads there.
fn go_on(request: &HttpRequest, next: &str) -> Result<HttpResponse, Error> {
    match next.starts_with("/admin/") {
        true => Ok(see_other(next)),
        false => page(StatusCode::OK, &SignedInPage { gate: Gate::new(request, "You are signed in"), next }),
    }
}

/// Exchanges the code, finds the user, and begins their session or asks for the code of their second factor.
async fn enter(
    request: &HttpRequest,
    sign_in: &SignIn,
    admin: (&Credentials, &Cookies),
    flow: &Flow,
    code: &str,
) -> Result<HttpResponse, End> {
    RateLimits::of(request)?.count_stranger(request)?;
    let token = sign_in.provider.id_token(code, &flow.verifier, &flow.redirect_uri).await?;
    let entered = match sign_in.verifier.claims(&token).await {
        Ok(claims) => enter_with(request, sign_in, admin, flow, &claims).await,
        Err(refusal) => Err(Failure::Token(refusal).into()),
    };
    if let Err(End::Refused(failure)) = &entered {
        record(request, sign_in, failure, &token).await;
    }
    entered
}

/// For the staff who can say why somebody does not get in.
async fn record(request: &HttpRequest, sign_in: &SignIn, failure: &Failure, token: &str) {
    let (Some(code), Some(refusals)) = (failure.code(), request.app_data::<web::Data<Refusals>>()) else { return };
    let claims = sign_in.verifier.signed_claims(token).await;
    refusals.add(Kind::SignIn, code, claims.as_ref().map_or(Who::Unknown, Who::from));
}

async fn enter_with(
    request: &HttpRequest,
    sign_in: &SignIn,
    (credentials, cookies): (&Credentials, &Cookies),
    flow: &Flow,
    claims: &Claims,
) -> Result<HttpResponse, End> {
    let since = check(sign_in, flow, claims)?.timestamp();
    let (rules, identity) = (sign_in.rules.clone(), Identity::from(claims));
    let groups = linking::groups(claims, &rules);
    let enter = move |conn: &mut _| {
        let user = linking::enter(conn, &rules, &identity, groups.as_ref())?;
        let has_factor = second_factor::find(conn, user.id)?.is_some();
        Ok((user, has_factor))
    };
    let (user, has_factor) = credentials.db.write(enter).await?;
    if !user.is_staff {
        return Err(Failure::NotStaff.into());
    }
    let account = ExternalAccount { sub: claims.sub.clone(), since };
    if has_factor {
        // The link may be new, and made by an e-mail address that somebody else has set.
        note(request, &user, "signed in with Cognito, a code is asked for");
        let asked = code::ask(request, (credentials, cookies), &user, Some(account), &flow.next)?;
        return asked.map_err(|_| Failure::NoFactorKey.into());
    }
    credentials.note_login(user.id).await?;
    let proof = Proof { external: Some(account), factor: None };
    session::begin(&request.get_session(), &user, request, proof)?;
    note(request, &user, "signed in to the admin with Cognito");
    let mut response = go_on(request, &flow.next)?;
    know_device(request, &mut response, (credentials, cookies), &user, None)?;
    Ok(response)
}

/// What a sign-in asks of an ID token beyond what the verifier has checked. Returns when the user signed in.
fn check(sign_in: &SignIn, flow: &Flow, claims: &Claims) -> Result<DateTime<Utc>, Failure> {
    if !claims.nonce.as_ref().is_some_and(|nonce| equal(nonce, &flow.nonce)) {
        return Err(Failure::Nonce);
    }
    let accepted = &sign_in.provider.settings.acr;
    if !accepted.is_empty() && !claims.acr.as_ref().is_some_and(|acr| accepted.contains(acr)) {
        return Err(Failure::Acr);
    }
    // It was asked for with `max_age`, so it must be there (OpenID Connect Core 1.0, section 3.1.2.1).
    let at = claims.auth_time.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    let at = at.ok_or(Failure::Token(Refusal::ClaimInvalid))?.min(Utc::now());
    let age = (Utc::now() - at).to_std().unwrap_or_default();
    if age < sign_in.max_age { Ok(at) } else { Err(Failure::TooOld) }
}

fn note(request: &HttpRequest, user: &User, what: &str) {
    let (name, from) = (user.username.escape_debug(), client_address(request));
    log::info!(request_id = request_id(request); "{what}: `{name}` from {from}");
}
