//! Random tokens, and keys that the program makes for itself and keeps in the database.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use diesel::prelude::*;

use crate::db::Connection;
use crate::error::Error;
use crate::schema::secrets;

/// The length of a kept key, in bytes: what signing a cookie takes.
const KEY_BYTES: usize = 64;

/// A text that nobody can guess: 256 random bits in base64url.
pub fn random_token() -> Result<String, Error> {
    random::<32>().map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
}

/// So many random bytes.
pub fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| Error::Internal("the system has no random numbers".to_owned()))?;
    Ok(bytes)
}

/// SHA-256 in base64url: in the database in place of a secret, or of a text of any length.
pub fn fingerprint(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}

/// Whether two texts are equal, in a time that does not tell where they differ.
pub fn equal(a: &str, b: &str) -> bool {
    verify_slices_are_equal(a.as_bytes(), b.as_bytes()).is_ok()
}

/// The key of this name, 64 random bytes, made when it is asked for first. All processes on the database
/// share it: within a write, whoever is second finds the key of the first.
pub fn find_or_create(conn: &mut Connection, name: &str) -> Result<Vec<u8>, Error> {
    let find = |conn: &mut Connection| secrets::table.find(name).select(secrets::value).first(conn).optional();
    let kept: String = match find(conn)? {
        Some(kept) => kept,
        None => {
            let new = URL_SAFE_NO_PAD.encode(random::<KEY_BYTES>()?);
            let row = (secrets::name.eq(name), secrets::value.eq(&new));
            diesel::insert_into(secrets::table).values(row).execute(conn)?;
            new
        }
    };
    let key = URL_SAFE_NO_PAD.decode(kept).ok().filter(|key| key.len() == KEY_BYTES);
    key.ok_or_else(|| Error::Internal(format!("the key `{name}` in the table `secrets` is broken")))
}
