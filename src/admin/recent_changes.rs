//! The latest changes, on the home page. Changes that were made together are one line.

use diesel::QueryResult;

use super::history::entries::{COLUMNS, Entry};
use super::history::model::OPTIONS as HISTORY;
use super::list::matches::Count;
use super::model_admin::{IMPORT, ModelAdmin, Staff, UNDO};
use super::site::Site;
use crate::db::Connection;
use crate::db::rows::{self, Sql, Value};
use crate::history::batches;
use crate::users::permissions::Verb;

const LINES: usize = 10;
/// Entries that are read at once.
const STEP: usize = 100;
const STEPS: usize = 50;
/// After so many steps, whole batches are stepped over, with what others wrote between their entries.
const SHORT_STEPS: usize = 30;

/// Above this, a line says `10,000+`.
const CAP: i64 = 10_000;

pub struct Line {
    pub entry: Entry,
    /// What was done to several rows: `imported 500 users`.
    pub together: Option<Together>,
}

pub struct Together {
    pub done: String,
    /// The list of these changes; `None`: the reader may not view it.
    pub url: Option<String>,
}

/// The newest that fulfil a condition.
pub fn lines(conn: &mut Connection, site: &Site, staff: &Staff, condition: &Sql) -> QueryResult<Vec<Line>> {
    let newest = newest(conn, condition)?;
    let ids: Vec<i64> = newest.iter().map(|(id, _)| *id).collect();
    let rest = Sql::new("FROM history WHERE id IN ? ORDER BY id DESC").with(ids);
    let mut lines = Vec::new();
    for (row, (_, batch)) in rows::select(conn, COLUMNS, rest)?.iter().zip(newest) {
        let entry = Entry::read(conn, site, &staff.rights, row)?;
        let together = batch.map(|batch| together(conn, site, staff, &entry, &batch)).transpose()?.flatten();
        lines.push(Line { entry, together });
    }
    Ok(lines)
}

/// Ids of entries, the newest of each batch, with the batch.
fn newest(conn: &mut Connection, condition: &Sql) -> QueryResult<Vec<(i64, Option<String>)>> {
    let (mut newest, mut seen, mut before) = (Vec::new(), Vec::new(), i64::MAX);
    for number in 0..STEPS {
        let mut rest = Sql::new("FROM history WHERE id < ? AND ").with(before);
        rest.append(condition.clone()).push(&format!(" ORDER BY id DESC LIMIT {STEP}"));
        let step = rows::select(conn, &["id", "batch"], rest)?;
        let read = |row: &Vec<Value>| Some((row.first()?.as_i64()?, row.get(1)?.as_str().map(str::to_owned)));
        let entries: Vec<(i64, Option<String>)> = step.iter().filter_map(read).collect();
        for (id, batch) in &entries {
            if batch.as_ref().is_some_and(|batch| seen.contains(batch)) {
                continue;
            }
            seen.extend(batch.clone());
            newest.push((*id, batch.clone()));
            if newest.len() == LINES {
                return Ok(newest);
            }
        }
        let Some((id, batch)) = entries.last().filter(|_| entries.len() == STEP) else { break };
        before = match batch {
            None => *id,
            Some(_) if number < SHORT_STEPS => batches::start_of_run(conn, &seen, *id)?,
            Some(batch) => batches::first_id(conn, std::slice::from_ref(batch))?,
        };
    }
    Ok(newest)
}

/// `None` if it is one change alone.
fn together(
    conn: &mut Connection,
    site: &Site,
    staff: &Staff,
    entry: &Entry,
    batch: &str,
) -> QueryResult<Option<Together>> {
    let count = Count::up_to(CAP, conn, &HISTORY, Sql::new("batch = ?").with(batch))?;
    let Some(model) = site.find_by_name(&entry.model_name).filter(|_| count.number > 1) else { return Ok(None) };
    let done = done(model, entry, batch);
    // `added to the group`: `added 20 users to the group`.
    let (verb, rest) = done.split_once(' ').map_or((&*done, String::new()), |(verb, rest)| (verb, format!(" {rest}")));
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("batch", batch).finish();
    let url = HISTORY.has_permission(&staff.rights, Verb::View).then(|| format!("/admin/history/?{query}"));
    Ok(Some(Together { done: format!("{verb} {count} {}{rest}", model.options().label_plural()), url }))
}

fn done(model: &dyn ModelAdmin, entry: &Entry, batch: &str) -> String {
    let word = entry.action.to_lowercase();
    if batch.starts_with(IMPORT) {
        return "imported".to_owned();
    }
    if batch.starts_with(UNDO) {
        return if word == "changed" { "changed back".to_owned() } else { word };
    }
    let name = batch.split_once('-').map(|(name, _)| name);
    let action = model.options().actions.iter().find(|action| Some(action.name) == name);
    action.map_or(word, |action| action.done.to_owned())
}
