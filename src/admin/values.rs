//! The values of a form.

use std::collections::BTreeMap;

use serde_json::Value;

/// The values of a form's fields by name: texts, booleans, lists of texts, null.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values(pub BTreeMap<String, Value>);

impl Values {
    /// Sets a value.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Values {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// Whether there is a value: a form may leave fields out.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A text; empty where there is none.
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Yes or no; no where there is none.
    pub fn flag(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// A list of texts.
    pub fn list(&self, name: &str) -> Vec<String> {
        let items = self.0.get(name).and_then(Value::as_array);
        items.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }
}
