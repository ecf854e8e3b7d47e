//! The home page: the models and the latest changes.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use diesel::QueryResult;

use super::context::AdminContext;
use super::history::entries::{COLUMNS, Entry};
use super::list::matches::Count;
use super::model_admin::{ModelAdmin, Options, Staff};
use super::pages::{Frame, HOME, page};
use super::site::Site;
use crate::db::Connection;
use crate::db::rows::{self, Sql};
use crate::error::Error;
use crate::users::permissions::Verb;

const MOST_ENTRIES: i64 = 10;

#[derive(Template)]
#[template(path = "admin/index.html")]
struct IndexPage {
    frame: Frame,
    sections: Vec<Section>,
    mine: Vec<Entry>,
    all: Vec<Entry>,
    has_history: bool,
}

struct Section {
    label: &'static str,
    models: Vec<Model>,
}

struct Model {
    options: &'static Options,
    label: String,
    count: Count,
    has_add_permission: bool,
    is_view_only: bool,
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
}

pub async fn index(cx: AdminContext) -> Result<HttpResponse, Error> {
    let read = |conn: &mut Connection, site: &Site, staff: &Staff| {
        let mut of_staff = Sql::new("actor_id = ?");
        of_staff.bind(staff.user()?.id);
        let mine = entries(conn, site, staff, of_staff)?;
        let all = entries(conn, site, staff, of_viewable(site, staff))?;
        Ok((sections(conn, site, staff)?, mine, all))
    };
    let (sections, mine, all) = cx.read(read).await?;
    let history = cx.site.find_by_name("entry").map(ModelAdmin::options);
    let has_history = history.is_some_and(|options| options.has_permission(cx.rights(), Verb::View));
    let frame = Frame::new(&cx, "Home", HOME);
    page(StatusCode::OK, &IndexPage { frame, sections, mine, all, has_history })
}

fn sections(conn: &mut Connection, site: &Site, staff: &Staff) -> QueryResult<Vec<Section>> {
    let mut sections: Vec<Section> = Vec::new();
    for options in viewable(site, staff) {
        let has = |verb| options.has_permission(&staff.rights, verb);
        let model = Model {
            options,
            label: options.heading(),
            count: Count::of_table(conn, options)?,
            has_add_permission: has(Verb::Add),
            is_view_only: ![Verb::Add, Verb::Change, Verb::Delete].into_iter().any(has),
        };
        match sections.iter_mut().find(|section| section.label == options.section) {
            Some(section) => section.models.push(model),
            None => sections.push(Section { label: options.section, models: vec![model] }),
        }
    }
    Ok(sections)
}

fn viewable<'a>(site: &'a Site, staff: &'a Staff) -> impl Iterator<Item = &'static Options> + 'a {
    site.models().map(ModelAdmin::options).filter(|options| options.has_permission(&staff.rights, Verb::View))
}

fn of_viewable(site: &Site, staff: &Staff) -> Sql {
    let names: Vec<String> = viewable(site, staff).map(|options| options.name().to_owned()).collect();
    // An expression, so that the database does not use the column's index. It would collect and sort all changes of
    // these models, although the newest come first anyway.
    let mut condition = Sql::new("model || '' IN ?");
    condition.bind(names);
    condition
}

fn entries(conn: &mut Connection, site: &Site, staff: &Staff, condition: Sql) -> QueryResult<Vec<Entry>> {
    let mut rest = Sql::new("FROM history WHERE ");
    rest.append(condition).push(" ORDER BY id DESC LIMIT ?").bind(MOST_ENTRIES);
    let found = rows::select(conn, COLUMNS, rest)?;
    found.iter().map(|row| Entry::read(conn, site, &staff.rights, row)).collect()
}
