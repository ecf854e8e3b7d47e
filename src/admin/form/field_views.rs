//! The fields of a form as templates show them.

use std::borrow::Cow;

use chrono::NaiveDateTime;
use diesel::QueryResult;
use serde_json::Value;

use super::fields::WANTED;
use crate::admin::grouped::grouped;
use crate::admin::list::cells::{choice_name, time_text};
use crate::admin::model_admin::{Choice, ModelAdmin, Staff, Values};
use crate::admin::site::Site;
use crate::db::Connection;
use crate::db::rows::{self, Sql};
use crate::error::{FieldErrors, NON_FIELD_ERRORS};
use crate::models::value::to_text;
use crate::models::words::capitalized;
use crate::models::{Field, Kind, Model};

pub struct Section {
    pub number: usize,
    pub label: &'static str,
    /// Whether it can be folded away, and is.
    pub is_collapsible: bool,
    pub is_collapsed: bool,
    pub fields: Vec<FieldView>,
}

pub struct FieldView {
    pub name: &'static str,
    pub label: Cow<'static, str>,
    pub help: String,
    pub errors: Vec<String>,
    pub input: Input,
}

impl FieldView {
    pub fn described_by(&self) -> String {
        let errors = (!self.errors.is_empty()).then(|| format!("id_{}-errors", self.name));
        let help = (!self.help.is_empty()).then(|| format!("id_{}-help", self.name));
        errors.into_iter().chain(help).collect::<Vec<_>>().join(" ")
    }
}

pub enum Input {
    Text {
        kind: &'static str,
        value: String,
        required: bool,
        /// The `inputmode` of the input; empty: none.
        mode: &'static str,
    },
    Choose {
        options: Vec<OptionView>,
        required: bool,
    },
    Checkbox(bool),
    /// Several of these, under headings.
    Select(Vec<(String, Vec<OptionView>)>),
    NewPassword {
        is_wanted: bool,
        second_errors: Vec<String>,
    },
    /// Read-only.
    Fixed(Vec<String>),
    FixedTime(NaiveDateTime),
}

pub struct OptionView {
    pub value: String,
    pub label: String,
    pub is_selected: bool,
    /// The user may not change whether it is selected.
    pub is_fixed: bool,
}

pub struct View<'a> {
    pub model: &'a dyn ModelAdmin,
    pub site: &'a Site,
    pub staff: &'a Staff,
    pub is_new: bool,
    pub is_editable: bool,
    pub values: &'a Values,
    pub errors: &'a FieldErrors,
}

impl View<'_> {
    pub fn sections(&self, conn: &mut Connection) -> QueryResult<Vec<Section>> {
        let mut sections = Vec::new();
        for (index, (fieldset, fields)) in self.model.options().form().into_iter().enumerate() {
            let fields = fields.into_iter().filter(|field| self.is_new || !matches!(field.kind, Kind::Password));
            let fields = fields.map(|field| self.field(conn, field)).collect::<QueryResult<Vec<_>>>()?;
            if !fields.is_empty() {
                sections.push(Section {
                    number: index + 1,
                    label: fieldset.label,
                    is_collapsible: fieldset.collapse,
                    is_collapsed: fields.iter().all(|field| field.errors.is_empty()),
                    fields,
                });
            }
        }
        Ok(sections)
    }

    fn field(&self, conn: &mut Connection, field: &'static Field) -> QueryResult<FieldView> {
        let input = self.input(conn, field)?;
        Ok(FieldView {
            name: field.name,
            label: field.verbose_name(),
            help: help(field, &input),
            errors: self.errors.of(if matches!(field.kind, Kind::Password) { "password1" } else { field.name }),
            input,
        })
    }

    /// All errors: the id of the input (`None` if it is not about one), its label, and the message.
    pub fn summary(&self) -> Vec<(Option<String>, String, String)> {
        let label = |name: &str| match name {
            "password1" => "Password".to_owned(),
            "password2" => "Confirm password".to_owned(),
            _ => self.model.options().field(name).map_or_else(String::new, |field| field.verbose_name().into_owned()),
        };
        let lines = self.errors.0.iter().flat_map(|(name, messages)| messages.iter().map(move |text| (name, text)));
        let input = |name: &str| (name != NON_FIELD_ERRORS).then(|| format!("id_{name}"));
        lines.map(|(name, message)| (input(name), label(name), message.clone())).collect()
    }

    fn input(&self, conn: &mut Connection, field: &Field) -> QueryResult<Input> {
        let is_grantable =
            |conn: &mut Connection, value: &str| self.model.is_grantable(conn, field.name, value, self.staff);
        let value = self.values.text(field.name).to_owned();
        if !self.is_editable || (matches!(field.kind, Kind::Boolean) && !is_grantable(conn, "")?) {
            return match rows::parse_time(value.trim_end_matches('Z')) {
                Some(at) if matches!(field.kind, Kind::DateTime) => Ok(Input::FixedTime(at)),
                _ => Ok(Input::Fixed(shown(conn, self.model, self.site, field, self.values)?)),
            };
        }
        // Browsers rewrite what is in inputs of the types `email` and `number`, and `maxlength` counts UTF-16 units.
        let line = |kind, value, mode| Input::Text { kind, value, required: field.is_required(), mode };
        Ok(match field.kind {
            Kind::Char(_) | Kind::Integer => line("text", value, ""),
            Kind::Email => line("text", value, "email"),
            Kind::DateTime => {
                let (kind, value) = time_input(value);
                line(kind, value, "")
            }
            Kind::Choice(choices) => {
                let choices = choices.iter().map(|(value, label)| ((*value).to_owned(), (*label).to_owned()));
                Input::Choose { options: one_of(field, &value, choices), required: !field.is_null }
            }
            Kind::ForeignKey(to) => match few_rows(conn, to)? {
                Some(rows) => Input::Choose { options: one_of(field, &value, rows), required: !field.is_null },
                None => line("text", value, "numeric"),
            },
            Kind::Boolean => Input::Checkbox(self.values.flag(field.name)),
            Kind::Password => Input::NewPassword {
                is_wanted: self.values.text(WANTED) == "true"
                    || ["password1", "password2"].iter().any(|name| !self.errors.of(name).is_empty()),
                second_errors: self.errors.of("password2"),
            },
            Kind::ManyToMany => {
                let chosen = self.values.list(field.name);
                let mut offered = Vec::new();
                for Choice { value, label, group } in self.model.choices(conn, &self.site.options(), field.name)? {
                    let (is_selected, is_grantable) = (chosen.contains(&value), is_grantable(conn, &value)?);
                    if is_selected || is_grantable {
                        let option = OptionView { value, label, is_selected, is_fixed: !is_grantable };
                        offered.push((capitalized(&group), option));
                    }
                }
                Input::Select(grouped(offered))
            }
        })
    }
}

/// Rows of another model offered as choices. With more, the user enters an id.
const MOST_OFFERED: usize = 200;

fn help(field: &Field, input: &Input) -> String {
    let rule = match (field.kind, input) {
        (Kind::DateTime, Input::Text { .. }) => "In UTC.".to_owned(),
        (Kind::ForeignKey(to), Input::Text { .. }) => format!("Enter the {}’s ID.", to.verbose_name()),
        _ => String::new(),
    };
    format!("{} {rule}", field.help_text).trim().to_owned()
}

/// The browser's picker, unless the value is more precise than pickers are, or not a time.
fn time_input(value: String) -> (&'static str, String) {
    match value.strip_suffix('Z') {
        Some(local) => match local.rsplit_once('.') {
            None => ("datetime-local", local.to_owned()),
            Some((seconds, fraction)) if fraction.ends_with("000") => {
                ("datetime-local", format!("{seconds}.{}", &fraction[..fraction.len() - 3]))
            }
            Some(_) => ("text", value),
        },
        None if value.is_empty() => ("datetime-local", value),
        _ => ("text", value),
    }
}

/// The choices of a field that holds one of them. A value that is no choice any more stays until another one is chosen.
fn one_of(field: &Field, chosen: &str, choices: impl IntoIterator<Item = (String, String)>) -> Vec<OptionView> {
    let option =
        |(value, label): (String, String)| OptionView { is_selected: value == chosen, value, label, is_fixed: false };
    let none = (field.is_null || chosen.is_empty()).then(|| (String::new(), "–".to_owned()));
    let mut options: Vec<OptionView> = none.into_iter().chain(choices).map(option).collect();
    if !options.iter().any(|option| option.is_selected) {
        options.insert(0, option((chosen.to_owned(), chosen.to_owned())));
    }
    options
}

/// `None` if there are more than [`MOST_OFFERED`].
fn few_rows(conn: &mut Connection, model: &Model) -> QueryResult<Option<Vec<(String, String)>>> {
    let Model { plural, title, .. } = model;
    let rest = Sql::new(format!("FROM {plural} ORDER BY {title}, id LIMIT {}", MOST_OFFERED + 1));
    let rows = rows::select(conn, &["id", title], rest)?;
    let text = |row: &Vec<rows::Value>, at: usize| row.get(at).map(to_text).unwrap_or_default();
    Ok((rows.len() <= MOST_OFFERED).then(|| rows.iter().map(|row| (text(row, 0), text(row, 1))).collect()))
}

/// One line per value, for people.
pub fn shown(
    conn: &mut Connection,
    model: &dyn ModelAdmin,
    site: &Site,
    field: &Field,
    values: &Values,
) -> QueryResult<Vec<String>> {
    Ok(match values.0.get(field.name) {
        Some(Value::Bool(is_set)) => vec![if *is_set { "Yes" } else { "No" }.to_owned()],
        Some(Value::String(text)) if !text.is_empty() => vec![shown_text(conn, field, text)?],
        Some(Value::Array(_)) => {
            let choices = model.choices(conn, &site.options(), field.name)?;
            let label = |value: String| {
                let choice = choices.iter().find(|choice| choice.value == value);
                choice.map(|choice| choice.label.clone()).unwrap_or(value)
            };
            values.list(field.name).into_iter().map(label).collect()
        }
        _ => Vec::new(),
    })
}

fn shown_text(conn: &mut Connection, field: &Field, text: &str) -> QueryResult<String> {
    Ok(match field.kind {
        Kind::Choice(choices) => choice_name(choices, text),
        Kind::DateTime => time_text(text),
        Kind::ForeignKey(to) => {
            let title = text.parse().ok().map(|id| to.title_of(conn, id)).transpose()?.flatten();
            title.unwrap_or_else(|| text.to_owned())
        }
        _ => text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_no_choice_any_more_stays_selected() {
        let choices = || ["talk", "workshop"].map(|value| (value.to_owned(), value.to_owned()));
        let field = Field::choice("kind", &[("talk", "Talk"), ("workshop", "Workshop")]);
        for (chosen, offered) in [
            ("talk", &["talk", "workshop"][..]),
            ("panel", &["panel", "talk", "workshop"]),
            ("", &["", "talk", "workshop"]),
        ] {
            let options = one_of(&field, chosen, choices());
            assert_eq!(options.iter().map(|option| option.value.as_str()).collect::<Vec<_>>(), offered);
            let selected: Vec<_> =
                options.iter().filter(|option| option.is_selected).map(|o| o.value.as_str()).collect();
            assert_eq!(selected, [chosen]);
        }
    }
}
