//! Keeps recently shown lists until something is committed: returning to a list takes no query.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use chrono::Utc;

use super::display::ListDisplay;
use super::query::turn_for;
use crate::admin::context::AdminContext;
use crate::admin::model_admin::{Options, Staff};
use crate::db::search::Turns;
use crate::db::{Connection, Remembered};
use crate::error::Error;

/// Lists in memory. One of 200 rows takes at most 200 KB.
const MOST: usize = 16;

pub struct Recent<T> {
    lists: Remembered<Asked, Arc<T>>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Asked {
    reader: Reader,
    slug: &'static str,
    query: String,
    display: ListDisplay,
    /// Filters such as "past 24 hours" move with the clock.
    minute: i64,
}

/// The user whose rights decide what a list contains. Equal only until the rights are read again.
#[derive(Clone)]
struct Reader(Arc<Staff>);

impl PartialEq for Reader {
    fn eq(&self, other: &Reader) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Reader {}

impl Hash for Reader {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}

impl<T> Default for Recent<T>
where
    T: Send + Sync + 'static,
{
    fn default() -> Recent<T> {
        // The sessions, whose `Staff` tells readers apart, are cached strictly too.
        Recent { lists: Remembered::strict(MOST) }
    }
}

impl<T> Recent<T>
where
    T: Send + Sync + 'static,
{
    pub async fn get(
        &self,
        cx: &AdminContext,
        turns: &Turns,
        (options, display): (&'static Options, ListDisplay),
        read: impl FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<Arc<T>, Error> {
        let query = cx.request.query_string();
        let minute = Utc::now().timestamp() / 60;
        let asked = Asked {
            reader: Reader(cx.staff.staff.clone()),
            slug: options.slug(),
            query: query.to_owned(),
            display,
            minute,
        };
        let version = cx.db.version();
        if let Some(known) = self.lists.known(version, &asked) {
            return Ok(known);
        }
        let turn = turn_for(query, turns).await?;
        let read = move |conn: &mut Connection| {
            // Held until the scan ends, even if the client has gone away.
            let _turn = turn;
            read(conn).map(Arc::new)
        };
        let found = cx.db.read(read).await?;
        self.lists.keep(&cx.db, version, asked, &found);
        Ok(found)
    }
}
