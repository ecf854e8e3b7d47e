//! The admin of a model that needs no code of its own: its [`Options`] are registered as they are.

use chrono::{SubsecRound, Utc};
use diesel::QueryResult;
use serde_json::Value as Json;

use super::model_admin::{Cell, ModelAdmin, Options, Panel, Restrictions, Staff, Values};
use crate::db::Connection;
use crate::db::references::Catalog;
use crate::db::rows::Value;
use crate::error::{Error, FieldErrors};
use crate::models::Default;
use crate::models::clean::{CleanedData, clean};
use crate::models::value::{iso_8601, to_text};
use crate::models::{Data, Field, Input, Kind, Model, Row};
use crate::users::permissions::{Verb, permission};

impl Restrictions for &'static Options {}

impl ModelAdmin for &'static Options {
    fn options(&self) -> &'static Options {
        self
    }

    fn load(&self, conn: &mut Connection, id: i64) -> QueryResult<Option<Values>> {
        let row = self.model.find(conn, id)?;
        Ok(row.map(|row| {
            self.fields().fold(Values::default(), |values, field| values.with(field.name, form_value(&row, field)))
        }))
    }

    fn save(&self, conn: &mut Connection, id: Option<i64>, values: &Values, staff: &Staff) -> Result<i64, Error> {
        let fields = self.fields().filter(|field| field.is_column());
        let Some(id) = id else {
            return Ok(self.model.create(conn, &entered(fields, values, false)?, &staff.actor())?.id);
        };
        let row = find(self.model, conn, id)?;
        // A value that nobody touched stays, even if it would be refused by now.
        let touched = fields.filter(|field| values.0.get(field.name) != Some(&form_value(&row, field)));
        Ok(row.update(conn, &entered(touched, values, true)?, &staff.actor())?.id)
    }

    fn delete(&self, conn: &mut Connection, catalog: &mut Catalog, id: i64, staff: &Staff) -> Result<(), Error> {
        find(self.model, conn, id)?.delete(conn, catalog, &staff.actor())
    }

    fn panels(&self, conn: &mut Connection, _: &[&Options], id: i64, staff: &Staff) -> QueryResult<Vec<Panel>> {
        let Some(row) = self.model.find(conn, id)? else { return Ok(Vec::new()) };
        let mut facts = Vec::new();
        for (field, value) in row.values().filter(|(field, _)| !field.is_editable) {
            facts.push((field.verbose_name(), fact(conn, field, value, staff)?));
        }
        Ok(if facts.is_empty() { Vec::new() } else { vec![Panel { label: "Record", facts }] })
    }
}

fn find(model: &'static Model, conn: &mut Connection, id: i64) -> Result<Row, Error> {
    model.find(conn, id)?.ok_or(Error::NoSuchObject(model.name))
}

pub fn initial(options: &Options, staff: &Staff) -> Values {
    options.fields().fold(Values::default(), |values, field| match field.default {
        Some(Default::Boolean(flag)) => values.with(field.name, flag),
        Some(Default::Integer(number)) => values.with(field.name, number.to_string()),
        Some(Default::Text(text)) => values.with(field.name, text),
        Some(Default::Now) => values.with(field.name, iso_8601(Utc::now().naive_utc().trunc_subsecs(0))),
        Some(Default::Caller) => values.with(field.name, staff.user_id().map_or_else(String::new, |id| id.to_string())),
        _ => values,
    })
}

/// An empty input is a missing value here, and a wrong one in the API.
fn entered(
    fields: impl Iterator<Item = &'static Field>,
    values: &Values,
    is_partial: bool,
) -> Result<CleanedData, Error> {
    let is_empty = |field: &Field| values.0.get(field.name).is_some_and(|value| value == "");
    let is_missing = |field: &&Field| is_empty(field) && !field.is_null && !field.is_text();
    let (missing, given): (Vec<&Field>, Vec<&Field>) = fields.partition(is_missing);
    let data: Data = values.0.iter().map(|(name, value)| (name.clone(), input(value))).collect();
    let mut errors = FieldErrors::default();
    missing.iter().for_each(|field| errors.add(field.name, vec!["This field is required.".to_owned()]));
    match clean(given, &data, is_partial) {
        Ok(cleaned) => Ok(errors.into_result().map(|()| cleaned)?),
        Err(others) => {
            errors.0.extend(others.0);
            Err(errors.into())
        }
    }
}

fn form_value(row: &Row, field: &Field) -> Json {
    match row.get(field.name) {
        Value::Boolean(flag) => (*flag).into(),
        value => to_text(value).into(),
    }
}

fn input(value: &Json) -> Input {
    match value {
        Json::Bool(flag) => Input::Boolean(*flag),
        Json::String(text) => Input::text(text),
        Json::Null => Input::Null,
        _ => Input::Other,
    }
}

/// Another row is a link for users who may see it.
fn fact(conn: &mut Connection, field: &Field, value: &Value, staff: &Staff) -> QueryResult<Cell> {
    Ok(match (field.kind, value) {
        (Kind::ForeignKey(to), Value::Integer(id)) => {
            let title = to.title_of(conn, *id)?.unwrap_or_else(|| id.to_string());
            let has_view_permission =
                [Verb::View, Verb::Change].iter().any(|verb| staff.rights.has(&permission(to, *verb)));
            if has_view_permission {
                Cell::Link(format!("/admin/{}/{id}/change/", to.plural), title)
            } else {
                Cell::Text(title)
            }
        }
        (_, Value::DateTime(time)) => Cell::Time(*time),
        (_, Value::Boolean(flag)) => Cell::Flag(*flag),
        (_, value) => match to_text(value) {
            text if text.is_empty() => Cell::Empty,
            text => Cell::Text(text),
        },
    })
}
