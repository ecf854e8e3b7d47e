//! [`Report`]: what became of the rows.

use diesel::QueryResult;

use super::error::ImportError;
use super::log;
use super::options::Outcome;
use super::staging::{KNOWN, NEW, REFUSED, Staging, integer, owned, text};
use crate::db::Connection;
use crate::db::rows::{self, Sql};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    pub name: &'static str,
    pub new: i64,
    /// Imported before.
    pub known: i64,
    pub refused: i64,
}

/// A row that is refused, changed or left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportedRow {
    pub model: String,
    pub key: Option<String>,
    /// Its name, safe to print.
    pub name: String,
    /// Outcome, code and sentence.
    pub reasons: Vec<(String, String, String)>,
}

pub struct Report {
    staging: Staging,
    pub outcome: Outcome,
    pub counts: Vec<Count>,
    /// What to do next.
    pub advice: Vec<String>,
}

impl Report {
    pub(super) fn new(
        mut staging: Staging,
        outcome: Outcome,
        with_history: bool,
        advice: Vec<String>,
    ) -> QueryResult<Report> {
        let mut counts = Vec::new();
        for name in ["users", "groups", "articles"] {
            let mut of = |state: i64| staging.number(&format!("count(*) FROM {name} WHERE state = {state}"));
            counts.push(Count { name, new: of(NEW)?, known: of(KNOWN)?, refused: of(REFUSED)? });
        }
        if with_history {
            let mut of = |condition: &str| staging.number(&format!("count(*) FROM log WHERE {condition}"));
            let new = of(&format!("state = {NEW} AND reason IS NULL"))?;
            counts.push(Count { name: "log entries", new, known: of(&format!("state = {KNOWN}"))?, refused: 0 });
            log::report(&mut staging)?;
        }
        Ok(Report { staging, outcome, counts, advice })
    }

    pub fn count(&self, of: impl Fn(&Count) -> i64) -> i64 {
        self.counts.iter().map(of).sum()
    }

    /// By model and in the order of the source.
    pub fn rows<E: From<ImportError>>(&mut self, mut each: impl FnMut(&ReportedRow) -> Result<(), E>) -> Result<(), E> {
        let query = "SELECT model, place, key, shown, outcome, code, text FROM reported
             ORDER BY CASE model WHEN 'user' THEN 1 WHEN 'group' THEN 2 WHEN 'article' THEN 4 WHEN 'log_entry' THEN 5
                 ELSE 3 END, model, place, row";
        let (mut place, mut current) = (None, ReportedRow::default());
        self.staging.stream::<E>(query, |row| {
            let row = row.map_err(|error| E::from(error.into()))?;
            let next = Some((owned(&row, 0), integer(&row, 1)));
            if next != place {
                if place.is_some() {
                    each(&current)?;
                }
                let (model, key, name) = (owned(&row, 0), text(&row, 2).map(str::to_owned), owned(&row, 3));
                current = ReportedRow { model, key, name, reasons: Vec::new() };
                place = next;
            }
            current.reasons.push((owned(&row, 4), owned(&row, 5), owned(&row, 6)));
            Ok(())
        })?;
        if place.is_some() { each(&current) } else { Ok(()) }
    }
}

/// Whether somebody can sign in to the admin afterwards, and what to do if not.
pub fn advice(staging: &mut Staging, target: &mut Connection, outcome: Outcome) -> QueryResult<Vec<String>> {
    let able = "is_superuser AND is_staff AND is_active AND password IS NOT NULL";
    let here = rows::number(target, "count(*)", Sql::new(format!("FROM users WHERE {able}")))?;
    let coming = match outcome {
        Outcome::DryRun => staging.number(&format!("count(*) FROM users WHERE state = {NEW} AND {able}"))?,
        _ => 0,
    };
    if outcome == Outcome::Refused || here + coming > 0 {
        return Ok(Vec::new());
    }
    let text = "No superuser can sign in to the admin with a password. Run `gatepost createsuperuser`, or set the password \
                of one with `gatepost changepassword`.";
    Ok(vec![text.to_owned()])
}
