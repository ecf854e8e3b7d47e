//! Two people edit one row. A form carries the values that it was made from. If the row has others when the form is
//! saved, nothing is saved, and the user chooses the value of each field.

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

/// What a form was made from. The form carries it along.
#[derive(Clone, Debug)]
pub struct Basis {
    /// The id of the row's latest change.
    pub version: i64,
    pub original: Values,
}

impl Basis {
    pub fn of(conn: &mut Connection, options: &Options, id: i64, original: Values) -> QueryResult<Basis> {
        Ok(Basis { version: history::version(conn, options.name(), id)?, original })
    }

    /// Unreadable values differ from any row. A script may omit them, and then overwrites.
    pub fn parse(form: &FormData) -> Option<Basis> {
        let original = serde_json::from_str(form.get("original")?).unwrap_or_default();
        let version = form.get("version").and_then(|version| version.parse().ok()).unwrap_or(0);
        Some(Basis { version, original: Values(original) })
    }

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

    /// Keeps the values of the other person that the user chose, see [`Conflict`].
    pub fn keep_theirs(&self, options: &Options, form: &FormData, values: &mut Values) {
        for field in entered(options) {
            let is_theirs = form.get(&format!("keep_{}", field.name)) == Some("theirs");
            if let Some(value) = self.original.0.get(field.name).filter(|value| is_theirs && fits(field, value)) {
                values.0.insert(field.name.to_owned(), value.clone());
            }
        }
    }

    pub fn is_stale(&self, options: &Options, current: &Values) -> bool {
        entered(options).any(|field| self.original.0.get(field.name) != current.0.get(field.name))
    }
}

fn one_line(text: &str) -> String {
    strip(&text.replace(['\r', '\n'], "")).to_owned()
}

/// Forms can be manipulated.
fn fits(field: &Field, value: &Value) -> bool {
    match field.kind {
        Kind::Boolean => value.is_boolean(),
        Kind::ManyToMany => value.is_array(),
        Kind::Password => false,
        _ => value.is_string(),
    }
}

fn entered(options: &Options) -> impl Iterator<Item = &'static Field> + use<> {
    options.fields().filter(|field| !matches!(field.kind, Kind::Password))
}

pub struct Conflict {
    pub title: String,
    /// The latest change that the user did not know of.
    pub entry: Option<Entry>,
    /// The row as it is now, for the next form.
    pub basis: Basis,
    /// The fields in which the row, the form and its basis differ.
    pub fields: Vec<ConflictField>,
    pub typed: Vec<(String, String)>,
}

pub struct ConflictField {
    pub name: &'static str,
    pub label: Cow<'static, str>,
    pub before: String,
    pub theirs: String,
    pub yours: String,
    /// Both changed it, to different values.
    pub is_contested: bool,
    /// Only the other person changed it: their value is preselected.
    pub is_theirs: bool,
}

impl Conflict {
    pub fn who(&self) -> &str {
        self.entry.as_ref().map(|entry| entry.actor.as_str()).filter(|name| !name.is_empty()).unwrap_or("Someone else")
    }

    /// `typed` are the form's values, `current` the row's.
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
                yours: text(typed)?,
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
