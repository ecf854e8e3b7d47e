//! Builds the server from a [`Config`] and binds its port.

use std::sync::Arc;
use std::time::Duration;

use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, dev, rt, web};

use super::metrics::{self, Metrics};
use super::open::open;
use super::openapi::{ApiDocument, MachineClients};
use super::pool_sync::{open_pool_actions, pool_sync};
use super::sign_in;
use super::start_error::StartError;
use super::status::ShownSettings;
use super::triggers::Triggers;
use super::urls::{Resources, api, site, urls};
use crate::admin::Admin;
use crate::admin::auth::browsing;
use crate::admin::form::kept_form;
use crate::admin::jobs::job;
use crate::admin::model_admin::Options;
use crate::admin::site::Site;
use crate::api::generics::Lists;
use crate::api::{ModelViewSet, PageSignIn};
use crate::cognito::pool_actions;
use crate::cognito::sample_tokens;
use crate::cognito::sign_in::local_pages::LocalProvider;
use crate::cognito::user_pool::{UserPool, jwks_url};
use crate::config::Config;
use crate::db::search::Turns;
use crate::db::{Connection, Db};
use crate::error::Error;
use crate::history::api_requests::{self, ApiRequests};
use crate::history::expiry::{self, Expiring};
use crate::history::{changed_rows, deleted_rows};
use crate::http::body::MaxBodyBytes;
use crate::http::cors::Cors;
use crate::http::edge::{EdgeSettings, RequestIds, Stopping, edge};
use crate::http::idle::IdleWatch;
use crate::http::listener::{ListenAddress, Listener, Reserved};
use crate::http::public_origin::{PublicOrigin, host_of_address};
use crate::http::rate_limit::RateLimits;
use crate::users;
use crate::users::refusals::{self, Refusals};

const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
const KEEP_ALIVE: Duration = Duration::from_secs(15);
const BETWEEN_REQUESTS: Duration = KEEP_ALIVE.saturating_add(HEAD_TIMEOUT);
/// More would only wait for one of the few database connections, and each uses memory.
const WAITING_THREADS: usize = 8;
/// For running requests after SIGTERM. Kubernetes kills after 30 s.
const SHUTDOWN_SECONDS: u64 = 20;

/// Paths that no page of another origin may call: the admin and the local pool, which have cookies, and the triggers.
const CLOSED_TO_PAGES: &[&str] = &["/admin", "/local-pool", "/cognito/post-confirmation", "/cognito/user-migration"];

const EXPIRING: &[Expiring] = &[
    Expiring { expired: api_requests::expired, forget: api_requests::forget },
    Expiring { expired: changed_rows::expired, forget: changed_rows::forget },
    Expiring { expired: deleted_rows::expired, forget: deleted_rows::forget },
    Expiring { expired: job::expired, forget: job::forget },
    Expiring { expired: kept_form::expired, forget: kept_form::forget },
    Expiring { expired: refusals::table::expired, forget: refusals::table::forget },
];

pub struct Built {
    /// Await this to run the server until it is stopped.
    pub server: dev::Server,
    /// With the actual port.
    pub address: ListenAddress,
    /// Whether systemd has opened the socket.
    pub keeps_socket: bool,
    pub stopping: Stopping,
    pub metrics: Option<(ListenAddress, dev::ServerHandle)>,
    pub api: Vec<String>,
    pub pool: UserPool,
    pub db: Db,
    /// Those of the last minute are not yet in the database.
    pub api_requests: ApiRequests,
}

/// Whether the migrations have made what the descriptions say.
async fn check_tables(db: &Db, api: &[&'static ModelViewSet], site: &Site) -> Result<(), StartError> {
    let (api, options) = (api.to_vec(), site.options());
    let check = move |conn: &mut Connection| {
        api.iter().try_for_each(|viewset| viewset.check_table(conn)).map_err(Error::Internal)?;
        options.iter().try_for_each(|options| options.model.check_table(conn)).map_err(Error::Internal)
    };
    db.read(check).await.map_err(|error| StartError::Resource(error.cause().unwrap_or_default().to_owned()))
}

/// Must be called within an actix system.
pub async fn build(config: &Config) -> Result<Built, StartError> {
    build_with(config, Resources { api: api(), site: site() }).await
}

pub async fn build_with(config: &Config, resources: Resources) -> Result<Built, StartError> {
    let Resources { api, site } = resources;
    api.iter().try_for_each(|viewset| viewset.check()).map_err(StartError::Resource)?;
    site.options().into_iter().try_for_each(Options::check).map_err(StartError::Resource)?;
    let paths = api.iter().map(|viewset| viewset.path()).collect();
    // First, so that a second start leaves no database behind.
    let (reserved, metrics_socket) = reserve(config)?;
    let (db, authenticator, local_pool) = open(config)?;
    check_tables(&db, &api, &site).await?;
    let (refusals, queue) = Refusals::new();
    let refusals = web::Data::new(refusals);
    let authenticator = authenticator.with_refusals(refusals.clone().into_inner());
    let pool = authenticator.verifier.pool().clone();
    let document = web::Data::new(ApiDocument::of(&api, machine_clients(config, &pool)));
    let triggers = Triggers::new(config, &pool);
    let wants_metrics = config.metrics_address.is_some() || config.metrics_token.is_some();
    let sync = pool_sync(config).map_err(|error| StartError::Sync(error.to_string()))?;
    let metrics = wants_metrics.then(|| {
        let token = config.metrics_token.clone();
        web::Data::new(Metrics::new(&db, &authenticator, sync.as_ref().map(|sync| &sync.metrics), token))
    });
    let authenticator = web::Data::new(authenticator);
    let data = web::Data::new(db.clone());
    let max_body = web::Data::new(MaxBodyBytes(config.max_body_bytes));
    let limits = web::Data::new(RateLimits::new(config.rate_limit_user, config.rate_limit_address));
    let trusted_proxies = web::Data::new(config.trusted_proxies.at(reserved.is_unix()));
    let public_origin = web::Data::new(PublicOrigin(config.public_origin.clone()));
    let api_requests = ApiRequests::default();
    let counted_requests = web::Data::new(api_requests.clone());
    let turns = Turns::default();
    let lists = web::Data::new(Lists::new(turns.clone()));
    let turns = web::Data::new(turns);
    let cors = Cors {
        origins: config.cors_allowed_origins.clone(),
        headers: config.cors_allowed_headers.clone(),
        closed: CLOSED_TO_PAGES,
    };
    let settings = web::Data::new(ShownSettings(config.shown()));
    let page_sign_in = web::Data::new(PageSignIn(|request| Box::pin(browsing::authenticate(request))));
    let sign_in = sign_in::sign_in(config, &db, &authenticator, local_pool.is_some()).await?.map(web::Data::new);
    let pool_actions = open_pool_actions(config).map_err(|error| StartError::PoolActions(error.to_string()))?;
    let pool_actions = pool_actions.map(web::Data::new);
    let site = if pool_actions.is_some() { site.register_tab(pool_actions::SLUG, &pool_actions::TAB) } else { site };
    let site = if local_pool.is_some() { site.register_tab(sample_tokens::SLUG, &sample_tokens::TAB) } else { site };
    let admin = Admin::open(&db, site, sign_in::settings_of_admin(config, sign_in.is_some()))
        .await
        .map_err(|error| StartError::Admin(error.to_string()))?;
    let local_jwks = local_pool.as_ref().map(|local| (jwks_url(&format!("/{}", pool.id)), local.jwks().to_string()));

    let guarded_metrics = metrics.clone().filter(|_| config.metrics_token.is_some());
    let local_pool = local_pool.map(Arc::new);
    let local_provider = local_pool.clone().map(|pool| web::Data::new(LocalProvider::new(pool)));
    let local_pool = local_pool.map(web::Data::from);
    let (shown_sign_in, mut allowed_hosts, counted) = (sign_in.clone(), config.allowed_hosts.clone(), metrics.clone());
    if let Some(address) = config.bind.address().filter(|_| pool.is_local()) {
        // The server exchanges codes with its own local pool.
        allowed_hosts.push(host_of_address(address.ip()));
    }

    let stopping = Stopping::default();
    let stopped = stopping.clone();
    let server = HttpServer::new(move || {
        App::new()
            .app_data(data.clone())
            .app_data(authenticator.clone())
            .app_data(web::Data::new(EdgeSettings {
                stopping: stopped.clone(),
                allowed_hosts: allowed_hosts.clone(),
                cors: cors.clone(),
                request_ids: RequestIds::default(),
                metrics: counted.as_ref().map(|metrics| metrics.requests.worker()),
            }))
            .app_data(web::Data::new(counted_requests.worker()))
            .app_data(counted_requests.clone())
            .app_data(max_body.clone())
            .app_data(lists.clone())
            .app_data(turns.clone())
            .app_data(document.clone())
            .app_data(limits.clone())
            .app_data(trusted_proxies.clone())
            .app_data(public_origin.clone())
            .app_data(refusals.clone())
            .app_data(settings.clone())
            .app_data(page_sign_in.clone())
            .wrap(from_fn(edge))
            .configure(|app| sign_in::urls(app, shown_sign_in.as_ref(), local_provider.as_ref()))
            .configure(|app| {
                pool_actions.iter().for_each(|actions| _ = app.app_data(actions.clone()));
                local_pool.iter().for_each(|pool| _ = app.app_data(pool.clone()));
                admin.urls(app);
            })
            .configure(|app| api.iter().for_each(|viewset| viewset.urls(app)))
            .service(users::api::me_resource())
            .configure(|app| triggers.urls(app))
            .configure(|app| urls(app, local_jwks.as_ref()))
            .configure(|app| metrics::urls(app, guarded_metrics.as_ref()))
    })
    .worker_max_blocking_threads(WAITING_THREADS)
    .client_request_timeout(HEAD_TIMEOUT)
    .client_disconnect_timeout(Duration::from_secs(2))
    .keep_alive(KEEP_ALIVE)
    .on_connect(|io, data| IdleWatch::start(io, data, BETWEEN_REQUESTS))
    .disable_signals()
    .shutdown_timeout(SHUTDOWN_SECONDS);
    let cannot_listen = |error| StartError::Listen("BIND_ADDRESS", config.bind.clone(), error);
    let keeps_socket = matches!(reserved, Reserved::Passed(_));
    let listener = reserved.listen().map_err(cannot_listen)?;
    let address = listener.bind().map_err(cannot_listen)?;
    if pool.is_local() && !address.is_loopback() {
        return Err(StartError::Reachable);
    }
    let server = match listener {
        Listener::Tcp(listener) => server.listen(listener),
        Listener::Unix(listener) => server.listen_uds(listener),
    };
    let server = server.map_err(cannot_listen)?;
    if let Some(sign_in) = sign_in.filter(|_| pool.is_local()) {
        let endpoints = LocalProvider::endpoints(&format!("http://{address}"));
        sign_in.provider.fix(endpoints.map_err(StartError::Admin)?);
    }
    let metrics = metrics_socket.zip(metrics).map(|((bind, reserved), metrics)| {
        metrics::listen(metrics, reserved).map_err(|error| StartError::Listen("METRICS_ADDRESS", bind, error))
    });
    // The tasks end with the actix system.
    rt::spawn(expiry::run(db.clone(), EXPIRING));
    rt::spawn(queue.run(db.clone(), pool.issuer().to_owned()));
    rt::spawn(api_requests.clone().run(db.clone()));
    if let Some(sync) = sync {
        rt::spawn(sync.run(db.clone()));
    }
    let (server, metrics) = (server.run(), metrics.transpose()?);
    Ok(Built { server, address, keeps_socket, stopping, metrics, api: paths, pool, db, api_requests })
}

/// The sockets for requests and, where it has an address of its own, for the metrics.
fn reserve(config: &Config) -> Result<(Reserved, Option<(ListenAddress, Reserved)>), StartError> {
    let fail = |name, bind: &ListenAddress| {
        let bind = bind.clone();
        move |error| StartError::Listen(name, bind, error)
    };
    let reserved = Reserved::passed_or_at(&config.bind).map_err(fail("BIND_ADDRESS", &config.bind))?;
    let Some(bind) = config.metrics_address.map(ListenAddress::Tcp) else { return Ok((reserved, None)) };
    let metrics = Reserved::at(&bind).map_err(fail("METRICS_ADDRESS", &bind))?;
    Ok((reserved, Some((bind, metrics))))
}

/// The local pool's tokens come from a command, which no document describes.
fn machine_clients<'a>(config: &'a Config, pool: &'a UserPool) -> Option<MachineClients<'a>> {
    let resource_server = config.resource_server.as_ref().filter(|_| !pool.is_local())?;
    let token_url = config.provider.as_ref().and_then(|provider| provider.token_url.as_ref());
    Some(MachineClients { resource_server, token_url, issuer: pool.issuer() })
}
