//! Two people edit one row. A form carries the values that it was made from; if the row has others by the
//! time it is saved, nothing is, and its sender chooses for each field what holds.

use std::borrow::Cow;

use diesel::QueryResult;
use serde_json::Value;

use super::field_views::shown;
use crate::admin::form_data::FormData;
use crate::admin::model_admin::{ModelAdmin, Options, Values};
use crate::admin::site::Site;
use crate::db::Connection;
use crate::history::{self, Entry};
use crate::models::clean::strip;
use crate::models::{Field, Kind};

/// What a form was made from, which it carries along.
#[derive(Clone, Debug)]
pub struct Basis {
    /// The number of the row's newest change.
    pub version: i64,
    /// The row's values.
    pub original: Values,
}

impl Basis {
    /// Of a row as it is now.
    pub fn of(conn: &mut Connection, options: &Options, id: i64, original: Values) -> QueryResult<Basis> {
        Ok(Basis { version: history::version(conn, options.name(), id)?, original })
    }

    /// From a form. What cannot be read differs from any row. A script may leave it out, and overwrites.
    pub fn parse(form: &FormData) -> Option<Basis> {
        let original = serde_json::from_str(form.get("original")?).unwrap_or_default();
        let version = form.get("version").and_then(|version| version.parse().ok()).unwrap_or(0);
        Some(Basis { version, original: Values(original) })
    }

    /// The values, for the form.
    pub fn json(&self) -> String {
        serde_json::to_string(&self.original.0).unwrap_or_default()
    }

    /// Restores fields that nobody touched. A browser removes line breaks from a line of text, and the form gives it
    /// back without them.
    pub fn keep_untouched(&self, options: &Options, values: &mut Values) {
        for field in entered(options).filter(|field| field.is_text()) {
            if let Some(Value::String(original)) = self.original.0.get(field.name)
                && one_line(original) == one_line(values.text(field.name))
            {
                values.0.insert(field.name.to_owned(), original.as_str().into());
            }
        }
    }

    /// Takes over what the form's sender chose to keep of somebody else's: see [`Conflict`].
    pub fn keep_theirs(&self, options: &Options, form: &FormData, values: &mut Values) {
        for field in entered(options) {
            let is_theirs = form.get(&format!("keep_{}", field.name)) == Some("theirs");
            if let Some(value) = self.original.0.get(field.name).filter(|value| is_theirs && fits(field, value)) {
                values.0.insert(field.name.to_owned(), value.clone());
            }
        }
    }

    /// Whether the row has other values by now.
    pub fn is_stale(&self, options: &Options, current: &Values) -> bool {
        entered(options).any(|field| self.original.0.get(field.name) != current.0.get(field.name))
    }
}

fn one_line(text: &str) -> String {
    strip(&text.replace(['\r', '\n'], "")).to_owned()
}

/// Whether this is a value of such a field: forms can be bent.
fn fits(field: &Field, value: &Value) -> bool {
    match field.kind {
        Kind::Boolean => value.is_boolean(),
        Kind::ManyToMany => value.is_array(),
        Kind::Password => false,
        _ => value.is_string(),
    }
}

/// The fields of a form that changes a row.
fn entered(options: &Options) -> impl Iterator<Item = &'static Field> + use<> {
    options.fields().filter(|field| !matches!(field.kind, Kind::Password))
}

/// What two people made of a row.
pub struct Conflict {
    /// The row's name.
    pub title: String,
    /// The newest change that the sender did not know of.
    pub entry: Option<Entry>,
    /// What the next form is made from: the row as it is now.
    pub basis: Basis,
    /// The fields in which the row, the form and what it was made from differ.
    pub fields: Vec<ConflictField>,
    /// What was typed, for hidden fields.
    pub typed: Vec<(String, String)>,
}

/// A field of a conflict, each of its values as text.
pub struct ConflictField {
    /// The field's name.
    pub name: &'static str,
    /// The field's name for people.
    pub label: Cow<'static, str>,
    /// What the form was made from.
    pub before: String,
    /// What the row has now.
    pub theirs: String,
    /// What was typed.
    pub yours: String,
    /// Whether both changed it, each in another way.
    pub is_contested: bool,
    /// Whether only the other one changed it: theirs is chosen, unless the sender says otherwise.
    pub is_theirs: bool,
}

impl Conflict {
    /// Who changed the row, as far as that is known.
    pub fn who(&self) -> &str {
        self.entry.as_ref().map(|entry| entry.actor.as_str()).filter(|name| !name.is_empty()).unwrap_or("Someone else")
    }

    /// Compares. `typed` are the values of the form, `current` those of the row.
    pub fn new(
        conn: &mut Connection,
        model: &dyn ModelAdmin,
        site: &Site,
        id: i64,
        basis: &Basis,
        typed: &Values,
        current: &Values,
    ) -> QueryResult<Conflict> {
        let options = model.options();
        let mut fields = Vec::new();
        for field in entered(options) {
            let [before, theirs, yours] = [&basis.original, current, typed].map(|values| values.0.get(field.name));
            // A field that was not entered because the sender may not change it is no matter of theirs.
            let yours = yours.or(theirs);
            if before == theirs && theirs == yours {
                continue;
            }
            let mut text = |values: &Values| -> QueryResult<String> {
                let shown = shown(conn, model, site, field, values)?.join(", ");
                Ok(if shown.is_empty() { "–".to_owned() } else { shown })
            };
            fields.push(ConflictField {
                name: field.name,
                label: field.verbose_name(),
                before: text(&basis.original)?,
                theirs: text(current)?,
                yours: text(if typed.has(field.name) { typed } else { current })?,
                is_contested: before != theirs && before != yours && theirs != yours,
                is_theirs: before != theirs && before == yours,
            });
        }
        Ok(Conflict {
            title: options.model.title_of(conn, id)?.unwrap_or_default(),
            entry: history::newest_since(conn, options.name(), id, basis.version)?,
            basis: Basis::of(conn, options, id, current.clone())?,
            fields,
            typed: hidden(options, typed),
        })
    }
}

/// Values as the fields of a form.
pub fn hidden(options: &Options, values: &Values) -> Vec<(String, String)> {
    let mut hidden = Vec::new();
    for field in entered(options) {
        let name = field.name.to_owned();
        match values.0.get(field.name) {
            Some(Value::String(text)) => hidden.push((name, text.clone())),
            Some(Value::Bool(is_set)) => hidden.push((name, if *is_set { "on" } else { "off" }.to_owned())),
            Some(Value::Array(_)) => {
                hidden.extend(values.list(field.name).into_iter().map(|value| (name.clone(), value)));
            }
            _ => {}
        }
    }
    hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_bent_form_claims_to_be_made_from_is_no_value() {
        let form = |text: &str| FormData::parse(text.as_bytes());
        assert!(Basis::parse(&form("version=7")).is_none());
        for bent in ["original=", "original=%7B", "original=%5B%5D", "original=1&version=x"] {
            let basis = Basis::parse(&form(bent)).expect("a basis");
            assert_eq!((basis.version, basis.original.0.len()), (0, 0), "{bent}");
        }
        let basis = Basis::parse(&form("version=7&original=%7B%22name%22%3A%22a%22%7D")).expect("a basis");
        assert_eq!((basis.version, basis.original.text("name")), (7, "a"));
    }
}
