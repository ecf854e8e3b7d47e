//! The rows that an action is for: those selected in a list, all that match it, or the one of an open form.

use super::matches::{Count, plain_condition};
use super::page::matching_ids;
use super::query::{AskedList, ChangeListQuery};
use crate::admin::context::AdminContext;
use crate::admin::form_data::FormData;
use crate::admin::model_admin::field_error;
use crate::db::Connection;
use crate::db::rows::{self, Sql};
use crate::error::Error;

#[derive(Clone)]
pub enum Selection {
    /// In ascending order.
    Ids(Vec<i64>),
    Matching(AskedList),
}

impl Selection {
    pub fn of(cx: &AdminContext, form: &FormData) -> Result<Selection, Error> {
        if form.get("select_across") == Some("1") {
            return Ok(Selection::Matching(AskedList::of(cx)?));
        }
        let mut ids: Vec<i64> = form.all("_selected_action").iter().filter_map(|id| id.parse().ok()).collect();
        ids.sort_unstable();
        ids.dedup();
        Ok(Selection::Ids(ids))
    }

    pub fn is_empty(&self) -> bool {
        matches!(self, Selection::Ids(ids) if ids.is_empty())
    }

    pub fn condition(&self, conn: &mut Connection) -> Result<Sql, Error> {
        match self {
            Selection::Ids(ids) => Ok(Sql::new("id IN ?").with(ids.clone())),
            Selection::Matching(asked) => Ok(plain_condition(asked.options, &query(conn, asked)?)),
        }
    }

    /// How many rows, if there are more than `few`.
    pub fn more_than(&self, conn: &mut Connection, few: i64) -> Result<Option<i64>, Error> {
        let asked = match self {
            Selection::Ids(ids) => return Ok(Some(ids.len() as i64).filter(|rows| *rows > few)),
            Selection::Matching(asked) => asked,
        };
        let condition = self.condition(conn)?;
        let counted = Count::up_to(few, conn, asked.options, condition.clone())?;
        if !counted.is_at_least {
            return Ok(None);
        }
        let mut from = Sql::new(format!("FROM {} WHERE ", asked.options.slug()));
        from.append(condition);
        Ok(Some(rows::number(conn, "count(*)", from)?))
    }

    /// The largest id; 0 if there is none.
    pub fn last(&self, conn: &mut Connection) -> Result<i64, Error> {
        match self {
            Selection::Ids(ids) => Ok(ids.last().copied().unwrap_or(0)),
            Selection::Matching(asked) => {
                let mut from = Sql::new(format!("FROM {} WHERE ", asked.options.slug()));
                from.append(self.condition(conn)?);
                Ok(rows::number(conn, "max(id)", from)?)
            }
        }
    }

    /// In ascending order.
    pub fn next(&self, conn: &mut Connection, after: i64, limit: usize) -> Result<Vec<i64>, Error> {
        match self {
            Selection::Ids(ids) => Ok(ids.iter().copied().filter(|id| *id > after).take(limit).collect()),
            Selection::Matching(asked) => {
                let query = query(conn, asked)?;
                Ok(matching_ids(conn, asked.options, &query, after, limit as i64)?)
            }
        }
    }

    pub fn hidden(&self) -> Vec<(&'static str, String)> {
        match self {
            Selection::Ids(ids) => ids.iter().map(|id| ("_selected_action", id.to_string())).collect(),
            Selection::Matching(_) => vec![("select_across", "1".to_owned())],
        }
    }
}

fn query(conn: &mut Connection, asked: &AskedList) -> Result<ChangeListQuery, Error> {
    let query = asked.parse(conn)?;
    match query.problem {
        Some(problem) => field_error("action", problem.text),
        None => Ok(query),
    }
}
