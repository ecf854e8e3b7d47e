//! The `refusals` table: the newest refusals of a few days.

use std::collections::HashMap;

use chrono::{NaiveDateTime, TimeDelta, Utc};
use diesel::prelude::*;

use crate::db::text::{contains_all, join};
use crate::db::{Backend, Connection};
use crate::models::clean::MAX_EMAIL_CHARS;
use crate::schema::{refusals, users};
use crate::users::models;

pub const KEPT_DAYS: i64 = 7;
/// The newest that are kept.
const MOST: i64 = 1_000;
/// An equal refusal within this time is counted, not listed again.
const COUNTED_FOR: TimeDelta = TimeDelta::hours(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Token,
    SignIn,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Token => "token",
            Kind::SignIn => "sign_in",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// Nothing vouches for what a token or a form says.
    Unknown,
    User(i64),
    /// From claims with a good signature.
    Cognito {
        sub: String,
        email: Option<String>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub kind: Kind,
    pub code: &'static str,
    pub who: Who,
}

/// With the time of the last one, and how many there are.
pub type Counted = (Refused, NaiveDateTime, i64);

/// `issuer` is that of the pool's links.
pub fn add(conn: &mut Connection, issuer: &str, batch: &[Counted]) -> QueryResult<()> {
    for (refused, at, times) in batch {
        store(conn, issuer, refused, *at, *times)?;
    }
    trim(conn)
}

fn store(conn: &mut Connection, issuer: &str, refused: &Refused, at: NaiveDateTime, times: i64) -> QueryResult<()> {
    let (user_id, sub, email) = match &refused.who {
        Who::Unknown => (None, "", ""),
        // They may be deleted by now.
        Who::User(id) => (models::find(conn, *id)?.map(|user| user.id), "", ""),
        Who::Cognito { sub, email } => {
            let email = email.as_deref().filter(|email| is_storable(email)).unwrap_or_default();
            (user_of(conn, issuer, sub, email)?, sub.as_str(), email)
        }
    };
    let (kind, code) = (refused.kind.as_str(), refused.code);
    // Not by the e-mail address, which users of many pools can change at will, to fill the table.
    let same = refusals::table
        .filter(refusals::kind.eq(kind).and(refusals::code.eq(code)).and(refusals::sub.eq(sub)))
        .filter(refusals::at.ge(at - COUNTED_FOR))
        .into_boxed();
    let same = match user_id {
        _ if !sub.is_empty() => same,
        Some(id) => same.filter(refusals::user_id.eq(id)),
        None => same.filter(refusals::user_id.is_null()),
    };
    match same.order(refusals::id.desc()).select(refusals::id).first::<i64>(conn).optional()? {
        Some(id) => {
            let counted = (refusals::at.eq(at), refusals::times.eq(refusals::times + times));
            let counted = (counted, refusals::email.eq(email), refusals::user_id.eq(user_id));
            diesel::update(refusals::table.find(id)).set(counted).execute(conn).map(drop)
        }
        None => {
            let texts =
                (refusals::kind.eq(kind), refusals::code.eq(code), refusals::sub.eq(sub), refusals::email.eq(email));
            let row = (refusals::at.eq(at), texts, refusals::user_id.eq(user_id), refusals::times.eq(times));
            diesel::insert_into(refusals::table).values(row).execute(conn).map(drop)
        }
    }
}

fn is_storable(email: &str) -> bool {
    email.chars().count() <= MAX_EMAIL_CHARS && !email.contains('\0')
}

/// Whoever is linked, or has the e-mail. That is no proof that they are the same person, only where to look.
fn user_of(conn: &mut Connection, issuer: &str, sub: &str, email: &str) -> QueryResult<Option<i64>> {
    let user = match models::find_by_link(conn, issuer, sub)? {
        None if !email.is_empty() => models::find_by_email(conn, email)?.filter(|user| user.has_email(email)),
        linked => linked,
    };
    Ok(user.map(|user| user.id))
}

fn trim(conn: &mut Connection) -> QueryResult<()> {
    let order = (refusals::at.desc(), refusals::id.desc());
    let surplus = refusals::table.order(order).offset(MOST).limit(MOST).select(refusals::id).load::<i64>(conn)?;
    forget(conn, &surplus).map(drop)
}

pub fn expired(conn: &mut Connection, limit: i64) -> QueryResult<Vec<i64>> {
    let since = Utc::now().naive_utc() - TimeDelta::days(KEPT_DAYS);
    refusals::table.filter(refusals::at.lt(since)).order(refusals::at).limit(limit).select(refusals::id).load(conn)
}

pub fn forget(conn: &mut Connection, ids: &[i64]) -> QueryResult<usize> {
    diesel::delete(refusals::table.filter(refusals::id.eq_any(ids))).execute(conn)
}

#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = refusals)]
pub struct Recorded {
    pub at: NaiveDateTime,
    pub kind: String,
    pub code: String,
    /// Empty if unknown, like the e-mail.
    pub sub: String,
    pub email: String,
    pub user_id: Option<i64>,
    pub times: i64,
}

/// Which to list; `None`: all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub user: Option<i64>,
    /// The user's, for refusals from before the link.
    pub sub: Option<String>,
    pub code: Option<String>,
    pub kind: Option<Kind>,
    pub since: Option<NaiveDateTime>,
    /// All of these words in `sub`, e-mail and code together.
    pub words: Vec<String>,
}

impl Filter {
    fn query(&self) -> refusals::BoxedQuery<'static, Backend> {
        let mut query = refusals::table.into_boxed();
        query = match (self.user, self.sub.clone()) {
            (Some(id), Some(sub)) => query.filter(refusals::user_id.eq(id).or(refusals::sub.eq(sub).nullable())),
            (Some(id), None) => query.filter(refusals::user_id.eq(id)),
            (None, _) => query,
        };
        if let Some(code) = self.code.clone() {
            query = query.filter(refusals::code.eq(code));
        }
        if let Some(kind) = self.kind {
            query = query.filter(refusals::kind.eq(kind.as_str()));
        }
        if let Some(since) = self.since {
            query = query.filter(refusals::at.ge(since));
        }
        if !self.words.is_empty() {
            let texts = refusals::sub.concat(" ").concat(refusals::email).concat(" ").concat(refusals::code);
            query = query.filter(contains_all(texts, join(&self.words)));
        }
        query
    }

    pub fn count(&self, conn: &mut Connection) -> QueryResult<i64> {
        self.query().count().get_result(conn)
    }

    /// Equal ones within an hour are one row.
    pub fn times(&self, conn: &mut Connection) -> QueryResult<i64> {
        let times: Vec<i64> = self.query().select(refusals::times).load(conn)?;
        Ok(times.into_iter().fold(0, i64::saturating_add))
    }

    /// Newest first, with usernames.
    pub fn list(&self, conn: &mut Connection, offset: i64, limit: i64) -> QueryResult<Vec<(Recorded, Option<String>)>> {
        let order = (refusals::at.desc(), refusals::id.desc());
        let rows: Vec<Recorded> =
            self.query().order(order).offset(offset).limit(limit).select(Recorded::as_select()).load(conn)?;
        let ids: Vec<i64> = rows.iter().filter_map(|row| row.user_id).collect();
        let names = users::table.filter(users::id.eq_any(ids)).select((users::id, users::username));
        let names: HashMap<i64, String> = names.load(conn)?.into_iter().collect();
        let named = |row: Recorded| {
            let name = row.user_id.and_then(|id| names.get(&id).cloned());
            (row, name)
        };
        Ok(rows.into_iter().map(named).collect())
    }
}

/// The codes that there are, for a choice.
pub fn codes(conn: &mut Connection) -> QueryResult<Vec<String>> {
    refusals::table.select(refusals::code).distinct().order(refusals::code).load(conn)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{DatabaseUrl, Db};

    fn opened() -> (tempfile::TempDir, Db) {
        let folder = tempfile::TempDir::new().expect("a folder");
        let (db, _) = Db::open(&DatabaseUrl::Sqlite(folder.path().join("db.sqlite3"))).expect("a database");
        (folder, db)
    }

    async fn write(db: &Db, batch: Vec<Counted>) {
        db.write(move |conn| Ok(add(conn, "i", &batch)?)).await.expect("they are written");
    }

    async fn rows(db: &Db) -> Vec<(String, i64)> {
        let order = (refusals::at.desc(), refusals::id.desc());
        let query = refusals::table.order(order).select((refusals::code, refusals::times));
        db.read(move |conn| Ok(query.load(conn)?)).await.expect("the rows")
    }

    #[tokio::test]
    async fn the_newest_thousand_are_kept() {
        let (_folder, db) = opened();
        let now = Utc::now().naive_utc();
        let batch = |from: i64, to: i64| {
            let one = |n: i64| {
                let who = Who::Cognito { sub: format!("sub-{n}"), email: None };
                (Refused { kind: Kind::Token, code: "user_unknown", who }, now + TimeDelta::seconds(n), 1)
            };
            (from..to).map(one).collect::<Vec<_>>()
        };
        write(&db, batch(0, MOST)).await;
        write(&db, batch(MOST, MOST + 7)).await;
        let subs = refusals::table.select(refusals::sub).order(refusals::at);
        let subs: Vec<String> = db.read(move |conn| Ok(subs.load(conn)?)).await.expect("the rows");
        assert_eq!((subs.len() as i64, subs[0].as_str()), (MOST, "sub-7"));
    }

    #[tokio::test]
    async fn another_e_mail_address_of_the_same_sub_does_not_push_others_out() {
        let (_folder, db) = opened();
        let now = Utc::now().naive_utc();
        for email in ["one@example.com", "two@example.com"] {
            let who = Who::Cognito { sub: "sub-of-jane".to_owned(), email: Some(email.to_owned()) };
            write(&db, vec![(Refused { kind: Kind::Token, code: "email_unverified", who }, now, 1)]).await;
        }
        assert_eq!(rows(&db).await, [("email_unverified".to_owned(), 2)]);
        let emails = refusals::table.select(refusals::email);
        let emails: Vec<String> = db.read(move |conn| Ok(emails.load(conn)?)).await.expect("the rows");
        assert_eq!(emails, ["two@example.com"], "the newest");
    }

    #[tokio::test]
    async fn an_equal_refusal_within_the_hour_is_counted_and_a_later_one_is_listed_again() {
        let (_folder, db) = opened();
        let now = Utc::now().naive_utc();
        let minutes = |minutes: i64, code| {
            let refused = Refused { kind: Kind::SignIn, code, who: Who::Unknown };
            vec![(refused, now + TimeDelta::minutes(minutes), 1)]
        };
        for (at, code) in [(0, "a"), (30, "b"), (59, "a"), (118, "a"), (179, "a")] {
            write(&db, minutes(at, code)).await;
        }
        assert_eq!(rows(&db).await, [("a".to_owned(), 1), ("a".to_owned(), 3), ("b".to_owned(), 1)]);
    }
}
