//! HTML pages that belong to no feature: the root and errors outside the API.

use actix_web::http::StatusCode;
use actix_web::http::header::{ContentType, HeaderValue, LOCATION, VARY};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use askama::Template;

use crate::error::Error;
use crate::http::negotiation::{self, Renderer};
use crate::http::theme;

#[derive(Template)]
#[template(path = "error.html")]
pub struct ErrorPage<'a> {
    pub theme: &'static str,
    pub title: &'a str,
    pub message: &'a str,
    pub request_id: Option<&'a str>,
    /// URL and text.
    pub link: Option<(&'a str, &'a str)>,
}

fn error_page(status: StatusCode, page: &ErrorPage) -> HttpResponse {
    match page.render() {
        Ok(html) => HttpResponse::build(status).content_type(ContentType::html()).body(html),
        Err(error) => Error::Internal(error.to_string()).error_response(),
    }
}

/// 404 for API clients, as in the Django project. Browsers are redirected to the admin.
pub async fn root(request: HttpRequest) -> HttpResponse {
    match negotiation::choose(&request) {
        Ok(Renderer::Html) => by_accept(HttpResponse::Found().insert_header((LOCATION, "/admin/")).finish()),
        _ => not_found(request).await,
    }
}

fn by_accept(mut response: HttpResponse) -> HttpResponse {
    response.headers_mut().insert(VARY, HeaderValue::from_static("Accept"));
    response
}

/// JSON for clients that name it in `Accept`; all others get a page, as in the Django project.
fn in_json(request: &HttpRequest, error: &Error) -> Option<HttpResponse> {
    let response = match (negotiation::wants_problem(request), negotiation::names_json(request)) {
        (true, _) => error.problem_response(),
        (_, true) => error.error_response(),
        _ => return None,
    };
    Some(by_accept(response))
}

pub async fn not_found(request: HttpRequest) -> HttpResponse {
    if let Some(response) = in_json(&request, &Error::NotFound) {
        return response;
    }
    let page = ErrorPage {
        theme: theme::chosen(&request),
        title: "Not Found",
        message: "There is nothing at this URL.",
        request_id: None,
        link: Some(("/docs/", "API documentation")),
    };
    by_accept(error_page(StatusCode::NOT_FOUND, &page))
}

pub fn bad_host(request: &HttpRequest) -> HttpResponse {
    if let Some(response) = in_json(request, &Error::HostNotAllowed) {
        return response;
    }
    let page = ErrorPage {
        theme: theme::chosen(request),
        title: "Bad Request (400)",
        message: "The request names a host that this service does not answer for. Its operator can add the host to ALLOWED_HOSTS.",
        request_id: None,
        link: None,
    };
    by_accept(error_page(StatusCode::BAD_REQUEST, &page))
}
