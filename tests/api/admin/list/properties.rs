//! Properties of the admin's lists that hold for every list and every query, tried on real tables without HTTP.

use std::collections::BTreeSet;

use gatepost::admin::ModelAdmin;
use gatepost::admin::list::facets::facets;
use gatepost::admin::list::matches::{Matches, plain_condition};
use gatepost::admin::list::page::{Page, Scan, fetch, matching_ids};
use gatepost::admin::list::query::{ChangeListQuery, Place};
use gatepost::admin::model_admin::Options;
use gatepost::articles::admin::ARTICLES;
use gatepost::db::{Connection, Db};
use gatepost::users::admin::UserAdmin;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::harness::database::TestDatabase;

fn database() -> (TestDatabase, Db) {
    let database = TestDatabase::new();
    let (db, _) = Db::open(&database.url).expect("a database");
    (database, db)
}

/// Articles with these names and days of creation.
fn fill(db: &Db, rows: &[(String, u32)]) {
    use diesel::connection::SimpleConnection;
    let rows: Vec<String> = rows
        .iter()
        .map(|(name, day)| format!("('{name}', '2026-01-{day:02} 00:00:00', '2026-01-01 00:00:00')"))
        .collect();
    if !rows.is_empty() {
        let insert = format!("INSERT INTO articles (name, created_at, updated_at) VALUES {}", rows.join(", "));
        db.write_blocking(move |conn| Ok(conn.batch_execute(&insert)?)).expect("the rows are inserted");
    }
}

fn read<T>(db: &Db, queries: impl FnOnce(&mut Connection) -> T) -> T {
    db.read_blocking(|conn| Ok(queries(conn))).expect("the database can be read")
}

fn parse(conn: &mut Connection, options: &'static Options, query: &str) -> ChangeListQuery {
    ChangeListQuery::parse(conn, options, query).expect("any query can be read")
}

fn page(conn: &mut Connection, options: &'static Options, query: &ChangeListQuery) -> (Page, Matches) {
    let matches = Matches::of(conn, options, query).expect("the rows can be counted");
    let page = Page::read(conn, options, &[options.model.title], query, &matches).expect("the page can be read");
    (page, matches)
}

fn ids(page: &Page) -> Vec<i64> {
    page.rows.iter().map(|row| row.id).collect()
}

fn any_query() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        Just("q"),
        Just("o"),
        Just("show"),
        Just("after"),
        Just("before"),
        Just("last"),
        Just("author"),
        Just("created"),
        Just("staff"),
        Just("groups"),
        Just("origin"),
        Just("_changelist_filters"),
        Just("x"),
    ];
    let value = prop_oneof![
        any::<String>(),
        "[a-z,'\"%;=() -]{0,30}",
        Just("name,-created_at,id,-name".to_owned()),
        Just("1' OR '1'='1".to_owned()),
        Just("-1; DROP TABLE articles; --".to_owned()),
        Just("yes".to_owned()),
        Just("WyJhIl0".to_owned()),
        Just("WzEsMSwxXQ".to_owned()),
        Just("WzkyMjMzNzIwMzY4NTQ3NzU4MDcsOTIyMzM3MjAzNjg1NDc3NTgwN10".to_owned()),
    ];
    vec((name, value), 0..5)
        .prop_map(|pairs| form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn pages_cover_every_list_once_forth_and_back(
        rows in vec(("[ab]{1,2}", 1u32..4), 0..40),
        show in 1i64..9,
        order in prop_oneof![
            Just(""), Just("name"), Just("-name"), Just("created_at,-name"), Just("-created_at,name,id"), Just("-name,created_at,-id"), Just("id"),
        ],
        search in prop_oneof![Just(""), Just("a")],
    ) {
        let (_folder, db) = database();
        fill(&db, &rows);
        let options = &ARTICLES;
        read(&db, |conn| {
            let query = ChangeListQuery { show, ..parse(conn, options, &format!("o={order}&q={search}")) };
            // What one statement gives is the truth.
            let (condition, order) = (plain_condition(options, &query), query.full_order());
            let scan = Scan { condition: &condition, order: &order, from: None, backwards: false, limit: 1_000 };
            let whole = fetch(conn, options, &[], scan).expect("all rows");
            let whole: Vec<i64> = whole.iter().map(|row| row.id).collect();
            for (begin, step) in [(Place::First, Page::next as fn(&Page) -> Option<Place>), (Place::Last, Page::previous)] {
                let is_forth = begin == Place::First;
                let mut place = Some(begin);
                let mut met: Vec<i64> = Vec::new();
                while let Some(at) = place {
                    let (page, matches) = page(conn, options, &ChangeListQuery { place: at, ..query.clone() });
                    prop_assert_eq!(matches.total.number, whole.len() as i64);
                    let found = ids(&page);
                    let number = page.number.expect("so few rows are counted") as usize;
                    prop_assert_eq!(found.first(), whole.get(number - 1), "the number of the first row");
                    prop_assert!(found.len() as i64 == show || found.len() == whole.len() || !page.has_next);
                    prop_assert_eq!(page.has_next, found.last() != whole.last());
                    prop_assert_eq!(page.has_previous, found.first() != whole.first());
                    // The way back ends with a whole first page, which may repeat rows of the second.
                    let new: Vec<i64> = found.into_iter().filter(|id| !met.contains(id)).collect();
                    if is_forth { met.extend(new) } else { met.splice(0..0, new).for_each(drop) }
                    place = step(&page);
                }
                prop_assert_eq!(&met, &whole);
            }
            let all: BTreeSet<i64> = whole.iter().copied().collect();
            let mut found = BTreeSet::new();
            while let Ok(more @ [_, ..]) = matching_ids(conn, options, &query, found.last().copied().unwrap_or(0), 3).as_deref() {
                found.extend(more);
            }
            prop_assert_eq!(found, all, "an action on all that match");
            Ok(())
        })?;
    }

    #[test]
    fn any_query_is_answered(query in any_query()) {
        let (_folder, db) = database();
        fill(&db, &[("one".to_owned(), 1), ("two".to_owned(), 2)]);
        read(&db, |conn| {
            for options in [&ARTICLES, UserAdmin.options()] {
                let list = parse(conn, options, &query);
                let (found, matches) = page(conn, options, &list);
                facets(conn, options, &list, &matches).expect("the filters are counted");
                matching_ids(conn, options, &list, 0, 10).expect("the ids are found");
                let again = parse(conn, options, &list.state());
                prop_assert_eq!(again.state(), list.state());
                match list.problem {
                    Some(_) => prop_assert!(ids(&found).is_empty()),
                    // The address that the page gives itself means the same page.
                    None => prop_assert_eq!(ids(&page(conn, options, &again).0), ids(&found)),
                }
            }
            Ok(())
        })?;
    }
}
