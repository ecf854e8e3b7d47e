//! Lists of late, until something is committed: to come back to a list, or to look at it once more, takes no
//! query.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use chrono::Utc;

use crate::admin::context::AdminContext;
use crate::admin::form_data::FormData;
use crate::admin::model_admin::{Options, Staff};
use crate::db::search::Turns;
use crate::db::{Connection, Db, Remembered};
use crate::error::Error;

/// Lists that are remembered at once. One of 200 rows has 200 KB at most.
const MOST: usize = 16;
/// Lists of which it is known how long they take.
const MOST_TIMED: usize = 256;
/// How long it counts how long a list took: pages differ, and so do days.
const TIMED_FOR: Duration = Duration::from_secs(60);
/// A list that took less is read where it is asked for: another thread would begin hardly sooner than it ends.
const SHORT: Duration = Duration::from_millis(1);

/// What was read for lists of one kind.
pub struct Recent<T> {
    lists: Remembered<Asked, Arc<T>>,
    /// How long a list took, whichever its page.
    took: Mutex<HashMap<Known, Took>>,
}

/// A list as a user sees it, without its page.
#[derive(PartialEq, Eq, Hash)]
struct Known {
    user: i64,
    slug: &'static str,
    query: String,
}

/// The longest that a list took since then.
struct Took {
    since: Instant,
    longest: Duration,
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

impl Known {
    /// What is known of by its time; `None` for a search, which looks at every row.
    fn of(options: &Options, staff: &Staff, query: &str) -> Option<Known> {
        let data = FormData::parse(query.as_bytes());
        if !data.get("q").unwrap_or_default().trim().is_empty() {
            return None;
        }
        let is_of_list =
            |name: &str| ["o", "show"].contains(&name) || options.list_filter.iter().any(|filter| filter.name == name);
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(data.0.iter().filter(|(name, _)| is_of_list(name)));
        Some(Known { user: staff.user.id, slug: options.slug(), query: query.finish() })
    }
}

impl<T> Default for Recent<T>
where
    T: Send + Sync + 'static,
{
    fn default() -> Recent<T> {
        // Readers are told apart by what is remembered so, too.
        Recent { lists: Remembered::strict(MOST), took: Mutex::default() }
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
        self.find(&cx.db, turns, &cx.staff.staff, (options, cx.request.query_string()), read).await
    }

    async fn find(
        &self,
        db: &Db,
        turns: &Turns,
        staff: &Arc<Staff>,
        (options, query): (&'static Options, &str),
        read: impl FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<Arc<T>, Error> {
        let minute = Utc::now().timestamp() / 60;
        let asked = Asked { reader: Reader(staff.clone()), slug: options.slug(), query: query.to_owned(), minute };
        let version = db.version();
        if let Some(known) = self.lists.known(version, &asked) {
            return Ok(known);
        }
        let list = Known::of(options, staff, query);
        // Only a search needs a turn.
        let turn = if list.is_none() { turns.take().await? } else { None };
        let is_short = list.as_ref().is_some_and(|list| self.is_short(list));
        let read = move |conn: &mut Connection| {
            // Kept until the scan is over, even if the caller is gone by then.
            let _turn = turn;
            let started = Instant::now();
            Ok((Arc::new(read(conn)?), started.elapsed()))
        };
        let (found, took) = if is_short { db.read_here(read).await? } else { db.read(read).await? };
        if let Some(list) = list {
            self.note(list, took);
        }
        self.lists.keep(db, version, asked, &found);
        Ok(found)
    }

    fn took(&self) -> MutexGuard<'_, HashMap<Known, Took>> {
        self.took.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn is_short(&self, list: &Known) -> bool {
        self.took().get(list).is_some_and(|took| took.longest < SHORT)
    }

    fn note(&self, list: Known, took: Duration) {
        let mut known = self.took();
        if known.len() >= MOST_TIMED {
            known.clear();
        }
        let noted = known.entry(list).or_insert(Took { since: Instant::now(), longest: took });
        if noted.since.elapsed() > TIMED_FOR {
            *noted = Took { since: Instant::now(), longest: took };
        }
        noted.longest = noted.longest.max(took);
    }
}

#[cfg(test)]
mod tests {
    use std::thread::{self, ThreadId};

    use super::*;
    use crate::db::DatabaseUrl;
    use crate::history::{Actor, Source};
    use crate::models::Model;
    use crate::users::models::{self, NewUser, Origin};

    static MODEL: Model = Model { name: "article", plural: "articles", title: "name", fields: &[] };
    static OPTIONS: Options = Options::new(&MODEL);

    /// The thread on which a list is read that takes so long.
    async fn reader(lists: &Recent<ThreadId>, db: &Db, staff: &Arc<Staff>, query: &str, takes: Duration) -> ThreadId {
        let read = move |_: &mut Connection| {
            thread::sleep(takes);
            Ok(thread::current().id())
        };
        let found = lists.find(db, &Turns::default(), staff, (&OPTIONS, query), read).await;
        *found.expect("the list is read")
    }

    #[tokio::test]
    async fn only_a_list_that_took_little_time_at_last_is_read_where_it_is_asked_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let (db, _) = Db::open(&DatabaseUrl::Sqlite(folder.path().join("lists.sqlite3"))).expect("a database");
        let user = NewUser { username: "alice".to_owned(), ..NewUser::new(Origin::CommandLine) };
        let user = db.write(move |conn| models::create(conn, user, &Actor::system(Source::CommandLine))).await;
        let staff = Arc::new(Staff { user: user.expect("a user"), rights: Default::default(), batch: None });
        let (lists, here) = (Recent::default(), thread::current().id());
        let (quick, slow) = (Duration::ZERO, 3 * SHORT);

        assert_ne!(reader(&lists, &db, &staff, "o=name", quick).await, here, "nothing is known of it yet");
        assert_eq!(reader(&lists, &db, &staff, "o=name&after=1", quick).await, here, "another page of a quick list");
        assert_ne!(reader(&lists, &db, &staff, "o=id&after=1", quick).await, here, "another list");
        assert_ne!(reader(&lists, &db, &staff, "o=name&q=word&after=2", slow).await, here, "a search waits its turn");
        assert_eq!(reader(&lists, &db, &staff, "o=name&after=3", slow).await, here, "nobody could know");
        assert_ne!(reader(&lists, &db, &staff, "o=name&after=4", slow).await, here, "now it is known");
        assert_ne!(reader(&lists, &db, &staff, "o=name&after=5", quick).await, here, "and not soon forgotten");
        assert_eq!(reader(&lists, &db, &staff, "o=id&after=5", quick).await, here, "that list is quick");
        let padded = format!("o=id&q=word{}", "+".repeat(300));
        assert_ne!(reader(&lists, &db, &staff, &padded, quick).await, here, "a search, whatever stands around it");
        let user = models::User { id: staff.user.id + 1, ..staff.user.clone() };
        let other = Arc::new(Staff { user, ..Staff::clone(&staff) });
        assert_ne!(reader(&lists, &db, &other, "o=id&after=6", quick).await, here, "others may see other rows");
    }
}
