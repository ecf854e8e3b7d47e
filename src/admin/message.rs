//! Messages about what was done, shown on the next page.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// `success`, `warning` or `error`.
    pub level: String,
    pub text: String,
    /// URL and name of the object, shown after the text.
    pub link: Option<(String, String)>,
    pub undo: Option<String>,
}

impl Message {
    pub fn success(text: impl Into<String>) -> Message {
        Message { level: "success".to_owned(), text: text.into(), link: None, undo: None }
    }

    pub fn warning(text: impl Into<String>) -> Message {
        Message { level: "warning".to_owned(), ..Message::success(text) }
    }

    pub fn error(text: impl Into<String>) -> Message {
        Message { level: "error".to_owned(), ..Message::success(text) }
    }

    pub fn tone(&self) -> &'static str {
        match self.level.as_str() {
            "success" => "good",
            "warning" => "warn",
            _ => "bad",
        }
    }

    pub fn about(mut self, address: impl Into<String>, name: impl Into<String>) -> Message {
        self.link = Some((address.into(), name.into()));
        self
    }
}
