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

impl Counted {
    fn is_fresh(&self, asked: NaiveDateTime) -> bool {
        self.at >= asked || (!self.is_small && asked - self.at < KEPT)
    }
}

/// The last count of this process.
#[derive(Default)]
pub struct Kept {
    last: Mutex<Option<Arc<Counted>>>,
    /// Held by the reader that counts. The others wait for its numbers.
    counting: Mutex<()>,
}

impl Kept {
    /// `waiting`: requests of the API that this process has not written yet.
    pub fn get(&self, conn: &mut Connection, site: &Site, waiting: i64) -> QueryResult<Arc<Counted>> {
        let asked = Utc::now().naive_utc();
        if let Some(fresh) = self.fresh(asked) {
            return Ok(fresh);
        }
        let _counting = self.counting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fresh) = self.fresh(asked) {
            return Ok(fresh);
        }
        let counted = Arc::new(count(conn, site, waiting, Utc::now().naive_utc())?);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(counted.clone());
        Ok(counted)
    }

    fn fresh(&self, asked: NaiveDateTime) -> Option<Arc<Counted>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        last.filter(|last| last.is_fresh(asked))
    }
}

fn count(conn: &mut Connection, site: &Site, waiting: i64, at: NaiveDateTime) -> QueryResult<Counted> {
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
    Ok(Counted { at, models, requests: requests(conn, waiting, at.date())?, is_small })
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
    let count = |day: NaiveDate| {
        let begin = day.and_time(Default::default());
        let count = format!("SELECT count(*) FROM {} WHERE {column} >= ? AND {column} < ?", options.slug());
        Sql::new(count).with(begin).with(begin + TimeDelta::days(1))
    };
    let counts = rows::scalars(conn, &days(today).map(count).collect::<Vec<_>>())?;
    let counts = counts.iter().map(|count| Value::as_i64(count).unwrap_or(0));
    Ok(Line { label, days: days(today).zip(counts).collect() })
}

fn requests(conn: &mut Connection, waiting: i64, today: NaiveDate) -> QueryResult<Line> {
    let known = api_requests::per_day(conn, today - TimeDelta::days(DAYS - 1))?;
    let of = |day: NaiveDate| known.iter().find(|(known, _)| *known == day).map_or(0, |(_, requests)| *requests);
    let with_waiting = |day| (day, of(day) + if day == today { waiting } else { 0 });
    Ok(Line { label: "API requests", days: days(today).map(with_waiting).collect() })
}
