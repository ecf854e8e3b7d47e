//! [`Superuser`]: the settings of `createsuperuser`.

use super::environment::variable;
use super::secret_files::{SUPERUSER_PASSWORD, SecretSetting};
use super::variables::{ConfigError, refuse_stray};

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
        let raw = |name| Ok(variable(name)?.filter(|value| !value.is_empty()));
        let checked = |name, value: Option<String>| match value {
            Some(value) => refuse_stray(name, &value).map(|()| Some(value)),
            None => Ok(None),
        };
        let get = |name| checked(name, raw(name)?);
        let SecretSetting { name, file } = SUPERUSER_PASSWORD;
        let password = raw(name)?;
        let in_file = SUPERUSER_PASSWORD.content(password.as_deref(), raw(file)?.as_deref())?;
        Ok(Superuser {
            username: get("DJANGO_SUPERUSER_USERNAME")?,
            email: get("DJANGO_SUPERUSER_EMAIL")?,
            password: checked(name, in_file.or(password))?,
        })
    }
}
