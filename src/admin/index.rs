//! The home page: figures, the models, imports and the latest changes.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use diesel::QueryResult;

use super::chart::{Figure, HEIGHT, WIDTH};
use super::context::AdminContext;
use super::figures::{Counted, DAYS, Kept, OfModel};
use super::grouped::grouped;
use super::history::entries::Entry;
use super::import::finished::{Finished, finished};
use super::list::matches::Count;
use super::model_admin::{ModelAdmin, Options, Staff};
use super::moment::Moment;
use super::pages::{Frame, HOME, page};
use super::recent_changes::{self, Line};
use super::site::Site;
use super::text::thousands;
use crate::db::Connection;
use crate::db::rows::Sql;
use crate::error::Error;
use crate::history::api_requests::ApiRequests;
use crate::users::permissions::Verb;

const MOST_IMPORTS: usize = 5;
/// Some of them may be of models that the reader may not view.
const LOOKED_AT_IMPORTS: i64 = 50;

#[derive(Template)]
#[template(path = "admin/index.html")]
struct IndexPage {
    frame: Frame,
    counted: Arc<Counted>,
    of_pages: Vec<Figure>,
    /// The models whose figures the reader may see.
    shown: Vec<&'static str>,
    home: Home,
    has_history: bool,
}

struct Home {
    /// By section.
    models: Vec<(&'static str, Vec<Model>)>,
    imports: Vec<Import>,
    mine: Vec<Line>,
    all: Vec<Line>,
}

struct Model {
    options: &'static Options,
    label: String,
    count: Count,
    has_add_permission: bool,
    is_view_only: bool,
}

struct Import {
    options: &'static Options,
    finished: Finished,
    /// The report, for the one who imported; for others, the list.
    url: String,
}

impl IndexPage {
    fn models(&self) -> impl Iterator<Item = &OfModel> {
        self.counted.models.iter().filter(|model| self.shown.contains(&model.options.slug()))
    }
}

impl Entry {
    fn icon(&self) -> &'static str {
        match self.tone {
            "good" => "plus",
            "bad" => "trash",
            _ => "edit",
        }
    }

    /// The user's own: `Article: changed name`.
    fn what(&self) -> String {
        let fields: Vec<&str> = self.changes.iter().map(|change| change.field.as_str()).take(5).collect();
        let fields = if self.tone == "info" { fields.join(", ") } else { String::new() };
        let done = format!("{} {fields}", self.action).to_lowercase();
        format!("{}: {}", self.model, done.trim_end())
    }

    /// Anyone's: `Changed by alice through the API`.
    fn who(&self) -> String {
        match self.actor.as_str() {
            "" => format!("{} {}", self.action, self.origin),
            actor => format!("{} by {actor} {}", self.action, self.origin),
        }
    }

    fn actor_or_system(&self) -> &str {
        if self.actor.is_empty() { "System" } else { &self.actor }
    }
}

pub async fn index(
    cx: AdminContext,
    kept: web::Data<Kept>,
    requests: web::Data<ApiRequests>,
) -> Result<HttpResponse, Error> {
    let read = move |conn: &mut Connection, site: &Site, staff: &Staff| {
        let counted = kept.get(conn, site, requests.waiting())?;
        let figures = site.pages().filter(|page| (page.has_permission)(&staff.rights)).filter_map(|page| page.figure);
        let of_pages = figures.map(|figure| figure(conn)).collect::<QueryResult<_>>()?;
        let shown = viewable(site, staff).filter(|options| sees_all(site, staff, options));
        Ok((counted, of_pages, shown.map(Options::slug).collect(), Home::read(conn, site, staff)?))
    };
    let (counted, of_pages, shown, home) = cx.read(read).await?;
    let history = cx.site.find_by_name("entry").map(ModelAdmin::options);
    let has_history = history.is_some_and(|options| options.has_permission(cx.rights(), Verb::View));
    let frame = Frame::new(&cx, "Home", HOME);
    page(StatusCode::OK, &IndexPage { frame, counted, of_pages, shown, home, has_history })
}

impl Home {
    fn read(conn: &mut Connection, site: &Site, staff: &Staff) -> Result<Home, Error> {
        let id = staff.user()?.id;
        let of_staff = Sql::new("actor_id = ?").with(id);
        let imports = finished(conn, LOOKED_AT_IMPORTS)?.into_iter();
        Ok(Home {
            models: models(conn, site, staff)?,
            imports: imports.filter_map(|finished| Import::of(site, staff, id, finished)).take(MOST_IMPORTS).collect(),
            mine: recent_changes::lines(conn, site, staff, &of_staff)?,
            all: recent_changes::lines(conn, site, staff, &of_viewable(site, staff))?,
        })
    }
}

impl Import {
    /// `None` if the reader may not view the model.
    fn of(site: &Site, staff: &Staff, reader: i64, finished: Finished) -> Option<Import> {
        let options = site.find(&finished.model)?.options();
        let is_own = finished.user_id == reader && options.has_permission(&staff.rights, Verb::Add);
        let list = format!("/admin/{}/", options.slug());
        let url = if is_own { format!("{list}import/{}/", finished.id) } else { list };
        options.has_permission(&staff.rights, Verb::View).then_some(Import { options, finished, url })
    }

    fn result(&self) -> String {
        let [created, changed] = [self.finished.created, self.finished.changed].map(|rows| thousands(rows as i64));
        format!("{}: {created} {} created, {changed} changed", self.finished.username, self.options.label_plural())
    }
}

fn models(conn: &mut Connection, site: &Site, staff: &Staff) -> QueryResult<Vec<(&'static str, Vec<Model>)>> {
    let mut models = Vec::new();
    for options in viewable(site, staff) {
        let has = |verb| options.has_permission(&staff.rights, verb);
        let model = Model {
            options,
            label: options.heading(),
            count: Count::of_table(conn, options)?,
            has_add_permission: has(Verb::Add),
            is_view_only: ![Verb::Add, Verb::Change, Verb::Delete].into_iter().any(has),
        };
        models.push((options.section, model));
    }
    Ok(grouped(models))
}

fn viewable<'a>(site: &'a Site, staff: &'a Staff) -> impl Iterator<Item = &'static Options> + 'a {
    site.models().map(ModelAdmin::options).filter(|options| options.has_permission(&staff.rights, Verb::View))
}

/// Figures count all rows.
fn sees_all(site: &Site, staff: &Staff, options: &Options) -> bool {
    site.find(options.slug()).is_some_and(|model| model.visible(&site.options(), &staff.rights).is_none())
}

fn of_viewable(site: &Site, staff: &Staff) -> Sql {
    let names: Vec<String> = viewable(site, staff).map(|options| options.name().to_owned()).collect();
    // An expression, so that the database does not use the column's index. It would collect and sort all changes of
    // these models, although the newest come first anyway.
    Sql::new("model || '' IN ?").with(names)
}
