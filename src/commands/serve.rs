//! `serve`: runs the server until it is stopped.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::poll_immediate;

use super::createsuperuser;
use super::output::{CommandError, say};
use crate::config::{Config, Mode, Pool, invocation};
use crate::crypto;
use crate::db::Db;
use crate::error::Error;
use crate::http::listener::ListenAddress;
use crate::server::signals::Signals;
use crate::server::{self, Built, systemd};
use crate::users::{models, password};

const LOCAL_ADMIN: &str = "admin@example.com";

/// Returns after SIGTERM, when running requests are finished, or at once after Ctrl+C.
pub fn run(config: &Config) -> Result<(), CommandError> {
    actix_web::rt::System::new().block_on(async {
        let mut built = server::build(config).await?;
        let superuser = match config.mode {
            // Only with the local pool: in a Cognito pool, someone else could register this e-mail.
            Mode::Development if config.pool == Pool::Local => first_superuser(&built.db, LOCAL_ADMIN).await?,
            Mode::Development => first_superuser(&built.db, "").await?,
            Mode::Production => None,
        };
        // Someone who reads the text below may send one at once.
        Signals::catch()?.stop(built.server.handle(), built.stopping.clone(), built.keeps_socket);
        if let Some(ended) = poll_immediate(&mut built.server).await {
            ended?;
        }
        systemd::watch(&built.address, config.public_origin.as_deref());
        // The service matters more than its greeting.
        if let Err(error) = greet(config, &built, superuser.as_deref()) {
            log::error!("the start-up text is lost: {error}");
        }
        warn_of_other_links(&built).await?;
        warn_of_unknown_clients(config, &built);
        let ended = built.server.await;
        built.api_requests.write(&built.db).await;
        ended?;
        if let Some((_, metrics)) = &built.metrics {
            metrics.stop(false).await;
        }
        log::info!("stopped");
        Ok(())
    })
}

/// On an empty database, creates a superuser `admin` and returns the random password, which is not stored.
async fn first_superuser(db: &Db, email: &'static str) -> Result<Option<String>, Error> {
    if !db.read(|conn| Ok(models::is_empty(conn)?)).await? {
        return Ok(None);
    }
    let password = URL_SAFE_NO_PAD.encode(crypto::random::<12>()?);
    let hash = password::hash(&password)?;
    let is_created = db
        .write(move |conn| {
            // Another process may have created it already.
            let is_first = models::is_empty(conn)?;
            if is_first {
                createsuperuser::create(conn, "admin", email, Some(hash))?;
            }
            Ok(is_first)
        })
        .await?;
    Ok(is_created.then_some(password))
}

/// The tokens of users linked to another pool are refused without an obvious reason.
async fn warn_of_other_links(built: &Built) -> Result<(), Error> {
    let issuer = built.pool.issuer().to_owned();
    let users = built.db.read(move |conn| Ok(models::count_linked_elsewhere(conn, &issuer)?)).await?;
    if users > 0 {
        log::warn!("{users} users are linked to another user pool, so their tokens from this pool are refused");
    }
    Ok(())
}

/// Limits by IP address would hold for all clients together.
fn warn_of_unknown_clients(config: &Config, built: &Built) {
    if built.address.address().is_none() && !config.trusted_proxies.contain_unix_socket() {
        log::warn!("TRUSTED_PROXIES lacks `unix:`, so all clients count as one");
    }
}

fn greet(config: &Config, built: &Built, superuser_password: Option<&str>) -> Result<(), CommandError> {
    say!("Gatepost {} in {} mode", env!("CARGO_PKG_VERSION"), config.mode)?;
    // A Unix socket has no URL.
    let own = built.address.reachable().map(|address| format!("http://{address}"));
    let url = config.public_origin.as_deref().or(own.as_deref()).unwrap_or_default();
    match &own {
        None => say!("  socket     {}", built.address)?,
        Some(own) if own != url => say!("  address    {}", built.address)?,
        Some(_) => {}
    }
    say!("  admin      {url}/admin/")?;
    let api: Vec<String> = built.api.iter().map(|path| format!("{url}{path}")).collect();
    say!("  API        {}  {url}/me/", api.join("  "))?;
    say!("  docs       {url}/docs/  {url}/openapi.json")?;
    say!("  probes     {url}/healthz  {url}/readyz")?;
    if let Some((address, _)) = &built.metrics {
        say!("  metrics    http://{address}/metrics")?;
    }
    say!("  database   {}", config.database)?;
    match &config.pool {
        Pool::Cognito(pool) => say!("  user pool  {}, keys from {}", pool.id, join(&pool.jwks_urls))?,
        Pool::Local => say!("  user pool  {}: local, because AWS_USER_POOLS_ID is not set", built.pool.id)?,
    }
    say!("  issuer     {}", built.pool.issuers.join(" or "))?;
    if let Some(password) = superuser_password {
        say!("  superuser  admin, password {password} (shown this once)")?;
    }
    if config.pool == Pool::Local {
        say!("\nNext, in another terminal:")?;
        say!("  TOKEN=$({} token alice@example.com)", invocation())?;
        let first = built.api.first().map_or("/me/", String::as_str);
        let own = match &built.address {
            ListenAddress::Unix(path) => format!("--unix-socket {} http://localhost", path.display()),
            ListenAddress::Tcp(_) => own.unwrap_or_default(),
        };
        say!("  curl -H \"Authorization: Bearer $TOKEN\" {own}{first}")?;
    }
    Ok(())
}

fn join(urls: &[url::Url]) -> String {
    urls.iter().map(url::Url::as_str).collect::<Vec<_>>().join(" and ")
}
