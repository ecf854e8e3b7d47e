//! AWS as Gatepost sees it: the pool's API, and all that gives credentials. It answers what the test says, and keeps what
//! it was asked.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What goes wrong with a call of the pool's API.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The status line, further header lines, and the body.
    Answer(&'static str, String, String),
    /// Closes the connection without an answer.
    HangUp,
    /// Closes the connection in the middle of the answer.
    BreakOff,
}

impl Fault {
    /// An error in the form of the JSON protocol.
    pub fn error(status: &'static str, code: &str, message: &str) -> Fault {
        Fault::Answer(status, String::new(), json!({ "__type": code, "message": message }).to_string())
    }

    pub fn throttled() -> Fault {
        Fault::error("400 Bad Request", "TooManyRequestsException", "Rate exceeded")
    }
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub line: String,
    /// With names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Asked {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The action of the pool's API; empty for other requests.
    pub fn action(&self) -> &str {
        self.header("x-amz-target").rsplit('.').next().unwrap_or_default()
    }
}

#[derive(Default)]
struct State {
    users: Vec<Value>,
    /// The `sub`s of members.
    groups: BTreeMap<String, Vec<String>>,
    /// What becomes of the next calls of the pool's API.
    faults: VecDeque<Option<Fault>>,
    /// By the start of the request line or, for STS, of the body.
    answers: Vec<(String, &'static str, String)>,
    asked: Vec<Asked>,
    /// Answers wait until this is over.
    is_held: bool,
}

pub struct FakeAws {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

/// A user as `ListUsers` describes one whose e-mail is verified.
pub fn pool_user(name: &str) -> Value {
    json!({
        "Username": name, "Enabled": true, "UserStatus": "CONFIRMED",
        "UserCreateDate": 1_767_225_600.0, "UserLastModifiedDate": 1_767_225_600.0,
        "Attributes": [
            { "Name": "sub", "Value": format!("sub-of-{name}") },
            { "Name": "email", "Value": format!("{name}@example.com") },
            { "Name": "email_verified", "Value": "true" },
        ],
    })
}

impl FakeAws {
    pub async fn start() -> FakeAws {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::<Mutex<State>>::default();
        let shared = state.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, shared.clone()));
            }
        });
        FakeAws { address, state, task }
    }

    /// With these users in the pool.
    pub async fn with(names: &[&str]) -> FakeAws {
        let fake = FakeAws::start().await;
        fake.users(|users| users.extend(names.iter().map(|name| pool_user(name))));
        fake
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn users(&self, change: impl FnOnce(&mut Vec<Value>)) {
        change(&mut self.state().users);
    }

    /// Changes one user of the pool.
    pub fn user(&self, name: &str, change: impl FnOnce(&mut Value)) {
        self.users(|users| change(users.iter_mut().find(|user| user["Username"] == name).expect("the user is there")));
    }

    pub fn enable(&self, name: &str, is_enabled: bool) {
        self.user(name, |user| user["Enabled"] = is_enabled.into());
    }

    pub fn delete(&self, name: &str) {
        self.users(|users| users.retain(|user| user["Username"] != name));
    }

    pub fn group(&self, name: &str, members: &[&str]) {
        let members = members.iter().map(|name| format!("sub-of-{name}")).collect();
        self.state().groups.insert(name.to_owned(), members);
    }

    /// These go wrong, one call after the other; `None` is a call that goes well.
    pub fn fail(&self, faults: impl IntoIterator<Item = Option<Fault>>) {
        self.state().faults.extend(faults);
    }

    /// Whether answers wait.
    pub fn hold(&self, is_held: bool) {
        self.state().is_held = is_held;
    }

    /// Answers requests other than those of the pool's API.
    pub fn answers(&self, start: &str, status: &'static str, body: impl ToString) {
        self.state().answers.insert(0, (start.to_owned(), status, body.to_string()));
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.state().asked.clone()
    }

    /// How many calls of the pool's API there were.
    pub fn calls(&self) -> usize {
        self.asked().iter().filter(|asked| !asked.action().is_empty()).count()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("the lock")
    }
}

impl Drop for FakeAws {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let Some(asked) = read(&mut stream).await else { return };
    state.lock().expect("the lock").asked.push(asked.clone());
    while state.lock().expect("the lock").is_held {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let (status, headers, body, is_whole) = {
        let mut state = state.lock().expect("the lock");
        let fault = if asked.action().is_empty() { None } else { state.faults.pop_front().flatten() };
        match fault {
            Some(Fault::HangUp) => return,
            Some(Fault::Answer(status, headers, body)) => (status, headers, body, true),
            fault => {
                let (status, body) = answer(&mut state, &asked);
                (status, String::new(), body, fault.is_none())
            }
        }
    };
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n", body.len());
    let body = if is_whole { &body[..] } else { &body[..body.len() / 2] };
    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
}

async fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let (line, rest) = head.split_once("\r\n")?;
    let pairs = rest.lines().filter_map(|line| line.split_once(": "));
    let headers: BTreeMap<_, _> = pairs.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Asked { line: line.to_owned(), headers, body: String::from_utf8_lossy(&body).into_owned() })
}

fn answer(state: &mut State, asked: &Asked) -> (&'static str, String) {
    let request: Value = serde_json::from_str(&asked.body).unwrap_or_default();
    if asked.action().starts_with("Admin") {
        return admin(state, asked.action(), &request);
    }
    let page = |users: Vec<&Value>, name: &str| {
        let start: usize = request[name].as_str().map_or(0, |token| token.parse().expect("a token"));
        let end = users.len().min(start + request["Limit"].as_u64().unwrap_or(60).min(60) as usize);
        let mut page = json!({ "Users": users[start..end] });
        if end < users.len() {
            page[name] = end.to_string().into();
        }
        ("200 OK", page.to_string())
    };
    match asked.action() {
        "ListUsers" => {
            // `email = "jane@example.com"`
            let filter = request["Filter"].as_str().and_then(|filter| filter.trim_end_matches('"').split_once(" = \""));
            let fits = |user: &&Value| filter.is_none_or(|(name, value)| attribute(user, name) == value);
            page(state.users.iter().filter(fits).collect(), "PaginationToken")
        }
        "ListUsersInGroup" => {
            let Some(members) = state.groups.get(request["GroupName"].as_str().unwrap_or_default()) else {
                let error = json!({ "__type": "ResourceNotFoundException", "message": "Group not found." });
                return ("400 Bad Request", error.to_string());
            };
            let is_member = |user: &&Value| members.iter().any(|sub| user["Attributes"][0]["Value"] == *sub);
            page(state.users.iter().filter(is_member).collect(), "NextToken")
        }
        _ => {
            let fits = |start: &String| asked.line.starts_with(start) || asked.body.starts_with(start);
            let found = state.answers.iter().find(|(start, ..)| fits(start));
            found.map_or(("404 Not Found", String::new()), |(_, status, body)| (*status, body.clone()))
        }
    }
}

fn attribute<'a>(user: &'a Value, name: &str) -> &'a str {
    let attributes = user["Attributes"].as_array().map_or(&[][..], Vec::as_slice);
    let found = attributes.iter().find(|attribute| attribute["Name"] == name);
    found.and_then(|attribute| attribute["Value"].as_str()).unwrap_or_default()
}

/// What is done to one user, whom `Username` names or, for users of the pool's own, their `sub`.
fn admin(state: &mut State, action: &str, request: &Value) -> (&'static str, String) {
    let fail = |code: &str| ("400 Bad Request", json!({ "__type": code, "message": "No." }).to_string());
    let name = request["Username"].as_str().unwrap_or_default();
    let is_named = |user: &&mut Value| {
        user["Username"] == name || (user["UserStatus"] != "EXTERNAL_PROVIDER" && attribute(user, "sub") == name)
    };
    let is_new = action == "AdminCreateUser" && request["MessageAction"].is_null();
    let Some(user) = state.users.iter_mut().find(is_named) else {
        if !is_new {
            return fail("UserNotFoundException");
        }
        let mut user = pool_user(name);
        user["UserStatus"] = "FORCE_CHANGE_PASSWORD".into();
        let sub = user["Attributes"][0].clone();
        user["Attributes"] = request["UserAttributes"].clone();
        user["Attributes"].as_array_mut().expect("a list").insert(0, sub);
        state.users.push(user.clone());
        return ("200 OK", json!({ "User": user }).to_string());
    };
    match action {
        "AdminCreateUser" if is_new => return fail("UsernameExistsException"),
        "AdminCreateUser" => return ("200 OK", json!({ "User": user }).to_string()),
        "AdminGetUser" => {
            let mut found = user.clone();
            found["UserAttributes"] = found["Attributes"].take();
            found.as_object_mut().expect("an object").remove("Attributes");
            return ("200 OK", found.to_string());
        }
        "AdminListGroupsForUser" => {
            let sub = attribute(user, "sub").to_owned();
            let groups = state.groups.iter().filter(|(_, members)| members.contains(&sub));
            let groups: Vec<Value> = groups.map(|(name, _)| json!({ "GroupName": name })).collect();
            return ("200 OK", json!({ "Groups": groups }).to_string());
        }
        "AdminDisableUser" => user["Enabled"] = false.into(),
        "AdminEnableUser" => user["Enabled"] = true.into(),
        "AdminResetUserPassword" => user["UserStatus"] = "RESET_REQUIRED".into(),
        _ => {}
    }
    ("200 OK", "{}".to_owned())
}
