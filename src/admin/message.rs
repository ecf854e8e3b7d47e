//! What a page says about what was done before.

use serde::{Deserialize, Serialize};

/// A message. Kept in the session until it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// `success`, `warning` or `error`.
    pub level: String,
    /// A sentence.
    pub text: String,
    /// Where the object is, and its name, which follows the text.
    pub link: Option<(String, String)>,
    /// The batch of deleted rows that a button brings back.
    pub undo: Option<String>,
}

impl Message {
    /// Good news.
    pub fn success(text: impl Into<String>) -> Message {
        Message { level: "success".to_owned(), text: text.into(), link: None, undo: None }
    }

    /// Something that the reader should look at.
    pub fn warning(text: impl Into<String>) -> Message {
        Message { level: "warning".to_owned(), ..Message::success(text) }
    }

    /// Something that did not work.
    pub fn error(text: impl Into<String>) -> Message {
        Message { level: "error".to_owned(), ..Message::success(text) }
    }

    /// The tone that it is shown in.
    pub fn tone(&self) -> &'static str {
        match self.level.as_str() {
            "success" => "good",
            "warning" => "warn",
            _ => "bad",
        }
    }

    /// Adds the object that it is about.
    pub fn about(mut self, address: impl Into<String>, name: impl Into<String>) -> Message {
        self.link = Some((address.into(), name.into()));
        self
    }
}
