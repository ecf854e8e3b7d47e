//! The fields of a form as they are shown.

use diesel::QueryResult;
use serde_json::Value;

use crate::admin::model_admin::{Choice, Field, ModelAdmin, Staff, Values, Widget};
use crate::admin::site::Site;
use crate::admin::text::capitalized;
use crate::db::Connection;
use crate::error::FieldErrors;
use crate::users::validators;

/// A part of a form as it is shown.
pub struct Section {
    /// Its number on the page.
    pub number: usize,
    /// Its heading; empty: none.
    pub label: &'static str,
    /// Its fields.
    pub fields: Vec<FieldView>,
}

/// A field as it is shown.
pub struct FieldView {
    /// Its name.
    pub name: &'static str,
    /// Its name for people.
    pub label: &'static str,
    /// What people should know.
    pub help: &'static str,
    /// What is wrong with it.
    pub errors: Vec<String>,
    /// How it is entered.
    pub input: Input,
}

impl FieldView {
    /// The ids of what describes it: errors and help.
    pub fn described_by(&self) -> String {
        let errors = (!self.errors.is_empty()).then(|| format!("id_{}-errors", self.name));
        let help = (!self.help.is_empty()).then(|| format!("id_{}-help", self.name));
        errors.into_iter().chain(help).collect::<Vec<_>>().join(" ")
    }
}

/// How a field is entered, with its value.
pub enum Input {
    /// One line.
    Text {
        /// `text` or `email`.
        kind: &'static str,
        /// What is there.
        value: String,
        /// Whether it may not be empty.
        required: bool,
        /// The greatest length in characters.
        max_length: usize,
    },
    /// Yes or no.
    Checkbox(bool),
    /// Several of these, under headings.
    Select(Vec<(String, Vec<OptionView>)>),
    /// A new password, or none.
    NewPassword {
        /// Whether there shall be one.
        is_wanted: bool,
        /// What is wrong with its second entry.
        second_errors: Vec<String>,
    },
    /// Only to be read.
    Fixed(Vec<String>),
}

/// One of several choices as it is shown.
pub struct OptionView {
    /// What is sent.
    pub value: String,
    /// What is read.
    pub label: String,
    /// Whether it is chosen.
    pub is_selected: bool,
    /// Whether that must stay so.
    pub is_fixed: bool,
}

/// What a form is shown for.
pub struct View<'a> {
    /// The model.
    pub model: &'a dyn ModelAdmin,
    /// All models.
    pub site: &'a Site,
    /// Who looks at it.
    pub staff: &'a Staff,
    /// Whether the row is to be created.
    pub is_new: bool,
    /// Whether anything can be entered.
    pub is_editable: bool,
    /// What is entered.
    pub values: &'a Values,
    /// What is wrong with it.
    pub errors: &'a FieldErrors,
}

impl View<'_> {
    /// The parts of the form. Those without fields are left out.
    pub fn sections(&self, conn: &mut Connection) -> QueryResult<Vec<Section>> {
        let mut sections = Vec::new();
        for (index, fieldset) in self.model.options().fieldsets.iter().enumerate() {
            let mut fields = Vec::new();
            for field in fieldset.fields {
                if field.widget == Widget::NewPassword && !self.is_new {
                    continue;
                }
                fields.push(FieldView {
                    name: field.name,
                    label: field.label,
                    help: field.help,
                    errors: self.errors_of(if field.widget == Widget::NewPassword { "password1" } else { field.name }),
                    input: self.input(conn, field)?,
                });
            }
            if !fields.is_empty() {
                sections.push(Section { number: index + 1, label: fieldset.label, fields });
            }
        }
        Ok(sections)
    }

    /// All that is wrong: the id of the input, its name for people, and the message.
    pub fn summary(&self) -> Vec<(String, String, String)> {
        let label = |name: &str| match name {
            "password1" => "Password".to_owned(),
            "password2" => "Password, again".to_owned(),
            _ => self.model.options().field(name).map_or_else(String::new, |field| field.label.to_owned()),
        };
        let lines = self.errors.0.iter().flat_map(|(name, messages)| messages.iter().map(move |text| (name, text)));
        lines.map(|(name, message)| (format!("id_{name}"), label(name), message.clone())).collect()
    }

    fn errors_of(&self, name: &str) -> Vec<String> {
        let of_field = self.errors.0.iter().filter(|(found, _)| *found == name);
        of_field.flat_map(|(_, messages)| messages.clone()).collect()
    }

    fn input(&self, conn: &mut Connection, field: &Field) -> QueryResult<Input> {
        let may_give = |conn: &mut Connection, value: &str| self.model.may_give(conn, field.name, value, self.staff);
        if !self.is_editable || (field.widget == Widget::Checkbox && !may_give(conn, "")?) {
            return Ok(Input::Fixed(shown(conn, self.model, self.site, field, self.values)?));
        }
        let value = self.values.text(field.name).to_owned();
        Ok(match field.widget {
            Widget::Text { required, max_length } => Input::Text { kind: "text", value, required, max_length },
            Widget::Email => {
                Input::Text { kind: "email", value, required: false, max_length: validators::MAX_EMAIL_CHARS }
            }
            Widget::Checkbox => Input::Checkbox(self.values.flag(field.name)),
            Widget::NewPassword => Input::NewPassword {
                is_wanted: ["password1", "password2"].iter().any(|name| !self.errors_of(name).is_empty()),
                second_errors: self.errors_of("password2"),
            },
            Widget::SelectMultiple => {
                let chosen = self.values.list(field.name);
                let mut groups: Vec<(String, Vec<OptionView>)> = Vec::new();
                for Choice { value, label, group } in self.model.choices(conn, &self.site.options(), field.name)? {
                    let (is_selected, may_give) = (chosen.contains(&value), may_give(conn, &value)?);
                    if !is_selected && !may_give {
                        continue;
                    }
                    let option = OptionView { value, label, is_selected, is_fixed: !may_give };
                    let group = capitalized(&group);
                    match groups.iter_mut().find(|(known, _)| *known == group) {
                        Some((_, options)) => options.push(option),
                        None => groups.push((group, vec![option])),
                    }
                }
                Input::Select(groups)
            }
        })
    }
}

/// A field's value for people: one line, or one for each of several.
pub fn shown(
    conn: &mut Connection,
    model: &dyn ModelAdmin,
    site: &Site,
    field: &Field,
    values: &Values,
) -> QueryResult<Vec<String>> {
    Ok(match values.0.get(field.name) {
        Some(Value::Bool(is_set)) => vec![if *is_set { "Yes" } else { "No" }.to_owned()],
        Some(Value::String(text)) if !text.is_empty() => vec![text.clone()],
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
