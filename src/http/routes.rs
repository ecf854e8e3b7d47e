//! Routes that the API, the admin and the other paths share.

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, Resource, Route, guard, web};

use super::negotiation;
use crate::error::Error;

/// A route for GET, and for HEAD, which is GET without the body (RFC 9110, section 9.3.2). Other methods are its
/// resource's default service to refuse.
pub fn get() -> Route {
    // The framework's own guards note in each request which methods they stand for, to answer with 405 themselves.
    web::route().guard(guard::fn_guard(|context| matches!(context.head().method, Method::GET | Method::HEAD)))
}

/// An address that is read and nothing else, by whoever likes.
pub fn read_only(path: &str, route: Route) -> Resource {
    web::resource(path).route(route).default_service(not_allowed("GET, HEAD"))
}

/// Refuses the methods that an address does not have (RFC 9110, section 15.5.6).
pub fn not_allowed(allow: &'static str) -> Route {
    web::to(move |request: HttpRequest| async move {
        let error = Error::MethodNotAllowed(request.method().to_string());
        let mut response = match negotiation::wants_problem(&request) {
            true => error.problem_response(),
            false => HttpResponse::from_error(error),
        };
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
        response
    })
}
