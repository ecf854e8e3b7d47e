//! The search over all models, `/admin/search/`, which the palette shows, and in one, `/admin/<slug>/autocomplete/`,
//! which inputs show.
//!
//! It answers while the user types, so its work is bounded however long the tables are: rows whose title starts with
//! the text or whose identifier it is, found in an index, then the words anywhere, among the newest rows.

use actix_web::HttpResponse;
use std::borrow::Cow;

use actix_web::http::StatusCode;
use askama::Template;
use diesel::QueryResult;
use serde_json::{Value as Json, json};

use super::context::AdminContext;
use super::form_data::FormData;
use super::list::cells::text;
use super::list::matches::{identified, search_condition};
use super::model_admin::{ModelAdmin, Options};
use super::pages::{Frame, page};
use super::text::thousands;
use crate::db::rows::{self, Sql, Value};
use crate::db::search;
use crate::db::{Connection, Db};
use crate::error::Error;
use crate::models::words::capitalized;
use crate::users::permissions::Verb;

const SHOWN: usize = 5;
/// The newest rows of each model, which are searched for words.
const NEWEST: i64 = 20_000;

#[derive(Template)]
#[template(path = "admin/search.html")]
struct SearchPage {
    frame: Frame,
    search: String,
    problem: Option<String>,
    pages: Vec<FoundPage>,
    groups: Vec<Group>,
    lists: Vec<(String, Cow<'static, str>)>,
    newest: String,
}

struct FoundPage {
    label: String,
    address: String,
    icon: &'static str,
}

const OWN_PAGES: [(&str, &str, &str); 3] = [
    ("Change password", "/admin/password_change/", "key"),
    ("Second factor", "/admin/second_factor/", "key"),
    ("API documentation", "/docs/", "article"),
];

struct Group {
    slug: &'static str,
    label: String,
    icon: &'static str,
    found: Vec<Found>,
}

struct Found {
    id: i64,
    title: String,
    detail: String,
    address: String,
}

pub async fn search_page(cx: AdminContext) -> Result<HttpResponse, Error> {
    let data = FormData::of_query(&cx.request);
    let search = data.get("q").unwrap_or_default().trim().to_owned();
    let (words, problem) = match search::words(&search) {
        Ok(words) => (words, None),
        Err(problem) => (Vec::new(), Some(problem)),
    };
    let frame = Frame::new(&cx, "Search", "search");
    let pages = pages(&cx, &frame, &words);
    let (mut groups, mut lists) = (Vec::new(), Vec::new());
    if !words.is_empty() {
        let models = models(&cx);
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("q", &search).finish();
        let list = |options: &Options| (format!("/admin/{}/?{query}", options.slug()), options.label_plural());
        lists = models.iter().map(|(options, _)| list(options)).collect();
        groups = find_all(&cx.db, models, search.clone(), words).await?;
    }
    page(StatusCode::OK, &SearchPage { frame, search, problem, pages, groups, lists, newest: thousands(NEWEST) })
}

/// Pages whose name contains all words: those of the navigation, and what can be done there.
fn pages(cx: &AdminContext, frame: &Frame, words: &[String]) -> Vec<FoundPage> {
    let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let matches = |page: &FoundPage| {
        let label = page.label.to_lowercase();
        !words.is_empty() && words.iter().all(|word| label.contains(word))
    };
    let page = |label: String, address: String, icon| FoundPage { label, address, icon };
    let items = frame.nav.iter().flat_map(|(_, items)| items);
    let adding = items.clone().filter_map(|item| item.add.clone());
    let adding = adding.map(|(address, label)| page(format!("Add {label}"), address, "plus"));
    let models = cx.site.models().map(ModelAdmin::options);
    let importable = models.filter(|options| options.importable && options.has_permission(cx.rights(), Verb::Add));
    let importing = importable.map(|options| {
        page(format!("Import {}", options.label_plural()), format!("/admin/{}/import/", options.slug()), "upload")
    });
    let own = OWN_PAGES.map(|(label, address, icon)| page(label.to_owned(), address.to_owned(), icon));
    let items = items.map(|item| page(item.label.clone(), item.address.clone(), item.icon));
    items.chain(adding).chain(importing).chain(own).filter(matches).collect()
}

/// The searched models, and which of their rows the user may see.
fn models(cx: &AdminContext) -> Vec<(&'static Options, Option<Sql>)> {
    let rights = cx.rights();
    let models = cx.site.models().filter(|model| {
        let options = model.options();
        // A model without a form has no page to link to.
        options.has_permission(rights, Verb::View)
            && !options.searched().is_empty()
            && options.fields().next().is_some()
    });
    models.map(|model| (model.options(), model.visible(&cx.site.options(), rights))).collect()
}

async fn find_all(
    db: &Db,
    models: Vec<(&'static Options, Option<Sql>)>,
    search: String,
    words: Vec<String>,
) -> Result<Vec<Group>, Error> {
    let read = move |conn: &mut Connection| {
        let mut groups = Vec::new();
        for (options, within) in models {
            let found = first(conn, options, within, &search, &words)?;
            if !found.is_empty() {
                groups.push(Group { slug: options.slug(), label: options.heading(), icon: options.icon, found });
            }
        }
        Ok(groups)
    };
    db.read(read).await
}

/// Rows for an input, in the form of Django's autocomplete view.
pub async fn autocomplete(cx: AdminContext) -> Result<HttpResponse, Error> {
    let options = cx.model(Verb::View)?;
    let within = cx.site.get(options.slug())?.visible(&cx.site.options(), cx.rights());
    let data = FormData::of_query(&cx.request);
    let search = data.get("q").unwrap_or_default().trim().to_owned();
    let words = search::words(&search).unwrap_or_default();
    let found = match words.is_empty() {
        true => Vec::new(),
        false => cx.db.read(move |conn| Ok(first(conn, options, within, &search, &words)?)).await?,
    };
    let result = |found: Found| json!({ "id": found.id.to_string(), "text": found.title, "detail": found.detail });
    let results: Vec<Json> = found.into_iter().map(result).collect();
    Ok(HttpResponse::Ok().json(json!({ "results": results })))
}

fn first(
    conn: &mut Connection,
    options: &'static Options,
    within: Option<Sql>,
    search: &str,
    words: &[String],
) -> QueryResult<Vec<Found>> {
    let mut found: Vec<Found> = Vec::new();
    for part in parts(options, within, search, words) {
        if found.len() < SHOWN {
            found.extend(find(conn, options, part)?);
            // A row may be found in more than one way.
            let mut met = std::collections::HashSet::new();
            found.retain(|found| met.insert(found.id));
        }
    }
    found.truncate(SHOWN);
    Ok(found)
}

fn parts(options: &Options, within: Option<Sql>, search: &str, words: &[String]) -> Vec<Sql> {
    let (table, title) = (options.model.plural, options.model.title);
    let part = |from: &str, condition: Sql, order: &str| {
        let mut part = Sql::new(format!("FROM {from} WHERE "));
        part.append(Sql::all([condition].into_iter().chain(within.clone()))).push(&format!("{order} LIMIT {SHOWN}"));
        part
    };
    let lower = search.to_lowercase();
    // An index is case-sensitive, so try the usual cases.
    let mut beginnings = vec![search.to_owned(), capitalized(&lower), lower];
    beginnings.dedup();
    let beginnings = beginnings.iter().filter_map(|beginning| begins_with(title, beginning));
    let beginnings = beginnings.map(|condition| part(table, condition, &format!(" ORDER BY {title}")));
    let identified = identified(options, words).map(|condition| part(table, condition, ""));
    let newest = format!("(SELECT * FROM {table} ORDER BY id DESC LIMIT {NEWEST}) AS {table}");
    let anywhere = search_condition(options, words).map(|condition| part(&newest, condition, ""));
    identified.into_iter().chain(beginnings).chain(anywhere).collect()
}

/// `None` if no text follows in the order of the index.
fn begins_with(column: &str, beginning: &str) -> Option<Sql> {
    let last = beginning.chars().next_back()?;
    let after = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32)?;
    let end = format!("{}{after}", beginning.strip_suffix(last)?);
    Some(Sql::new(format!("({column}) >= ? AND ({column}) < ?")).with(beginning).with(end))
}

fn find(conn: &mut Connection, options: &'static Options, part: Sql) -> QueryResult<Vec<Found>> {
    let columns: Vec<&str> =
        ["id", options.model.title].into_iter().chain(options.searched().iter().copied()).collect();
    let found = |row: Vec<Value>| {
        let id = row.first().and_then(Value::as_i64)?;
        let title = row.get(1).and_then(text).unwrap_or_else(|| format!("{} {id}", options.label()));
        let details: Vec<String> = row.iter().skip(2).filter_map(text).filter(|detail| *detail != title).collect();
        let address = format!("/admin/{}/{id}/change/", options.slug());
        Some(Found { id, title, detail: details.join(" "), address })
    };
    Ok(rows::select(conn, &columns, part)?.into_iter().filter_map(found).collect())
}
