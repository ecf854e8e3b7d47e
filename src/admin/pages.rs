//! What all pages of the admin share.

use std::borrow::Cow;

use actix_web::http::header::ContentType;
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::context::AdminContext;
use super::grouped::grouped;
use super::message::Message;
use super::model_admin::ModelAdmin;
use crate::error::Error;
use crate::http::theme;
use crate::users::permissions::Verb;

pub const HOME: &str = "home";

#[derive(Clone)]
pub struct NavItem {
    pub label: String,
    pub address: String,
    pub icon: &'static str,
    pub add: Option<(String, Cow<'static, str>)>,
    pub is_current: bool,
}

/// `templates/admin/base.html`
pub struct Frame {
    pub title: String,
    /// URLs and names, without the page itself.
    pub breadcrumbs: Vec<(String, String)>,
    pub username: String,
    /// For [`kept_form`](super::form::kept_form).
    pub user_id: i64,
    pub csrf_token: String,
    /// By section.
    pub nav: Vec<(&'static str, Vec<NavItem>)>,
    pub messages: Vec<Message>,
    pub theme: &'static str,
    pub is_home: bool,
    /// The URL of this page, to which an undo leads back; empty for the answer to a form.
    pub here: String,
}

/// A page without sign-in, `templates/admin/gate.html`.
pub struct Gate {
    pub title: &'static str,
    /// `light`, `dark` or `auto`.
    pub theme: &'static str,
}

impl Gate {
    pub fn new(request: &HttpRequest, title: &'static str) -> Gate {
        Gate { title, theme: theme::chosen(request) }
    }
}

impl Frame {
    /// `current` is the model's slug, or the word in the URL, that the page belongs to; [`HOME`] for the home page.
    pub fn new(cx: &AdminContext, title: impl Into<String>, current: &str) -> Frame {
        Frame {
            title: title.into(),
            breadcrumbs: Vec::new(),
            username: cx.staff.staff.user.as_ref().map(|user| user.username.clone()).unwrap_or_default(),
            user_id: cx.staff.staff.user_id().unwrap_or_default(),
            csrf_token: cx.staff.csrf_token.clone(),
            nav: nav(cx, current),
            messages: cx.staff.take_messages(),
            theme: theme::chosen(&cx.request),
            is_home: current == HOME,
            here: here(&cx.request),
        }
    }

    pub fn under(mut self, address: impl Into<String>, name: impl Into<String>) -> Frame {
        self.breadcrumbs.push((address.into(), name.into()));
        self
    }
}

fn here(request: &HttpRequest) -> String {
    let url = request.uri().path_and_query().map(|url| url.as_str().to_owned());
    url.filter(|_| *request.method() == Method::GET).unwrap_or_default()
}

fn nav(cx: &AdminContext, current: &str) -> Vec<(&'static str, Vec<NavItem>)> {
    let rights = cx.rights();
    let models = cx.site.models().map(ModelAdmin::options).filter(|options| options.has_permission(rights, Verb::View));
    let models = models.map(|options| {
        let add = || (format!("/admin/{}/add/", options.slug()), options.label());
        let add = options.has_permission(rights, Verb::Add).then(add);
        (options.section, options.heading(), options.slug(), options.icon, add)
    });
    let pages = cx.site.pages().filter(|page| (page.has_permission)(rights));
    let pages = pages.map(|page| (page.section, page.label.to_owned(), page.slug, page.icon, None));
    grouped(models.chain(pages).map(|(section, label, slug, icon, add)| {
        (section, NavItem { label, address: format!("/admin/{slug}/"), icon, add, is_current: slug == current })
    }))
}

pub fn page(status: StatusCode, page: &impl Template) -> Result<HttpResponse, Error> {
    let html = page.render().map_err(|error| Error::Internal(error.to_string()))?;
    Ok(HttpResponse::build(status).content_type(ContentType::html()).body(html))
}

/// 303, for responses to a form.
pub fn see_other(address: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((actix_web::http::header::LOCATION, address)).finish()
}
