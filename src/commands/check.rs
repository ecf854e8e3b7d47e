//! `check`: whether the service can run with its configuration.

use std::io::ErrorKind;
use std::net::TcpListener;

use tokio::runtime::{Builder, Runtime};
use url::Url;

use super::output::{CommandError, say};
use crate::aws::http_client::is_loopback;
use crate::cognito::jwks;
use crate::cognito::provider::{Provider, ProviderSettings};
use crate::cognito::user_pool::UserPool;
use crate::config::{Config, LOOPBACK_HOSTS, Mode, Pool};
use crate::crypto::Seal;
use crate::db::migrations::Status;
use crate::db::{Connection, DatabaseUrl, Db};
use crate::http::listener::ListenAddress;
use crate::server::{open_local_pool, pool_api};
use crate::users::models;
use crate::users::second_factor::{self, FactorKey, KeySource, Required};

pub fn run(config: &Config) -> Result<(), CommandError> {
    // The configuration is valid, or this would not run.
    let findings = [
        Some(("configuration", addresses(config))),
        Some(("database", database(config))),
        Some(("migrations", migrations(config))),
        Some(("keys", keys(config))),
        config.read_database.as_ref().map(|url| ("standby", standby(config, url))),
        config.provider.as_ref().map(|settings| ("sign-in", sign_in(config, settings))),
        credentials(config).map(|finding| ("credentials", finding)),
        second_factors(config).map(|finding| ("second factor", finding)),
    ];
    let findings: Vec<_> = findings.into_iter().flatten().collect();
    for (what, finding) in &findings {
        let (mark, text) = match finding {
            Ok(text) => ("ok", text),
            Err(problem) => ("FAIL", problem),
        };
        say!("{mark:4}  {what:14} {text}")?;
    }
    match findings.iter().filter(|(_, finding)| finding.is_err()).count() {
        0 => Ok(()),
        failed => Err(CommandError::new(format!("{failed} of {} checks failed", findings.len()))),
    }
}

/// Whether the server could listen. That another program does, probably the server, is no failure.
fn addresses(config: &Config) -> Result<String, String> {
    let metrics = config.metrics_address.map(|address| ("METRICS_ADDRESS", address));
    let tcp = config.bind.address().map(|address| ("BIND_ADDRESS", address));
    for (name, address) in tcp.into_iter().chain(metrics) {
        match TcpListener::bind(address) {
            Err(error) if error.kind() != ErrorKind::AddrInUse => {
                return Err(format!("{name}: cannot listen on {address}: {error}"));
            }
            _ => {}
        }
    }
    if let ListenAddress::Unix(path) = &config.bind
        && path.parent().is_none_or(|folder| !folder.is_dir())
    {
        return Err(format!("BIND_ADDRESS: the folder of {} does not exist", path.display()));
    }
    if config.metrics_address.is_some() && config.metrics_address == config.bind.address() {
        return Err("METRICS_ADDRESS is that of BIND_ADDRESS; choose another port".to_owned());
    }
    let notes = match config.mode {
        Mode::Production => notes(config),
        Mode::Development => String::new(),
    };
    Ok(format!("{} mode, {}{notes}", config.mode, config.bind))
}

/// What is valid, but hardly what the operator wants in production.
fn notes(config: &Config) -> String {
    let is_local = config.allowed_hosts.iter().all(|host| LOOPBACK_HOSTS.contains(&host.as_str()));
    let public_url = config.public_origin.as_deref().and_then(|origin| Url::parse(origin).ok());
    let is_plain = public_url.is_some_and(|url| url.scheme() == "http" && !is_loopback(&url));
    // Only a proxy on this machine can connect.
    let lacks_proxy = match config.bind {
        ListenAddress::Tcp(address) => address.ip().is_loopback() && !config.trusted_proxies.contain(address.ip()),
        ListenAddress::Unix(_) => !config.trusted_proxies.contain_unix_socket(),
    };
    let all = [
        (is_local, "; ALLOWED_HOSTS names no other host, so only this machine is answered"),
        (lacks_proxy && !is_local, "; TRUSTED_PROXIES does not name the proxy, so all its clients count as one"),
        (is_plain, "; PUBLIC_URL begins with http://, but nobody can sign in to the admin without https://"),
    ];
    all.into_iter().filter_map(|(applies, note)| applies.then_some(note)).collect()
}

fn database(config: &Config) -> Result<String, String> {
    let url = &config.database;
    if let Some(folder) = url.missing_folder() {
        return Err(format!("{url}: the folder {} does not exist", folder.display()));
    }
    let (probed, finding) = match url.is_missing() {
        true => (Db::probe_creation(url), "does not exist yet; the first start creates it"),
        false => (Db::probe(url), "can be read and written"),
    };
    probed.map(|()| format!("{url} {finding}")).map_err(|error| format!("{url}: {}", error.problem()))
}

/// Whether lists could be read there now. The service runs without it.
fn standby(config: &Config, url: &DatabaseUrl) -> Result<String, String> {
    match Db::probe_standby(&config.database, url) {
        Ok(behind) => Ok(format!("{url} follows the database, {behind} bytes behind")),
        Err(problem) => Err(format!("{url}: {problem}")),
    }
}

fn migrations(config: &Config) -> Result<String, String> {
    if config.database.is_missing() {
        return Ok("will be applied at the first start".to_owned());
    }
    match Db::migration_status(&config.database)? {
        Status { unknown: Some(unknown), .. } => {
            Err(format!("the database has the migration {unknown}, which this version does not know"))
        }
        Status { pending: 0, applied, .. } => Ok(format!("all {applied} applied")),
        Status { pending, .. } => {
            let rehearsed = Db::rehearse_migrations(&config.database);
            rehearsed.map_err(|problem| format!("{pending} pending, and cannot be applied: {problem}"))?;
            Ok(format!("{pending} pending; the next start applies them"))
        }
    }
}

/// Whether staff can sign in with Cognito, and whether anybody can if passwords are closed.
fn sign_in(config: &Config, settings: &ProviderSettings) -> Result<String, String> {
    let provider = Provider::new(settings.clone(), config.jwks.ca_file.clone());
    let endpoints = runtime()?.block_on(provider.endpoints()).map_err(|error| error.to_string())?;
    if config.password_sign_in {
        return Ok(format!("at {}, or with a password", endpoints.authorization));
    }
    let has_staff =
        |conn: &mut Connection| models::has_linkable_staff(conn, &settings.issuer, config.staff_group.is_some());
    match !config.database.is_missing() && Db::probe_with(&config.database, has_staff)? {
        true => Ok(format!("at {}", endpoints.authorization)),
        false => Err("passwords are closed, and no active staff user has a link or an e-mail for Cognito".to_owned()),
    }
}

/// Whether there are AWS credentials for what the settings ask for; `None` if nothing needs them. AWS is not called
/// with them.
fn credentials(config: &Config) -> Option<Result<String, String>> {
    let uses = [
        (config.sync_every.is_some(), "COGNITO_SYNC_SECONDS"),
        (!config.pool_actions.is_empty(), "COGNITO_ADMIN_ACTIONS"),
    ];
    let uses: Vec<&str> = uses.into_iter().filter_map(|(is_set, name)| is_set.then_some(name)).collect();
    let Pool::Cognito(pool) = &config.pool else { return None };
    if uses.is_empty() {
        return None;
    }
    let uses = uses.join(" and ");
    match access_key_id(config, pool) {
        Ok(id) => Some(Ok(format!("of AWS for {uses}: access key {}", id.escape_debug()))),
        Err(problem) => Some(Err(format!("{uses}: {problem}"))),
    }
}

fn access_key_id(config: &Config, pool: &UserPool) -> Result<String, String> {
    let api = pool_api(config, pool).map_err(|error| error.to_string())?;
    runtime()?.block_on(api.access_key_id()).map_err(|error| error.to_string())
}

/// Whether codes can be checked; `None` if that concerns nobody.
fn second_factors(config: &Config) -> Option<Result<String, String>> {
    let key = FactorKey::new(config.second_factor_key.clone());
    let exist =
        !config.database.is_missing() && Db::probe_with(&config.database, second_factor::exists).unwrap_or(false);
    let is_required = config.second_factor_required != Required::Nobody;
    let is_optional = is_required && config.provider.as_ref().is_some_and(|provider| provider.acr.is_empty());
    let note = if is_optional { "; sign-ins with Cognito need none, because COGNITO_ADMIN_ACR is not set" } else { "" };
    let checked = match (&config.second_factor_key, exist) {
        (_, true) => key.get().map_err(|error| error.to_string()).and_then(|key| readable(config, key)),
        (KeySource::Setting(_), false) => Ok("the key is set".to_owned()),
        (KeySource::File(path), false) if path.exists() => {
            key.get().map(|_| format!("the key is in {}", path.display())).map_err(|error| error.to_string())
        }
        (KeySource::File(_), false) if !is_required => return None,
        (KeySource::File(path), false) => Ok(format!("the first enrolment creates the key in {}", path.display())),
        (KeySource::Missing, false) => Ok("nobody can turn one on: SECOND_FACTOR_KEY is not set".to_owned()),
    };
    Some(checked.map(|text| text + note))
}

fn readable(config: &Config, key: Seal) -> Result<String, String> {
    let count = move |conn: &mut Connection| second_factor::count_unreadable(conn, &key);
    match Db::probe_with(&config.database, count)? {
        (all, 0) => Ok(format!("the key opens all {all}")),
        (all, unreadable) => Err(format!(
            "{unreadable} of {all} were encrypted with another key; restore that key, or use resetsecondfactor"
        )),
    }
}

fn runtime() -> Result<Runtime, String> {
    Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())
}

fn keys(config: &Config) -> Result<String, String> {
    match &config.pool {
        Pool::Local => {
            let path = config.local_pool_keys();
            if !path.exists() {
                Db::probe_creation(&DatabaseUrl::Sqlite(path)).map_err(|error| error.problem().to_owned())?;
                return Ok("of the local user pool will be created at the first start".to_owned());
            }
            open_local_pool(config).map_err(|error| error.to_string())?;
            Ok(format!("of the local user pool, in {}", path.display()))
        }
        Pool::Cognito(pool) => {
            let keys = runtime()?.block_on(jwks::probe(&pool.jwks_urls, &config.jwks))?;
            let urls: Vec<_> = pool.jwks_urls.iter().map(|url| url.as_str()).collect();
            Ok(format!("{keys} from {}", urls.join(" and ")))
        }
    }
}
