//! The theme of HTML pages.

use actix_web::{HttpRequest, web};

use super::cookies::{self, Cookies};

pub fn chosen(request: &HttpRequest) -> &'static str {
    let cookies = request.app_data::<web::Data<Cookies>>();
    let chosen = cookies.map(|cookies| cookies.get(request, cookies::THEME)).unwrap_or_default();
    chosen.iter().map(|theme| known(theme)).find(|theme| *theme != "auto").unwrap_or("auto")
}

pub fn known(theme: &str) -> &'static str {
    match theme {
        "light" => "light",
        "dark" => "dark",
        _ => "auto",
    }
}
