//! Every setting, read from the environment once, at start.
//!
//! [`SETTINGS`] lists them with default and meaning; the README's table is held against it by a test.
//! Nothing outside this file reads the environment.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use crate::client_address::TrustedProxies;
use crate::cognito::jwks::JwksSettings;
use crate::cognito::user_pool::{self, PoolId, TokenUse, UserPool};
use crate::db::DatabaseUrl;
use crate::rate_limit::Rate;
use crate::secret::Secret;
use crate::users::sessions::Limits;

/// One environment variable: its name, what holds when it is unset, and what it does.
pub struct Setting {
    /// The variable's name.
    pub name: &'static str,
    /// What holds when the variable is unset or empty.
    pub default: &'static str,
    /// What the variable does, in one or two sentences.
    pub meaning: &'static str,
}

macro_rules! settings {
    ($($name:literal, $default:literal, $meaning:literal;)*) => {
        /// Every environment variable that is read, in the order of the README's table.
        pub const SETTINGS: &[Setting] = &[
            $(Setting { name: $name, default: $default, meaning: $meaning }),*
        ];
    };
}

settings! {
    "APP_ENV", "`development` in a debug build, `production` in a release build", "The mode. Only `development` has a local user pool and makes a first superuser.";
    "AWS_USER_POOLS_ID", "none (development: the local user pool)", "The Cognito user pool whose tokens are accepted, such as `eu-west-1_AbCdEfGhI`. The region is the part before the underscore.";
    "AWS_APP_CLIENT_ID", "none (development: the local pool's client)", "The app clients whose tokens are accepted; several are separated by commas.";
    "COGNITO_ISSUER", "both issuer forms of the pool", "Accepted `iss` values in place of those derived from the pool id, separated by commas: an emulator, another AWS partition, a replicated region. All of them are taken for one pool: the keys of each may sign for all, and users are linked under the first.";
    "COGNITO_JWKS_URL", "`/.well-known/jwks.json` below the issuer", "Where the pool's public keys are; several are separated by commas. `https` only, unless the host is a loopback address.";
    "COGNITO_TOKEN_USE", "`id`", "Which tokens are accepted: `id`, `access` or `any`. An access token carries no e-mail, so it can only stand for a user who is linked already.";
    "COGNITO_LEEWAY_SECONDS", "`30`", "How far the clocks of Cognito and this machine may differ, 0 to 120.";
    "COGNITO_LINK_UNVERIFIED_EMAIL", "`false`", "`true` lets an e-mail that Cognito has not verified link or create a user. Only for emulators that never mark an e-mail as verified.";
    "COGNITO_CREATE_USERS", "`false` (`true` with the local user pool)", "`true` creates the local user when the first valid token of an unknown, verified user arrives.";
    "POST_CONFIRMATION_SECRETS", "none: the trigger is refused", "What the Post Confirmation trigger signs its events with: at least 32 characters, such as `openssl rand -hex 32` makes. Two, separated by a comma, are valid side by side while one replaces the other.";
    "COGNITO_CA_FILE", "none", "A PEM file with certificate authorities to trust beside the system's when the keys are fetched.";
    "COGNITO_JWKS_REFRESH_SECONDS", "`300`", "How often the keys are fetched anew; a withdrawn key is refused from then on. At least 1.";
    "COGNITO_JWKS_COOLDOWN_SECONDS", "`10`", "The least time between two fetches caused by a token that names an unknown key.";
    "COGNITO_JWKS_MAX_STALE_SECONDS", "`86400`", "How long known keys are trusted while they cannot be fetched anew.";
    "DATABASE_URL", "`sqlite:gatepost.sqlite3`", "The database: `sqlite:` and a path, where the file is created when it is missing, or `postgres://user:password@host/database` ([Scaling](docs/scaling.md)).";
    "BIND_ADDRESS", "`127.0.0.1:8000`", "The IP address and port to listen on; with the local user pool, a loopback address.";
    "ALLOWED_HOSTS", "the loopback names, and the host of `BIND_ADDRESS`", "The `Host` values that are answered, separated by commas; `.example.com` stands for the domain and all below it, `*` for any.";
    "CORS_ALLOWED_ORIGINS", "development: `http://localhost:3000`; production: none", "The web origins whose pages may call the API, separated by commas.";
    "MAX_BODY_BYTES", "`1048576`", "The largest request body that is read, in bytes.";
    "SESSION_IDLE_SECONDS", "`28800`", "How long a session of the admin lasts without a request, at least 1.";
    "SESSION_MAX_SECONDS", "`1209600`", "How long a session of the admin lasts in any case, at least 1.";
    "LOGIN_MAX_FAILURES", "`5`", "How many times signing in to one account may fail at once, 1 to 1000; then it may be tried once in 30 seconds. From one address it is four times as many, then once in 15 seconds.";
    "TRUSTED_PROXIES", "none", "The IP addresses of reverse proxies whose `X-Forwarded-For` tells the client's address, separated by commas; `10.0.0.0/8` stands for a network.";
    "RATE_LIMIT_USER", "no limit", "How many requests of the API one user may make: a number and a period, such as `100/s`, `600/m` or `5000/h`. As many may come at once. Each process counts for itself.";
    "RATE_LIMIT_ADDRESS", "no limit", "The same for callers without a valid token or signature, by address; an IPv6 address counts by its `/64`.";
    "METRICS_ADDRESS", "none", "An IP address and port of their own for the metrics, such as `127.0.0.1:9100`. Whoever reaches it may read them.";
    "METRICS_TOKEN", "none", "Offers the metrics at `BIND_ADDRESS` as well, to whoever sends this token as `Authorization: Bearer`: at least 32 characters, such as `openssl rand -hex 32` makes.";
    "LOG_FORMAT", "`text`", "`json` writes one JSON object a line. The log goes to standard error, the start-up text to standard output.";
    "RUST_LOG", "development: `info,actix_server=warn`; production: `info,actix_server=warn,gatepost::access=warn`", "What is logged, in env_logger's notation. `gatepost::access` has a line for every request.";
}

/// The mode the program runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Local work: a local user pool where none is configured, a first superuser.
    Development,
    /// Everything has to be configured.
    Production,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mode::Development => "development",
            Mode::Production => "production",
        })
    }
}

/// Where tokens come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pool {
    /// A user pool in AWS, or an emulator of one.
    Cognito(UserPool),
    /// The built-in pool of development mode.
    Local,
}

/// What every command needs, and all that those need which only work on the database.
#[derive(Clone, Debug)]
pub struct Basics {
    /// Development or production.
    pub mode: Mode,
    /// Where the database is.
    pub database: DatabaseUrl,
    /// Whether log lines are JSON.
    pub log_json: bool,
    /// env_logger's filter.
    pub log_filter: String,
}

/// Everything that can be set. Made by [`Config::from_variables`]; tests build it by hand.
#[derive(Clone, Debug)]
pub struct Config {
    /// Development or production.
    pub mode: Mode,
    /// The user pool.
    pub pool: Pool,
    /// Which kinds of token are accepted.
    pub token_use: TokenUse,
    /// Tolerated difference of clocks.
    pub leeway: Duration,
    /// Whether an unverified e-mail may link or create a user.
    pub link_unverified_email: bool,
    /// Whether an unknown user's first valid token creates them.
    pub create_users: bool,
    /// What the Post Confirmation trigger may sign with.
    pub post_confirmation_secrets: Vec<Secret>,
    /// Fetching and keeping keys.
    pub jwks: JwksSettings,
    /// Where the database is.
    pub database: DatabaseUrl,
    /// Address and port to listen on; port 0 lets the system choose.
    pub bind: SocketAddr,
    /// Accepted `Host` values.
    pub allowed_hosts: Vec<String>,
    /// Origins whose pages may call the API.
    pub cors_allowed_origins: Vec<String>,
    /// How long a session of the admin lasts.
    pub session_limits: Limits,
    /// Failures at signing in to one account that are allowed at once.
    pub login_max_failures: u32,
    /// Largest request body, in bytes.
    pub max_body_bytes: usize,
    /// Proxies whose `X-Forwarded-For` counts.
    pub trusted_proxies: TrustedProxies,
    /// The limit for each user.
    pub rate_limit_user: Option<Rate>,
    /// The limit for each address that strangers come from.
    pub rate_limit_address: Option<Rate>,
    /// Where the metrics have an address of their own; port 0 lets the system choose.
    pub metrics_address: Option<SocketAddr>,
    /// The token that opens the metrics at the main address.
    pub metrics_token: Option<Secret>,
    /// Whether log lines are JSON.
    pub log_json: bool,
    /// env_logger's filter.
    pub log_filter: String,
}

/// What `createsuperuser --noinput` takes from the environment, under Django's names.
#[derive(Default)]
pub struct Superuser {
    /// `DJANGO_SUPERUSER_USERNAME`
    pub username: Option<String>,
    /// `DJANGO_SUPERUSER_EMAIL`
    pub email: Option<String>,
    /// `DJANGO_SUPERUSER_PASSWORD`
    pub password: Option<String>,
}

impl Superuser {
    /// Reads the three variables; an empty one counts as unset.
    pub fn from_env() -> Superuser {
        let get = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        Superuser {
            username: get("DJANGO_SUPERUSER_USERNAME"),
            email: get("DJANGO_SUPERUSER_EMAIL"),
            password: get("DJANGO_SUPERUSER_PASSWORD"),
        }
    }
}

/// A setting that cannot be used; says which and why.
#[derive(Debug, thiserror::Error)]
#[error("{name}: {problem}")]
pub struct ConfigError {
    /// The variable's name.
    pub name: &'static str,
    /// What is wrong with it, and what would be right.
    pub problem: String,
}

fn fail<T>(name: &'static str, problem: impl Into<String>) -> Result<T, ConfigError> {
    Err(ConfigError { name, problem: problem.into() })
}

/// The variables as they were found; an empty value counts as unset.
struct Variables<'a>(&'a HashMap<String, String>);

impl Variables<'_> {
    fn get(&self, name: &'static str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    fn list(&self, name: &'static str) -> Vec<String> {
        let items = self.get(name).unwrap_or_default().split(',').map(str::trim);
        items.filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }

    /// What is made of a value; `parse` fails with what is wrong with it.
    fn optional<T, E: fmt::Display>(
        &self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        parse(value).map(Some).or_else(|problem| fail(name, format!("`{}` {problem}", value.escape_debug())))
    }

    fn choice<T: Copy>(&self, name: &'static str, choices: &[(&str, T)], default: T) -> Result<T, ConfigError> {
        let Some(value) = self.get(name) else { return Ok(default) };
        match choices.iter().find(|(word, _)| *word == value) {
            Some((_, choice)) => Ok(*choice),
            None => {
                let words: Vec<_> = choices.iter().map(|(word, _)| format!("`{word}`")).collect();
                fail(name, format!("`{}` is not one of {}", value.escape_debug(), words.join(", ")))
            }
        }
    }

    fn flag(&self, name: &'static str, default: bool) -> Result<bool, ConfigError> {
        self.choice(name, &[("true", true), ("false", false), ("1", true), ("0", false)], default)
    }

    fn number(
        &self,
        name: &'static str,
        range: std::ops::RangeInclusive<u64>,
        default: u64,
    ) -> Result<u64, ConfigError> {
        let Some(value) = self.get(name) else { return Ok(default) };
        match value.parse() {
            Ok(number) if range.contains(&number) => Ok(number),
            _ => fail(
                name,
                format!("`{}` is not a whole number from {} to {}", value.escape_debug(), range.start(), range.end()),
            ),
        }
    }

    fn seconds(&self, name: &'static str, least: u64, default: u64) -> Result<Duration, ConfigError> {
        // A year is longer than any of these periods can mean anything.
        self.number(name, least..=31_536_000, default).map(Duration::from_secs)
    }
}

/// Reads the environment, after `.env` in the working directory for what the environment does not have.
/// A variable that is there and empty hides the one in `.env`.
pub fn read_environment() -> Result<HashMap<String, String>, ConfigError> {
    // Not dotenvy's default search, which goes up through all folders: whose file that finds depends on luck.
    match dotenvy::from_path(".env") {
        Ok(_) => {}
        Err(error) if error.not_found() => {}
        Err(dotenvy::Error::LineParse(_, at)) => {
            return fail(".env", format!("a line cannot be read, near character {at}"));
        }
        Err(error) => return fail(".env", error.to_string()),
    }
    let mut variables = HashMap::new();
    for setting in SETTINGS {
        match std::env::var(setting.name) {
            Ok(value) => drop(variables.insert(setting.name.to_owned(), value)),
            Err(std::env::VarError::NotPresent) => {}
            Err(std::env::VarError::NotUnicode(_)) => return fail(setting.name, "is not UTF-8"),
        }
    }
    Ok(variables)
}

/// The variables of the environment that look like settings and are none: most likely misspelt, so that
/// what was meant to be strict would be lax in silence.
pub fn unknown_variables() -> Vec<String> {
    const PREFIXES: [&str; 7] =
        ["COGNITO_", "AWS_USER_POOL", "AWS_APP_CLIENT", "POST_CONFIRMATION", "RATE_LIMIT", "TRUSTED_PROX", "METRICS_"];
    let names = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
    let mut unknown: Vec<String> = names
        .filter(|name| PREFIXES.iter().any(|prefix| name.to_ascii_uppercase().starts_with(prefix)))
        .filter(|name| !SETTINGS.iter().any(|setting| setting.name == name))
        .collect();
    unknown.sort();
    unknown
}

impl Basics {
    /// Takes from all variables those that every command needs.
    pub fn from_variables(variables: &HashMap<String, String>) -> Result<Basics, ConfigError> {
        Basics::read(&Variables(variables))
    }

    fn read(env: &Variables) -> Result<Basics, ConfigError> {
        let built_for = if cfg!(debug_assertions) { Mode::Development } else { Mode::Production };
        let modes = [("development", Mode::Development), ("production", Mode::Production)];
        let mode = env.choice("APP_ENV", &modes, built_for)?;
        Ok(Basics {
            mode,
            database: database(env)?,
            log_json: env.choice("LOG_FORMAT", &[("text", false), ("json", true)], false)?,
            log_filter: log_filter(env, mode)?,
        })
    }
}

impl Config {
    /// Makes settings of the variables that [`read_environment`] found.
    pub fn from_variables(variables: &HashMap<String, String>) -> Result<Config, ConfigError> {
        let env = Variables(variables);
        let Basics { mode, database, log_json, log_filter } = Basics::read(&env)?;
        let bind = bind_address(variables)?;
        let pool = pool(&env, mode, bind)?;
        Ok(Config {
            mode,
            token_use: env.choice("COGNITO_TOKEN_USE", &TokenUse::ALL, TokenUse::Id)?,
            // RFC 8725 has no figure; two minutes is what AWS's own clocks never need.
            leeway: Duration::from_secs(env.number("COGNITO_LEEWAY_SECONDS", 0..=120, 30)?),
            link_unverified_email: env.flag("COGNITO_LINK_UNVERIFIED_EMAIL", false)?,
            create_users: env.flag("COGNITO_CREATE_USERS", pool == Pool::Local)?,
            post_confirmation_secrets: post_confirmation_secrets(&env)?,
            jwks: JwksSettings {
                refresh: env.seconds("COGNITO_JWKS_REFRESH_SECONDS", 1, 300)?,
                cooldown: env.seconds("COGNITO_JWKS_COOLDOWN_SECONDS", 0, 10)?,
                max_stale: env.seconds("COGNITO_JWKS_MAX_STALE_SECONDS", 0, 86_400)?,
                ca_file: env.get("COGNITO_CA_FILE").map(PathBuf::from),
            },
            database,
            bind,
            allowed_hosts: allowed_hosts(&env, bind)?,
            cors_allowed_origins: cors_allowed_origins(&env, mode)?,
            session_limits: Limits {
                idle: env.seconds("SESSION_IDLE_SECONDS", 1, 28_800)?,
                max: env.seconds("SESSION_MAX_SECONDS", 1, 1_209_600)?,
            },
            login_max_failures: env.number("LOGIN_MAX_FAILURES", 1..=1000, 5)? as u32,
            max_body_bytes: env.number("MAX_BODY_BYTES", 1..=1_073_741_824, 1_048_576)? as usize,
            trusted_proxies: trusted_proxies(&env)?,
            rate_limit_user: env.optional("RATE_LIMIT_USER", str::parse)?,
            rate_limit_address: env.optional("RATE_LIMIT_ADDRESS", str::parse)?,
            metrics_address: env.optional("METRICS_ADDRESS", socket_address)?,
            metrics_token: metrics_token(&env)?,
            log_json,
            log_filter,
            pool,
        })
    }

    /// Every setting with what holds now, in the order of [`SETTINGS`]; secrets are masked.
    pub fn shown(&self) -> Vec<(&'static str, String)> {
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
            ("COGNITO_TOKEN_USE", token_use.to_owned()),
            ("COGNITO_LEEWAY_SECONDS", seconds(self.leeway)),
            ("COGNITO_LINK_UNVERIFIED_EMAIL", self.link_unverified_email.to_string()),
            ("COGNITO_CREATE_USERS", self.create_users.to_string()),
            ("POST_CONFIRMATION_SECRETS", masked(self.post_confirmation_secrets.len())),
            (
                "COGNITO_CA_FILE",
                self.jwks.ca_file.as_ref().map_or("none".to_owned(), |path| path.display().to_string()),
            ),
            ("COGNITO_JWKS_REFRESH_SECONDS", seconds(self.jwks.refresh)),
            ("COGNITO_JWKS_COOLDOWN_SECONDS", seconds(self.jwks.cooldown)),
            ("COGNITO_JWKS_MAX_STALE_SECONDS", seconds(self.jwks.max_stale)),
            ("DATABASE_URL", self.database.to_string()),
            ("BIND_ADDRESS", self.bind.to_string()),
            ("ALLOWED_HOSTS", self.allowed_hosts.join(", ")),
            ("CORS_ALLOWED_ORIGINS", self.cors_allowed_origins.join(", ")),
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

    /// Where the local user pool keeps its keys: beside the database, if that is a file.
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

/// How many secrets are set, and nothing of them.
fn masked(count: usize) -> String {
    match count {
        0 => "none".to_owned(),
        1 => "set".to_owned(),
        count => format!("{count} are set"),
    }
}

/// Where the server of these variables listens, for commands that need no more than that.
pub fn bind_address(variables: &HashMap<String, String>) -> Result<SocketAddr, ConfigError> {
    let default = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8000);
    Ok(Variables(variables).optional("BIND_ADDRESS", socket_address)?.unwrap_or(default))
}

fn socket_address(value: &str) -> Result<SocketAddr, &'static str> {
    value.parse().map_err(|_| "is not an IP address and port, such as `0.0.0.0:8000` or `[::]:8000`")
}

fn metrics_token(env: &Variables) -> Result<Option<Secret>, ConfigError> {
    const NAME: &str = "METRICS_TOKEN";
    let Some(token) = env.get(NAME) else { return Ok(None) };
    // RFC 6750, section 2.1. The value is not repeated: it is a secret.
    if !token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)) {
        return fail(NAME, "has characters that a Bearer token cannot have; use letters and digits");
    }
    if token.len() < 32 {
        return fail(NAME, "has fewer than 32 characters");
    }
    Ok(Some(Secret::new(token.to_owned())))
}

fn pool(env: &Variables, mode: Mode, bind: SocketAddr) -> Result<Pool, ConfigError> {
    let id = env.get("AWS_USER_POOLS_ID");
    let issuers = env.list("COGNITO_ISSUER");
    let client_ids = env.list("AWS_APP_CLIENT_ID");
    if id.is_none() && issuers.is_empty() {
        if mode == Mode::Production {
            return fail(
                "AWS_USER_POOLS_ID",
                "is not set. Set it to the id of your user pool, such as `eu-west-1_AbCdEfGhI`",
            );
        }
        for name in ["AWS_APP_CLIENT_ID", "COGNITO_JWKS_URL", "COGNITO_CA_FILE"] {
            if env.get(name).is_some() {
                return fail(
                    name,
                    "is set, but AWS_USER_POOLS_ID is not. Set both to use a pool, neither for the local one",
                );
            }
        }
        if !bind.ip().is_loopback() {
            return fail(
                "BIND_ADDRESS",
                format!(
                    "{bind} can be reached from elsewhere, where the local user pool must not be. Set AWS_USER_POOLS_ID, or listen on 127.0.0.1"
                ),
            );
        }
        return Ok(Pool::Local);
    }
    if client_ids.is_empty() {
        return fail("AWS_APP_CLIENT_ID", "is not set. Set it to the id of the app client whose tokens are accepted");
    }
    if let Some(bad) = client_ids.iter().find(|id| !id.chars().all(|c| c.is_ascii_alphanumeric() || "_+-".contains(c)))
    {
        return fail("AWS_APP_CLIENT_ID", format!("`{}` is not a client id", bad.escape_debug()));
    }
    let pool_id = match id {
        Some(id) => Some(PoolId::parse(id).or_else(|problem| fail("AWS_USER_POOLS_ID", problem))?),
        None => None,
    };
    let issuers = match &pool_id {
        Some(pool_id) if issuers.is_empty() => pool_id.issuers().to_vec(),
        _ => issuers,
    };
    for issuer in &issuers {
        if issuer.ends_with('/') {
            return fail(
                "COGNITO_ISSUER",
                format!("`{}` ends in a slash, which no issuer does", issuer.escape_debug()),
            );
        }
        user_pool::checked_url(issuer).or_else(|problem| fail("COGNITO_ISSUER", problem))?;
    }
    // Both genuine issuer forms of a pool name one key set; each overriding issuer has its own.
    let jwks = match (env.list("COGNITO_JWKS_URL"), env.get("COGNITO_ISSUER")) {
        (urls, _) if !urls.is_empty() => urls,
        (_, Some(_)) => issuers.iter().map(|issuer| user_pool::jwks_url(issuer)).collect(),
        (_, None) => vec![user_pool::jwks_url(&issuers[0])],
    };
    let jwks_urls = jwks.iter().map(|url| user_pool::checked_url(url)).collect::<Result<_, _>>();
    let id = match &pool_id {
        Some(pool_id) => pool_id.as_str().to_owned(),
        None => issuers[0].rsplit('/').next().unwrap_or_default().to_owned(),
    };
    Ok(Pool::Cognito(UserPool {
        id,
        issuers,
        jwks_urls: jwks_urls.or_else(|problem| fail("COGNITO_JWKS_URL", problem))?,
        client_ids,
    }))
}

fn post_confirmation_secrets(env: &Variables) -> Result<Vec<Secret>, ConfigError> {
    const NAME: &str = "POST_CONFIRMATION_SECRETS";
    let secrets = env.list(NAME);
    if secrets.len() > 2 {
        return fail(NAME, "has more than two values: one is in use, the other replaces it");
    }
    // Which one is too short is said by its place: secrets are not repeated.
    match secrets.iter().position(|secret| secret.len() < 32) {
        Some(at) => fail(NAME, format!("value {} of {} has fewer than 32 characters", at + 1, secrets.len())),
        None => Ok(secrets.into_iter().map(Secret::new).collect()),
    }
}

fn database(env: &Variables) -> Result<DatabaseUrl, ConfigError> {
    const NAME: &str = "DATABASE_URL";
    DatabaseUrl::parse(env.get(NAME).unwrap_or("sqlite:gatepost.sqlite3")).or_else(|problem| fail(NAME, problem))
}

fn allowed_hosts(env: &Variables, bind: SocketAddr) -> Result<Vec<String>, ConfigError> {
    let hosts = env.list("ALLOWED_HOSTS");
    if let Some(bad) = hosts.iter().find(|host| !is_host(host)) {
        let bad = bad.escape_debug();
        return fail(
            "ALLOWED_HOSTS",
            format!(
                "`{bad}` is not a host name; write `example.com`, `.example.com` or `*`, without a scheme and a port"
            ),
        );
    }
    if !hosts.is_empty() {
        return Ok(hosts.iter().map(|host| host.to_ascii_lowercase()).collect());
    }
    let mut hosts: Vec<String> = ["localhost", ".localhost", "127.0.0.1", "[::1]"].map(str::to_owned).to_vec();
    if !bind.ip().is_unspecified() && !bind.ip().is_loopback() {
        hosts.push(match bind.ip() {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        });
    }
    Ok(hosts)
}

/// Whether an entry of the list can match anything at all.
fn is_host(host: &str) -> bool {
    let name = host.strip_prefix('.').unwrap_or(host);
    let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
        && name.split('.').all(|label| !label.is_empty());
    let ip = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    host == "*" || is_name || ip.is_some_and(|ip| ip.parse::<Ipv6Addr>().is_ok())
}

fn cors_allowed_origins(env: &Variables, mode: Mode) -> Result<Vec<String>, ConfigError> {
    let origins = env.list("CORS_ALLOWED_ORIGINS");
    for origin in &origins {
        // An origin is a scheme, a host and a port, and is compared letter by letter (RFC 6454, section 4).
        let parsed = Url::parse(origin).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        if parsed.is_none_or(|url| url.origin().ascii_serialization() != *origin) || origin.contains('*') {
            let origin = origin.escape_debug();
            return fail(
                "CORS_ALLOWED_ORIGINS",
                format!(
                    "`{origin}` is not an origin such as `https://app.example.com`, without a path or a slash at its end"
                ),
            );
        }
    }
    if origins.is_empty() && mode == Mode::Development && env.get("CORS_ALLOWED_ORIGINS").is_none() {
        return Ok(vec!["http://localhost:3000".to_owned()]);
    }
    Ok(origins)
}

fn trusted_proxies(env: &Variables) -> Result<TrustedProxies, ConfigError> {
    const NAME: &str = "TRUSTED_PROXIES";
    let parse = |item: String| {
        let problem = || format!("`{}` is not an IP address or a network such as `10.0.0.0/8`", item.escape_debug());
        item.parse().or_else(|()| fail(NAME, problem()))
    };
    env.list(NAME).into_iter().map(parse).collect::<Result<_, _>>().map(TrustedProxies)
}

fn log_filter(env: &Variables, mode: Mode) -> Result<String, ConfigError> {
    let default = match mode {
        Mode::Development => "info,actix_server=warn",
        Mode::Production => "info,actix_server=warn,gatepost::access=warn",
    };
    let filter = env.get("RUST_LOG").unwrap_or(default);
    match env_filter::Builder::new().try_parse(filter).map(drop) {
        Ok(()) => Ok(filter.to_owned()),
        // A broken pattern is explained in several lines.
        Err(error) => fail("RUST_LOG", error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")),
    }
}
