//! The theme of HTML pages.

use actix_web::{HttpRequest, web};

use super::cookies::{self, Cookies};

pub fn chosen(request: &HttpRequest) -> &'static str {
    let cookies = request.app_data::<web::Data<Cookies>>();
    known(&cookies.and_then(|cookies| cookies.get(request, cookies::THEME)).unwrap_or_default())
}

pub fn known(theme: &str) -> &'static str {
    match theme {
        "light" => "light",
        "dark" => "dark",
        _ => "auto",
    }
}
