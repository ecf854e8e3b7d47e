//! Route helpers.

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, Resource, Route, guard, web};

use super::negotiation;
use crate::error::Error;

/// GET and HEAD (RFC 9110, section 9.3.2). The resource's default service refuses other methods.
pub fn get() -> Route {
    // actix-web's method guards record their methods in each request to answer 405, which costs time and is not needed
    // here.
    web::route().guard(guard::fn_guard(|context| matches!(context.head().method, Method::GET | Method::HEAD)))
}

pub fn read_only(path: &str, route: Route) -> Resource {
    web::resource(path).route(route).default_service(not_allowed("GET, HEAD"))
}

/// 405 for methods that a resource does not support (RFC 9110, section 15.5.6).
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
