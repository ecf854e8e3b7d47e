//! Parses settings with rules of their own.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::variables::{ConfigError, Variables, fail};
use super::{Mode, Pool, log_filter};
use crate::cognito::pool_actions::PoolAction;
use crate::cognito::provider::ProviderSettings;
use crate::cognito::service_accounts::ResourceServer;
use crate::cognito::user_pool::{self, PoolId, UserPool};
use crate::crypto::{Seal, Secret};
use crate::db::DatabaseUrl;
use crate::http::client_address::TrustedProxies;
use crate::http::listener::ListenAddress;
use crate::users::second_factor::{KeySource, Required};
use crate::users::validators;

pub fn bind_address(variables: &HashMap<String, String>) -> Result<ListenAddress, ConfigError> {
    bind_address_of(&Variables::checked(variables)?)
}

pub(super) fn bind_address_of(env: &Variables) -> Result<ListenAddress, ConfigError> {
    let default = ListenAddress::Tcp(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8000));
    Ok(env.optional("BIND_ADDRESS", str::parse)?.unwrap_or(default))
}

pub(super) fn socket_address(value: &str) -> Result<SocketAddr, &'static str> {
    value.parse().map_err(|_| "is not an IP address and port, such as `0.0.0.0:8000` or `[::]:8000`")
}

pub(super) fn metrics_token(env: &Variables) -> Result<Option<Secret>, ConfigError> {
    const NAME: &str = "METRICS_TOKEN";
    let Some(token) = env.get(NAME) else { return Ok(None) };
    // RFC 6750, section 2.1. The message does not repeat the value, which is secret.
    if !token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)) {
        return fail(NAME, "has characters that a Bearer token cannot have; use letters and digits");
    }
    if token.len() < 32 {
        return fail(NAME, "has fewer than 32 characters");
    }
    Ok(Some(Secret::new(token.to_owned())))
}

pub(super) fn pool(env: &Variables, mode: Mode, bind: &ListenAddress) -> Result<Pool, ConfigError> {
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
                    "is set, but AWS_USER_POOLS_ID is not. Set both to use a Cognito pool, or neither to use the local one",
                );
            }
        }
        if !bind.is_loopback() {
            return fail(
                "BIND_ADDRESS",
                format!(
                    "the local user pool must not be reachable from other machines, and {bind} is no loopback address. Set AWS_USER_POOLS_ID, or listen on 127.0.0.1"
                ),
            );
        }
        return Ok(Pool::Local);
    }
    if client_ids.is_empty() {
        return fail("AWS_APP_CLIENT_ID", "is not set. Set it to the id of the app client whose tokens are accepted");
    }
    if let Some(bad) = client_ids.iter().find(|id| !is_client_id(id)) {
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
        user_pool::checked_issuer(issuer).or_else(|problem| fail("COGNITO_ISSUER", problem))?;
    }
    // Both standard issuers of a pool publish the same key set; each configured issuer has its own.
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

/// The admin's app client of a Cognito pool. The local pool has one of its own.
pub(super) fn provider(env: &Variables, pool: &Pool, is_public: bool) -> Result<Option<ProviderSettings>, ConfigError> {
    const ID: &str = "COGNITO_ADMIN_CLIENT_ID";
    const DEPENDENT: [&str; 5] = [
        "COGNITO_ADMIN_CLIENT_SECRET",
        "COGNITO_ADMIN_ACR",
        "COGNITO_AUTHORIZATION_URL",
        "COGNITO_TOKEN_URL",
        "COGNITO_LOGOUT_URL",
    ];
    let Some(client_id) = env.get(ID) else {
        return match DEPENDENT.into_iter().find(|name| env.get(name).is_some()) {
            Some(name) => fail(name, format!("is set, but {ID} is not")),
            None => Ok(None),
        };
    };
    let Pool::Cognito(pool) = pool else {
        return fail(ID, "is set, but AWS_USER_POOLS_ID is not. The local user pool has an app client of its own");
    };
    if !is_client_id(client_id) {
        return fail(ID, format!("`{}` is not a client id", client_id.escape_debug()));
    }
    if pool.client_ids.iter().any(|known| known == client_id) {
        return fail(
            ID,
            "is also in AWS_APP_CLIENT_ID. Give the admin a client of its own, so that no token of your app opens it",
        );
    }
    if !is_public {
        return fail("PUBLIC_URL", format!("is not set. {ID} needs it: Cognito leads the browser back to it"));
    }
    if env.get("COGNITO_ADMIN_CLIENT_SECRET").is_some_and(|secret| secret.contains(char::is_whitespace)) {
        return fail("COGNITO_ADMIN_CLIENT_SECRET", "has a blank, which no client secret has");
    }
    let url = |name| env.optional(name, user_pool::checked_url);
    Ok(Some(ProviderSettings {
        issuer: pool.issuer().to_owned(),
        client_id: client_id.to_owned(),
        client_secret: env.get("COGNITO_ADMIN_CLIENT_SECRET").map(|secret| Secret::new(secret.to_owned())),
        authorization_url: url("COGNITO_AUTHORIZATION_URL")?,
        token_url: url("COGNITO_TOKEN_URL")?,
        logout_url: url("COGNITO_LOGOUT_URL")?,
        acr: env.list("COGNITO_ADMIN_ACR"),
    }))
}

pub(super) fn cognito_group(name: &str) -> Result<Arc<str>, &'static str> {
    match validators::cognito_group(name).is_empty() {
        true => Ok(name.into()),
        false => Err("is not the name of a group: it has no spaces, and at most 128 characters"),
    }
}

pub(super) fn resource_server(env: &Variables, pool: &Pool) -> Result<Option<ResourceServer>, ConfigError> {
    let set = env.optional("COGNITO_RESOURCE_SERVER", ResourceServer::parse)?;
    Ok(set.or_else(|| (*pool == Pool::Local).then(ResourceServer::local)))
}

/// For a setting that needs the pool's API.
fn require_region(env: &Variables, name: &'static str) -> Result<(), ConfigError> {
    match env.get("AWS_USER_POOLS_ID") {
        Some(_) => Ok(()),
        None => fail(name, "is set, but AWS_USER_POOLS_ID is not. Its first part is the region of the pool's API"),
    }
}

pub(super) fn sync_every(env: &Variables) -> Result<Option<Duration>, ConfigError> {
    const NAME: &str = "COGNITO_SYNC_SECONDS";
    if env.get(NAME).is_none() {
        return Ok(None);
    }
    require_region(env, NAME)?;
    env.seconds(NAME, 60, 60).map(Some)
}

pub(super) fn pool_actions(env: &Variables) -> Result<Vec<PoolAction>, ConfigError> {
    const NAME: &str = "COGNITO_ADMIN_ACTIONS";
    let mut actions = Vec::new();
    for word in env.list(NAME) {
        require_region(env, NAME)?;
        let action = word.parse().or_else(|problem: String| fail(NAME, problem))?;
        if !actions.contains(&action) {
            actions.push(action);
        }
    }
    Ok(actions)
}

/// Whether staff may sign in with a password.
pub(super) fn password_sign_in(env: &Variables, has_other: bool) -> Result<bool, ConfigError> {
    const NAME: &str = "ADMIN_PASSWORD_SIGN_IN";
    match env.flag(NAME, true)? {
        false if !has_other => fail(NAME, "`false` would lock everybody out of the admin. Set COGNITO_ADMIN_CLIENT_ID"),
        flag => Ok(flag),
    }
}

pub(super) fn second_factor_key(env: &Variables, database: &DatabaseUrl) -> Result<KeySource, ConfigError> {
    const NAME: &str = "SECOND_FACTOR_KEY";
    match (env.get(NAME).map(Seal::from_base64), database) {
        (Some(Some(key)), _) => Ok(KeySource::Setting(key)),
        // The message does not repeat the value, which is secret.
        (Some(None), _) => fail(NAME, "is not 32 bytes in base64; make one with `openssl rand -base64 32`"),
        (None, DatabaseUrl::Sqlite(path)) => Ok(KeySource::File(path.with_extension("second-factor.key"))),
        #[cfg(feature = "postgres")]
        (None, DatabaseUrl::Postgres(_)) => Ok(KeySource::Missing),
    }
}

pub(super) fn second_factor_required(env: &Variables, key: &KeySource) -> Result<Required, ConfigError> {
    const NAME: &str = "REQUIRE_SECOND_FACTOR";
    let choices = [("superusers", Required::Superusers), ("staff", Required::Staff)];
    match (env.choice(NAME, &choices, Required::Nobody)?, key) {
        (Required::Nobody, _) => Ok(Required::Nobody),
        (_, KeySource::Missing) => fail(NAME, "would lock everybody out of the admin. Set SECOND_FACTOR_KEY"),
        (required, _) => Ok(required),
    }
}

fn is_client_id(id: &str) -> bool {
    id.chars().all(|c| c.is_ascii_alphanumeric() || "_+-".contains(c))
}

pub(super) fn trigger_secrets(env: &Variables, name: &'static str) -> Result<Vec<Secret>, ConfigError> {
    let secrets = env.list(name);
    if secrets.len() > 2 {
        return fail(name, "has more than two values: only the current one and its replacement are allowed");
    }
    if secrets.iter().any(|secret| secret.contains(char::is_whitespace)) {
        return fail(name, "has a blank within a value; separate two values with a comma");
    }
    if secrets.iter().any(|secret| secret.split(';').filter(|part| part.len() >= 32).count() > 1) {
        return fail(name, "has two values that are separated by a semicolon; separate them with a comma");
    }
    // The message names a short secret by its position and does not repeat it.
    match secrets.iter().position(|secret| secret.len() < 32) {
        Some(at) => fail(name, format!("value {} of {} has fewer than 32 characters", at + 1, secrets.len())),
        None => Ok(secrets.into_iter().map(Secret::new).collect()),
    }
}

pub(super) fn database(env: &Variables) -> Result<DatabaseUrl, ConfigError> {
    const NAME: &str = "DATABASE_URL";
    DatabaseUrl::parse(env.get(NAME).unwrap_or("sqlite:gatepost.sqlite3")).or_else(|problem| fail(NAME, problem))
}

pub(super) fn read_database(env: &Variables, database: &DatabaseUrl) -> Result<Option<DatabaseUrl>, ConfigError> {
    const NAME: &str = "DATABASE_READ_URL";
    let Some(value) = env.get(NAME) else { return Ok(None) };
    DatabaseUrl::parse_standby(value, database).map(Some).or_else(|problem| fail(NAME, problem))
}

pub(super) fn trusted_proxies(env: &Variables) -> Result<TrustedProxies, ConfigError> {
    const NAME: &str = "TRUSTED_PROXIES";
    let parse = |item: String| {
        let problem =
            || format!("`{}` is not an IP address, a network such as `10.0.0.0/8`, or `unix:`", item.escape_debug());
        item.parse().or_else(|()| fail(NAME, problem()))
    };
    env.list(NAME).into_iter().map(parse).collect::<Result<_, _>>().map(TrustedProxies)
}

pub(super) fn log_filter(env: &Variables, mode: Mode) -> Result<String, ConfigError> {
    let default = match mode {
        Mode::Development => "info,actix_server=warn",
        Mode::Production => "info,actix_server=warn,gatepost::access=warn",
    };
    env.optional("RUST_LOG", log_filter::parse).map(|filter| filter.unwrap_or_else(|| default.to_owned()))
}
