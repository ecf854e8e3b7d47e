//! The key that encrypts the secrets. It is not in the database, so a copy of that alone gives no codes away.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::crypto::{Seal, key_file};

#[derive(Clone, Debug)]
pub enum KeySource {
    Setting(Seal),
    /// Created at the first enrolment.
    File(PathBuf),
    /// On PostgreSQL without the setting: a file would be there on one of several machines.
    Missing,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("SECOND_FACTOR_KEY is not set; set it to 32 random bytes, for example from `openssl rand -base64 32`")]
    NotSet,
    #[error("the key file {0} is missing; restore it from a backup, or set SECOND_FACTOR_KEY")]
    Lost(String),
    #[error("the key file {0}: {1}")]
    File(String, String),
    #[error("the second factor of user {0} was encrypted with another key")]
    Other(i64),
}

#[derive(Clone)]
pub struct FactorKey {
    source: KeySource,
    found: Arc<OnceLock<Seal>>,
}

impl FactorKey {
    pub fn new(source: KeySource) -> FactorKey {
        FactorKey { source, found: Arc::default() }
    }

    /// Whether it has to be set first.
    pub fn is_missing(&self) -> bool {
        matches!(self.source, KeySource::Missing)
    }

    pub fn get(&self) -> Result<Seal, KeyError> {
        self.find(key_file::read)
    }

    /// If there are no second factors yet: for those that there are, a new key would be the wrong one.
    pub fn get_or_create(&self) -> Result<Seal, KeyError> {
        self.find(|path| key_file::read_or_create(path, new_key))
    }

    fn find(&self, read: impl Fn(&Path) -> io::Result<String>) -> Result<Seal, KeyError> {
        if let Some(found) = self.found.get() {
            return Ok(found.clone());
        }
        let key = match &self.source {
            KeySource::Setting(key) => key.clone(),
            KeySource::File(path) => from_file(path, read)?,
            KeySource::Missing => return Err(KeyError::NotSet),
        };
        Ok(self.found.get_or_init(|| key).clone())
    }
}

fn new_key() -> io::Result<String> {
    Seal::generate().map(|key| key + "\n").map_err(|error| io::Error::other(error.to_string()))
}

fn from_file(path: &Path, read: impl Fn(&Path) -> io::Result<String>) -> Result<Seal, KeyError> {
    let name = path.display().to_string();
    match read(path) {
        Ok(text) => {
            let problem = "does not hold 32 bytes in base64".to_owned();
            Seal::from_base64(&text).ok_or(KeyError::File(name, problem))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(KeyError::Lost(name)),
        Err(error) => Err(KeyError::File(name, error.to_string())),
    }
}
