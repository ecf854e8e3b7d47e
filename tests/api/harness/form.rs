//! A form as a browser has it: the values that its page gives it, and what a person then enters.

use super::admin::AdminClient;
use super::client::Answer;
use super::html::unescape;

impl AdminClient {
    /// Opens a page with a form that adds or changes a row.
    #[track_caller]
    pub fn open_form(&mut self, path: &str) -> impl Future<Output = Form> {
        let page = self.page(path);
        let path = path.to_owned();
        async move {
            let form = Form::with(&page.await, "_save");
            Form { action: form.action.or(Some(path)), ..form }
        }
    }
}

/// A form of a page.
#[derive(Clone, Debug)]
pub struct Form {
    /// Where it is sent; the page's own address where it does not say.
    pub action: Option<String>,
    /// What is sent, in the order of the page.
    pub fields: Vec<(String, String)>,
}

impl Form {
    /// The form of a page that has this text in it: the name of a button, say.
    #[track_caller]
    pub fn with(html: &str, text: &str) -> Form {
        let forms = html.split("<form").skip(1).map(|rest| rest.split("</form>").next().unwrap_or(rest));
        let form = forms.into_iter().find(|form| form.contains(text));
        let form = form.unwrap_or_else(|| panic!("no form with {text:?} in {html}"));
        let tags = tags(&format!("<form{form}"));
        let mut found = Form { action: tags[0].get("action"), fields: Vec::new() };
        let mut select = None;
        for tag in &tags[1..] {
            let name = tag.get("name");
            match (tag.name.as_str(), name) {
                ("select", name) => select = name,
                ("option", _) if tag.has("selected") && !tag.has("disabled") => {
                    found.fields.extend(select.clone().map(|name| (name, tag.get("value").unwrap_or_default())));
                }
                ("input", Some(name)) => {
                    let kind = tag.get("type").unwrap_or_default();
                    let is_box = matches!(kind.as_str(), "checkbox" | "radio");
                    if !is_box || tag.has("checked") {
                        let value = tag.get("value").unwrap_or(if is_box { "on" } else { "" }.to_owned());
                        found.fields.push((name, value));
                    }
                }
                _ => {}
            }
        }
        found
    }

    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// All values of a field.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.fields.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_str()).collect()
    }

    /// Enters a value, or several.
    pub fn set(mut self, name: &str, values: &[&str]) -> Form {
        self.fields.retain(|(found, _)| found != name);
        self.fields.extend(values.iter().map(|value| (name.to_owned(), (*value).to_owned())));
        self
    }

    /// Sends it by its button Save.
    pub async fn save(&self, client: &mut AdminClient) -> Answer {
        let path = self.action.as_deref().expect("a form from `open_form`");
        self.send(client, path, "_save").await
    }

    /// Sends it by a button of this name.
    pub async fn send(&self, client: &mut AdminClient, page: &str, button: &str) -> Answer {
        let fields: Vec<(&str, &str)> =
            self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let fields = [fields.as_slice(), &[(button, "")]].concat();
        let answer = client.form(self.action.as_deref().unwrap_or(page), &fields).send().await;
        client.take(&answer);
        answer
    }
}

/// Presses the Undo of the message on a page.
pub async fn undo(client: &mut AdminClient, page: &str) -> String {
    let answer = Form::with(page, "name=\"batch\"").send(client, "/", "x").await;
    client.follow(&answer).await
}

struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    fn get(&self, name: &str) -> Option<String> {
        self.attributes.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone())
    }

    fn has(&self, name: &str) -> bool {
        self.attributes.iter().any(|(found, _)| found == name)
    }
}

/// The tags of our own HTML: attributes stand in quotation marks or have no value.
fn tags(html: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    for rest in html.split('<').skip(1).filter(|rest| !rest.starts_with(['/', '!'])) {
        let (name, mut rest) = rest.split_at(rest.find([' ', '>', '\n']).unwrap_or(rest.len()));
        let mut attributes = Vec::new();
        loop {
            rest = rest.trim_start();
            if rest.is_empty() || rest.starts_with(['>', '/']) {
                break;
            }
            let end = rest.find([' ', '>', '=', '\n']).unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            match after.strip_prefix("=\"").and_then(|value| value.split_once('"')) {
                Some((value, after)) => {
                    attributes.push((name.to_owned(), unescape(value)));
                    rest = after;
                }
                None => {
                    attributes.push((name.to_owned(), String::new()));
                    rest = after;
                }
            }
        }
        tags.push(Tag { name: name.to_owned(), attributes });
    }
    tags
}
