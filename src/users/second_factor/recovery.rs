//! Recovery codes: each signs in once in place of the app.

use chrono::Utc;
use diesel::prelude::*;

use crate::crypto::totp::base32;
use crate::crypto::{fingerprint, random};
use crate::db::Connection;
use crate::error::Error;
use crate::history::{Changes, Source};
use crate::schema::recovery_codes;
use crate::users::models::{User, record_change};

/// How many a user gets.
const CODES: usize = 10;
/// 80 bits. Nobody finds such a code by its hash, so a fast one is enough.
const BYTES: usize = 10;
const LETTERS: usize = 16;

pub(super) fn is_code(text: &str) -> bool {
    text.len() == LETTERS && text.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7'))
}

/// For people to copy: `ABCD-EFGH-2345-67AB`. Only for ASCII.
pub fn in_fours(text: &str, separator: &str) -> String {
    text.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join(separator)
}

/// Returns them as they are shown, once.
pub(super) fn create(conn: &mut Connection, user_id: i64) -> Result<Vec<String>, Error> {
    let now = Utc::now().naive_utc();
    let mut codes = Vec::new();
    for _ in 0..CODES {
        let code = base32(&random::<BYTES>()?);
        let row = (
            recovery_codes::user_id.eq(user_id),
            recovery_codes::code_hash.eq(fingerprint(&code)),
            recovery_codes::created_at.eq(now),
        );
        diesel::insert_into(recovery_codes::table).values(row).execute(conn)?;
        codes.push(in_fours(&code, "-"));
    }
    Ok(codes)
}

/// The earlier ones no longer count.
pub fn replace(conn: &mut Connection, user: &User) -> Result<Vec<String>, Error> {
    diesel::delete(recovery_codes::table.filter(recovery_codes::user_id.eq(user.id))).execute(conn)?;
    let codes = create(conn, user.id)?;
    record_change(conn, user, &user.actor(Source::Admin), Changes::default().secret("recovery_codes"))?;
    Ok(codes)
}

pub fn count(conn: &mut Connection, user_id: i64) -> QueryResult<i64> {
    recovery_codes::table.filter(recovery_codes::user_id.eq(user_id)).count().get_result(conn)
}

/// Returns how many are left; `None` if this is none of them. Of two requests at once, one deletes the row.
pub(super) fn use_up(conn: &mut Connection, user: &User, code: &str) -> QueryResult<Option<i64>> {
    let hash = fingerprint(code);
    let of_user = recovery_codes::user_id.eq(user.id).and(recovery_codes::code_hash.eq(hash));
    if diesel::delete(recovery_codes::table.filter(of_user)).execute(conn)? == 0 {
        return Ok(None);
    }
    let left = count(conn, user.id)?;
    record_change(conn, user, &user.actor(Source::Admin), Changes::default().field("recovery_codes", left + 1, left))?;
    Ok(Some(left))
}
