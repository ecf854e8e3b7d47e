//! [`Sql`]: a statement composed at run time. Its text comes only from the program; all input is bound as parameters.

use diesel::backend::Backend;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Binary, Bool, Double, Text, Timestamp, Untyped};
use diesel::sqlite::Sqlite;
use serde_json::Value as Json;

use super::value::{Value, Values};
use crate::db::connection::Connection;

/// Text for both databases, with one value for each `?`.
#[derive(Clone, Debug, Default)]
pub struct Sql {
    text: String,
    values: Vec<Value>,
    is_kept: bool,
}

impl Sql {
    pub fn new(text: impl Into<String>) -> Sql {
        Sql { text: text.into(), ..Sql::default() }
    }

    /// Makes connections cache the prepared statement. They never evict it, so this is only for a few fixed texts.
    pub fn kept(self) -> Sql {
        Sql { is_kept: true, ..self }
    }

    /// Whether both are the same prepared statement: NULL is not a parameter of it.
    #[cfg(feature = "postgres")]
    pub(in crate::db) fn has_form_of(&self, other: &Sql) -> bool {
        let [own, others] = [self, other].map(|sql| sql.values.iter().map(Value::is_null));
        self.text == other.text && own.eq(others)
    }

    pub fn push(&mut self, text: &str) -> &mut Sql {
        self.text.push_str(text);
        self
    }

    pub fn bind(&mut self, value: impl Into<Value>) -> &mut Sql {
        self.values.push(value.into());
        self
    }

    /// The text with a value for its next `?`.
    pub fn with(mut self, value: impl Into<Value>) -> Sql {
        self.bind(value);
        self
    }

    pub fn append(&mut self, other: Sql) -> &mut Sql {
        self.text.push_str(&other.text);
        self.values.extend(other.values);
        self
    }

    pub fn all(conditions: impl IntoIterator<Item = Sql>) -> Sql {
        let mut all = Sql::new("1 = 1");
        for condition in conditions {
            all.push(" AND (").append(condition).push(")");
        }
        all
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    #[cfg(all(test, feature = "postgres"))]
    pub(in crate::db) fn prepared_text(self) -> String {
        let text = diesel::debug_query::<diesel::pg::Pg, _>(&for_postgres(self)).to_string();
        text.split_once(" -- binds").map_or(text.clone(), |(text, _)| text.to_owned())
    }

    pub(super) fn load(self, conn: &mut Connection) -> QueryResult<Vec<Values>> {
        match conn {
            Connection::Sqlite(conn) => for_sqlite(self).load(conn),
            #[cfg(feature = "postgres")]
            Connection::Postgres(conn) => for_postgres(self).load(conn),
        }
    }

    pub(super) fn execute(self, conn: &mut Connection) -> QueryResult<usize> {
        match conn {
            Connection::Sqlite(conn) => for_sqlite(self).execute(conn),
            #[cfg(feature = "postgres")]
            Connection::Postgres(conn) => for_postgres(self).execute(conn),
        }
    }

    /// Writes text and values alternately; `value` writes a value in the database's own way.
    fn walk<'b, DB: Backend>(
        &'b self,
        mut out: AstPass<'_, 'b, DB>,
        mut value: impl FnMut(AstPass<'_, 'b, DB>, &'b Value) -> QueryResult<()>,
    ) -> QueryResult<()> {
        if !self.is_kept {
            out.unsafe_to_cache_prepared();
        }
        let mut values = self.values.iter();
        for (number, piece) in self.text.split('?').enumerate() {
            if number > 0 {
                value(out.reborrow(), values.next().unwrap_or(&Value::Null))?;
            }
            out.push_sql(piece);
        }
        Ok(())
    }
}

struct Statement {
    sql: Sql,
    /// The lists among its values as JSON, for SQLite.
    lists: Vec<String>,
}

impl Query for Statement {
    type SqlType = Untyped;
}

impl QueryId for Statement {
    // The text identifies the statement.
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C> RunQueryDsl<C> for Statement {}

fn for_sqlite(sql: Sql) -> Statement {
    let list = |value: &Value| match value {
        Value::Integers(numbers) => Some(Json::from(numbers.as_slice()).to_string()),
        Value::Texts(texts) => Some(Json::from(texts.as_slice()).to_string()),
        _ => None,
    };
    Statement { lists: sql.values.iter().filter_map(list).collect(), sql }
}

impl QueryFragment<Sqlite> for Statement {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        static NO_LIST: String = String::new();
        let mut lists = self.lists.iter();
        self.sql.walk(out, |mut out, value| match value {
            Value::Text(text) => out.push_bind_param::<Text, _>(text),
            Value::Integer(number) => out.push_bind_param::<BigInt, _>(number),
            Value::Boolean(flag) => out.push_bind_param::<Bool, _>(flag),
            Value::DateTime(time) => out.push_bind_param::<Timestamp, _>(time),
            Value::Double(number) => out.push_bind_param::<Double, _>(number),
            Value::Binary(bytes) => out.push_bind_param::<Binary, _>(bytes),
            Value::Null => {
                out.push_sql("NULL");
                Ok(())
            }
            Value::Integers(_) | Value::Texts(_) => {
                out.push_sql("(SELECT value FROM json_each(");
                out.push_bind_param::<Text, _>(lists.next().unwrap_or(&NO_LIST))?;
                out.push_sql("))");
                Ok(())
            }
        })
    }
}

/// PostgreSQL's text cannot contain NUL. The replacement character matches no stored text.
#[cfg(feature = "postgres")]
fn for_postgres(mut sql: Sql) -> Statement {
    for value in &mut sql.values {
        if let Value::Text(text) = value
            && text.contains('\0')
        {
            *text = text.replace('\0', "\u{fffd}");
        }
    }
    Statement { sql, lists: Vec::new() }
}

#[cfg(feature = "postgres")]
impl QueryFragment<diesel::pg::Pg> for Statement {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, diesel::pg::Pg>) -> QueryResult<()> {
        use diesel::sql_types::Array;
        self.sql.walk(out, |mut out, value| match value {
            Value::Text(text) => out.push_bind_param::<Text, _>(text),
            Value::Integer(number) => out.push_bind_param::<BigInt, _>(number),
            Value::Boolean(flag) => out.push_bind_param::<Bool, _>(flag),
            Value::DateTime(time) => out.push_bind_param::<Timestamp, _>(time),
            Value::Double(number) => out.push_bind_param::<Double, _>(number),
            Value::Binary(bytes) => out.push_bind_param::<Binary, _>(bytes),
            // A parameter would need a type.
            Value::Null => {
                out.push_sql("NULL");
                Ok(())
            }
            Value::Integers(numbers) => {
                out.push_sql("(SELECT unnest(");
                out.push_bind_param::<Array<BigInt>, _>(numbers)?;
                out.push_sql("))");
                Ok(())
            }
            Value::Texts(texts) => {
                out.push_sql("(SELECT unnest(");
                out.push_bind_param::<Array<Text>, _>(texts)?;
                out.push_sql("))");
                Ok(())
            }
        })
    }
}
