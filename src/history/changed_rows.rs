//! Keeps what an action changed so that it can be undone: of each row, the columns with other values and the rows that
//! belong to it in other tables, before and after. Like [`deleted_rows`], it follows from the database's foreign keys.

use std::collections::{BTreeMap, HashMap};

use chrono::{SubsecRound, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::deleted_rows::{Columns, NOT_KEPT, kept_since, taken};
use super::records::{Changes, newest_id, newest_of};
use crate::db::Connection;
use crate::db::bulk::Inserter;
use crate::db::references::{self, Catalog, OnDelete, Reference};
use crate::db::rows::{self, Sql};
use crate::error::Error;
use crate::schema::{changed_rows, history};

/// Larger batches are not counted to the end.
pub const COUNTED: i64 = 1000;

/// Where a row is, and the tables of other models, whose rows do not belong to it.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    pub table: &'a str,
    pub models: &'a [&'a str],
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct State {
    row: Columns,
    /// By table, parents first.
    parts: Vec<(String, Vec<Columns>)>,
}

/// The same columns and tables in both.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Content {
    table: String,
    before: State,
    after: State,
}

impl State {
    fn part(&self, table: &str) -> &[Columns] {
        self.parts.iter().find(|(name, _)| name == table).map_or(&[], |(_, rows)| rows)
    }

    fn add(&mut self, table: &str, row: Columns) {
        match self.parts.iter_mut().find(|(name, _)| name == table) {
            Some((_, rows)) => rows.push(row),
            None => self.parts.push((table.to_owned(), vec![row])),
        }
    }

    /// Only what differs from `other`.
    fn unlike(&self, other: &State) -> State {
        let row = self.row.iter().filter(|(column, value)| other.row.get(*column) != Some(value));
        let tables = self.parts.iter().chain(&other.parts).map(|(table, _)| table);
        let mut state =
            State { row: row.map(|(column, value)| (column.clone(), value.clone())).collect(), parts: vec![] };
        for table in tables {
            let rows = self.part(table);
            if rows != other.part(table) && !state.parts.iter().any(|(known, _)| known == table) {
                state.parts.push((table.clone(), rows.to_vec()));
            }
        }
        state
    }

    fn is_empty(&self) -> bool {
        self.row.is_empty() && self.parts.is_empty()
    }
}

/// Rows before an action.
pub struct Before<'a> {
    scope: Scope<'a>,
    states: BTreeMap<i64, State>,
    /// The latest entry of the history.
    entry: i64,
}

impl Before<'_> {
    pub fn of<'a>(conn: &mut Connection, scope: Scope<'a>, ids: &[i64]) -> QueryResult<Before<'a>> {
        Ok(Before { scope, states: states(conn, &mut Catalog::default(), scope, ids)?, entry: newest_id(conn)? })
    }

    /// Call it in the transaction of the action, which has written the history. Rows that are as before are left out.
    pub fn keep(self, conn: &mut Connection, model: &str, action: &str, batch: &str) -> Result<(), Error> {
        let ids: Vec<i64> = self.states.keys().copied().collect();
        let mut after = states(conn, &mut Catalog::default(), self.scope, &ids)?;
        let entries = newest_of(conn, model, &ids, self.entry)?;
        let columns = ["batch", "at", "action", "entry_id", "content"];
        let at = Utc::now().naive_utc().trunc_subsecs(6);
        let mut inserter = Inserter::new(conn, "changed_rows", &columns)?;
        for (id, before) in self.states {
            let (Some(after), Some(entry)) = (after.remove(&id), entries.get(&id)) else { continue };
            let table = self.scope.table.to_owned();
            let content = Content { table, before: before.unlike(&after), after: after.unlike(&before) };
            if content.before.is_empty() && content.after.is_empty() {
                continue;
            }
            let json = serde_json::to_string(&content).map_err(|error| Error::Internal(error.to_string()))?;
            inserter.add(vec![batch.into(), at.into(), action.into(), (*entry).into(), json.into()])?;
        }
        Ok(inserter.flush()?)
    }
}

fn states(
    conn: &mut Connection,
    catalog: &mut Catalog,
    scope: Scope,
    ids: &[i64],
) -> QueryResult<BTreeMap<i64, State>> {
    let mut rest = Sql::new(format!("FROM \"{}\" WHERE id IN ?", scope.table));
    rest.bind(ids.to_vec());
    let (mut states, mut owned) = (BTreeMap::new(), Vec::new());
    for row in catalog.whole_rows(conn, scope.table, rest)? {
        let Some(id) = row.get("id").and_then(Value::as_i64) else { continue };
        owned.push((id, row.clone()));
        states.insert(id, State { row, parts: Vec::new() });
    }
    add_parts(conn, catalog, scope, (scope.table, &owned), &mut states)?;
    for (_, rows) in states.values_mut().flat_map(|state| &mut state.parts) {
        rows.sort_by_cached_key(|row| Value::Object(row.clone()).to_string());
    }
    Ok(states)
}

/// Rows that would be deleted with the rows of `table`, whose owners are given, recursively.
fn add_parts(
    conn: &mut Connection,
    catalog: &mut Catalog,
    scope: Scope,
    (table, owned): (&str, &[(i64, Columns)]),
    states: &mut BTreeMap<i64, State>,
) -> QueryResult<()> {
    let is_part = |reference: &Reference| {
        let table = reference.table.as_str();
        reference.on_delete == OnDelete::Cascade && !NOT_KEPT.contains(&table) && !scope.models.contains(&table)
    };
    if owned.is_empty() {
        return Ok(());
    }
    for reference in catalog.table(conn, table)?.referring.iter().filter(|reference| is_part(reference)) {
        let target = |row: &Columns| row.get(&reference.target_column).and_then(Value::as_i64);
        let owners: HashMap<i64, i64> = owned.iter().filter_map(|(id, row)| Some((target(row)?, *id))).collect();
        let mut rest = Sql::new(format!("FROM \"{}\" WHERE \"{}\" IN ?", reference.table, reference.column));
        rest.bind(owners.keys().copied().collect::<Vec<_>>());
        let mut found = Vec::new();
        for row in catalog.whole_rows(conn, &reference.table, rest)? {
            let owner = row.get(&reference.column).and_then(Value::as_i64).and_then(|value| owners.get(&value));
            let Some((owner, state)) = owner.and_then(|id| Some((*id, states.get_mut(id)?))) else { continue };
            state.add(&reference.table, row.clone());
            found.push((owner, row));
        }
        add_parts(conn, catalog, scope, (&reference.table, &found), states)?;
    }
    Ok(())
}

/// What an action changed of one row.
#[derive(Clone, Debug, Queryable)]
pub struct ChangedRow {
    /// Grows with each action.
    pub id: i64,
    pub action: String,
    #[diesel(deserialize_as = String)]
    content: Content,
    pub model: String,
    pub object_id: i64,
    /// The row's title at that time.
    pub object: String,
    /// Of the history's entry.
    changes: String,
}

/// Only rows with ids below `before`, the latest first.
pub fn in_batch(conn: &mut Connection, batch: &str, before: i64, limit: i64) -> QueryResult<Vec<ChangedRow>> {
    let kept = changed_rows::table.filter(changed_rows::at.ge(kept_since()));
    kept.filter(changed_rows::batch.eq(batch).and(changed_rows::id.lt(before)))
        .inner_join(history::table.on(history::id.eq(changed_rows::entry_id)))
        .order(changed_rows::id.desc())
        .limit(limit)
        .select((
            changed_rows::id,
            changed_rows::action,
            changed_rows::content,
            history::model,
            history::object_id,
            history::object,
            history::changes,
        ))
        .load(conn)
}

pub fn count(conn: &mut Connection, batch: &str) -> QueryResult<i64> {
    changed_rows::table.filter(changed_rows::batch.eq(batch)).count().get_result(conn)
}

/// More than [`COUNTED`] count as one more.
pub fn count_up_to(conn: &mut Connection, batch: &str) -> QueryResult<i64> {
    let mut from = Sql::new("FROM (SELECT 1 FROM changed_rows WHERE batch = ?");
    from.bind(batch).push(&format!(" LIMIT {}) AS counted", COUNTED + 1));
    rows::number(conn, "count(*)", from)
}

/// Ids of rows past their retention period, oldest first.
pub fn expired(conn: &mut Connection, limit: i64) -> QueryResult<Vec<i64>> {
    let over = changed_rows::table.filter(changed_rows::at.lt(kept_since())).order(changed_rows::at).limit(limit);
    over.select(changed_rows::id).load(conn)
}

pub fn forget(conn: &mut Connection, ids: &[i64]) -> QueryResult<usize> {
    diesel::delete(changed_rows::table.filter(changed_rows::id.eq_any(ids))).execute(conn)
}

impl TryFrom<String> for Content {
    type Error = serde_json::Error;

    fn try_from(json: String) -> Result<Content, serde_json::Error> {
        serde_json::from_str(&json)
    }
}

/// Rows as they are now: all of a part of a batch are read at once.
pub struct Present<'a> {
    models: &'a [&'a str],
    catalog: Catalog,
    /// By table and id.
    states: HashMap<(String, i64), State>,
}

impl Present<'_> {
    pub fn of<'a>(conn: &mut Connection, models: &'a [&'a str], rows: &[ChangedRow]) -> QueryResult<Present<'a>> {
        let mut present = Present { models, catalog: Catalog::default(), states: HashMap::new() };
        let mut tables: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
        rows.iter().for_each(|row| tables.entry(&row.content.table).or_default().push(row.object_id));
        for (table, ids) in tables {
            present.read(conn, table, &ids)?;
        }
        Ok(present)
    }

    fn read(&mut self, conn: &mut Connection, table: &str, ids: &[i64]) -> QueryResult<()> {
        let found = states(conn, &mut self.catalog, Scope { table, models: self.models }, ids)?;
        self.states.extend(found.into_iter().map(|(id, state)| ((table.to_owned(), id), state)));
        Ok(())
    }

    /// After the row has been written.
    pub fn read_again(&mut self, conn: &mut Connection, row: &ChangedRow) -> QueryResult<()> {
        self.read(conn, &row.content.table, &[row.object_id])
    }

    fn state(&self, row: &ChangedRow) -> Option<&State> {
        self.states.get(&(row.content.table.clone(), row.object_id))
    }
}

impl ChangedRow {
    /// Whether all that the action changed is as the action left it.
    pub fn is_as_left(&self, present: &Present) -> bool {
        let (Some(now), after) = (present.state(self), &self.content.after) else { return false };
        let has = |(column, value): (&String, &Value)| now.row.get(column) == Some(value);
        after.row.iter().all(has) && after.parts.iter().all(|(table, rows)| now.part(table) == rows)
    }

    /// Puts back what the action changed, past the rules of the model. [`Error::Invalid`] means that the database refuses
    /// it, because a unique value is taken, for example; call it within [`crate::db::savepoint`].
    pub fn put_back(&self, conn: &mut Connection, present: &Present) -> Result<(), Error> {
        let Some(now) = present.state(self) else { return Ok(()) };
        let Content { table, before, .. } = &self.content;
        if !before.row.is_empty() {
            references::update(conn, table, self.object_id, &before.row).map_err(taken)?;
        }
        for (table, rows) in before.parts.iter().rev() {
            for row in now.part(table).iter().filter(|row| !rows.contains(row)) {
                references::delete(conn, table, row)?;
            }
        }
        for (table, rows) in &before.parts {
            for row in rows.iter().filter(|row| !now.part(table).contains(row)) {
                references::insert(conn, table, row.clone()).map_err(taken)?;
            }
        }
        Ok(())
    }

    /// For the history: what putting back changes, without some of the fields.
    pub fn reverse(&self, without: &[&str]) -> Changes {
        Changes::reverse(&self.changes, without)
    }
}
