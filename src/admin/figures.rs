//! The numbers of the home page: what the lists of models count, and lines of the last days.
//!
//! Small tables are counted for each page. A table with more rows is counted at most once a minute, and the page says
//! when, so that a million rows cost nobody a second.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{NaiveDate, NaiveDateTime, TimeDelta, Utc};
use diesel::QueryResult;

use super::chart::{Figure, Line};
use super::list::query::ChangeListQuery;
use super::model_admin::Options;
use super::site::Site;
use crate::db::Connection;
use crate::db::rows::{self, Sql, Value};
use crate::history::api_requests;

/// Rows that are counted for each page.
const COUNTED_EACH_TIME: i64 = 10_000;
const KEPT: TimeDelta = TimeDelta::minutes(1);
pub const DAYS: i64 = 30;

/// The figures of a model, and its line of rows per day.
pub struct OfModel {
    pub options: &'static Options,
    pub figures: Vec<Figure>,
    pub line: Option<Line>,
}

pub struct Counted {
    pub at: NaiveDateTime,
    pub models: Vec<OfModel>,
    pub requests: Line,
    is_small: bool,
}

/// The last count of this process.
#[derive(Default)]
pub struct Kept(Mutex<Option<Arc<Counted>>>);

impl Kept {
    pub fn get(&self, conn: &mut Connection, site: &Site) -> QueryResult<Arc<Counted>> {
        let now = Utc::now().naive_utc();
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known.filter(|known| !known.is_small && now - known.at < KEPT) {
            return Ok(known);
        }
        let counted = Arc::new(count(conn, site, now)?);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(counted.clone());
        Ok(counted)
    }
}

fn count(conn: &mut Connection, site: &Site, at: NaiveDateTime) -> QueryResult<Counted> {
    let (mut models, mut is_small) = (Vec::new(), true);
    for options in site.options() {
        if options.figures.is_empty() && options.per_day.is_none() {
            continue;
        }
        is_small &= rows::kept_count(conn, options.slug())?.is_some_and(|rows| rows <= COUNTED_EACH_TIME);
        let figures = options.figures.iter().map(|(label, query)| figure(conn, options, label, query));
        let figures = figures.collect::<QueryResult<_>>()?;
        let line = options.per_day.map(|(label, column)| rows_per_day(conn, options, label, column, at.date()));
        models.push(OfModel { options, figures, line: line.transpose()? });
    }
    Ok(Counted { at, models, requests: requests(conn, at.date())?, is_small })
}

fn figure(conn: &mut Connection, options: &'static Options, label: &'static str, query: &str) -> QueryResult<Figure> {
    let list = ChangeListQuery::parse(conn, options, query)?;
    let mut from = Sql::new(format!("FROM {} WHERE ", options.slug()));
    from.append(list.filters());
    let number = rows::number(conn, "count(*)", from)?;
    Ok(Figure { label, number, url: format!("/admin/{}/?{query}", options.slug()) })
}

fn days(today: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    (0..DAYS).rev().map(move |ago| today - TimeDelta::days(ago))
}

/// One statement, in which the index counts each day.
fn rows_per_day(
    conn: &mut Connection,
    options: &Options,
    label: &'static str,
    column: &str,
    today: NaiveDate,
) -> QueryResult<Line> {
    let mut from = Sql::new("FROM (SELECT 0 AS none");
    let mut names = Vec::new();
    for (number, day) in days(today).enumerate() {
        let begin = day.and_time(Default::default());
        from.push(&format!(", (SELECT count(*) FROM {} WHERE {column} >= ? AND {column} < ?)", options.slug()));
        from.bind(begin).bind(begin + TimeDelta::days(1)).push(&format!(" AS d{number}"));
        names.push(format!("d{number}"));
    }
    from.push(") AS days");
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let row = rows::select(conn, &names, from)?.pop().unwrap_or_default();
    let counts = row.iter().map(|count| Value::as_i64(count).unwrap_or(0));
    Ok(Line { label, days: days(today).zip(counts).collect() })
}

fn requests(conn: &mut Connection, today: NaiveDate) -> QueryResult<Line> {
    let known = api_requests::per_day(conn, today - TimeDelta::days(DAYS - 1))?;
    let of = |day: NaiveDate| known.iter().find(|(known, _)| *known == day).map_or(0, |(_, requests)| *requests);
    Ok(Line { label: "API requests", days: days(today).map(|day| (day, of(day))).collect() })
}
