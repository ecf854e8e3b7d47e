//! Random bytes and tokens from the operating system.

use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::Error;

/// 256 bits in base64url.
pub fn random_token() -> Result<String, Error> {
    random::<32>().map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
}

pub fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| Error::Internal("the system's random number generator failed".to_owned()))?;
    Ok(bytes)
}
