//! The list of a model's rows: `/admin/<slug>/`.

use std::borrow::Cow;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use diesel::QueryResult;

use super::cells::{ShownCell, can_view};
use super::matches::Matches;
use super::page::{ListRow, Page};
use super::query::{AskedList, ChangeListQuery, Order, order_text};
use super::recent::Recent;
use super::saved_views;
use super::view::ListView;
use crate::admin::context::AdminContext;
use crate::admin::model_admin::{Cell, Column, Options};
use crate::admin::pages::{Frame, page};
use crate::admin::site::Site;
use crate::admin::text::initials;
use crate::db::Connection;
use crate::db::rows::Value;
use crate::db::search::Turns;
use crate::error::Error;
use crate::models::value::to_text;
use crate::users::permissions::{Rights, Verb};

#[derive(Template)]
#[template(path = "admin/change_list.html")]
struct ChangeListPage<'a> {
    frame: Frame,
    list: &'a ListView,
    heads: &'a [Head],
    rows: &'a [RowView],
    columns: &'a [ColumnChoice],
    show: i64,
    actions: Vec<(&'static str, String)>,
    has_add_permission: bool,
    can_import: bool,
    /// The row that the page before this one has saved.
    saved: Option<i64>,
}

/// The same for all users with the same rights.
pub struct Listed {
    list: ListView,
    heads: Vec<Head>,
    rows: Vec<RowView>,
    columns: Vec<ColumnChoice>,
    show: i64,
}

struct ColumnChoice {
    name: &'static str,
    label: Cow<'static, str>,
    is_shown: bool,
}

struct Head {
    label: Cow<'static, str>,
    class: &'static str,
    sort: Option<Sort>,
}

struct Sort {
    /// The list ordered by this column first, or reversed if it already is.
    address: String,
    current: Option<CurrentSort>,
}

struct CurrentSort {
    descending: bool,
    number: Option<usize>,
    remove: Option<String>,
}

struct RowView {
    id: i64,
    title: String,
    /// Empty if the rows are not people.
    initials: String,
    address: String,
    cells: Vec<ShownCell>,
}

impl RowView {
    fn is(&self, id: &Option<i64>) -> bool {
        *id == Some(self.id)
    }
}

pub async fn change_list(
    cx: AdminContext,
    turns: web::Data<Turns>,
    recent: web::Data<Recent<Listed>>,
) -> Result<HttpResponse, Error> {
    let asked = AskedList::of(&cx)?;
    let options = asked.options;
    let (site, staff) = (cx.site.clone(), cx.staff.staff.clone());
    let shown = (options, asked.display.clone());
    let read = move |conn: &mut Connection| {
        let mut listed = read(conn, &asked, &site, &staff.rights)?;
        listed.list.saved = saved_views::of(conn, &staff, options.slug())?;
        Ok(listed)
    };
    let listed = recent.get(&cx, &turns, shown, read).await?;
    let rights = cx.rights();
    let has_add_permission = options.has_permission(rights, Verb::Add);
    let frame = Frame::new(&cx, options.heading(), options.slug());
    let change_list = ChangeListPage {
        saved: saved(&frame, options),
        frame,
        list: &listed.list,
        heads: &listed.heads,
        rows: &listed.rows,
        columns: &listed.columns,
        show: listed.show,
        actions: actions(options, rights),
        has_add_permission,
        can_import: has_add_permission && options.importable,
    };
    page(StatusCode::OK, &change_list)
}

fn saved(frame: &Frame, options: &Options) -> Option<i64> {
    let links = frame.messages.iter().filter_map(|message| message.link.as_ref());
    let start = format!("/admin/{}/", options.slug());
    let mut ids = links.filter_map(|(url, _)| url.strip_prefix(&start)?.split('/').next()?.parse().ok());
    ids.next()
}

fn read(conn: &mut Connection, asked: &AskedList, site: &Site, rights: &Rights) -> QueryResult<Listed> {
    let (options, query) = (asked.options, asked.parse(conn)?);
    let matches = Matches::of(conn, options, &query)?;
    let known: Vec<(Column, bool)> = asked.display.columns(options).collect();
    let choice = |(column, is_shown): &(Column, bool)| ColumnChoice {
        name: column.name,
        label: column.label.clone(),
        is_shown: *is_shown,
    };
    let choices = known.iter().map(choice).collect();
    let display: Vec<Column> = known.into_iter().filter(|(_, is_shown)| *is_shown).map(|(column, _)| column).collect();
    let columns: Vec<&str> = [options.model.title].into_iter().chain(sql(&display)).collect();
    let page = Page::read(conn, options, &columns, &query, &matches)?;
    let back = way_back(&query);
    let for_reader = |cell: Cell| cell.for_reader(site, rights);
    let rows = page.rows.iter().map(|row| row_view(options, &display, row, &back, &for_reader)).collect();
    let heads = display.iter().map(|column| head(&query, column)).collect();
    let mut list = ListView::read(conn, options, &query, &matches, &page)?;
    for search in list.facets.iter_mut().filter_map(|facet| facet.search.as_mut()) {
        search.slug = search.slug.filter(|slug| can_view(site, rights, slug));
    }
    Ok(Listed { list, heads, rows, columns: choices, show: query.show })
}

pub fn sql(columns: &[Column]) -> impl Iterator<Item = &str> {
    columns.iter().flat_map(|column| column.sql.iter().map(AsRef::as_ref))
}

pub fn cells<'a>(columns: &'a [Column], mut values: &'a [Value]) -> impl Iterator<Item = (&'a Column, Cell)> {
    columns.iter().map(move |column| {
        let (own, rest) = values.split_at(column.sql.len().min(values.len()));
        values = rest;
        (column, column.cell(own))
    })
}

/// The query of a row's form, with which the form leads back to the same page of the list.
fn way_back(query: &ChangeListQuery) -> String {
    let state = query.state();
    if state.is_empty() {
        return state;
    }
    let mut query = form_urlencoded::Serializer::for_suffix("?".to_owned(), 1);
    query.append_pair("_changelist_filters", &state).finish()
}

fn row_view(
    options: &Options,
    columns: &[Column],
    row: &ListRow,
    back: &str,
    for_reader: &impl Fn(Cell) -> Cell,
) -> RowView {
    let (title, values) =
        row.values.split_first().map_or((String::new(), &[][..]), |(title, values)| (to_text(title), values));
    // Relative to the list's URL: the full path a hundred times would be a tenth of the page.
    let address = format!("{}/change/{back}", row.id);
    RowView {
        id: row.id,
        initials: if options.has_initials { initials(&title) } else { String::new() },
        title,
        address,
        cells: cells(columns, values).map(|(column, cell)| ShownCell::of(column, for_reader(cell))).collect(),
    }
}

/// A click orders by this column first, then by the columns chosen before.
fn head(query: &ChangeListQuery, column: &Column) -> Head {
    let label = column.label.clone();
    let class = column.head_class();
    let Some(sql) = column.order else { return Head { label, class, sort: None } };
    let link = |order: &[Order]| query.link("o", (!order.is_empty()).then(|| order_text(order)));
    let at = query.order.iter().position(|order| order.name == column.name);
    let sort = match at {
        None => {
            let own = if query.has_own_order { &query.order[..] } else { &[] };
            let first = Order { name: column.name, sql, kind: column.kind, descending: false };
            let order: Vec<Order> = [first].into_iter().chain(own.iter().cloned()).collect();
            Sort { address: link(&order), current: None }
        }
        Some(at) => {
            let mut reversed = query.order.clone();
            reversed[at].descending = !reversed[at].descending;
            let mut without = query.order.clone();
            let descending = without.remove(at).descending;
            let number = (query.order.len() > 1).then_some(at + 1);
            let remove = query.has_own_order.then(|| link(&without));
            Sort { address: link(&reversed), current: Some(CurrentSort { descending, number, remove }) }
        }
    };
    Head { label, class, sort: Some(sort) }
}

fn actions(options: &'static Options, rights: &Rights) -> Vec<(&'static str, String)> {
    let mut actions = Vec::new();
    if options.has_permission(rights, Verb::Delete) {
        actions.push(("delete_selected", format!("Delete selected {}", options.label_plural())));
    }
    if options.has_permission(rights, Verb::Change) {
        let offered = options.actions.iter().filter(|action| !action.superusers_only || rights.is_superuser);
        actions.extend(offered.map(|action| (action.name, action.label.to_owned())));
    }
    actions
}
