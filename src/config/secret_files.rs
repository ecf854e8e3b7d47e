//! Secrets in files, as Docker, Kubernetes and systemd's `LoadCredential` give them.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::variables::{ConfigError, fail};

/// No secret is nearly as long. It bounds what is read from a path that was mistaken for a file with a secret.
const MAX_BYTES: u64 = 65_536;

/// A setting that is a secret, and the one that names the file with it.
#[derive(Clone, Copy, Debug)]
pub struct SecretSetting {
    pub name: &'static str,
    pub file: &'static str,
}

macro_rules! secrets {
    ($($name:literal),*) => { [$(SecretSetting { name: $name, file: concat!($name, "_FILE") }),*] };
}

/// The secrets among the settings.
pub const SECRETS: [SecretSetting; 7] = secrets![
    "COGNITO_ADMIN_CLIENT_SECRET",
    "SECOND_FACTOR_KEY",
    "POST_CONFIRMATION_SECRETS",
    "USER_MIGRATION_SECRETS",
    "DATABASE_URL",
    "DATABASE_READ_URL",
    "METRICS_TOKEN"
];

pub(super) const SUPERUSER_PASSWORD: SecretSetting = secrets!["DJANGO_SUPERUSER_PASSWORD"][0];

/// Puts the content of each file in the place of the setting.
pub fn resolve(variables: &mut HashMap<String, String>) -> Result<(), ConfigError> {
    for secret in SECRETS {
        let path = variables.remove(secret.file);
        let value = variables.get(secret.name).map(String::as_str);
        if let Some(content) = secret.content(value, path.as_deref())? {
            variables.insert(secret.name.to_owned(), content);
        }
    }
    Ok(())
}

impl SecretSetting {
    /// What the file has, if there is one. `value` is what the variable without a file has. Empty variables count as
    /// unset.
    pub(super) fn content(self, value: Option<&str>, path: Option<&str>) -> Result<Option<String>, ConfigError> {
        let Some(path) = path.filter(|path| !path.is_empty()) else { return Ok(None) };
        if value.is_some_and(|value| !value.trim().is_empty()) {
            return fail(self.file, format!("{} is set, too; keep only one of them", self.name));
        }
        let name = path.escape_debug();
        match read(Path::new(path)) {
            Ok(content) => Ok(Some(content)),
            Err(problem) => fail(self.file, format!("`{name}` {problem}")),
        }
    }
}

/// The only line of a file, without its end. The error does not repeat it.
fn read(path: &Path) -> Result<String, String> {
    let mut file = File::open(path).map_err(|error| format!("cannot be opened: {error}"))?;
    refuse_strangers(&file)?;
    let mut bytes = Vec::new();
    let read = file.by_ref().take(MAX_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("has more than {MAX_BYTES} bytes, so it is no file with a secret"));
    }
    let text = String::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())?;
    let line = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    if line.trim().is_empty() {
        return Err("is empty".to_owned());
    }
    if line.contains(['\n', '\r']) {
        return Err("has more than one line".to_owned());
    }
    Ok(line.to_owned())
}

/// Containers get files that everybody there may read, so only a file that everybody may change is refused.
fn refuse_strangers(file: &File) -> Result<(), String> {
    let metadata = file.metadata().map_err(|error| error.to_string())?;
    if metadata.is_file() && metadata.mode() & 0o002 != 0 {
        return Err("can be changed by everybody on this machine; run `chmod o-w` on it".to_owned());
    }
    Ok(())
}
