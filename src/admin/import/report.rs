//! The report of a check or an import.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lines::Lists;
use crate::admin::model_admin::{Options, Values};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    pub created: usize,
    pub changed: usize,
    /// How many of these change which field.
    pub fields: BTreeMap<String, usize>,
    /// Which way they change boolean fields.
    pub flags: BTreeMap<String, Flags>,
    /// How many new rows have another value than the default in a boolean field.
    pub new_flags: BTreeMap<String, Flags>,
    /// Rows that name an existing one and change nothing.
    pub unchanged: usize,
    pub wrong: usize,
    /// The first of them: line, column (empty: the row as a whole), and what is wrong there.
    pub errors: Vec<(u64, String, String)>,
    /// The first rows that are created or changed.
    pub previews: Vec<Preview>,
    /// Headings that are no fields.
    pub ignored: Vec<String>,
    /// Lines that hold nothing.
    pub empty_lines: usize,
    /// Why nothing was imported, where that lies in no row.
    pub failure: Option<String>,
}

/// What becomes of a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    pub line: u64,
    /// The title of the row, before a change.
    pub title: String,
    pub is_new: bool,
    /// Labels of fields, with the old and the new value. For a new row, the old one is the default.
    pub changes: Vec<(String, String, String)>,
}

impl Preview {
    pub fn of(options: &Options, line: u64, is_new: bool, (old, new): (&Values, &Values), lists: &Lists) -> Preview {
        let title = (if is_new { new } else { old }).text(options.model.title).to_owned();
        let mut changes = Vec::new();
        for field in options.fields() {
            let [before, after] = [old, new].map(|values| values.0.get(field.name));
            if before != after {
                let word = |value: &str| lists.label(field.name, value).unwrap_or(value).to_owned();
                changes.push((field.verbose_name().into_owned(), for_people(before, word), for_people(after, word)));
            }
        }
        Preview { line, title, is_new, changes }
    }
}

fn for_people(value: Option<&Value>, word: impl Fn(&str) -> String) -> String {
    match value {
        Some(Value::Bool(flag)) => if *flag { "Yes" } else { "No" }.to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).map(word).collect::<Vec<_>>().join(", "),
        _ => String::new(),
    }
}

/// How many rows get yes and no in a boolean field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flags {
    pub yes: usize,
    pub no: usize,
}

impl Flags {
    fn count(&mut self, flag: bool) {
        *(if flag { &mut self.yes } else { &mut self.no }) += 1;
    }
}

impl Report {
    /// What changes in which field: `is_active` and `in 3 (1 becomes yes, 2 become no)`.
    pub fn field_changes(&self) -> Vec<(&str, String)> {
        let becomes = |count: usize, value: &str| match count {
            0 => None,
            1 => Some(format!("1 becomes {value}")),
            _ => Some(format!("{count} become {value}")),
        };
        let change = |(name, count): (&'_ String, &usize)| match self.flags.get(name) {
            Some(flags) => {
                let both = [becomes(flags.yes, "yes"), becomes(flags.no, "no")];
                format!("in {count} ({})", both.into_iter().flatten().collect::<Vec<_>>().join(", "))
            }
            None => format!("in {count}"),
        };
        self.fields.iter().map(|field| (field.0.as_str(), change(field))).collect()
    }

    /// What new rows have instead of the default: `is_active` and `no in 2`.
    pub fn new_values(&self) -> Vec<(&str, String)> {
        let mut values = Vec::new();
        for (name, flags) in &self.new_flags {
            let both = [("yes", flags.yes), ("no", flags.no)].into_iter().filter(|(_, count)| *count > 0);
            values.extend(both.map(|(value, count)| (name.as_str(), format!("{value} in {count}"))));
        }
        values
    }

    pub(super) fn add(&mut self, saved: Saved) {
        match saved {
            Saved::Created(flags) => {
                self.created += 1;
                flags.iter().for_each(|(name, flag)| self.new_flags.entry(name.clone()).or_default().count(*flag));
            }
            Saved::Changed(fields) => {
                self.changed += 1;
                for (name, flag) in fields {
                    if let Some(flag) = flag {
                        self.flags.entry(name.clone()).or_default().count(flag);
                    }
                    *self.fields.entry(name).or_default() += 1;
                }
            }
            Saved::Unchanged => self.unchanged += 1,
        }
    }

    pub fn rows(&self) -> usize {
        self.created + self.changed + self.unchanged + self.wrong
    }

    /// Rows that do something.
    pub fn to_import(&self) -> usize {
        self.created + self.changed
    }
}

/// What became of a row.
pub(super) enum Saved {
    /// With the boolean fields whose values are not the default.
    Created(Vec<(String, bool)>),
    /// With the fields whose values are others, and the new value of a boolean one.
    Changed(Vec<(String, Option<bool>)>),
    Unchanged,
}
