//! Errors as pages, inside the frame if somebody is signed in.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use askama::Template;

use super::auth::origin::OTHER_SITE;
use super::auth::staff::StaffUser;
use super::context::AdminContext;
use super::pages::{Frame, see_other};
use crate::error::Error;
use crate::http::edge::{SCRIPTED_POLICY, request_id};
use crate::http::pages;
use crate::http::theme;

const HOME: (&str, &str) = ("/admin/", "Home");

#[derive(Template)]
#[template(path = "admin/error.html")]
struct ErrorPage<'a> {
    frame: Frame,
    status: u16,
    message: &'a str,
    request_id: Option<String>,
}

/// The outermost middleware of the admin: common headers, and a page if the session cannot be read or written.
pub async fn surround(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    const HEADERS: [(HeaderName, &str); 2] = [
        (header::CACHE_CONTROL, "max-age=0, no-cache, no-store, must-revalidate, private"),
        (header::CONTENT_SECURITY_POLICY, SCRIPTED_POLICY),
    ];
    let (id, theme) = (request_id(request.request()), theme::chosen(request.request()));
    match next.call(request).await {
        Ok(response) => {
            let mut response = response.map_into_boxed_body();
            set(response.headers_mut(), &HEADERS);
            Ok(response)
        }
        Err(error) => {
            let mut response = without_session(&id, theme);
            set(response.headers_mut(), &HEADERS);
            Err(InternalError::from_response(error, response).into())
        }
    }
}

fn set(headers: &mut HeaderMap, values: &[(HeaderName, &'static str)]) {
    for (name, value) in values {
        headers.insert(name.clone(), HeaderValue::from_static(value));
    }
}

fn without_session(request_id: &str, theme: &'static str) -> HttpResponse {
    let error = Error::Unavailable("a session cannot be read or written".to_owned());
    let (title, message) = explain(&error);
    let page = pages::ErrorPage { theme, title, message: &message, request_id: Some(request_id), link: Some(HOME) };
    with_page(error.error_response(), page.render())
}

pub async fn error_pages(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let response = next.call(request).await?.map_into_boxed_body();
    let (request, response) = response.into_parts();
    let response = show(&request, response);
    Ok(ServiceResponse::new(request, response))
}

/// The error stays in the response, for the log.
fn show(request: &HttpRequest, response: HttpResponse) -> HttpResponse {
    let status = response.status();
    let Some(error) = response.error() else { return response };
    if status.is_redirection() {
        let mut response = response.set_body(BoxBody::new(()));
        response.headers_mut().remove(header::CONTENT_TYPE);
        return response;
    }
    let (title, message) = match error.as_error::<Error>() {
        Some(error) => explain(error),
        // actix-web's own error: the id in the URL is not a number.
        None if status == StatusCode::NOT_FOUND => explain(&Error::NotFound),
        None => (title(status), "The request could not be processed.".to_owned()),
    };
    let request_id = status.is_server_error().then(|| request_id(request));
    let html = match AdminContext::of(request) {
        Ok(cx) => {
            let frame = Frame::new(&cx, title, "");
            ErrorPage { frame, status: status.as_u16(), message: &message, request_id }.render()
        }
        Err(_) => {
            let (theme, request_id) = (theme::chosen(request), request_id.as_deref());
            pages::ErrorPage { theme, title, message: &message, request_id, link: Some(HOME) }.render()
        }
    };
    with_page(response, html)
}

fn with_page(response: HttpResponse, html: askama::Result<String>) -> HttpResponse {
    match html {
        Ok(html) => {
            let mut response = response.set_body(BoxBody::new(html));
            let kind = HeaderValue::from_static("text/html; charset=utf-8");
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            response
        }
        Err(error) => Error::Internal(error.to_string()).error_response(),
    }
}

fn explain(error: &Error) -> (&'static str, String) {
    match error {
        Error::CsrfFailed(OTHER_SITE) => (
            "Form refused",
            format!("{error} If you sent it from this site, tell those who run it: their log says what to set."),
        ),
        Error::CsrfFailed(_) => (
            "Form refused",
            format!(
                "{error} Open the page again and fill in the form there. If that does not help, allow cookies for this site.",
            ),
        ),
        Error::PermissionDenied => ("Not allowed", "You do not have permission to do this.".to_owned()),
        Error::NoSuchObject(model) => {
            ("Not found", format!("There is no such {}. It may have been deleted.", model.to_lowercase()))
        }
        _ => (title(error.status_code()), error.to_string()),
    }
}

fn title(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::METHOD_NOT_ALLOWED => "Method not allowed",
        StatusCode::REQUEST_TIMEOUT => "Request timed out",
        StatusCode::PAYLOAD_TOO_LARGE => "Too large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "Unsupported format",
        StatusCode::SERVICE_UNAVAILABLE => "Try again",
        StatusCode::INTERNAL_SERVER_ERROR => "Something went wrong",
        _ => "Request failed",
    }
}

/// Any other URL below `/admin`. Without a session it leads to sign-in, so that strangers cannot tell which URLs exist.
/// As in Django, the trailing slash is optional.
pub async fn not_found(request: HttpRequest) -> Result<HttpResponse, Error> {
    StaffUser::signed_in(&request)?;
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    if !is_read || request.path().ends_with('/') {
        return Err(Error::NotFound);
    }
    let query = request.uri().query().map_or_else(String::new, |query| format!("?{query}"));
    Ok(see_other(&format!("{}/{query}", request.path())))
}
