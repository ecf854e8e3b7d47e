//! What all pages of the admin have in common.

use std::fmt::{self, Write};

use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike, Utc};
use serde::{Deserialize, Serialize};

use super::auth::staff::StaffUser;
use super::model_admin::ModelAdmin;
use super::site::Site;
use crate::error::Error;
use crate::http::theme;
use crate::users::permissions::Verb;

/// What the first page belongs to.
pub const HOME: &str = "home";

/// What a page says about what was done before. Kept in the session until it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// `success`, `warning` or `error`.
    pub level: String,
    /// A sentence.
    pub text: String,
    /// Where the object is, and its name, which follows the text.
    pub link: Option<(String, String)>,
    /// The batch of deleted rows that a button brings back.
    pub undo: Option<String>,
}

impl Message {
    /// Good news.
    pub fn success(text: impl Into<String>) -> Message {
        Message { level: "success".to_owned(), text: text.into(), link: None, undo: None }
    }

    /// Something that the reader should look at.
    pub fn warning(text: impl Into<String>) -> Message {
        Message { level: "warning".to_owned(), ..Message::success(text) }
    }

    /// Something that did not work.
    pub fn error(text: impl Into<String>) -> Message {
        Message { level: "error".to_owned(), ..Message::success(text) }
    }

    /// The tone that it is shown in.
    pub fn tone(&self) -> &'static str {
        match self.level.as_str() {
            "success" => "good",
            "warning" => "warn",
            _ => "bad",
        }
    }

    /// Adds the object that it is about.
    pub fn about(mut self, address: impl Into<String>, name: impl Into<String>) -> Message {
        self.link = Some((address.into(), name.into()));
        self
    }
}

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
    pub add: Option<(String, &'static str)>,
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

/// A time in UTC as it is shown: `<time datetime="{{ iso() }}" title="{{ full() }}">{{ text() }}</time>`. Written
/// without format strings, which would be parsed anew for each of the hundreds in a list.
pub struct Moment(NaiveDateTime);

impl Moment {
    /// Shows a time, to the second.
    pub fn new(at: impl std::borrow::Borrow<NaiveDateTime>) -> Moment {
        let at = *at.borrow();
        Moment(at.with_nanosecond(0).unwrap_or(at))
    }

    /// For machines.
    pub fn iso(&self) -> String {
        Self::write(format_args!("{}T{}Z", self.0.date(), self.0.time()))
    }

    /// To the second.
    pub fn full(&self) -> String {
        Self::write(format_args!("{} {} UTC", self.0.date(), self.0.time()))
    }

    /// To the second, for people.
    pub fn exact(&self) -> String {
        let (date, time) = (self.0.date(), self.0.time());
        Self::write(format_args!("{} {} {} {time}", date.day(), month(date), date.year()))
    }

    /// As short as it can be: the day without the year of now, and the time unless that is long ago.
    pub fn text(&self) -> String {
        let (date, hour, minute) = (self.0.date(), self.0.hour(), self.0.minute());
        let (day, month) = (date.day(), month(date));
        let today = Utc::now().date_naive();
        match date {
            date if date == today => Self::write(format_args!("today {hour:02}:{minute:02}")),
            date if date.year() == today.year() => Self::write(format_args!("{day} {month} {hour:02}:{minute:02}")),
            date => Self::write(format_args!("{day} {month} {}", date.year())),
        }
    }

    /// With room for all of it from the begin.
    fn write(text: fmt::Arguments) -> String {
        let mut written = String::with_capacity(24);
        // Writing to memory cannot fail.
        let _ = written.write_fmt(text);
        written
    }
}

fn month(date: NaiveDate) -> &'static str {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    MONTHS.get(date.month0() as usize).copied().unwrap_or_default()
}

impl Frame {
    /// The frame of a page. `current` is the slug of the model, or the word in the address, that it belongs to:
    /// [`HOME`] for the first page.
    pub fn new(
        request: &HttpRequest,
        site: &Site,
        staff: &StaffUser,
        title: impl Into<String>,
        current: &str,
    ) -> Frame {
        Frame {
            title: title.into(),
            breadcrumbs: Vec::new(),
            username: staff.staff.user.username.clone(),
            csrf_token: staff.csrf_token.clone(),
            nav: nav(site, staff, current),
            messages: staff.take_messages(),
            theme: theme::chosen(request),
            is_home: current == HOME,
        }
    }

    /// Adds a step to the way.
    pub fn under(mut self, address: impl Into<String>, name: impl Into<String>) -> Frame {
        self.breadcrumbs.push((address.into(), name.into()));
        self
    }
}

fn nav(site: &Site, staff: &StaffUser, current: &str) -> Vec<NavSection> {
    let rights = &staff.staff.rights;
    let models = site.models().map(ModelAdmin::options).filter(|options| options.allow(rights, Verb::View));
    let models = models.map(|options| {
        let add = || (format!("/admin/{}/add/", options.slug), options.label);
        let add = options.allow(rights, Verb::Add).then(add);
        (options.section, options.heading(), options.slug, options.icon, add)
    });
    let pages = site.pages().filter(|page| (page.allows)(rights));
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

/// With a capital letter at the begin.
pub fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::list::cells::time;

    #[test]
    fn a_time_is_shown_as_precisely_as_it_is_asked_for() {
        let at = time(&"2001-02-03 04:05:06.789".into()).expect("a time");
        let moment = Moment::new(at);
        assert_eq!(moment.iso(), "2001-02-03T04:05:06Z");
        assert_eq!(moment.full(), "2001-02-03 04:05:06 UTC");
        assert_eq!(moment.exact(), "3 Feb 2001 04:05:06");
        assert_eq!(moment.text(), "3 Feb 2001");
        let now = Utc::now().naive_utc();
        assert_eq!(Moment::new(now).text(), now.format("today %H:%M").to_string());
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in ["", "2001", "2001-02-03", "2001-02-30 00:00:00", "2001-02-03 24:00:00", "zwölf Uhr, am Freitag"] {
            assert_eq!(time(&text.into()), None, "{text}");
        }
    }
}
