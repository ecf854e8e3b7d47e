//! Keeps deleted rows so that a deletion can be undone: the row, the rows deleted with it, and the references to it
//! that were cleared. All of it follows from the database's foreign keys. A user's row is kept with its password hash,
//! which never leaves the database.

use chrono::{NaiveDateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::actor::Actor;
use super::records::{Action, Changes, Object, record};
use crate::crypto::random_token;
use crate::db::references::{self, Catalog, OnDelete, Reference};
use crate::db::rows::{self, Sql};
use crate::db::{Backend, Connection};
use crate::error::{Error, FieldErrors};
use crate::schema::deleted_rows;

/// Days during which a deletion or an action can be undone. After that, a deleted row is deleted permanently.
pub const KEPT_DAYS: i64 = 30;
/// What the pool gave may end there meanwhile; the next token gives it again.
pub(super) const NOT_KEPT: &[&str] = &["jobs", "refusals", "sessions", "user_cognito_groups"];

pub(super) type Columns = Map<String, Value>;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Content {
    row: Columns,
    /// Parents first.
    removed: Vec<Removed>,
    cleared: Vec<Cleared>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Removed {
    table: String,
    row: Columns,
}

#[derive(Debug, Serialize, Deserialize)]
struct Cleared {
    table: String,
    column: String,
    target_column: String,
    ids: Vec<i64>,
}

/// Keeps a copy and writes the history. Every model's `delete` calls this.
pub fn delete(
    conn: &mut Connection,
    catalog: &mut Catalog,
    actor: &Actor,
    object: Object,
    table: &'static str,
    changes: &Changes,
) -> Result<(), Error> {
    let by_id = || {
        let mut rest = Sql::new(format!("FROM {table} WHERE id = ?"));
        rest.bind(object.id);
        rest
    };
    let row = catalog.whole_rows(conn, table, by_id())?.pop().ok_or(DieselError::NotFound)?;
    let mut content = Content { row: row.clone(), ..Content::default() };
    let references = &catalog.table(conn, table)?.referring;
    collect(conn, catalog, references, &row, &mut content)?;
    let json = serde_json::to_string(&content).map_err(|error| Error::Internal(error.to_string()))?;
    let batch = actor.batch().map_or_else(random_token, |batch| Ok(batch.to_owned()))?;
    diesel::insert_into(deleted_rows::table)
        .values((
            deleted_rows::batch.eq(batch),
            deleted_rows::at.eq(Utc::now().naive_utc()),
            deleted_rows::model.eq(object.model),
            deleted_rows::object_id.eq(object.id),
            deleted_rows::object.eq(object.name),
            deleted_rows::table_name.eq(table),
            deleted_rows::content.eq(json),
        ))
        .execute(conn)?;
    let mut statement = Sql::new("DELETE ");
    statement.append(by_id());
    rows::execute(conn, statement)?;
    record(conn, actor, Action::Deleted, object, changes)?;
    Ok(())
}

/// Collects the rows that are deleted with a row, recursively, and the rows that only lose their reference to it.
fn collect(
    conn: &mut Connection,
    catalog: &mut Catalog,
    references: &[Reference],
    row: &Columns,
    content: &mut Content,
) -> QueryResult<()> {
    for reference in references.iter().filter(|reference| !NOT_KEPT.contains(&reference.table.as_str())) {
        let Some(value) = row.get(&reference.target_column).and_then(references::bind) else { continue };
        match reference.on_delete {
            OnDelete::Cascade => {
                let deeper = catalog.table(conn, &reference.table)?;
                for row in catalog.whole_rows(conn, &reference.table, reference.to(value))? {
                    content.removed.push(Removed { table: reference.table.clone(), row: row.clone() });
                    collect(conn, catalog, &deeper.referring, &row, content)?;
                }
            }
            OnDelete::SetNull => {
                let ids = rows::ids(conn, reference.to(value))?;
                if !ids.is_empty() {
                    content.cleared.push(Cleared {
                        table: reference.table.clone(),
                        column: reference.column.clone(),
                        target_column: reference.target_column.clone(),
                        ids,
                    });
                }
            }
        }
    }
    Ok(())
}

/// Ids of rows past their retention period, oldest first.
pub fn expired(conn: &mut Connection, limit: i64) -> QueryResult<Vec<i64>> {
    let over = deleted_rows::table.filter(deleted_rows::at.lt(kept_since())).order(deleted_rows::at).limit(limit);
    over.select(deleted_rows::id).load(conn)
}

pub fn forget(conn: &mut Connection, ids: &[i64]) -> QueryResult<usize> {
    diesel::delete(deleted_rows::table.filter(deleted_rows::id.eq_any(ids))).execute(conn)
}

/// A deleted row that can be restored or has been.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = deleted_rows)]
pub struct DeletedRow {
    /// Grows with each deletion.
    pub id: i64,
    pub model: String,
    /// The same before the deletion and after a restoration.
    pub object_id: i64,
    /// The row's title.
    pub object: String,
    pub at: NaiveDateTime,
    table_name: String,
    content: String,
}

pub fn kept_since() -> NaiveDateTime {
    Utc::now().naive_utc() - TimeDelta::days(KEPT_DAYS)
}

fn kept() -> deleted_rows::BoxedQuery<'static, Backend> {
    deleted_rows::table.filter(deleted_rows::at.ge(kept_since())).into_boxed()
}

/// Only rows with ids below `before`. The latest deletions come first, so that parents come before their children.
pub fn in_batch(conn: &mut Connection, batch: &str, before: i64, limit: i64) -> QueryResult<Vec<DeletedRow>> {
    let rows = kept().filter(deleted_rows::batch.eq(batch.to_owned()).and(deleted_rows::id.lt(before)));
    rows.order(deleted_rows::id.desc()).limit(limit).select(DeletedRow::as_select()).load(conn)
}

pub fn count(conn: &mut Connection, batch: &str) -> QueryResult<i64> {
    deleted_rows::table.filter(deleted_rows::batch.eq(batch)).count().get_result(conn)
}

/// `None` if the row cannot be restored.
pub fn batch_of(conn: &mut Connection, model: &str, id: i64) -> QueryResult<Option<String>> {
    let of_row = deleted_rows::model.eq(model.to_owned()).and(deleted_rows::object_id.eq(id));
    kept().filter(of_row).order(deleted_rows::id.desc()).select(deleted_rows::batch).first(conn).optional()
}

/// Restores a row with its old id and what was deleted with it. Returns how many rows stay deleted because a row they
/// refer to no longer exists. [`Error::Invalid`] means that a unique value, such as a name, is taken; the row may then
/// be partly restored, so call this within [`crate::db::savepoint`].
pub fn restore(
    conn: &mut Connection,
    catalog: &mut Catalog,
    deleted: &DeletedRow,
    actor: &Actor,
) -> Result<usize, Error> {
    let content: Content =
        serde_json::from_str(&deleted.content).map_err(|error| Error::Internal(error.to_string()))?;
    let left_out = restore_row(conn, catalog, &deleted.table_name, content)?;
    let object = Object { model: &deleted.model, id: deleted.object_id, name: &deleted.object };
    let at = deleted.at.format("deleted on %Y-%m-%d at %H:%M:%S UTC").to_string();
    record(conn, actor, Action::Created, object, &Changes::default().field("restored", at, true))?;
    forget(conn, &[deleted.id])?;
    Ok(left_out)
}

fn restore_row(conn: &mut Connection, catalog: &mut Catalog, table: &str, content: Content) -> Result<usize, Error> {
    if !insert(conn, catalog, table, content.row.clone()).map_err(taken)? {
        return Err(FieldErrors::one("batch", "what it belonged to was deleted").into());
    }
    let mut left_out = 0;
    for Removed { table, row } in content.removed {
        left_out += usize::from(!insert(conn, catalog, &table, row).map_err(taken)?);
    }
    for cleared in content.cleared {
        let Some(value) = content.row.get(&cleared.target_column).and_then(references::bind) else { continue };
        let (table, column) = (&cleared.table, &cleared.column);
        // Rows that have another reference by now keep it.
        let mut statement = Sql::new(format!("UPDATE \"{table}\" SET \"{column}\" = ? WHERE \"{column}\" IS NULL"));
        statement.bind(value).push(" AND id IN ?").bind(cleared.ids);
        rows::execute(conn, statement)?;
    }
    Ok(left_out)
}

/// `false` if a row that it refers to no longer exists.
fn insert(conn: &mut Connection, catalog: &mut Catalog, table: &str, mut row: Columns) -> QueryResult<bool> {
    let (references, known) = (catalog.references(conn, table)?, catalog.table(conn, table)?);
    for reference in references.iter() {
        let Some(value) = row.get(&reference.column).and_then(references::bind) else { continue };
        let mut target =
            Sql::new(format!("FROM \"{}\" WHERE \"{}\" = ?", reference.target_table, reference.target_column));
        target.bind(value);
        if rows::number(conn, "count(*)", target)? > 0 {
            continue;
        }
        match reference.on_delete {
            OnDelete::Cascade => return Ok(false),
            OnDelete::SetNull => row.insert(reference.column.clone(), Value::Null),
        };
    }
    // A migration may have dropped a column since.
    row.retain(|column, _| known.columns.contains(column));
    references::insert(conn, table, row)?;
    Ok(true)
}

pub(super) fn taken(error: DieselError) -> Error {
    let refusal = match (&error, references::unique_column(&error)) {
        (DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _), _) => {
            "what it belonged to was deleted".to_owned()
        }
        (DieselError::DatabaseError(DatabaseErrorKind::CheckViolation, _), _) => {
            "it would break a rule of its table".to_owned()
        }
        (_, Some(column)) => format!("its {} is taken", column.trim_end_matches("_key").replace('_', " ")),
        (_, None) => return error.into(),
    };
    FieldErrors::one("batch", refusal).into()
}
