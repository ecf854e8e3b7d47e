//! A browser of the staff, as far as the server can tell: it keeps cookies and sends back the CSRF token of
//! the page it was on.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::OnceLock;

use gatepost::users::models::{NewUser, User};
use gatepost::users::password;

use super::TestServer;
use super::client::{Answer, Call};

/// The password of [`TestServer::staff`].
pub const PASSWORD: &str = "vX9#kw2pLm-test";

/// Outside development mode, in which the tests' servers are not.
pub const SESSION_COOKIE: &str = "__Host-gatepost_sessionid";

/// The hash of [`PASSWORD`], made once.
pub fn password_hash() -> String {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| password::hash(PASSWORD).expect("a hash")).clone()
}

impl TestServer {
    /// Creates an active user with [`PASSWORD`] who may enter the admin, and changes its fields first.
    pub async fn staff(&self, name: &str, change: impl FnOnce(&mut NewUser)) -> User {
        self.user_with(name, |new| {
            new.password = Some(password_hash());
            new.is_staff = true;
            change(new);
        })
        .await
    }

    /// A superuser `root`, signed in.
    pub async fn superuser(&self) -> AdminClient {
        self.staff("root", |new| new.is_superuser = true).await;
        self.sign_in("root").await
    }

    /// Staff of this name with these permissions, signed in.
    pub async fn staff_with(&self, name: &str, permissions: &[&str]) -> AdminClient {
        let user = self.staff(name, |_| {}).await;
        for permission in permissions {
            self.sql(format!("INSERT INTO user_permissions VALUES ({}, '{permission}')", user.id)).await;
        }
        self.sign_in(name).await
    }

    /// Signs in somebody who has [`PASSWORD`].
    pub async fn sign_in(&self, name: &str) -> AdminClient {
        let mut client = AdminClient::new(self.address);
        let answer = client.sign_in(name, PASSWORD).await;
        assert_eq!((answer.status, answer.header("location")), (303, "/admin/"), "{}", answer.text());
        // The token of the sign-in page is over with it.
        client.token.clear();
        client
    }
}

/// The browser.
#[derive(Clone, Debug)]
pub struct AdminClient {
    pub address: SocketAddr,
    /// By name.
    pub cookies: BTreeMap<String, String>,
    /// The CSRF token of the last page that had one.
    pub token: String,
}

impl AdminClient {
    /// A browser that has never been here.
    pub fn new(address: SocketAddr) -> AdminClient {
        AdminClient { address, cookies: BTreeMap::new(), token: String::new() }
    }

    /// Begins a request with the cookies.
    pub fn call(&self, method: &str, path: &str) -> Call {
        let call = Call::new(self.address, method, path);
        if self.cookies.is_empty() {
            return call;
        }
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        call.header("cookie", cookies.join("; "))
    }

    /// Fills in the form of the sign-in page and sends it.
    pub async fn sign_in(&mut self, name: &str, password: &str) -> Answer {
        self.get("/admin/login/").await;
        let answer = self.post("/admin/login/", &[("username", name), ("password", password)]).await;
        if answer.status == 303 {
            // The token of the sign-in page is good no more.
            self.token.clear();
        }
        answer
    }

    /// Opens a page; follows no redirect.
    pub async fn get(&mut self, path: &str) -> Answer {
        let answer = self.call("GET", path).send().await;
        self.take(&answer);
        answer
    }

    /// Opens a page that has to be there, and returns its HTML.
    #[track_caller]
    pub fn page(&mut self, path: &str) -> impl Future<Output = String> {
        let caller = std::panic::Location::caller();
        let path = path.to_owned();
        async move {
            let answer = self.get(&path).await;
            assert_eq!(answer.status, 200, "{caller}: {path}: {}", answer.text());
            answer.text()
        }
    }

    /// Sends a form with the token of the last page; where there was none yet, of the first one.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        if self.token.is_empty() {
            self.get("/admin/").await;
        }
        let token = self.token.clone();
        let fields = [&[("csrfmiddlewaretoken", token.as_str())], fields].concat();
        let answer = self.form(path, &fields).send().await;
        self.take(&answer);
        answer
    }

    /// Begins to send a form as it is, without a token of its own.
    pub fn form(&self, path: &str, fields: &[(&str, &str)]) -> Call {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.call("POST", path).body("application/x-www-form-urlencoded", body)
    }

    /// Sends a file in the form of an import's first page.
    pub async fn upload(&mut self, path: &str, name: &str, content: impl AsRef<[u8]>) -> Answer {
        if self.token.is_empty() {
            self.get("/admin/").await;
        }
        let fields = [("csrfmiddlewaretoken", self.token.as_str())];
        let answer = self.call("POST", path).multipart(&fields, Some((name, content.as_ref()))).send().await;
        self.take(&answer);
        answer
    }

    /// The session's cookie.
    pub fn session(&self) -> &str {
        self.cookies.get(SESSION_COOKIE).map_or("", String::as_str)
    }

    /// Takes over what an answer brings: cookies and a token.
    pub fn take(&mut self, answer: &Answer) {
        for cookie in answer.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().expect("a cookie is ASCII");
            let (name, rest) = cookie.split_once('=').expect("a cookie has a name");
            let value = rest.split(';').next().unwrap_or_default();
            if rest.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let html = String::from_utf8_lossy(&answer.body);
        let token = html.split_once("name=\"csrfmiddlewaretoken\" value=\"");
        if let Some((token, _)) = token.and_then(|(_, rest)| rest.split_once('"')) {
            self.token = token.to_owned();
        }
    }

    /// Follows the redirect of an answer, and returns the page's HTML.
    pub async fn follow(&mut self, answer: &Answer) -> String {
        assert!(matches!(answer.status, 302 | 303), "{answer:?}");
        self.page(answer.header("location")).await
    }
}
