//! `/admin/theme/`: light, dark, or the device's setting.

use actix_web::cookie::time::Duration;
use actix_web::http::header::{HeaderValue, REFERER};
use actix_web::{HttpRequest, HttpResponse, web};
use url::Url;

use super::auth::next::own_path;
use super::auth::origin;
use super::form_data::PublicForm;
use super::pages::see_other;
use crate::error::Error;
use crate::http::cookies::{self, Cookies};
use crate::http::theme::known;

const AGE: Duration = Duration::days(365);

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

fn back(request: &HttpRequest) -> String {
    let referer = request.headers().get(REFERER).map(HeaderValue::to_str).and_then(Result::ok).unwrap_or_default();
    let url = Url::parse(referer).ok().filter(|_| origin::is_this_site(request, referer));
    own_path(url.as_ref().map_or("", |url| &url[url::Position::BeforePath..url::Position::AfterQuery]))
}
