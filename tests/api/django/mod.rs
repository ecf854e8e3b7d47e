//! `import-django`: what becomes of a Django project.

mod command;
mod dump;
mod from_django;
mod history;
mod own_users;
#[cfg(feature = "postgres")]
mod postgres;
mod repeat;
mod rows;

use diesel::connection::SimpleConnection;
use serde_json::Value;

use crate::harness::program::{Outcome, Program, connect};

/// A Django project's SQLite database in a folder where the program can run.
pub struct Project {
    pub program: Program,
}

impl Project {
    /// With Django's tables, and nobody in them.
    pub fn new() -> Project {
        let project = Project { program: Program::new() };
        project.sql(include_str!("../../data/django/schema.sql"));
        project
    }

    /// Runs statements on Django's database.
    pub fn sql(&self, statements: &str) -> &Project {
        let mut django = connect(&self.program.path("django.sqlite3"));
        // What nobody would have written through Django.
        django.batch_execute("PRAGMA foreign_keys = OFF").expect("a pragma");
        django.batch_execute(statements).expect("the statements run");
        self
    }

    /// A user with an e-mail of their own, after changes such as `is_staff = 1`.
    pub fn user(&self, id: i64, name: &str, changes: &str) -> &Project {
        let insert = format!(
            "INSERT INTO auth_user VALUES ({id}, '', NULL, 0, '{name}', '', 'user{id}@example.com', 0, 1, '2021-03-04 05:06:07', '')"
        );
        let changes =
            if changes.is_empty() { "" } else { &format!("; UPDATE auth_user SET {changes} WHERE id = {id}") };
        self.sql(&format!("{insert}{changes}"))
    }

    /// Runs the import with options.
    pub async fn import(&self, options: &[&str]) -> Outcome {
        self.program.run(&[&["import-django", "django.sqlite3"], options].concat()).await
    }

    /// The same with the report as JSON.
    pub async fn report(&self, options: &[&str]) -> Report {
        let outcome = self.import(&[&["--json"], options].concat()).await;
        Report(serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {outcome:?}")))
    }
}

/// The report as JSON.
pub struct Report(pub Value);

impl Report {
    /// A line for each reason: the outcome, the row and the code.
    pub fn codes(&self) -> Vec<String> {
        let mut codes = Vec::new();
        for row in self.0["rows"].as_array().expect("rows") {
            for reason in row["reasons"].as_array().expect("reasons") {
                let [outcome, model, code] = [&reason["outcome"], &row["model"], &reason["code"]].map(text);
                codes.push(format!("{outcome} {model} {} {code}", text(&row["key"])));
            }
        }
        codes
    }

    /// New, known and refused rows.
    pub fn counts(&self, model: &str) -> (i64, i64, i64) {
        let count = |name: &str| self.0["counts"][model][name].as_i64().expect("a count");
        (count("new"), count("known"), count("refused"))
    }

    pub fn outcome(&self) -> &str {
        text(&self.0["outcome"])
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A row for each user here: the values of these columns.
pub fn users(program: &Program, columns: &str) -> Vec<String> {
    program.texts(&format!("SELECT {columns} FROM users ORDER BY id"))
}
