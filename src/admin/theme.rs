//! Light, dark, or as the device has it.

use actix_web::cookie::time::Duration;
use actix_web::http::header::{HeaderValue, REFERER};
use actix_web::{HttpRequest, HttpResponse, web};
use url::Url;

use super::auth::cookies::{self, Cookies};
use super::auth::csrf;
use super::auth::sign_in::own_path;
use super::form_data::PublicForm;
use super::pages::see_other;
use crate::error::Error;

/// A year.
const AGE: Duration = Duration::days(365);

/// The theme that a request asks for: `light`, `dark` or `auto`.
pub fn chosen(request: &HttpRequest) -> &'static str {
    let cookies = request.app_data::<web::Data<Cookies>>();
    known(&cookies.and_then(|cookies| cookies.get(request, cookies::THEME)).unwrap_or_default())
}

fn known(theme: &str) -> &'static str {
    match theme {
        "light" => "light",
        "dark" => "dark",
        _ => "auto",
    }
}

/// `POST /admin/theme/`: keeps the choice, and leads back to the page it was made on.
pub async fn choose(
    request: HttpRequest,
    PublicForm(form): PublicForm,
    cookies: web::Data<Cookies>,
) -> Result<HttpResponse, Error> {
    let theme = known(form.get("theme").unwrap_or_default());
    let mut response = see_other(&back(&request));
    cookies.set(&mut response, cookies::THEME, theme, Some(AGE))?;
    Ok(response)
}

/// The page of ours that a form was sent from.
fn back(request: &HttpRequest) -> String {
    let referer = request.headers().get(REFERER).map(HeaderValue::to_str).and_then(Result::ok).unwrap_or_default();
    let url = Url::parse(referer).ok().filter(|_| csrf::is_this_site(request, referer));
    own_path(url.as_ref().map_or("", |url| &url[url::Position::BeforePath..url::Position::AfterQuery]))
}
