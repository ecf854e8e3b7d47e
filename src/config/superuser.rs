//! [`Superuser`]: the settings of `createsuperuser`.

use std::env::VarError;

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
        let get = |name| match std::env::var(name) {
            Ok(value) if value.is_empty() => Ok(None),
            Ok(value) => refuse_stray(name, &value).map(|()| Some(value)),
            Err(VarError::NotPresent) => Ok(None),
            Err(VarError::NotUnicode(_)) => fail(name, "is not UTF-8"),
        };
        Ok(Superuser {
            username: get("DJANGO_SUPERUSER_USERNAME")?,
            email: get("DJANGO_SUPERUSER_EMAIL")?,
            password: get("DJANGO_SUPERUSER_PASSWORD")?,
        })
    }
}
