//! URLs that browsers, password managers and crawlers ask every site for.

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, LOCATION};

use super::assets;

/// `/favicon.ico`, for pages without a `<link>`, such as JSON.
pub async fn favicon() -> HttpResponse {
    match assets::content("icons/gatepost.svg") {
        Some(icon) => HttpResponse::Ok()
            .content_type("image/svg+xml")
            .insert_header((CACHE_CONTROL, "public, max-age=86400"))
            .body(icon),
        None => HttpResponse::NotFound().finish(),
    }
}

/// `/robots.txt`: nothing here is for search engines.
pub async fn robots() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("User-agent: *\nDisallow: /\n")
}

/// `/.well-known/change-password` (<https://w3c.github.io/webappsec-change-password-url/>).
pub async fn change_password() -> HttpResponse {
    HttpResponse::Found().insert_header((LOCATION, "/admin/password_change/")).finish()
}
