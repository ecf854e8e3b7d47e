//! JSON for display: indented, with syntax highlighting, and with ids that link to their objects.

use serde_json::Value;

use super::render;

#[derive(Debug, PartialEq)]
pub struct Token {
    /// `name`, `string`, `number` or `word`; empty for punctuation.
    pub kind: &'static str,
    pub text: String,
    pub url: Option<String>,
}

/// If `path` is given, each `id` links to its item below it.
pub fn tokens(value: &Value, path: Option<&str>) -> Vec<Token> {
    let mut writer = Writer { tokens: Vec::new(), path, depth: 0 };
    writer.value(value);
    writer.tokens
}

struct Writer<'a> {
    tokens: Vec<Token>,
    path: Option<&'a str>,
    depth: usize,
}

impl Writer<'_> {
    fn push(&mut self, kind: &'static str, text: String) {
        match self.tokens.last_mut() {
            // Merge pieces of one kind to keep the page small.
            Some(last) if last.kind == kind && last.url.is_none() => last.text.push_str(&text),
            _ => self.tokens.push(Token { kind, text, url: None }),
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Array(items) if !items.is_empty() => self.block(["[", "]"], items, Writer::value),
            Value::Object(members) if !members.is_empty() => {
                self.block(["{", "}"], members, |writer, (name, value)| {
                    writer.push("name", render::indented(&name.as_str().into(), 0));
                    writer.push("", ": ".to_owned());
                    writer.member(name, value);
                });
            }
            Value::String(_) => self.push("string", render::indented(value, 0)),
            Value::Number(_) => self.push("number", value.to_string()),
            Value::Bool(_) | Value::Null => self.push("word", value.to_string()),
            Value::Array(_) | Value::Object(_) => self.push("", value.to_string()),
        }
    }

    fn member(&mut self, name: &str, value: &Value) {
        match (self.path, value.as_i64()) {
            (Some(path), Some(id)) if name == "id" => {
                self.tokens.push(Token { kind: "number", text: id.to_string(), url: Some(format!("{path}{id}/")) });
            }
            _ => self.value(value),
        }
    }

    fn block<I: IntoIterator>(&mut self, [open, close]: [&str; 2], items: I, write: impl Fn(&mut Self, I::Item)) {
        self.push("", open.to_owned());
        self.depth += 1;
        for (index, item) in items.into_iter().enumerate() {
            self.line(if index > 0 { "," } else { "" });
            write(self, item);
        }
        self.depth -= 1;
        self.line("");
        self.push("", close.to_owned());
    }

    fn line(&mut self, before: &str) {
        self.push("", format!("{before}\n{}", "    ".repeat(self.depth)));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_pieces_together_are_the_indented_text() {
        for value in [
            json!(null),
            json!([]),
            json!({}),
            json!("a\"\u{2028}<b>"),
            json!([1, [], {}, [[true]], { "a": { "b": null, "c": [1.5, "x"] }, "\u{2029}": -1 }]),
        ] {
            let text: String = tokens(&value, None).into_iter().map(|token| token.text).collect();
            assert_eq!(text, render::indented(&value, 4));
        }
    }

    #[test]
    fn an_id_leads_to_its_item_where_there_are_items() {
        let value = json!([{ "id": 7, "name": "id" }, { "id": "7", "ids": 8 }]);
        let urls = |path| tokens(&value, path).into_iter().filter_map(|token| token.url).collect::<Vec<_>>();
        assert_eq!(urls(Some("/articles/")), ["/articles/7/"]);
        assert_eq!(urls(None), Vec::<String>::new());
    }
}
