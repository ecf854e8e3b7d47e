//! The theme of pages: light, dark, or as the device has it.

use actix_web::{HttpRequest, web};

use super::cookies::{self, Cookies};

/// The theme that a request asks for: `light`, `dark` or `auto`.
pub fn chosen(request: &HttpRequest) -> &'static str {
    let cookies = request.app_data::<web::Data<Cookies>>();
    known(&cookies.and_then(|cookies| cookies.get(request, cookies::THEME)).unwrap_or_default())
}

/// The theme of this name; `auto` where there is none.
pub fn known(theme: &str) -> &'static str {
    match theme {
        "light" => "light",
        "dark" => "dark",
        _ => "auto",
    }
}
