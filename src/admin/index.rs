//! The first page: the models, and what was done lately.

use std::collections::HashSet;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::NaiveDateTime;
use diesel::QueryResult;
use serde_json::Value;

use super::model_admin::{ModelAdmin, Options, Staff};
use super::pages::{Frame, HOME, Moment, capitalized, page};
use super::site::Site;
use super::staff::StaffUser;
use crate::db::rows::{self, Sql};
use crate::db::{Connection, Db};
use crate::error::Error;
use crate::users::permissions::Verb;

/// Rows of a table are counted one by one only up to here.
const MOST_COUNTED: i64 = 10_000;
/// Entries of each list.
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
    slug: &'static str,
    icon: &'static str,
    label: String,
    singular: &'static str,
    count: String,
    can_add: bool,
    is_view_only: bool,
}

/// A change, from the history.
struct Entry {
    action: String,
    object: String,
    address: Option<String>,
    text: String,
    at: Moment,
}

impl Entry {
    fn tone(&self) -> &'static str {
        match self.action.as_str() {
            "created" => "good",
            "deleted" => "bad",
            _ => "info",
        }
    }

    fn icon(&self) -> &'static str {
        match self.action.as_str() {
            "created" => "plus",
            "deleted" => "trash",
            _ => "edit",
        }
    }
}

/// `GET /admin/`
pub async fn index(
    request: HttpRequest,
    staff: StaffUser,
    site: web::Data<Site>,
    db: web::Data<Db>,
) -> Result<HttpResponse, Error> {
    let (models, user) = (site.clone(), staff.staff.clone());
    let (sections, mine, all) = db
        .read(move |conn| {
            let sections = sections(conn, &models, &user)?;
            let of_user = Sql::new("actor_id = ?").bind(user.user.id).clone();
            let mine = entries(conn, &models, &user, of_user, Entry::of_mine)?;
            let all = entries(conn, &models, &user, viewable(&models, &user), Entry::of_all)?;
            Ok((sections, mine, all))
        })
        .await?;
    let has_history = site.find("history").is_some_and(|model| model.options().allow(&staff.staff.rights, Verb::View));
    let frame = Frame::new(&request, &site, &staff, "Home", HOME);
    page(StatusCode::OK, &IndexPage { frame, sections, mine, all, has_history })
}

fn sections(conn: &mut Connection, site: &Site, staff: &Staff) -> QueryResult<Vec<Section>> {
    let mut sections: Vec<Section> = Vec::new();
    for options in site.models().map(ModelAdmin::options) {
        let may = |verb| options.allow(&staff.rights, verb);
        if !may(Verb::View) {
            continue;
        }
        let model = Model {
            slug: options.slug,
            icon: options.icon,
            label: capitalized(options.label_plural),
            singular: options.label,
            count: count(conn, options)?,
            can_add: may(Verb::Add),
            is_view_only: ![Verb::Add, Verb::Change, Verb::Delete].into_iter().any(may),
        };
        match sections.iter_mut().find(|section| section.label == options.section) {
            Some(section) => section.models.push(model),
            None => sections.push(Section { label: options.section, models: vec![model] }),
        }
    }
    Ok(sections)
}

/// How many rows there are: of large tables the database keeps the number.
fn count(conn: &mut Connection, options: &Options) -> QueryResult<String> {
    let mut kept = Sql::new("FROM row_counts WHERE table_name = ?");
    kept.bind(options.table);
    let kept = rows::select(conn, &["row_count"], kept)?;
    if let Some(kept) = kept.first().and_then(|row| row.first()).and_then(Value::as_i64) {
        return Ok(with_commas(kept));
    }
    let some = Sql::new(format!("FROM (SELECT 1 FROM {} LIMIT {})", options.table, MOST_COUNTED + 1));
    let counted = rows::number(conn, "count(*)", some)?;
    let plus = if counted > MOST_COUNTED { "+" } else { "" };
    Ok(format!("{}{plus}", with_commas(counted.min(MOST_COUNTED))))
}

/// 1234567 as `1,234,567`.
fn with_commas(number: i64) -> String {
    let digits = number.to_string();
    let before = |at: usize| if at > 0 && (digits.len() - at).is_multiple_of(3) { "," } else { "" };
    digits.char_indices().map(|(at, digit)| format!("{}{digit}", before(at))).collect()
}

/// The changes of models that somebody may view.
fn viewable(site: &Site, staff: &Staff) -> Sql {
    let models = site.models().map(ModelAdmin::options).filter(|options| options.allow(&staff.rights, Verb::View));
    let mut condition = Sql::new("model IN (''");
    for options in models {
        condition.push(", ?").bind(options.name);
    }
    condition.push(")").clone()
}

fn entries(
    conn: &mut Connection,
    site: &Site,
    staff: &Staff,
    condition: Sql,
    make: fn(&HistoryRow, Option<&Options>, Option<String>) -> Entry,
) -> QueryResult<Vec<Entry>> {
    let mut rest = Sql::new("FROM history WHERE ");
    rest.append(condition).push(" ORDER BY id DESC LIMIT ?").bind(MOST_ENTRIES);
    let found = rows::select(conn, HistoryRow::COLUMNS, rest)?;
    let found: Vec<HistoryRow> = found.iter().map(|row| HistoryRow::new(row)).collect();
    let mut entries = Vec::new();
    for row in &found {
        let options = site.find_by_name(&row.model).map(ModelAdmin::options);
        let viewable = options.filter(|options| options.allow(&staff.rights, Verb::View));
        let exists = match viewable {
            Some(options) => exists(conn, options, row.object_id)?,
            None => false,
        };
        let address = viewable.filter(|_| exists);
        let address = address.map(|options| format!("/admin/{}/{}/change/", options.slug, row.object_id));
        entries.push(make(row, options, address));
    }
    Ok(entries)
}

fn exists(conn: &mut Connection, options: &Options, id: i64) -> QueryResult<bool> {
    let mut one = Sql::new(format!("FROM {} WHERE id = ?", options.table));
    one.bind(id);
    Ok(rows::number(conn, "1", one)? == 1)
}

struct HistoryRow {
    at: NaiveDateTime,
    actor: String,
    source: String,
    action: String,
    model: String,
    object_id: i64,
    object: String,
    fields: Vec<String>,
}

impl HistoryRow {
    const COLUMNS: &[&str] = &["at", "actor", "source", "action", "model", "object_id", "object", "changes"];

    fn new(row: &[Value]) -> HistoryRow {
        let text = |at: usize| row.get(at).and_then(Value::as_str).unwrap_or_default();
        let changes: Value = serde_json::from_str(text(7)).unwrap_or_default();
        let names = changes.as_object().into_iter().flatten().map(|(name, _)| name.replace('_', " "));
        HistoryRow {
            at: NaiveDateTime::parse_from_str(text(0), "%Y-%m-%d %H:%M:%S%.f").unwrap_or_default(),
            actor: text(1).to_owned(),
            source: text(2).to_owned(),
            action: text(3).to_owned(),
            model: text(4).to_owned(),
            object_id: row.get(5).and_then(Value::as_i64).unwrap_or_default(),
            object: text(6).to_owned(),
            fields: names.collect(),
        }
    }

    /// What was done; of a change, to what, each field once.
    fn done(&self) -> String {
        let mut seen = HashSet::new();
        let fields: Vec<&str> =
            self.fields.iter().map(String::as_str).filter(|field| seen.insert(*field)).take(5).collect();
        if self.action == "changed" && !fields.is_empty() {
            format!("changed {}", fields.join(", "))
        } else {
            self.action.clone()
        }
    }

    fn entry(&self, address: Option<String>, text: String) -> Entry {
        Entry { action: self.action.clone(), object: self.object.clone(), address, text, at: Moment::new(self.at) }
    }
}

impl Entry {
    /// `Article: changed name`
    fn of_mine(row: &HistoryRow, options: Option<&Options>, address: Option<String>) -> Entry {
        let model = options.map_or(row.model.as_str(), |options| options.label);
        row.entry(address, format!("{}: {}", capitalized(model), row.done()))
    }

    /// `Changed by alice, API`
    fn of_all(row: &HistoryRow, _: Option<&Options>, address: Option<String>) -> Entry {
        let way = match row.source.as_str() {
            "api" => "API".to_owned(),
            other => other.replace('_', " "),
        };
        let by = if row.actor.is_empty() { way } else { format!("{}, {way}", row.actor) };
        row.entry(address, format!("{} by {by}", capitalized(&row.action)))
    }
}
