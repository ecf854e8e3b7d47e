//! Lists of late, until something is committed: to come back to a list, or to look at it once more, takes no
//! query.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use chrono::Utc;

use super::forms::FormData;
use super::model_admin::{Options, Staff};
use crate::db::{Connection, Db, Remembered};
use crate::error::Error;
use crate::search::{self, Turn, Turns};

/// Lists that are remembered at once. One of 200 rows has 200 KB at most.
const MOST: usize = 16;

/// What was read for lists of one kind.
pub struct Recent<T>(Remembered<Asked, Arc<T>>);

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
        Recent(Remembered::strict(MOST))
    }
}

impl<T> Recent<T>
where
    T: Send + Sync + 'static,
{
    /// The list of a model that `staff` ask for by a query string: as it is remembered, or read now.
    pub async fn get(
        &self,
        db: &Db,
        turns: &Turns,
        staff: &Arc<Staff>,
        (options, query): (&'static Options, &str),
        read: impl FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<Arc<T>, Error> {
        let minute = Utc::now().timestamp() / 60;
        let asked = Asked { reader: Reader(staff.clone()), slug: options.slug, query: query.to_owned(), minute };
        if let Some(known) = self.0.known(db, &asked) {
            return Ok(known);
        }
        let turn = turn(turns, query).await?;
        let read = move |conn: &mut Connection| {
            // Kept until the scan is over, even if the caller is gone by then.
            let _turn = turn;
            read(conn).map(Arc::new)
        };
        self.0.get(db, asked, read).await
    }
}

/// The turn that a query string needs: only a search needs one.
async fn turn(turns: &Turns, query: &str) -> Result<Option<Turn>, Error> {
    let data = FormData::parse(query.as_bytes());
    match search::words(data.get("q").unwrap_or_default()) {
        Ok(words) if !words.is_empty() => turns.take().await,
        _ => Ok(None),
    }
}
