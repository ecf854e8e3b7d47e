//! Lists of late, until something is committed: to come back to a list, or to look at it once more, takes no
//! query.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use chrono::Utc;

use crate::admin::context::AdminContext;
use crate::admin::form_data::FormData;
use crate::admin::model_admin::{Options, Staff};
use crate::db::search::Turns;
use crate::db::{Connection, Remembered};
use crate::error::Error;

/// Lists that are remembered at once. One of 200 rows has 200 KB at most.
const MOST: usize = 16;

/// What was read for lists of one kind.
pub struct Recent<T> {
    lists: Remembered<Asked, Arc<T>>,
}

/// A list as somebody asked for it.
#[derive(PartialEq, Eq, Hash)]
struct Asked {
    reader: Reader,
    slug: &'static str,
    query: String,
    /// Filters such as "past 24 hours" go on with the clock.
    minute: i64,
}

/// Whose rights decide what is in a list: the same only as long as these rights were not read anew.
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
        // Readers are told apart by what is remembered so, too.
        Recent { lists: Remembered::strict(MOST) }
    }
}

impl<T> Recent<T>
where
    T: Send + Sync + 'static,
{
    /// The list of a model that a request asks for by its query string: as it is remembered, or read now.
    pub async fn get(
        &self,
        cx: &AdminContext,
        turns: &Turns,
        options: &'static Options,
        read: impl FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<Arc<T>, Error> {
        let query = cx.request.query_string();
        let minute = Utc::now().timestamp() / 60;
        let asked =
            Asked { reader: Reader(cx.staff.staff.clone()), slug: options.slug(), query: query.to_owned(), minute };
        let version = cx.db.version();
        if let Some(known) = self.lists.known(version, &asked) {
            return Ok(known);
        }
        // A search looks at every row.
        let is_search = FormData::parse(query.as_bytes()).get("q").is_some_and(|words| !words.trim().is_empty());
        let turn = if is_search { turns.take().await? } else { None };
        let read = move |conn: &mut Connection| {
            // Kept until the scan is over, even if the caller is gone by then.
            let _turn = turn;
            read(conn).map(Arc::new)
        };
        let found = cx.db.read(read).await?;
        self.lists.keep(&cx.db, version, asked, &found);
        Ok(found)
    }
}
