//! The rows that a test begins with, and those that it looks for at the end.

use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use gatepost::db::Connection;
use gatepost::history::{Actor, Source};
use gatepost::users::models::{self, NewUser, Origin, User};
use gatepost::users::service_accounts::{self, Fields};

use super::TestServer;

impl TestServer {
    /// Creates a local user with the e-mail `name@example.com`.
    pub async fn user(&self, name: &str) -> User {
        self.user_with(name, |_| {}).await
    }

    /// Creates a local user after a change to its fields.
    pub async fn user_with(&self, name: &str, change: impl FnOnce(&mut NewUser)) -> User {
        let mut new = NewUser {
            username: name.to_owned(),
            email: format!("{name}@example.com"),
            ..NewUser::new(Origin::CommandLine)
        };
        change(&mut new);
        let actor = Actor::system(Source::CommandLine);
        self.db.write(move |conn| models::create(conn, new, &actor)).await.expect("the user is created")
    }

    /// Creates a local user and returns an ID token for them.
    pub async fn caller(&self, name: &str) -> String {
        self.caller_with(name, |_| {}).await
    }

    /// Creates a local user after a change to its fields, and returns an ID token for them.
    pub async fn caller_with(&self, name: &str, change: impl FnOnce(&mut NewUser)) -> String {
        self.user_with(name, change).await;
        self.pool.token(name).sign()
    }

    /// Creates a local user with these names.
    pub async fn person(&self, username: &str, first: &str, last: &str) {
        let (first, last) = (first.to_owned(), last.to_owned());
        self.user_with(username, |new| (new.first_name, new.last_name) = (first, last)).await;
    }

    /// Creates a service account with these permissions, and returns its id.
    pub async fn service_account(&self, name: &str, client_id: &str, permissions: &[&str]) -> i64 {
        let fields = Fields {
            name: name.to_owned(),
            client_id: client_id.to_owned(),
            is_active: true,
            permissions: permissions.iter().map(|permission| (*permission).to_owned()).collect(),
        };
        let actor = Actor::system(Source::CommandLine);
        let created = self.db.write(move |conn| service_accounts::create(conn, fields, &actor)).await;
        created.expect("the account is created").id
    }

    /// The caller `alice`.
    pub async fn alice(&self) -> String {
        self.caller("alice").await
    }

    /// Links a local user to a user of a pool.
    pub async fn link(&self, name: &'static str, issuer: &'static str, sub: &'static str) {
        let linked = self.db.write(move |conn| {
            let user = models::find_by_username(conn, name)?.expect("the user is there");
            Ok(models::link(conn, &user, issuer, sub, &Actor::system(Source::CommandLine))?)
        });
        linked.await.expect("the user is linked");
    }

    /// Creates articles with these names and without an author, each a second newer than the one before it.
    pub async fn articles(&self, names: &[&str]) {
        for (second, name) in names.iter().enumerate() {
            let name = name.replace('\'', "''");
            self.sql(format!(
                "INSERT INTO articles (name, created_at, updated_at) VALUES ('{name}', '2026-01-01 00:00:{second:02}', '2026-01-01 00:00:00')"
            ))
            .await;
        }
    }

    /// Creates many articles without an author: `Article 000001 on DRF with Cognito` and so on.
    pub async fn seed_articles(&self, count: usize) {
        self.sql(format!(
            "INSERT INTO articles (name, created_at, updated_at)
             WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})
             SELECT 'Article ' || substr(CAST(1000000 + n AS TEXT), 2) || ' on DRF with Cognito', '2026-01-01 00:00:00', '2026-01-01 00:00:00' FROM numbers"
        ))
        .await;
    }

    /// Creates groups with these names.
    pub async fn groups(&self, names: &[&str]) {
        for name in names {
            self.sql(format!("INSERT INTO groups (name) VALUES ('{name}')")).await;
        }
    }

    /// Runs SQL statements.
    pub async fn sql(&self, statements: impl Into<String>) {
        let statements = statements.into();
        self.db.write(move |conn| Ok(conn.batch_execute(&statements)?)).await.expect("the statements run");
    }

    /// How many rows there are in a table, or of a table and a condition: `users WHERE is_staff`.
    pub async fn count(&self, rows: &str) -> i64 {
        self.number(&format!("SELECT count(*) FROM {rows}")).await
    }

    /// The one number that a query returns.
    pub async fn number(&self, query: &str) -> i64 {
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            number: i64,
        }
        let query = diesel::sql_query(format!("SELECT CAST(({query}) AS BIGINT) AS number"));
        let row: Row = self.db.read(move |conn| Ok(query.get_result(conn)?)).await.expect("the query runs");
        row.number
    }

    /// The texts that a query of one column returns.
    pub async fn texts(&self, query: &str) -> Vec<String> {
        let query = query.to_owned();
        self.db.read(move |conn| Ok(texts(conn, &query))).await.expect("the query runs")
    }
}

/// The texts that a query of one column returns.
pub fn texts(connection: &mut Connection, query: &str) -> Vec<String> {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Text)]
        text: String,
    }
    // Whatever the column's name and type.
    let query = format!("WITH texts (text) AS ({query}) SELECT CAST(text AS TEXT) AS text FROM texts");
    let rows: Vec<Row> = diesel::sql_query(query).load(connection).expect("the query runs");
    rows.into_iter().map(|row| row.text).collect()
}
