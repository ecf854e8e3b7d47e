//! Pages for people that belong to no feature: errors outside the API.

use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use actix_web::{HttpResponse, ResponseError};
use askama::Template;

use crate::error::Error;

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    title: &'static str,
    message: &'static str,
}

fn error_page(status: StatusCode, title: &'static str, message: &'static str) -> HttpResponse {
    match (ErrorPage { title, message }).render() {
        Ok(html) => HttpResponse::build(status).content_type(ContentType::html()).body(html),
        Err(error) => Error::Internal(error.to_string()).error_response(),
    }
}

/// Nothing is at this address.
pub async fn not_found() -> HttpResponse {
    error_page(StatusCode::NOT_FOUND, "Not Found", "There is nothing at this address. The API begins at /articles/.")
}

/// The request names a host that this service does not answer for.
pub fn bad_host() -> HttpResponse {
    let message = "The request names a host that this service does not answer for. Its operator can add the host to ALLOWED_HOSTS.";
    error_page(StatusCode::BAD_REQUEST, "Bad Request (400)", message)
}
