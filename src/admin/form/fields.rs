//! Parses and checks the fields that a form sends.

use serde_json::Value;

use crate::admin::form_data::FormData;
use crate::admin::model_admin::{ModelAdmin, Options, Staff, Values};
use crate::admin::site::Site;
use crate::db::Connection;
use crate::error::{Error, FieldErrors};
use crate::models::clean::strip;
use crate::models::value::to_text;
use crate::models::{Field, Input, Kind};
use crate::users::validators;

/// Whether the form sets a password.
pub const WANTED: &str = "usable_password";

/// Ignores everything else that was sent.
pub fn parse(options: &Options, form: &FormData) -> Values {
    let mut values = Values::default();
    for field in options.fields() {
        let value = match field.kind {
            Kind::Boolean => {
                let is_on = |value: &str| !matches!(value, "" | "0" | "off" | "false" | "False");
                Value::from(form.get(field.name).is_some_and(is_on))
            }
            Kind::ManyToMany => {
                let mut chosen = form.all(field.name);
                chosen.sort_unstable();
                chosen.dedup();
                Value::from(chosen)
            }
            Kind::Password => continue,
            _ => Value::from(canonical(field, form.get(field.name).unwrap_or_default())),
        };
        values.0.insert(field.name.to_owned(), value);
    }
    values
}

/// The canonical text of a value: a time can be written in many ways. Invalid text stays, so that the user can fix it.
pub fn canonical(field: &Field, text: &str) -> String {
    let text = strip(text);
    match (field.kind, field.clean(Some(&Input::text(text)), true)) {
        (Kind::Char(_) | Kind::Email, _) | (_, Err(_)) => text.to_owned(),
        (_, Ok(value)) => value.map_or_else(String::new, |value| to_text(&value)),
    }
}

/// Checks the values against the choices, and against what `staff` may grant. Fields that they may not grant and did
/// not send keep their value in `current`.
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
        match field.kind {
            Kind::Boolean => {
                if !values.flag(field.name) && !model.is_grantable(conn, field.name, "", staff)? {
                    values.0.insert(field.name.to_owned(), current.flag(field.name).into());
                }
            }
            Kind::ManyToMany => {
                let choices = model.choices(conn, &site.options(), field.name)?;
                let is_choice = |value: &String| choices.iter().any(|choice| choice.value == *value);
                let (mut chosen, held) = (values.list(field.name), current.list(field.name));
                if let Some(value) = chosen.iter().find(|value| !is_choice(value) && !held.contains(value)) {
                    let message = format!("Select a valid choice. {value} is not one of the available choices.");
                    errors.add(field.name, vec![message]);
                }
                for value in held {
                    let can_take = is_choice(&value) && model.is_grantable(conn, field.name, &value, staff)?;
                    if !can_take && !chosen.contains(&value) {
                        chosen.push(value);
                    }
                }
                chosen.sort_unstable();
                values.0.insert(field.name.to_owned(), Value::from(chosen));
            }
            Kind::Password => {}
            _ => {
                if values.text(field.name).contains('\0') {
                    errors.add(field.name, vec!["Null characters are not allowed.".to_owned()]);
                }
            }
        }
    }
    errors.into_result()?;
    Ok(values)
}

/// The new password, if the form asks for one. It must not resemble `values`.
pub fn new_password(options: &Options, form: &FormData, values: &Values) -> Result<Option<String>, FieldErrors> {
    let [first, second] = ["password1", "password2"].map(|name| form.get(name).unwrap_or_default());
    let is_wanted = match form.get(WANTED) {
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
        .filter(|field| field.is_text())
        .map(|field| (field.verbose_name().to_lowercase(), values.text(field.name)))
        .collect();
    let attributes: Vec<(&str, &str)> = names.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let mut errors = FieldErrors::default();
    errors.add("password1", validators::password(first, &attributes));
    errors.into_result()?;
    Ok(Some(first.to_owned()))
}
