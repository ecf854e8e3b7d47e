//! What all pages of the admin have in common.

use std::borrow::Cow;

use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::context::AdminContext;
use super::message::Message;
use super::model_admin::ModelAdmin;
use crate::error::Error;
use crate::http::theme;
use crate::users::permissions::Verb;

/// What the first page belongs to.
pub const HOME: &str = "home";

/// An entry of the navigation.
#[derive(Clone)]
pub struct NavItem {
    /// What is read.
    pub label: String,
    /// Where it leads.
    pub address: String,
    /// The icon's name.
    pub icon: &'static str,
    /// Where a row is added, if that is allowed, and what it is called.
    pub add: Option<(String, Cow<'static, str>)>,
    /// Whether the page belongs to it.
    pub is_current: bool,
}

/// A part of the navigation.
pub struct NavSection {
    /// Its heading.
    pub label: &'static str,
    /// Its entries.
    pub items: Vec<NavItem>,
}

/// The frame that a page stands in: `templates/admin/base.html`.
pub struct Frame {
    /// The page's name.
    pub title: String,
    /// The way to it: addresses and names, without the page itself.
    pub breadcrumbs: Vec<(String, String)>,
    /// Who is signed in.
    pub username: String,
    /// For every form on the page.
    pub csrf_token: String,
    /// The navigation.
    pub nav: Vec<NavSection>,
    /// What was done before.
    pub messages: Vec<Message>,
    /// `light`, `dark` or `auto`.
    pub theme: &'static str,
    /// Whether it is the first page.
    pub is_home: bool,
}

/// What a page is for who is not signed in: `templates/admin/gate.html`.
pub struct Gate {
    /// The page's name.
    pub title: &'static str,
    /// `light`, `dark` or `auto`.
    pub theme: &'static str,
}

impl Gate {
    /// The gate with this name.
    pub fn new(request: &HttpRequest, title: &'static str) -> Gate {
        Gate { title, theme: theme::chosen(request) }
    }
}

impl Frame {
    /// The frame of a page. `current` is the slug of the model, or the word in the address, that it belongs to:
    /// [`HOME`] for the first page.
    pub fn new(cx: &AdminContext, title: impl Into<String>, current: &str) -> Frame {
        Frame {
            title: title.into(),
            breadcrumbs: Vec::new(),
            username: cx.staff.staff.user.as_ref().map(|user| user.username.clone()).unwrap_or_default(),
            csrf_token: cx.staff.csrf_token.clone(),
            nav: nav(cx, current),
            messages: cx.staff.take_messages(),
            theme: theme::chosen(&cx.request),
            is_home: current == HOME,
        }
    }

    /// Adds a step to the way.
    pub fn under(mut self, address: impl Into<String>, name: impl Into<String>) -> Frame {
        self.breadcrumbs.push((address.into(), name.into()));
        self
    }
}

fn nav(cx: &AdminContext, current: &str) -> Vec<NavSection> {
    let rights = cx.rights();
    let models = cx.site.models().map(ModelAdmin::options).filter(|options| options.has_permission(rights, Verb::View));
    let models = models.map(|options| {
        let add = || (format!("/admin/{}/add/", options.slug()), options.label());
        let add = options.has_permission(rights, Verb::Add).then(add);
        (options.section, options.heading(), options.slug(), options.icon, add)
    });
    let pages = cx.site.pages().filter(|page| (page.has_permission)(rights));
    let pages = pages.map(|page| (page.section, page.label.to_owned(), page.slug, page.icon, None));
    let mut sections: Vec<NavSection> = Vec::new();
    for (section, label, slug, icon, add) in models.chain(pages) {
        let item = NavItem { label, address: format!("/admin/{slug}/"), icon, add, is_current: slug == current };
        match sections.iter_mut().find(|known| known.label == section) {
            Some(known) => known.items.push(item),
            None => sections.push(NavSection { label: section, items: vec![item] }),
        }
    }
    sections
}

/// Answers with a page.
pub fn page(status: StatusCode, page: &impl Template) -> Result<HttpResponse, Error> {
    let html = page.render().map_err(|error| Error::Internal(error.to_string()))?;
    Ok(HttpResponse::build(status).content_type(ContentType::html()).body(html))
}

/// Sends the browser to another page after a form was sent (303).
pub fn see_other(address: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((actix_web::http::header::LOCATION, address)).finish()
}
