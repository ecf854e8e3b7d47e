//! What all lists show around their rows: search, filters, count, and links to other pages.

use std::borrow::Cow;

use diesel::QueryResult;

use super::facets::{Facet, facets};
use super::matches::{CAP, Count, Matches};
use super::page::{ListRow, Page};
use super::query::{ChangeListQuery, Chosen, Parameter, Place};
use super::saved_views::SavedView;
use crate::admin::model_admin::Options;
use crate::db::Connection;
use crate::db::rows::Sql;

pub struct ListView {
    pub address: String,
    pub here: String,
    pub label: Cow<'static, str>,
    pub label_plural: Cow<'static, str>,
    pub can_search: bool,
    pub search: String,
    pub problem: Option<String>,
    pub hidden: Vec<Parameter>,
    /// The active filters, and the list without each.
    pub chips: Vec<(String, String)>,
    pub clear: String,
    pub facets: Vec<Facet>,
    pub saved: Vec<SavedView>,
    /// The present view, as it can be saved; `None`: it is the plain list.
    pub to_save: Option<String>,
    /// `8 of 100,000 users`
    pub result_count: String,
    pub total: Count,
    pub is_table_empty: bool,
    pub pages: Pages,
    pub export: String,
    /// Where its columns and the length of its pages are chosen.
    pub display: String,
}

pub struct Pages {
    pub range: String,
    /// To the first and the previous page; `None` on the first.
    pub back: Option<(String, String)>,
    /// To the next and the last page; `None` on the last.
    pub forth: Option<(String, String)>,
}

impl Pages {
    pub fn around(page: &Page, query: &ChangeListQuery, total: Count) -> Pages {
        let link = |place: Place| query.place_link(&place);
        Pages {
            range: page.range(total),
            back: page.previous().map(|previous| (link(Place::First), link(previous))),
            forth: page.next().map(|next| (link(next), link(Place::Last))),
        }
    }
}

/// A page of the rows that fulfil a condition. Of the query that is asked for, neither search nor filters count.
pub fn rows_within(
    conn: &mut Connection,
    options: &'static Options,
    columns: &[&str],
    asked: &str,
    within: Sql,
) -> QueryResult<(Vec<ListRow>, Pages)> {
    let asked = ChangeListQuery::parse(conn, options, asked)?;
    let (search, words, problem, chosen) = (String::new(), Vec::new(), None, Vec::new());
    let query = ChangeListQuery { search, words, problem, chosen, within: Some(within), ..asked };
    let matches = Matches::of(conn, options, &query)?;
    let page = Page::read(conn, options, columns, &query, &matches)?;
    let pages = Pages::around(&page, &query, matches.total);
    Ok((page.rows, pages))
}

impl ListView {
    pub fn read(
        conn: &mut Connection,
        options: &'static Options,
        query: &ChangeListQuery,
        matches: &Matches,
        page: &Page,
    ) -> QueryResult<ListView> {
        let all = match &query.within {
            _ if !query.is_narrowed() => matches.total,
            Some(within) => Count::up_to(CAP, conn, options, within.clone())?,
            None => Count::of_table(conn, options)?,
        };
        let address = format!("/admin/{}/", options.slug());
        let parameters = query.parameters();
        let kept = parameters.into_iter().filter(|(name, _)| *name != "q").collect::<Vec<_>>();
        let chip = |chosen: &Chosen| {
            let label = format!("{}: {}", chosen.filter.heading(options.model), chosen.choice.label);
            (label, query.without_value(chosen))
        };
        let unnarrowed = ChangeListQuery { search: String::new(), chosen: Vec::new(), ..query.clone() };
        Ok(ListView {
            here: format!("{address}{}", query.place_link(&query.place)),
            export: format!("{address}export/{}", query.place_link(&Place::First)),
            display: format!("{address}display/{}", query.link("show", None)),
            address,
            label: options.label(),
            label_plural: options.label_plural(),
            can_search: !options.searched().is_empty(),
            search: query.search.clone(),
            problem: query.problem.as_ref().map(|problem| problem.text.clone()),
            hidden: kept,
            chips: query.chosen.iter().map(chip).collect(),
            clear: unnarrowed.place_link(&Place::First),
            facets: facets(conn, options, query, matches)?,
            saved: Vec::new(),
            to_save: Some(query.place_link(&Place::First).split_off(1)).filter(|view| !view.is_empty()),
            result_count: result_count(options, query, matches.total, all),
            total: matches.total,
            is_table_empty: all.number == 0 && !query.is_narrowed(),
            pages: Pages::around(page, query, matches.total),
        })
    }
}

fn result_count(options: &Options, query: &ChangeListQuery, total: Count, all: Count) -> String {
    let label = if all.number == 1 { options.label() } else { options.label_plural() };
    if query.is_narrowed() { format!("{total} of {all} {label}") } else { format!("{total} {label}") }
}
