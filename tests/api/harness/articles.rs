//! Rows that tests begin with, and lists of them.

use super::TestServer;
use super::client::{Answer, Call};

impl TestServer {
    /// A local user and an ID token of theirs.
    pub async fn caller(&self, name: &str) -> String {
        self.user(name).await;
        self.pool.token(name).sign()
    }

    pub async fn staff_token(&self) -> String {
        self.user_with("staff", |user| user.is_staff = true).await;
        self.pool.token("staff").sign()
    }

    /// PUT, PATCH or DELETE with a token, and a body unless it is empty.
    pub fn change(&self, method: &str, path: &str, token: &str, body: &str) -> Call {
        let call = self.call(method, path).token(token);
        if body.is_empty() { call } else { call.json(body) }
    }

    /// Articles with these names, the last the newest, a second apart.
    pub async fn articles(&self, names: &[&str]) {
        for (second, name) in names.iter().enumerate() {
            let name = name.replace('\'', "''");
            self.sql(format!(
                "INSERT INTO articles (name, created_at, updated_at) VALUES ('{name}', '2026-01-01 00:00:{second:02}', '2026-01-01 00:00:00')"
            ))
            .await;
        }
    }

    /// A user with a name and an e-mail of their own.
    pub async fn person(&self, username: &str, first: &str, last: &str) {
        let (first, last) = (first.to_owned(), last.to_owned());
        self.user_with(username, |new| (new.first_name, new.last_name) = (first, last)).await;
    }
}

impl Answer {
    pub fn names(&self) -> Vec<String> {
        let rows = self.json();
        let rows = rows.as_array().unwrap_or_else(|| panic!("no list: {self:?}"));
        rows.iter().map(|row| row["name"].as_str().expect("a name").to_owned()).collect()
    }

    pub fn ids(&self) -> Vec<i64> {
        let rows = self.json();
        let rows = rows.as_array().unwrap_or_else(|| panic!("no list: {self:?}"));
        rows.iter().map(|row| row["id"].as_i64().expect("an id")).collect()
    }
}
