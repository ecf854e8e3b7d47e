//! [`Superuser`]: the settings of `createsuperuser`.

use std::env::VarError;

use super::secret_files::{SUPERUSER_PASSWORD, SecretSetting};
use super::variables::{ConfigError, fail, refuse_stray};

/// For `createsuperuser --noinput`, with Django's names.
#[derive(Default)]
pub struct Superuser {
    pub username: Option<String>,
    pub email: Option<String>,
    pub password: Option<String>,
}

impl Superuser {
    /// An empty variable counts as unset. Refuses what nobody means: it would be part of the password.
    pub fn from_env() -> Result<Superuser, ConfigError> {
        let raw = |name| match std::env::var(name) {
            Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
            Err(VarError::NotPresent) => Ok(None),
            Err(VarError::NotUnicode(_)) => fail(name, "is not UTF-8"),
        };
        let checked = |name, value: Option<String>| match value {
            Some(value) => refuse_stray(name, &value).map(|()| Some(value)),
            None => Ok(None),
        };
        let SecretSetting { name, file } = SUPERUSER_PASSWORD;
        let password = raw(name)?;
        let in_file = SUPERUSER_PASSWORD.content(password.as_deref(), raw(file)?.as_deref())?;
        Ok(Superuser {
            username: checked("DJANGO_SUPERUSER_USERNAME", raw("DJANGO_SUPERUSER_USERNAME")?)?,
            email: checked("DJANGO_SUPERUSER_EMAIL", raw("DJANGO_SUPERUSER_EMAIL")?)?,
            password: checked(name, in_file.or(password))?,
        })
    }
}
