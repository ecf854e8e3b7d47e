//! A client for the server: plain HTTP with every header in the test's hands.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

/// A request in the making.
#[must_use]
pub struct Call {
    url: String,
    method: reqwest::Method,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
}

impl Call {
    pub fn new(address: SocketAddr, method: &str, path: &str) -> Call {
        Call {
            url: format!("http://{address}{path}"),
            method: reqwest::Method::from_bytes(method.as_bytes()).expect("a method"),
            headers: HeaderMap::new(),
            body: None,
        }
    }

    /// Adds a header; one that is there already stays.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Call {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
        self.headers.append(name, HeaderValue::from_bytes(value.as_ref()).expect("a header's value"));
        self
    }

    /// `Authorization: Bearer <token>`
    pub fn token(self, token: &str) -> Call {
        self.header("authorization", format!("Bearer {token}"))
    }

    pub fn json(self, body: impl Into<Vec<u8>>) -> Call {
        self.body("application/json", body)
    }

    pub fn body(self, content_type: &str, body: impl Into<Vec<u8>>) -> Call {
        let mut call = self.header("content-type", content_type);
        call.body = Some(body.into());
        call
    }

    /// A multipart form (RFC 7578) of fields and, if there is one, the file `file`, by its name and content.
    pub fn multipart(self, fields: &[(&str, &str)], file: Option<(&str, &[u8])>) -> Call {
        let mut body = Vec::new();
        for (name, value) in fields {
            let part = format!("--b0undary\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(part.as_bytes());
        }
        if let Some((name, content)) = file {
            let head = format!("Content-Disposition: form-data; name=\"file\"; filename=\"{name}\"");
            body.extend_from_slice(format!("--b0undary\r\n{head}\r\nContent-Type: text/csv\r\n\r\n").as_bytes());
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--b0undary--\r\n");
        self.body("multipart/form-data; boundary=b0undary", body)
    }

    /// A body without a `Content-Type`.
    pub fn bare_body(mut self, body: impl Into<Vec<u8>>) -> Call {
        self.body = Some(body.into());
        self
    }

    pub async fn send(self) -> Answer {
        self.try_send().await.expect("the server answers")
    }

    /// Sends it, where nothing but the status matters.
    pub async fn status(self) -> u16 {
        self.send().await.status
    }

    pub async fn try_send(self) -> Result<Answer, reqwest::Error> {
        // One client for all, since making one reads the system's certificates. Each test has a runtime of its
        // own, and a connection cannot outlive its runtime: no connection is kept.
        static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
        let client = CLIENT.get_or_init(|| {
            let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0);
            let client = client.redirect(reqwest::redirect::Policy::none()).timeout(Duration::from_secs(30));
            client.build().expect("a client")
        });
        let mut request = client.request(self.method, self.url).headers(self.headers);
        if let Some(body) = self.body {
            request = request.body(body);
        }
        let response = request.send().await?;
        Ok(Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.bytes().await?.to_vec(),
        })
    }
}

/// What the server answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("the body is UTF-8")
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// A header's value; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("the header is ASCII"))
    }

    /// The target of the `Link` header's entry with this relation (RFC 8288).
    #[track_caller]
    pub fn link(&self, relation: &str) -> Option<String> {
        let links = self.header("link").split(", ").filter(|link| !link.is_empty()).map(|link| {
            let (target, rest) = link.strip_prefix('<').and_then(|link| link.split_once('>')).expect("a target in <>");
            let relation = rest.strip_prefix("; rel=\"").and_then(|rest| rest.strip_suffix('"')).expect("a relation");
            (relation, target)
        });
        let mut targets = links.filter(|(found, _)| *found == relation).map(|(_, target)| target.to_owned());
        let target = targets.next();
        assert_eq!(targets.next(), None, "two links with one relation: {}", self.header("link"));
        target
    }

    /// The names of a list's rows.
    #[track_caller]
    pub fn names(&self) -> Vec<String> {
        self.rows().iter().map(|row| row["name"].as_str().expect("a name").to_owned()).collect()
    }

    /// The ids of a list's rows.
    #[track_caller]
    pub fn ids(&self) -> Vec<i64> {
        self.rows().iter().map(|row| row["id"].as_i64().expect("an id")).collect()
    }

    #[track_caller]
    fn rows(&self) -> Vec<Value> {
        let Value::Array(rows) = self.json() else { panic!("no list: {self:?}") };
        rows
    }

    /// The status, and where a redirect leads.
    pub fn redirect(&self) -> (u16, &str) {
        (self.status, self.header("location"))
    }

    /// The `code` of an error.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// Fails unless status and body are these.
    #[track_caller]
    pub fn assert(&self, status: u16, body: &str) {
        assert_eq!((self.status, String::from_utf8_lossy(&self.body).as_ref()), (status, body));
    }
}
