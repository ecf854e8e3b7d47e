//! The browsable API: a response as an HTML page with forms. The page contains no secret: its script sends the token,
//! which stays in the memory of the browser tab.

use actix_web::http::header::{
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, LINK, LOCATION,
};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{self, Bytes};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde_json::Value;

use super::endpoint::Endpoint;
use super::render;
use super::tokens::{Token, tokens};
use crate::error::{Error, NON_FIELD_ERRORS};
use crate::http::edge::{SCRIPTED_POLICY, request_id};
use crate::http::theme;
use crate::models::Default;
use crate::models::{Field, Kind};
use crate::users::page_user::PageUser;

#[derive(Template)]
#[template(path = "api/response.html")]
struct ResponsePage<'a> {
    theme: &'static str,
    endpoint: &'a Endpoint,
    method: &'a str,
    target: &'a str,
    status: StatusCode,
    headers: Vec<(&'a str, Vec<Token>)>,
    body: Vec<Token>,
    /// Names and URLs of other pages of the list.
    pages: Vec<(&'static str, String)>,
    formats: [(&'static str, String); 2],
    form: Option<Form>,
    /// Set if the client is not authenticated: the command that prints a token, if the user pool is the local one.
    sign_in: Option<Option<&'a str>>,
    page_user: Option<PageUser>,
}

struct Form {
    target: String,
    /// The method of the form with fields, which sends all fields.
    method: &'static str,
    raw_methods: Vec<&'static str>,
    raw: String,
    fields: Vec<FormField>,
    /// Errors of the body as a whole.
    errors: Vec<String>,
    can_delete: bool,
}

struct FormField {
    name: &'static str,
    label: String,
    help: String,
    input: FormInput,
    errors: Vec<String>,
}

enum FormInput {
    /// An `<input>`: its `inputmode` and value. Browsers rewrite what is in inputs of the types `email` and `number`.
    Line(&'static str, String),
    Checkbox(bool),
    /// A `<select>`: each choice's value and name, and whether it is selected.
    Select(Vec<(String, String, bool)>),
}

/// Changes the headers where the page's own differ from the displayed ones.
pub fn page(
    endpoint: &Endpoint,
    request: &HttpRequest,
    response: &mut HttpResponse<()>,
    body: &Value,
) -> Result<Bytes, Error> {
    let status = response.status();
    let link = response.headers().get(LINK).and_then(|link| link.to_str().ok()).unwrap_or_default();
    let page = ResponsePage {
        theme: theme::chosen(request),
        endpoint,
        method: request.method().as_str(),
        target: target(request),
        status,
        headers: headers(response.headers(), &request_id(request)),
        pages: pages(link),
        body: tokens(body, endpoint.has_items.then_some(endpoint.path.as_str())),
        formats: [("JSON", with_format(request, "json")), ("HTML", with_format(request, "api"))],
        form: Form::new(endpoint, request, status, body),
        page_user: PageUser::of(request),
        sign_in: (status == StatusCode::UNAUTHORIZED).then(|| token_command(request)),
    };
    let html = page.render().map_err(|error| Error::Internal(error.to_string()))?;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, render::HTML);
    // The page shows the JSON's tag, but itself differs with each request.
    headers.remove(ETAG);
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(SCRIPTED_POLICY));
    Ok(html.into())
}

fn target(request: &HttpRequest) -> &str {
    request.uri().path_and_query().map_or("", |target| target.as_str())
}

/// Prints a token of the local user pool, given an e-mail address.
pub struct TokenCommand(pub String);

fn token_command(request: &HttpRequest) -> Option<&str> {
    request.app_data::<web::Data<TokenCommand>>().map(|command| command.0.as_str())
}

fn with_format(request: &HttpRequest, format: &str) -> String {
    let others = form_urlencoded::parse(request.query_string().as_bytes()).filter(|(name, _)| name != "format");
    let query =
        form_urlencoded::Serializer::new(String::new()).extend_pairs(others).append_pair("format", format).finish();
    format!("{}?{query}", request.path())
}

fn headers<'a>(headers: &'a HeaderMap, request_id: &str) -> Vec<(&'a str, Vec<Token>)> {
    let parts = |name: &HeaderName, value: &str| match *name {
        LINK => links(value)
            .into_iter()
            .flat_map(|(target, rest)| [text("<"), link(target), text(&format!(">{rest}"))])
            .collect(),
        LOCATION => vec![link(value)],
        _ => vec![text(value)],
    };
    let shown = headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes());
        (name.as_str(), parts(name, &value))
    });
    // The edge adds this one to every response.
    let mut shown: Vec<_> = shown.chain([("x-request-id", vec![text(request_id)])]).collect();
    shown.sort_by_key(|(name, _)| *name);
    shown
}

fn text(text: &str) -> Token {
    Token { kind: "", text: text.to_owned(), url: None }
}

fn link(url: &str) -> Token {
    Token { kind: "", text: url.to_owned(), url: Some(url.to_owned()) }
}

/// The targets of a `Link` header, each with its surrounding text.
fn links(link: &str) -> Vec<(&str, &str)> {
    link.split_inclusive(", ").filter_map(|entry| entry.strip_prefix('<')?.split_once('>')).collect()
}

fn pages(link: &str) -> Vec<(&'static str, String)> {
    let links = links(link);
    let find = |relation: &str| links.iter().find(|(_, rest)| rest.contains(relation)).map(|(target, _)| *target);
    let names = [("rel=\"first\"", "First"), ("rel=\"prev\"", "Previous"), ("rel=\"next\"", "Next")];
    names.into_iter().filter_map(|(relation, name)| Some((name, find(relation)?.to_owned()))).collect()
}

impl Form {
    /// `None` if the URL takes no body or the client is not authenticated.
    fn new(endpoint: &Endpoint, request: &HttpRequest, status: StatusCode, body: &Value) -> Option<Form> {
        let is_there = !matches!(status.as_u16(), 401 | 404 | 406 | 500..);
        let (method, fields) = endpoint.action.as_ref().filter(|_| is_there)?;
        // The body of OPTIONS describes the URL, not an object.
        let body = if *request.method() == Method::OPTIONS { &Value::Null } else { body };
        let shown = if status == StatusCode::OK { body } else { &Value::Null };
        let fields: Vec<_> = fields.iter().filter(|field| !field.is_read_only).map(|field| field.field).collect();
        let raw = fields.iter().map(|field| (field.name.to_owned(), example(field, &shown[field.name])));
        let raw = render::indented(&raw.collect(), 4);
        let fields = fields.into_iter().map(|field| FormField::new(field, &shown[field.name], status, body)).collect();
        let allows = |method: &&str| endpoint.allow.split(", ").any(|allowed| allowed == *method);
        Some(Form {
            target: request.path().to_owned(),
            method,
            raw_methods: ["POST", "PUT", "PATCH"].into_iter().filter(allows).collect(),
            raw,
            fields,
            errors: messages(status, body, NON_FIELD_ERRORS),
            can_delete: allows(&"DELETE"),
        })
    }
}

impl FormField {
    fn is_described(&self) -> bool {
        !self.help.is_empty() || !self.errors.is_empty()
    }

    fn described_by(&self) -> String {
        let help = (!self.help.is_empty()).then(|| format!("help-{}", self.name));
        let errors = (!self.errors.is_empty()).then(|| format!("errors-{}", self.name));
        help.into_iter().chain(errors).collect::<Vec<_>>().join(" ")
    }

    fn new(field: &Field, value: &Value, status: StatusCode, body: &Value) -> FormField {
        FormField {
            name: field.name,
            label: field.verbose_name().into_owned(),
            help: help(field),
            input: FormInput::new(field, value),
            errors: messages(status, body, field.name),
        }
    }
}

impl FormInput {
    fn new(field: &Field, value: &Value) -> FormInput {
        let text = match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match field.kind {
            Kind::Boolean => {
                FormInput::Checkbox(value.as_bool().unwrap_or(field.default == Some(Default::Boolean(true))))
            }
            Kind::Choice(choices) => {
                let none = field.is_null.then_some(("", "–"));
                // A value that is no choice any more stays until another one is chosen.
                let is_old = !text.is_empty() && !choices.iter().any(|(value, _)| *value == text);
                let old = is_old.then_some((text.as_str(), text.as_str()));
                let choices = none.into_iter().chain(old).chain(choices.iter().copied());
                let choice = |(value, name): (&str, &str)| (value.to_owned(), name.to_owned(), value == text);
                FormInput::Select(choices.map(choice).collect())
            }
            Kind::Email => FormInput::Line("email", text),
            Kind::ForeignKey(_) => FormInput::Line("numeric", text),
            _ => FormInput::Line("text", text),
        }
    }
}

fn help(field: &Field) -> String {
    let rule = match field.kind {
        Kind::Char(max_length) => format!("Up to {max_length} characters."),
        Kind::DateTime => "A time in UTC, such as 2026-12-24T18:00:00Z.".to_owned(),
        Kind::ForeignKey(model) => format!("The id of the {}.", model.verbose_name()),
        _ => String::new(),
    };
    format!("{} {rule}", field.help_text).trim().to_owned()
}

/// A value for raw data: the current one, or an empty one of the field's type.
fn example(field: &Field, value: &Value) -> Value {
    match (value, field.kind) {
        (Value::Null, Kind::Char(_) | Kind::Email) => "".into(),
        (Value::Null, Kind::Boolean) => (field.default == Some(Default::Boolean(true))).into(),
        (Value::Null, Kind::Choice([(first, _), ..])) if !field.is_null => (*first).into(),
        (value, _) => value.clone(),
    }
}

/// The messages for a field in the body of a 400.
fn messages(status: StatusCode, body: &Value, field: &str) -> Vec<String> {
    let messages = body[field].as_array().filter(|_| status == StatusCode::BAD_REQUEST);
    messages.into_iter().flatten().filter_map(|message| message.as_str().map(str::to_owned)).collect()
}
