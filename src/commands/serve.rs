//! `serve`: runs the server until it is told to stop.

use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::poll_immediate;

use super::{CommandError, createsuperuser};
use crate::config::{Config, Mode, Pool};
use crate::db::Db;
use crate::error::Error;
use crate::server::{self, Built};
use crate::users::{models, password};

/// Serves, and returns after SIGTERM or Ctrl+C when running requests are finished.
pub fn run(config: &Config) -> Result<(), CommandError> {
    actix_web::rt::System::new().block_on(async {
        let mut built = server::build(config)?;
        let superuser = match config.mode {
            Mode::Development => first_superuser(&built.db).await?,
            Mode::Production => None,
        };
        // The server listens to signals from its first poll on. Who reads the text below may send one at once.
        if let Some(ended) = poll_immediate(&mut built.server).await {
            ended?;
        }
        greet(config, &built, superuser.as_deref());
        built.server.await?;
        log::info!("stopped");
        Ok(())
    })
}

/// On an empty database, a superuser `admin` with a random password, which is returned and kept nowhere.
async fn first_superuser(db: &Db) -> Result<Option<String>, Error> {
    if !db.read(|conn| Ok(models::is_empty(conn)?)).await? {
        return Ok(None);
    }
    let mut bytes = [0; 12];
    rand::fill(&mut bytes).map_err(|_| Error::Internal("the system has no random numbers".to_owned()))?;
    let password = URL_SAFE_NO_PAD.encode(bytes);
    let hash = password::hash(&password)?;
    let is_created = db
        .write(move |conn| {
            // Another process may have been faster.
            let is_first = models::is_empty(conn)?;
            if is_first {
                createsuperuser::create(conn, "admin", "", Some(hash))?;
            }
            Ok(is_first)
        })
        .await?;
    Ok(is_created.then_some(password))
}

/// What a person sees first: where everything is, and what to type next.
fn greet(config: &Config, built: &Built, superuser_password: Option<&str>) {
    let url = format!("http://{}", built.address);
    println!("Gatepost {} in {} mode", env!("CARGO_PKG_VERSION"), config.mode);
    println!("  API        {url}/articles/  {url}/me/");
    println!("  probes     {url}/healthz  {url}/readyz");
    println!("  database   SQLite, {}", config.database.display());
    match &config.pool {
        Pool::Cognito(pool) => println!("  user pool  {}, keys from {}", pool.id, join(&pool.jwks_urls)),
        Pool::Local => println!("  user pool  {}: local, because AWS_USER_POOLS_ID is not set", built.pool.id),
    }
    println!("  issuer     {}", built.pool.issuers.join(" or "));
    if let Some(password) = superuser_password {
        println!("  superuser  admin, password {password} (shown this once)");
    }
    if config.pool == Pool::Local {
        println!("\nNext, in another terminal:");
        println!("  TOKEN=$(cargo run --quiet -- token alice@example.com)");
        println!("  curl -H \"Authorization: Bearer $TOKEN\" {url}/articles/");
    }
}

fn join(urls: &[url::Url]) -> String {
    urls.iter().map(url::Url::as_str).collect::<Vec<_>>().join(" and ")
}
