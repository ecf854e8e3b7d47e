//! HTML pages that belong to no feature: the root and errors outside the API.

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

/// JSON for clients that name it in `Accept`; all others get the page, as in the Django project.
fn answer(request: &HttpRequest, error: &Error, page: &ErrorPage) -> HttpResponse {
    let response = match (negotiation::wants_problem(request), negotiation::names_json(request)) {
        (true, _) => error.problem_response(),
        (_, true) => error.error_response(),
        _ => match page.render() {
            Ok(html) => HttpResponse::build(error.status_code()).content_type(ContentType::html()).body(html),
            Err(error) => Error::Internal(error.to_string()).error_response(),
        },
    };
    by_accept(response)
}

pub async fn not_found(request: HttpRequest) -> HttpResponse {
    let page = ErrorPage {
        theme: theme::chosen(&request),
        title: "Not Found",
        message: "There is nothing at this URL.",
        request_id: None,
        link: Some(("/docs/", "API documentation")),
    };
    answer(&request, &Error::NotFound, &page)
}

pub fn bad_host(request: &HttpRequest) -> HttpResponse {
    let page = ErrorPage {
        theme: theme::chosen(request),
        title: "Bad Request (400)",
        message: "The request names a host that this service does not answer for. Its operator can add the host to ALLOWED_HOSTS.",
        request_id: None,
        link: None,
    };
    answer(request, &Error::HostNotAllowed, &page)
}
