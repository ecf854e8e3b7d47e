//! From a [`Config`] to a server with its port, and the table of all addresses.

use std::net::SocketAddr;
use std::time::Duration;

use actix_web::middleware::from_fn;
use actix_web::{App, HttpResponse, HttpServer, dev, rt, web};

use crate::admin::history::model::HistoryAdmin;
use crate::admin::{self, Admin, Site};
use crate::api::parsers::MaxBodyBytes;
use crate::api::{get, read_only};
use crate::cognito::Authenticator;
use crate::cognito::inspector_page;
use crate::cognito::jwks::Jwks;
use crate::cognito::linking::{Creation, Policy};
use crate::cognito::local_pool::LocalPool;
use crate::cognito::post_confirmation::{self, PostConfirmation};
use crate::cognito::user_pool::{UserPool, jwks_url};
use crate::cognito::verifier::Verifier;
use crate::config::{Config, Pool};
use crate::connection::Watch;
use crate::db::{Db, OpenError};
use crate::metrics::Metrics;
use crate::middleware::{EdgeSettings, RequestIds, edge};
use crate::rate_limit::Limits;
use crate::search::Turns;
use crate::status::{self, ShownSettings};
use crate::users::models::Origin;
use crate::{articles, assets, docs, expiry, health, metrics, openapi, pages, users};

/// How long a connection may take to send its first request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may stay idle after a request.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long it may take from one request to the next: idle at first, then sending the head.
const BETWEEN_REQUESTS: Duration = KEEP_ALIVE.saturating_add(HEAD_TIMEOUT);
/// Threads of a worker for what has to wait. More of them would wait for one of the few connections to the database,
/// each with memory of its own.
const WAITING_THREADS: usize = 8;
/// How long requests that run may go on after SIGTERM. Kubernetes, for one, kills after 30 s.
const SHUTDOWN_SECONDS: u64 = 20;

/// Why the server cannot start; one line.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// The address is taken or not this machine's.
    #[error("{0}: cannot listen on {1}: {2}")]
    Listen(&'static str, SocketAddr, std::io::Error),
    /// The local pool's key file.
    #[error("{0}: {1}")]
    LocalPool(String, std::io::Error),
    /// The keys of the admin.
    #[error("the admin: {0}")]
    Admin(String),
    /// The client for the keys.
    #[error("{0}")]
    Jwks(String),
}

/// A server that is ready to run.
pub struct Built {
    /// Runs the server until it is told to stop; to be awaited.
    pub server: dev::Server,
    /// Where it listens; tells the port where the system chose it.
    pub address: SocketAddr,
    /// Where the metrics have an address of their own, and their server's handle.
    pub metrics: Option<(SocketAddr, dev::ServerHandle)>,
    /// Its user pool.
    pub pool: UserPool,
    /// Its database.
    pub db: Db,
}

/// Opens the database and the user pool, and puts them together. Must be called within a Tokio runtime.
pub fn open(config: &Config) -> Result<(Db, Authenticator, Option<LocalPool>), StartError> {
    let (db, applied) = Db::open(&config.database)?;
    if applied > 0 {
        log::info!("{applied} migrations applied");
    }
    let local_pool = open_local_pool(config)?;
    let (pool, jwks) = match (&config.pool, &local_pool) {
        (Pool::Cognito(pool), _) => {
            (pool.clone(), Jwks::start(&pool.jwks_urls, &config.jwks).map_err(StartError::Jwks)?)
        }
        (Pool::Local, Some(local)) => (local.user_pool(), Jwks::fixed(local.key_set())),
        (Pool::Local, None) => return Err(StartError::Jwks("there is no user pool".to_owned())),
    };
    let policy = Policy {
        link_unverified_email: config.link_unverified_email,
        creation: if config.create_users { Creation::WithEmail } else { Creation::Never },
        origin: Origin::FirstToken,
    };
    let verifier = Verifier::new(pool, config.token_use, config.leeway, jwks);
    Ok((db.clone(), Authenticator::new(verifier, policy, db), local_pool))
}

/// What the server is about. A new resource adds a line to [`api`] and one to [`site`].
pub struct Resources {
    /// Adds the API's addresses; the origins are those whose pages may call them.
    pub api: fn(&mut web::ServiceConfig, &[String]),
    /// The models and pages of the admin.
    pub site: Site,
}

/// The API's addresses.
pub fn api(app: &mut web::ServiceConfig, origins: &[String]) {
    app.service(articles::api::list_resource(origins))
        .service(articles::api::detail_resource(origins))
        .service(users::api::me_resource(origins));
}

/// The models and pages of the admin, in the order of its navigation.
pub fn site() -> Site {
    Site::default()
        .register(articles::admin::ArticleAdmin)
        .register(users::admin::UserAdmin)
        .register(users::groups_admin::GroupAdmin)
        .register(HistoryAdmin)
        .register_page(&admin::auth::sessions::PAGE)
        .register_page(&inspector_page::PAGE)
        .register_page(&status::PAGE)
}

/// Opens what the server needs and binds its port. Must be called within an actix system.
pub async fn build(config: &Config) -> Result<Built, StartError> {
    build_with(config, Resources { api, site: site() }).await
}

/// [`build`] for other resources.
pub async fn build_with(config: &Config, resources: Resources) -> Result<Built, StartError> {
    let Resources { api, site } = resources;
    let (db, authenticator, local_pool) = open(config)?;
    let pool = authenticator.verifier.pool().clone();
    let post_confirmation = web::Data::new(PostConfirmation::new(
        pool.clone(),
        config.post_confirmation_secrets.clone(),
        config.link_unverified_email,
    ));
    let wants_metrics = config.metrics_address.is_some() || config.metrics_token.is_some();
    let metrics =
        wants_metrics.then(|| web::Data::new(Metrics::new(&db, &authenticator, config.metrics_token.clone())));
    let authenticator = web::Data::new(authenticator);
    let data = web::Data::new(db.clone());
    let max_body = web::Data::new(MaxBodyBytes(config.max_body_bytes));
    let limits = web::Data::new(Limits::new(config.rate_limit_user, config.rate_limit_address));
    let trusted_proxies = web::Data::new(config.trusted_proxies.clone());
    let turns = Turns::default();
    let lists = web::Data::new(articles::api::Lists::new(turns.clone()));
    let turns = web::Data::new(turns);
    let origins = config.cors_allowed_origins.clone();
    let settings = web::Data::new(ShownSettings(config.shown()));
    let admin = Admin::open(&db, site, config).await.map_err(|error| StartError::Admin(error.to_string()))?;
    let local_jwks = local_pool.map(|local| (jwks_url(&format!("/{}", pool.id)), local.jwks().to_string()));

    let guarded_metrics = metrics.clone().filter(|_| config.metrics_token.is_some());
    let (allowed_hosts, counted) = (config.allowed_hosts.clone(), metrics.clone());

    let server = HttpServer::new(move || {
        App::new()
            .app_data(data.clone())
            .app_data(authenticator.clone())
            .app_data(web::Data::new(EdgeSettings {
                allowed_hosts: allowed_hosts.clone(),
                request_ids: RequestIds::default(),
                metrics: counted.as_ref().map(|metrics| metrics.requests.worker()),
            }))
            .app_data(max_body.clone())
            .app_data(lists.clone())
            .app_data(turns.clone())
            .app_data(post_confirmation.clone())
            .app_data(limits.clone())
            .app_data(trusted_proxies.clone())
            .app_data(settings.clone())
            .wrap(from_fn(edge))
            .configure(|app| admin.urls(app))
            .configure(|app| api(app, &origins))
            .configure(|app| urls(app, local_jwks.as_ref()))
            .configure(|app| metrics::urls(app, guarded_metrics.as_ref()))
    })
    .worker_max_blocking_threads(WAITING_THREADS)
    .client_request_timeout(HEAD_TIMEOUT)
    .client_disconnect_timeout(Duration::from_secs(2))
    .keep_alive(KEEP_ALIVE)
    .on_connect(|io, data| Watch::start(io, data, BETWEEN_REQUESTS))
    .shutdown_timeout(SHUTDOWN_SECONDS)
    .bind(config.bind)
    .map_err(|error| StartError::Listen("BIND_ADDRESS", config.bind, error))?;
    let address = server.addrs().first().copied().unwrap_or(config.bind);
    let metrics = config.metrics_address.zip(metrics).map(|(address, metrics)| {
        let listening = metrics::listen(metrics, address);
        listening.map_err(|error| StartError::Listen("METRICS_ADDRESS", address, error))
    });
    // Ends with the actix system.
    rt::spawn(expiry::run(db.clone()));
    Ok(Built { server: server.run(), address, metrics: metrics.transpose()?, pool, db })
}

/// Opens the local user pool, where the configuration says that it is the pool.
pub fn open_local_pool(config: &Config) -> Result<Option<LocalPool>, StartError> {
    if config.pool != Pool::Local {
        return Ok(None);
    }
    let path = config.local_pool_keys();
    LocalPool::open(&path).map(Some).map_err(|error| StartError::LocalPool(path.display().to_string(), error))
}

/// Every address that is neither in [`api`] nor below `/admin`.
fn urls(app: &mut web::ServiceConfig, local_jwks: Option<&(String, String)>) {
    app.service(web::resource("/").route(get().to(pages::root)).default_service(web::to(pages::not_found)))
        .service(post_confirmation::resource())
        .service(read_only("/healthz", get().to(health::healthz)))
        .service(read_only("/readyz", get().to(health::readyz)))
        .service(read_only("/openapi.json", get().to(openapi::json)))
        .service(read_only("/docs", get().to(docs::add_slash)))
        .service(read_only("/docs/", get().to(docs::page)))
        .service(read_only("/docs/{name}", get().to(docs::file)))
        .service(read_only("/static/{path:.*}", get().to(assets::serve)))
        .default_service(web::to(pages::not_found));
    if let Some((path, jwks)) = local_jwks.cloned() {
        let keys = move || {
            let jwks = jwks.clone();
            async move { HttpResponse::Ok().content_type("application/json").body(jwks) }
        };
        app.service(read_only(&path, get().to(keys)));
    }
}
