//! A filter's choices as conditions.

use diesel::QueryResult;

use crate::admin::model_admin::{Choices, Filter};
use crate::db::Connection;
use crate::db::rows::{Bind, Sql};

/// A choice of a filter.
#[derive(Clone, Debug)]
pub struct FilterChoice {
    /// Its value in the address.
    pub value: String,
    /// What is read.
    pub label: String,
    /// The rows that it leaves.
    pub condition: Sql,
}

impl Filter {
    /// What can be chosen.
    pub fn offered(&self, conn: &mut Connection) -> QueryResult<Vec<FilterChoice>> {
        let choice = |value: &str, label: &str, condition| FilterChoice {
            value: value.to_owned(),
            label: label.to_owned(),
            condition,
        };
        Ok(match &self.choices {
            Choices::Fixed(fixed) => {
                let condition = |sql: &str, bind: &Option<fn() -> Bind>| match bind {
                    Some(bind) => bound(sql, bind()),
                    None => Sql::new(sql),
                };
                fixed.iter().map(|(value, label, sql, bind)| choice(value, label, condition(sql, bind))).collect()
            }
            Choices::Found(find, sql) => {
                let found = find(conn)?.into_iter();
                found
                    .map(|found| choice(&found.value, &found.label, bound(sql(&found.value), found.value.as_str())))
                    .collect()
            }
            Choices::Named(..) => Vec::new(),
        })
    }

    /// The choice with this value; `None` where there is none.
    pub fn choice(&self, conn: &mut Connection, value: &str) -> QueryResult<Option<FilterChoice>> {
        if value.is_empty() {
            return Ok(None);
        }
        if let Choices::Named(name, sql) = &self.choices {
            let label = name(conn, value)?;
            return Ok(label.map(|label| FilterChoice {
                value: value.to_owned(),
                label,
                condition: bound(sql, value),
            }));
        }
        Ok(self.offered(conn)?.into_iter().find(|choice| choice.value == value))
    }
}

/// A condition, each `?` of which is the same value.
fn bound(sql: &str, value: impl Into<Bind>) -> Sql {
    let (mut condition, value) = (Sql::new(sql), value.into());
    for _ in sql.matches('?') {
        condition.bind(value.clone());
    }
    condition
}
