//! The way to Cognito: its sign-in page and its sign-out.

use std::sync::Arc;

use actix_web::cookie::time::Duration;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::SignIn;
use super::callback::callback;
use super::failure::{Failure, refuse};
use super::flow::{self, CALLBACK, Flow, SIGN_IN, SIGN_OUT, sign_in_path};
use super::local_pages::LocalProvider;
use crate::admin::auth::external::{ExternalSignIn, SignInMethods, SignInResource};
use crate::admin::auth::next::own_path;
use crate::admin::auth::origin::host;
use crate::admin::auth::staff::StaffUser;
use crate::admin::pages::see_other;
use crate::cognito::provider::{Endpoints, ProviderError};
use crate::error::Error;
use crate::http::cookies::{Cookies, SIGN_IN as SIGN_IN_COOKIES};
use crate::http::edge::is_behind_tls;
use crate::http::routes::get;

/// What the admin shows of this.
pub static EXTERNAL: ExternalSignIn = ExternalSignIn {
    name: "Cognito",
    sign_in_path: SIGN_IN,
    sign_out_path: SIGN_OUT,
    resources: || {
        vec![
            SignInResource { path: SIGN_IN, allow: "GET, HEAD", route: get().to(begin) },
            // Not HEAD: a code counts once.
            SignInResource { path: CALLBACK, allow: "GET", route: web::get().to(callback) },
            SignInResource { path: SIGN_OUT, allow: "GET, HEAD", route: get().to(sign_out) },
        ]
    },
};

/// The longest path, in bytes, that a sign-in leads on to.
const MOST_NEXT: usize = 500;
/// The most flows of one browser. Their cookies go with every request.
const MOST_FLOWS: usize = 3;

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct BeginQuery {
    next: String,
    /// Asks the provider for another sign-in, even if it has a session.
    again: String,
    /// Set once the browser was sent to the public origin, so that it is sent there once.
    moved: String,
}

/// `GET /admin/login/cognito/`
pub async fn begin(
    request: HttpRequest,
    query: Option<web::Query<BeginQuery>>,
    staff: Option<StaffUser>,
    sign_in: web::Data<SignIn>,
    methods: web::Data<SignInMethods>,
    cookies: web::Data<Cookies>,
) -> Result<HttpResponse, Error> {
    let BeginQuery { next, again, moved } = query.map(web::Query::into_inner).unwrap_or_default();
    // The cookie of the flow carries it, and browsers keep no cookie beyond 4096 bytes.
    let next = own_path(if next.len() > MOST_NEXT { "" } else { &next });
    // A user who must set up a second factor may choose Cognito instead.
    if staff.is_some_and(|staff| !staff.must_enrol) {
        return Ok(see_other(&next));
    }
    let own = origin(&request, &cookies);
    // The cookie of a flow that begins at another name than Cognito leads back to would be lost.
    if let Some(public) = sign_in.public_origin.as_ref().filter(|public| **public != own && moved.is_empty()) {
        return Ok(found(&format!("{public}{}&moved=1", sign_in_path(&next, !again.is_empty()))));
    }
    let redirect_uri = format!("{}{CALLBACK}", sign_in.public_origin.as_ref().unwrap_or(&own));
    let flow = Flow::begin(next.clone(), redirect_uri)?;
    let endpoints = match endpoints(&sign_in, &own).await {
        Ok(endpoints) => endpoints,
        Err(error) => return refuse(&request, &methods, &next, error.into()),
    };
    let url = flow.authorization_url(&endpoints, &sign_in.provider.settings, sign_in.max_age, !again.is_empty());
    let mut response = found(url.as_str());
    drop_flows(&request, &mut response, &cookies)?;
    if let Some(name) = Flow::cookie_name(&flow.state) {
        cookies.set(&mut response, &name, &flow.seal(&name, &sign_in.flow_key)?, Some(flow::AGE))?;
    }
    Ok(response)
}

async fn endpoints(sign_in: &SignIn, own: &str) -> Result<Arc<Endpoints>, ProviderError> {
    if sign_in.is_local {
        // At the origin of the page that leads there, or `form-action 'self'` stops the way back.
        return LocalProvider::endpoints(own).map(Arc::new).map_err(ProviderError::Unusable);
    }
    sign_in.provider.endpoints().await
}

/// Removes the cookies of older flows, if there are many.
fn drop_flows(request: &HttpRequest, response: &mut HttpResponse, cookies: &Cookies) -> Result<(), Error> {
    let names = cookies.names(request, SIGN_IN_COOKIES);
    if names.len() >= MOST_FLOWS {
        for name in names {
            cookies.set(response, &name, "", Some(Duration::ZERO))?;
        }
    }
    Ok(())
}

/// `GET /admin/logout/cognito/`: ends the session at Cognito, too, and leads back to the sign-in page.
pub async fn sign_out(
    request: HttpRequest,
    sign_in: web::Data<SignIn>,
    methods: web::Data<SignInMethods>,
    cookies: web::Data<Cookies>,
) -> Result<HttpResponse, Error> {
    let own = origin(&request, &cookies);
    let origin = sign_in.public_origin.as_ref().unwrap_or(&own);
    match endpoints(&sign_in, &own).await {
        Ok(endpoints) => match sign_in.provider.logout_url(&endpoints, &format!("{origin}/admin/login/")) {
            Some(url) => Ok(found(url.as_str())),
            None => refuse(&request, &methods, "/admin/", Failure::NoSignOut),
        },
        Err(error) => refuse(&request, &methods, "/admin/", error.into()),
    }
}

/// The origin that the request names. The edge has checked its host.
fn origin(request: &HttpRequest, cookies: &Cookies) -> String {
    let scheme = if cookies.secure || is_behind_tls(request.headers()) { "https" } else { "http" };
    format!("{scheme}://{}", host(request).unwrap_or_default())
}

fn found(url: &str) -> HttpResponse {
    HttpResponse::Found().insert_header((header::LOCATION, url)).finish()
}
