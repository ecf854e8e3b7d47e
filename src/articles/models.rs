//! The `articles` table. Whoever creates, renames or deletes an article does it here, and the history
//! follows.

use chrono::{NaiveDateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::api::fields::CharField;
use crate::api::pagination::{ListQuery, Page};
use crate::db::rows;
use crate::db::text::{contains_all, join};
use crate::db::{Backend, Connection};
use crate::error::Error;
use crate::history::deleted_rows;
use crate::history::{self, Action, Actor, Changes, Object};
use crate::schema::articles;

/// The one field that callers set.
pub const NAME: CharField = CharField { name: "name", label: "Name", max_length: 50 };

/// The fields by which a list can be ordered, the default first.
pub const ORDER_FIELDS: &[&str] = &["id", "name"];

/// One row.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable)]
#[allow(missing_docs)]
pub struct Article {
    pub id: i64,
    pub name: String,
    pub created_by: Option<i64>,
    pub created_at: NaiveDateTime,
    pub updated_at: NaiveDateTime,
}

impl Article {
    fn as_object(&self) -> Object<'_> {
        Object { model: "article", id: self.id, name: &self.name }
    }
}

type Filter = Box<dyn BoxableExpression<articles::table, Backend, SqlType = Bool>>;

/// The rows in which every word of the search occurs, whatever its case.
fn matching(search: &[String]) -> Filter {
    if search.is_empty() {
        return Box::new(diesel::dsl::sql::<Bool>("1 = 1"));
    }
    Box::new(contains_all(articles::name, join(search)))
}

/// One page of the list.
pub fn list(conn: &mut Connection, query: &ListQuery) -> QueryResult<Page<Article>> {
    let by_name = query.order_by == "name";
    let steps = match &query.cursor {
        None => vec![None],
        // The rows beyond a place are those of the same name, then those of other names. Each is a range of the
        // index; together they would be read from the first row of that name on.
        Some(cursor) if by_name => {
            let name = cursor.key.clone().unwrap_or_default();
            vec![Some(Beyond::Same(name.clone(), cursor.id)), Some(Beyond::Name(name))]
        }
        Some(cursor) => vec![Some(Beyond::Id(cursor.id))],
    };
    let mut rows = Vec::new();
    for step in steps {
        let left = query.limit + 1 - rows.len() as i64;
        if left > 0 {
            rows.extend(fetch(conn, query, step, left)?);
        }
    }
    Ok(Page::new(query, rows, |article: &Article| (article.id, by_name.then(|| article.name.clone()))))
}

/// Where a step of a page begins, in the direction of the page.
enum Beyond {
    Id(i64),
    /// The rows of a name beyond an id.
    Same(String, i64),
    Name(String),
}

fn fetch(conn: &mut Connection, query: &ListQuery, from: Option<Beyond>, limit: i64) -> QueryResult<Vec<Article>> {
    let descending = query.fetch_descending();
    let mut rows = articles::table.select(Article::as_select()).filter(matching(&query.search)).into_boxed();
    rows = match (from, descending) {
        (None, _) => rows,
        (Some(Beyond::Id(id)), false) => rows.filter(articles::id.gt(id)),
        (Some(Beyond::Id(id)), true) => rows.filter(articles::id.lt(id)),
        (Some(Beyond::Same(name, id)), false) => rows.filter(articles::name.eq(name).and(articles::id.gt(id))),
        (Some(Beyond::Same(name, id)), true) => rows.filter(articles::name.eq(name).and(articles::id.lt(id))),
        (Some(Beyond::Name(name)), false) => rows.filter(articles::name.gt(name)),
        (Some(Beyond::Name(name)), true) => rows.filter(articles::name.lt(name)),
    };
    rows = match (query.order_by == "name", descending) {
        (false, false) => rows.order(articles::id.asc()),
        (false, true) => rows.order(articles::id.desc()),
        (true, false) => rows.order((articles::name.asc(), articles::id.asc())),
        (true, true) => rows.order((articles::name.desc(), articles::id.desc())),
    };
    rows.limit(limit).load(conn)
}

/// How many rows match a search; at once where there is none.
pub fn count(conn: &mut Connection, search: &[String]) -> QueryResult<i64> {
    if search.is_empty() {
        return Ok(rows::kept_count(conn, "articles")?.unwrap_or(0));
    }
    articles::table.filter(matching(search)).count().get_result(conn)
}

/// The article with this id.
pub fn find(conn: &mut Connection, id: i64) -> QueryResult<Option<Article>> {
    articles::table.find(id).select(Article::as_select()).get_result(conn).optional()
}

/// Creates an article.
pub fn create(conn: &mut Connection, name: &str, created_by: Option<i64>, actor: &Actor) -> QueryResult<Article> {
    let now = Utc::now().naive_utc();
    let article: Article = diesel::insert_into(articles::table)
        .values((
            articles::name.eq(name),
            articles::created_by.eq(created_by),
            articles::created_at.eq(now),
            articles::updated_at.eq(now),
        ))
        .returning(articles::all_columns)
        .get_result(conn)?;
    let changes = Changes::default().field("name", None::<String>, name);
    history::record(conn, actor, Action::Created, article.as_object(), &changes)?;
    Ok(article)
}

/// Gives an article another name. The same name changes nothing.
pub fn rename(conn: &mut Connection, article: &Article, name: &str, actor: &Actor) -> QueryResult<Article> {
    let changes = Changes::default().field("name", article.name.clone(), name);
    if changes.is_empty() {
        return Ok(article.clone());
    }
    let renamed: Article = diesel::update(article)
        .set((articles::name.eq(name), articles::updated_at.eq(Utc::now().naive_utc())))
        .returning(articles::all_columns)
        .get_result(conn)?;
    history::record(conn, actor, Action::Changed, renamed.as_object(), &changes)?;
    Ok(renamed)
}

/// Deletes an article.
pub fn delete(conn: &mut Connection, article: &Article, actor: &Actor) -> Result<(), Error> {
    let changes = Changes::default().field("name", article.name.clone(), None::<String>);
    deleted_rows::delete(conn, actor, article.as_object(), "articles", &changes)
}
