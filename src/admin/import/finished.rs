//! The last imports, for the home page.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::report::Report;
use crate::admin::jobs::job::IMPORT;
use crate::db::Connection;
use crate::schema::{jobs, users};

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
    let columns = (jobs::id, jobs::user_id, users::username, jobs::model, jobs::title);
    let rows: Vec<(Columns, String, NaiveDateTime)> = jobs::table
        .inner_join(users::table.on(users::id.eq(jobs::user_id)))
        .filter(jobs::kind.eq(IMPORT).and(jobs::state.eq("done")))
        .order(jobs::id.desc())
        .limit(most)
        .select((columns, jobs::report, jobs::updated_at))
        .load(conn)?;
    let finished = |((id, user_id, username, model, file_name), report, at): (Columns, String, _)| {
        let Report { created, changed, .. } = serde_json::from_str(&report).unwrap_or_default();
        Finished { id, user_id, username, model, file_name, created, changed, at }
    };
    Ok(rows.into_iter().map(finished).collect())
}
