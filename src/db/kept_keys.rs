//! Keys that the program generates and stores in the table `secrets`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use diesel::prelude::*;

use super::connection::Connection;
use crate::crypto::random;
use crate::error::Error;
use crate::schema::secrets;

/// In bytes, as cookie signing requires.
const KEY_BYTES: usize = 64;

/// Creates the key on first use. This runs within a write, so a second process finds the key of the first.
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
