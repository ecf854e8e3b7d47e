//! [`Config`]: all settings with their values.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::mode::{Mode, Pool};
use super::variables::{ConfigError, Variables};
use super::{origins, values};

use crate::aws::Environment;
use crate::cognito::jwks::JwksSettings;
use crate::cognito::pool_actions::PoolAction;
use crate::cognito::provider::ProviderSettings;
use crate::cognito::service_accounts::ResourceServer;
use crate::cognito::sync::MaxChanges;
use crate::cognito::user_pool::TokenUse;
use crate::crypto::Secret;
use crate::db::DatabaseUrl;
use crate::http::client_address::TrustedProxies;
use crate::http::listener::ListenAddress;
use crate::http::rate_limit::Rate;
use crate::users::second_factor::{KeySource, Required};
use crate::users::sessions::SessionLimits;

/// Commands that only use the database need no other settings.
#[derive(Clone, Debug)]
pub struct Basics {
    pub mode: Mode,
    pub database: DatabaseUrl,
    pub log_json: bool,
    /// env_logger's filter.
    pub log_filter: String,
}

#[derive(Clone, Debug)]
pub struct Config {
    pub mode: Mode,
    pub pool: Pool,
    /// The admin's app client of a Cognito pool, with which staff sign in.
    pub provider: Option<ProviderSettings>,
    /// Whether staff may sign in with a password.
    pub password_sign_in: bool,
    pub second_factor_key: KeySource,
    pub second_factor_required: Required,
    /// The origin that browsers see.
    pub public_origin: Option<String>,
    pub token_use: TokenUse,
    /// Without it, tokens of machine clients are refused.
    pub resource_server: Option<ResourceServer>,
    pub leeway: Duration,
    /// Applies to linking and to creating users.
    pub link_unverified_email: bool,
    /// By the first valid token.
    pub create_users: bool,
    /// The group of the pool whose members are staff.
    pub staff_group: Option<Arc<str>>,
    /// The Post Confirmation trigger may sign with any of them.
    pub post_confirmation_secrets: Vec<Secret>,
    /// The same for the User Migration trigger.
    pub user_migration_secrets: Vec<Secret>,
    /// E-mails count as verified when their users move to the pool.
    pub user_migration_trusts_emails: bool,
    /// Between two regular syncs with the pool; `None`: there are none.
    pub sync_every: Option<Duration>,
    /// By one sync.
    pub sync_max_changes: MaxChanges,
    /// What staff may do in the pool.
    pub pool_actions: Vec<PoolAction>,
    /// For the pool's API.
    pub aws: Environment,
    pub jwks: JwksSettings,
    pub database: DatabaseUrl,
    /// A standby of it, for lists.
    pub read_database: Option<DatabaseUrl>,
    pub bind: ListenAddress,
    pub allowed_hosts: Vec<String>,
    pub cors_allowed_origins: Vec<String>,
    /// In lower case.
    pub cors_allowed_headers: Vec<String>,
    pub session_limits: SessionLimits,
    /// Per account, in a burst.
    pub login_max_failures: u32,
    pub max_body_bytes: usize,
    pub trusted_proxies: TrustedProxies,
    pub rate_limit_user: Option<Rate>,
    /// For unauthenticated clients.
    pub rate_limit_address: Option<Rate>,
    /// Separate from `bind`; port 0 lets the system choose.
    pub metrics_address: Option<SocketAddr>,
    /// For reading the metrics at `bind`.
    pub metrics_token: Option<Secret>,
    pub log_json: bool,
    pub log_filter: String,
}

impl Basics {
    pub fn from_variables(variables: &HashMap<String, String>) -> Result<Basics, ConfigError> {
        Basics::read(&Variables::checked(variables)?)
    }

    fn read(env: &Variables) -> Result<Basics, ConfigError> {
        let built_for = if cfg!(debug_assertions) { Mode::Development } else { Mode::Production };
        let modes = [("development", Mode::Development), ("production", Mode::Production)];
        let mode = env.choice("APP_ENV", &modes, built_for)?;
        Ok(Basics {
            mode,
            database: values::database(env)?,
            log_json: env.choice("LOG_FORMAT", &[("text", false), ("json", true)], false)?,
            log_filter: values::log_filter(env, mode)?,
        })
    }
}

impl Config {
    pub fn from_variables(variables: &HashMap<String, String>) -> Result<Config, ConfigError> {
        let env = Variables::checked(variables)?;
        let Basics { mode, database, log_json, log_filter } = Basics::read(&env)?;
        let bind = values::bind_address_of(&env)?;
        let pool = values::pool(&env, mode, &bind)?;
        let public_origin = origins::public_origin(&env)?;
        let provider = values::provider(&env, &pool, public_origin.is_some() || mode == Mode::Development)?;
        let second_factor_key = values::second_factor_key(&env, &database)?;
        let second_factor_required = values::second_factor_required(&env, &second_factor_key)?;
        let password_sign_in = values::password_sign_in(&env, provider.is_some() || pool == Pool::Local)?;
        Ok(Config {
            mode,
            provider,
            password_sign_in,
            second_factor_key,
            second_factor_required,
            public_origin: public_origin.clone(),
            token_use: env.choice("COGNITO_TOKEN_USE", &TokenUse::ALL, TokenUse::Id)?,
            resource_server: values::resource_server(&env, &pool)?,
            // No RFC sets a limit. Well-kept clocks never differ by two minutes.
            leeway: Duration::from_secs(env.number("COGNITO_LEEWAY_SECONDS", 0..=120, 30)?),
            link_unverified_email: env.flag("COGNITO_LINK_UNVERIFIED_EMAIL", false)?,
            create_users: env.flag("COGNITO_CREATE_USERS", pool == Pool::Local)?,
            staff_group: env.optional("COGNITO_STAFF_GROUP", values::cognito_group)?,
            post_confirmation_secrets: values::trigger_secrets(&env, "POST_CONFIRMATION_SECRETS")?,
            user_migration_secrets: values::trigger_secrets(&env, "USER_MIGRATION_SECRETS")?,
            user_migration_trusts_emails: env.flag("USER_MIGRATION_EMAILS_VERIFIED", false)?,
            sync_every: values::sync_every(&env)?,
            sync_max_changes: env.optional("COGNITO_SYNC_MAX_CHANGES", str::parse)?.unwrap_or_default(),
            pool_actions: values::pool_actions(&env)?,
            aws: Environment::read(|name| variables.get(name).cloned()),
            jwks: JwksSettings {
                refresh: env.seconds("COGNITO_JWKS_REFRESH_SECONDS", 1, 300)?,
                cooldown: env.seconds("COGNITO_JWKS_COOLDOWN_SECONDS", 0, 10)?,
                max_stale: env.seconds("COGNITO_JWKS_MAX_STALE_SECONDS", 0, 86_400)?,
                ca_file: env.get("COGNITO_CA_FILE").map(PathBuf::from),
            },
            read_database: values::read_database(&env, &database)?,
            database,
            allowed_hosts: origins::allowed_hosts(&env, &bind, public_origin.as_deref())?,
            bind,
            cors_allowed_origins: origins::cors_allowed_origins(&env, mode)?,
            cors_allowed_headers: origins::cors_allowed_headers(&env)?,
            session_limits: SessionLimits {
                idle: env.seconds("SESSION_IDLE_SECONDS", 1, 28_800)?,
                max: env.seconds("SESSION_MAX_SECONDS", 1, 1_209_600)?,
            },
            login_max_failures: env.number("LOGIN_MAX_FAILURES", 1..=1000, 5)? as u32,
            max_body_bytes: env.number("MAX_BODY_BYTES", 1..=1_073_741_824, 1_048_576)? as usize,
            trusted_proxies: values::trusted_proxies(&env)?,
            rate_limit_user: env.optional("RATE_LIMIT_USER", str::parse)?,
            rate_limit_address: env.optional("RATE_LIMIT_ADDRESS", str::parse)?,
            metrics_address: env.optional("METRICS_ADDRESS", values::socket_address)?,
            metrics_token: values::metrics_token(&env)?,
            log_json,
            log_filter,
            pool,
        })
    }

    /// In the order of [`SETTINGS`](super::SETTINGS), with masked secrets.
    pub fn shown(&self) -> Vec<(&'static str, String)> {
        let provider = self.provider.as_ref();
        let seconds = |time: Duration| time.as_secs().to_string();
        let proxies: Vec<_> = self.trusted_proxies.0.iter().map(ToString::to_string).collect();
        let trusted_proxies = (!proxies.is_empty()).then(|| proxies.join(", "));
        let token_use = TokenUse::ALL.iter().find(|(_, known)| *known == self.token_use).map_or("", |(word, _)| word);
        let (pool_id, client_ids, issuers, jwks_urls) = match &self.pool {
            Pool::Local => ["the local user pool"; 4].map(str::to_owned).into(),
            Pool::Cognito(pool) => (
                pool.id.clone(),
                pool.client_ids.join(", "),
                pool.issuers.join(", "),
                pool.jwks_urls.iter().map(Url::as_str).collect::<Vec<_>>().join(", "),
            ),
        };
        vec![
            ("APP_ENV", self.mode.to_string()),
            ("AWS_USER_POOLS_ID", pool_id),
            ("AWS_APP_CLIENT_ID", client_ids),
            ("COGNITO_ISSUER", issuers),
            ("COGNITO_JWKS_URL", jwks_urls),
            (
                "COGNITO_ADMIN_CLIENT_ID",
                match self.pool {
                    Pool::Local => "the local user pool".to_owned(),
                    Pool::Cognito(_) => or_none(provider.map(|provider| &provider.client_id)),
                },
            ),
            (
                "COGNITO_ADMIN_CLIENT_SECRET",
                masked(provider.is_some_and(|provider| provider.client_secret.is_some()).into()),
            ),
            ("COGNITO_ADMIN_ACR", or_none(provider.map(|p| p.acr.join(", ")).filter(|acr| !acr.is_empty()))),
            ("COGNITO_AUTHORIZATION_URL", or_none(provider.and_then(|provider| provider.authorization_url.as_ref()))),
            ("COGNITO_TOKEN_URL", or_none(provider.and_then(|provider| provider.token_url.as_ref()))),
            ("COGNITO_LOGOUT_URL", or_none(provider.and_then(|provider| provider.logout_url.as_ref()))),
            ("ADMIN_PASSWORD_SIGN_IN", self.password_sign_in.to_string()),
            ("SECOND_FACTOR_KEY", self.shown_key()),
            ("REQUIRE_SECOND_FACTOR", self.second_factor_required.to_string()),
            ("PUBLIC_URL", or_none(self.public_origin.as_ref())),
            ("COGNITO_TOKEN_USE", token_use.to_owned()),
            ("COGNITO_RESOURCE_SERVER", or_none(self.resource_server.as_ref().map(ResourceServer::identifier))),
            ("COGNITO_LEEWAY_SECONDS", seconds(self.leeway)),
            ("COGNITO_LINK_UNVERIFIED_EMAIL", self.link_unverified_email.to_string()),
            ("COGNITO_CREATE_USERS", self.create_users.to_string()),
            ("COGNITO_STAFF_GROUP", or_none(self.staff_group.as_ref())),
            ("POST_CONFIRMATION_SECRETS", masked(self.post_confirmation_secrets.len())),
            ("USER_MIGRATION_SECRETS", masked(self.user_migration_secrets.len())),
            ("USER_MIGRATION_EMAILS_VERIFIED", self.user_migration_trusts_emails.to_string()),
            ("COGNITO_SYNC_SECONDS", or_none(self.sync_every.map(|every| every.as_secs()))),
            ("COGNITO_SYNC_MAX_CHANGES", self.sync_max_changes.to_string()),
            ("COGNITO_ADMIN_ACTIONS", self.shown_actions()),
            (
                "COGNITO_CA_FILE",
                self.jwks.ca_file.as_ref().map_or("none".to_owned(), |path| path.display().to_string()),
            ),
            ("COGNITO_JWKS_REFRESH_SECONDS", seconds(self.jwks.refresh)),
            ("COGNITO_JWKS_COOLDOWN_SECONDS", seconds(self.jwks.cooldown)),
            ("COGNITO_JWKS_MAX_STALE_SECONDS", seconds(self.jwks.max_stale)),
            ("DATABASE_URL", self.database.to_string()),
            ("DATABASE_READ_URL", or_none(self.read_database.as_ref())),
            ("BIND_ADDRESS", self.bind.to_string()),
            ("ALLOWED_HOSTS", self.allowed_hosts.join(", ")),
            ("CORS_ALLOWED_ORIGINS", self.cors_allowed_origins.join(", ")),
            ("CORS_ALLOWED_HEADERS", self.cors_allowed_headers.join(", ")),
            ("MAX_BODY_BYTES", self.max_body_bytes.to_string()),
            ("SESSION_IDLE_SECONDS", seconds(self.session_limits.idle)),
            ("SESSION_MAX_SECONDS", seconds(self.session_limits.max)),
            ("LOGIN_MAX_FAILURES", self.login_max_failures.to_string()),
            ("TRUSTED_PROXIES", or_none(trusted_proxies)),
            ("RATE_LIMIT_USER", or_none(self.rate_limit_user)),
            ("RATE_LIMIT_ADDRESS", or_none(self.rate_limit_address)),
            ("METRICS_ADDRESS", or_none(self.metrics_address)),
            ("METRICS_TOKEN", masked(usize::from(self.metrics_token.is_some()))),
            ("LOG_FORMAT", if self.log_json { "json" } else { "text" }.to_owned()),
            ("RUST_LOG", self.log_filter.clone()),
        ]
    }

    fn shown_actions(&self) -> String {
        let words: Vec<&str> = self.pool_actions.iter().map(|action| action.as_str()).collect();
        or_none((!words.is_empty()).then(|| words.join(", ")))
    }

    fn shown_key(&self) -> String {
        match &self.second_factor_key {
            KeySource::Setting(_) => masked(1),
            KeySource::File(path) => path.display().to_string(),
            KeySource::Missing => masked(0),
        }
    }

    /// Next to the database, if that is a file.
    pub fn local_pool_keys(&self) -> PathBuf {
        match &self.database {
            DatabaseUrl::Sqlite(path) => path.with_extension("local-pool.keys"),
            #[cfg(feature = "postgres")]
            DatabaseUrl::Postgres(_) => PathBuf::from("gatepost.local-pool.keys"),
        }
    }
}

fn or_none(value: Option<impl fmt::Display>) -> String {
    value.map_or("none".to_owned(), |value| value.to_string())
}

fn masked(count: usize) -> String {
    match count {
        0 => "none".to_owned(),
        1 => "set".to_owned(),
        count => format!("{count} are set"),
    }
}
