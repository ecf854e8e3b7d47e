//! The last imports, for the home page.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::report::Report;
use crate::db::Connection;
use crate::schema::{imports, users};

/// What an import has done, without its content.
pub struct Finished {
    pub id: i64,
    pub user_id: i64,
    pub username: String,
    pub model: String,
    pub file_name: String,
    pub created: usize,
    pub changed: usize,
    pub at: NaiveDateTime,
}

/// Id, user, username, model and file name.
type Columns = (i64, i64, String, String, String);

/// The newest first.
pub fn finished(conn: &mut Connection, most: i64) -> QueryResult<Vec<Finished>> {
    let columns = (imports::id, imports::user_id, users::username, imports::model, imports::file_name);
    let rows: Vec<(Columns, String, NaiveDateTime)> = imports::table
        .inner_join(users::table.on(users::id.eq(imports::user_id)))
        .filter(imports::state.eq("done"))
        .order(imports::id.desc())
        .limit(most)
        .select((columns, imports::report, imports::created_at))
        .load(conn)?;
    let finished = |((id, user_id, username, model, file_name), report, at): (Columns, String, _)| {
        let Report { created, changed, .. } = serde_json::from_str(&report).unwrap_or_default();
        Finished { id, user_id, username, model, file_name, created, changed, at }
    };
    Ok(rows.into_iter().map(finished).collect())
}
