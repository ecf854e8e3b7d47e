//! Pages for people that belong to no feature: errors outside the API.

use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use actix_web::{HttpResponse, ResponseError};
use askama::Template;

use crate::error::Error;

/// An error's page outside the frame of the admin.
#[derive(Template)]
#[template(path = "error.html")]
pub struct ErrorPage<'a> {
    /// Its heading.
    pub title: &'a str,
    /// What happened, and what to do.
    pub message: &'a str,
    /// The request's id, where the log has more.
    pub request_id: Option<&'a str>,
    /// A place to go on, and its name.
    pub link: Option<(&'a str, &'a str)>,
}

fn error_page(status: StatusCode, page: &ErrorPage) -> HttpResponse {
    match page.render() {
        Ok(html) => HttpResponse::build(status).content_type(ContentType::html()).body(html),
        Err(error) => Error::Internal(error.to_string()).error_response(),
    }
}

/// Nothing is at this address.
pub async fn not_found() -> HttpResponse {
    let page = ErrorPage {
        title: "Not Found",
        message: "There is nothing at this address.",
        request_id: None,
        link: Some(("/articles/", "The articles")),
    };
    error_page(StatusCode::NOT_FOUND, &page)
}

/// The request names a host that this service does not answer for.
pub fn bad_host() -> HttpResponse {
    let page = ErrorPage {
        title: "Bad Request (400)",
        message: "The request names a host that this service does not answer for. Its operator can add the host to ALLOWED_HOSTS.",
        request_id: None,
        link: None,
    };
    error_page(StatusCode::BAD_REQUEST, &page)
}
