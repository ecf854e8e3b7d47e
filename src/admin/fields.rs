//! The fields of a form: what they send, and how they are shown.

use actix_web::web;
use diesel::QueryResult;
use serde_json::Value;

use super::forms::FormData;
use super::model_admin::{Choice, Field, ModelAdmin, Options, Staff, Values, Widget};
use super::site::Site;
use crate::db::Connection;
use crate::error::{Error, FieldErrors};
use crate::users::{password, validators};

/// What the fields of a form say. Whatever else was sent is ignored.
pub fn parse(options: &Options, form: &FormData) -> Values {
    let mut values = Values::default();
    for field in options.fields() {
        let value = match field.widget {
            Widget::Text { .. } | Widget::Email => Value::from(strip(form.get(field.name).unwrap_or_default())),
            Widget::Checkbox => {
                let is_on = |value: &str| !matches!(value, "" | "0" | "off" | "false" | "False");
                Value::from(form.get(field.name).is_some_and(is_on))
            }
            Widget::SelectMultiple => {
                let mut chosen = form.all(field.name);
                chosen.sort_unstable();
                chosen.dedup();
                Value::from(chosen)
            }
            Widget::NewPassword => continue,
        };
        values.0.insert(field.name.to_owned(), value);
    }
    values
}

/// As Python's `strip()`, which also takes the separators U+001C to U+001F.
fn strip(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c))
}

/// Holds what was sent against what there is to choose and what `staff` may give. What they may not give, and
/// did not send, stays as in `current`.
pub fn restrict(
    conn: &mut Connection,
    model: &dyn ModelAdmin,
    site: &Site,
    staff: &Staff,
    current: &Values,
    mut values: Values,
) -> Result<Values, Error> {
    let mut errors = FieldErrors::default();
    for field in model.options().fields() {
        match field.widget {
            Widget::Text { .. } | Widget::Email => {
                if values.text(field.name).contains('\0') {
                    errors.add(field.name, vec!["Null characters are not allowed.".to_owned()]);
                }
            }
            Widget::Checkbox => {
                if !values.flag(field.name) && !model.may_give(conn, field.name, "", staff)? {
                    values.0.remove(field.name);
                }
            }
            Widget::SelectMultiple => {
                let choices = model.choices(conn, site, field.name)?;
                let is_choice = |value: &String| choices.iter().any(|choice| choice.value == *value);
                let (mut chosen, held) = (values.list(field.name), current.list(field.name));
                if let Some(value) = chosen.iter().find(|value| !is_choice(value) && !held.contains(value)) {
                    let message = format!("Select a valid choice. {value} is not one of the available choices.");
                    errors.add(field.name, vec![message]);
                }
                for value in held {
                    let may_take = is_choice(&value) && model.may_give(conn, field.name, &value, staff)?;
                    if !may_take && !chosen.contains(&value) {
                        chosen.push(value);
                    }
                }
                chosen.sort_unstable();
                values.0.insert(field.name.to_owned(), Value::from(chosen));
            }
            Widget::NewPassword => {}
        }
    }
    errors.into_result()?;
    Ok(values)
}

/// The new password that a form asks for, if it asks for one; or what is wrong with it. `values` are what it
/// must not resemble.
pub fn new_password(options: &Options, form: &FormData, values: &Values) -> Result<Option<String>, FieldErrors> {
    let [first, second] = ["password1", "password2"].map(|name| form.get(name).unwrap_or_default());
    let is_wanted = match form.get("usable_password") {
        Some(usable) => usable == "true",
        None => !first.is_empty() || !second.is_empty(),
    };
    if !is_wanted {
        return Ok(None);
    }
    if first.is_empty() {
        return Err(FieldErrors::one("password1", "This field is required."));
    }
    if first != second {
        return Err(FieldErrors::one("password2", "The two password fields didn’t match."));
    }
    let names: Vec<(String, &str)> = options
        .fields()
        .filter(|field| matches!(field.widget, Widget::Text { .. } | Widget::Email))
        .map(|field| (field.label.to_lowercase(), values.text(field.name)))
        .collect();
    let attributes: Vec<(&str, &str)> = names.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let mut errors = FieldErrors::default();
    errors.add("password1", validators::password(first, &attributes));
    errors.into_result()?;
    Ok(Some(first.to_owned()))
}

/// Hashes a password away from the threads that serve requests.
pub async fn hash(password: Option<String>) -> Result<Option<String>, Error> {
    let Some(password) = password else { return Ok(None) };
    let hashed = web::block(move || password::hash(&password)).await;
    hashed.map_err(|error| Error::Internal(error.to_string()))?.map(Some)
}

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
                for Choice { value, label, group } in self.model.choices(conn, self.site, field.name)? {
                    let (is_selected, may_give) = (chosen.contains(&value), may_give(conn, &value)?);
                    if !is_selected && !may_give {
                        continue;
                    }
                    let option = OptionView { value, label, is_selected, is_fixed: !may_give };
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
            let choices = model.choices(conn, site, field.name)?;
            let label = |value: String| {
                let choice = choices.iter().find(|choice| choice.value == value);
                choice.map(|choice| choice.label.clone()).unwrap_or(value)
            };
            values.list(field.name).into_iter().map(label).collect()
        }
        _ => Vec::new(),
    })
}
