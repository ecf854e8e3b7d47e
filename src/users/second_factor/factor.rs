//! The `second_factors` table. All its changes are made here and recorded in the history.

use chrono::{NaiveDateTime, Utc};
use diesel::prelude::*;

use super::code::Code;
use super::key::{FactorKey, KeyError};
use super::recovery;
use crate::crypto::totp::TotpSecret;
use crate::crypto::{Seal, fingerprint};
use crate::db::Connection;
use crate::error::Error;
use crate::history::{Actor, Changes, Source};
use crate::schema::second_factors;
use crate::users::models::{User, record_change};
use crate::users::sessions;

#[derive(Clone, Queryable, Selectable)]
pub struct SecondFactor {
    pub user_id: i64,
    /// Encrypted.
    secret: String,
    pub confirmed_at: NaiveDateTime,
}

impl SecondFactor {
    /// Another one after each enrolment.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.secret)
    }
}

/// A secret, encrypted for one user.
pub fn seal(secret: &TotpSecret, user_id: i64, key: &Seal) -> Result<String, Error> {
    key.seal(&purpose(user_id), secret.as_bytes())
}

pub fn open(sealed: &str, user_id: i64, key: &Seal) -> Option<TotpSecret> {
    TotpSecret::from_bytes(&key.open(&purpose(user_id), sealed)?)
}

fn purpose(user_id: i64) -> String {
    format!("second factor of user {user_id}")
}

pub fn find(conn: &mut Connection, user_id: i64) -> QueryResult<Option<SecondFactor>> {
    second_factors::table.find(user_id).select(SecondFactor::as_select()).get_result(conn).optional()
}

pub fn exists(conn: &mut Connection) -> QueryResult<bool> {
    let first = second_factors::table.select(second_factors::user_id).first::<i64>(conn).optional()?;
    Ok(first.is_some())
}

/// How many there are, and how many of them this key does not open.
pub fn count_unreadable(conn: &mut Connection, key: &Seal) -> QueryResult<(usize, usize)> {
    let factors: Vec<SecondFactor> = second_factors::table.select(SecondFactor::as_select()).load(conn)?;
    let is_unreadable = |factor: &&SecondFactor| open(&factor.secret, factor.user_id, key).is_none();
    Ok((factors.len(), factors.iter().filter(is_unreadable).count()))
}

/// Ends the user's sessions except the one to keep. Returns the recovery codes, or `None` if the user already has a
/// factor: it must be turned off first. `step` is that of the code that confirmed the secret, which does not count again.
pub fn enrol(
    conn: &mut Connection,
    user: &User,
    sealed: &str,
    step: i64,
    keep_session: Option<i64>,
) -> Result<Option<(SecondFactor, Vec<String>)>, Error> {
    if find(conn, user.id)?.is_some() {
        return Ok(None);
    }
    let factor = diesel::insert_into(second_factors::table)
        .values((
            second_factors::user_id.eq(user.id),
            second_factors::secret.eq(sealed),
            second_factors::last_step.eq(step),
            second_factors::confirmed_at.eq(Utc::now().naive_utc()),
        ))
        .returning((second_factors::user_id, second_factors::secret, second_factors::confirmed_at))
        .get_result(conn)?;
    let codes = recovery::create(conn, user.id)?;
    sessions::delete_of_user(conn, user.id, keep_session)?;
    record_change(conn, user, &user.actor(Source::Admin), Changes::default().field("second_factor", false, true))?;
    Ok(Some((factor, codes)))
}

/// Ends the user's sessions except the one to keep. `false` if there is no factor.
pub fn remove(conn: &mut Connection, user: &User, keep_session: Option<i64>, actor: &Actor) -> QueryResult<bool> {
    if diesel::delete(second_factors::table.find(user.id)).execute(conn)? == 0 {
        return Ok(false);
    }
    sessions::delete_of_user(conn, user.id, keep_session)?;
    record_change(conn, user, actor, Changes::default().field("second_factor", true, false))?;
    Ok(true)
}

/// What became of a code.
#[derive(Debug)]
pub enum Checked {
    Right(Proven),
    Wrong,
    /// Only recovery codes can be checked.
    NoKey(KeyError),
}

#[derive(Debug)]
pub struct Proven {
    /// Of the factor that the code belongs to.
    pub fingerprint: String,
    /// Recovery codes that are left, if one was used.
    pub recovery_codes: Option<i64>,
}

/// Uses a code up. `step` is the present one.
pub fn check(conn: &mut Connection, user: &User, typed: &str, key: &FactorKey, step: i64) -> QueryResult<Checked> {
    let Some(factor) = find(conn, user.id)? else { return Ok(Checked::Wrong) };
    let (is_right, recovery_codes) = match Code::parse(typed) {
        Some(Code::OneTime(code)) => match secret(&factor, key) {
            Ok(secret) => (use_step(conn, user.id, secret.step_of(&code, step))?, None),
            Err(error) => return Ok(Checked::NoKey(error)),
        },
        Some(Code::Recovery(code)) => {
            let left = recovery::use_up(conn, user, &code)?;
            (left.is_some(), left)
        }
        None => (false, None),
    };
    let proven = Proven { fingerprint: factor.fingerprint(), recovery_codes };
    Ok(if is_right { Checked::Right(proven) } else { Checked::Wrong })
}

fn secret(factor: &SecondFactor, key: &FactorKey) -> Result<TotpSecret, KeyError> {
    open(&factor.secret, factor.user_id, &key.get()?).ok_or(KeyError::Other(factor.user_id))
}

/// Whether the step is later than all that counted before. Of two requests at once, one changes the row.
fn use_step(conn: &mut Connection, user_id: i64, step: Option<i64>) -> QueryResult<bool> {
    let Some(step) = step else { return Ok(false) };
    let unused = second_factors::table.find(user_id).filter(second_factors::last_step.lt(step));
    Ok(diesel::update(unused).set(second_factors::last_step.eq(step)).execute(conn)? == 1)
}
