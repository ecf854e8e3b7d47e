//! `/metrics`: gathers the metrics of all parts. On a separate address anyone who can reach it may read them; on the
//! main address clients need the token.

use std::sync::Mutex;
use std::time::Duration;

use actix_web::http::header::AUTHORIZATION;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, dev, rt, web};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use diesel::{QueryDsl, RunQueryDsl};
use prometheus::core::Collector;
use prometheus::{Registry, TEXT_FORMAT, TextEncoder};

use crate::cognito::Authenticator;
use crate::cognito::sync::SyncMetrics;
use crate::crypto::Secret;
use crate::db::Db;
use crate::error::{Error, MetricsRefusal};
use crate::http::listener::{ListenAddress, Listener, Reserved};
use crate::http::routes::{get, read_only};
use crate::metrics::{Requests, process, read_gauges, registry};
use crate::schema::sessions;

pub struct Metrics {
    /// Locked while gathering, because values are copied into gauges first.
    registry: Mutex<Registry>,
    pub requests: Requests,
    token: Option<Secret>,
}

impl Metrics {
    pub fn new(db: &Db, authenticator: &Authenticator, sync: Option<&SyncMetrics>, token: Option<Secret>) -> Metrics {
        let requests = Requests::new();
        let version = read_gauges("gatepost_build_info", "The running version.", &["version"], || {
            vec![(vec![env!("CARGO_PKG_VERSION").to_owned()], 1.0)]
        });
        let mut collectors = vec![version, sessions(db.clone()), process::collector()];
        collectors.extend(requests.collectors());
        collectors.extend(db.collectors());
        collectors.extend(authenticator.collectors());
        collectors.extend(sync.into_iter().flat_map(SyncMetrics::collectors));
        Metrics { registry: Mutex::new(registry(collectors)), requests, token }
    }

    fn text(&self) -> Result<String, Error> {
        let registry = self.registry.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        self.requests.gather();
        TextEncoder::new().encode_to_string(&registry.gather()).map_err(|error| Error::Internal(error.to_string()))
    }

    /// RFC 6750, section 2.1, in constant time.
    fn check(&self, request: &HttpRequest) -> Result<(), Error> {
        let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let sent =
            header.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let (Some((_, sent)), Some(token)) = (sent, &self.token) else {
            return Err(Error::MetricsRefused(MetricsRefusal::TokenMissing));
        };
        verify_slices_are_equal(sent.trim().as_bytes(), token.as_bytes())
            .map_err(|_| Error::MetricsRefused(MetricsRefusal::TokenInvalid))
    }
}

/// Includes expired sessions that are not removed yet. No value while the database is unreachable.
fn sessions(db: Db) -> Box<dyn Collector> {
    read_gauges("gatepost_sessions", "Admin sessions.", &[], move || {
        let count = db.read_blocking(|conn| Ok(sessions::table.count().get_result::<i64>(conn)?));
        count.map(|count| (Vec::new(), count as f64)).into_iter().collect()
    })
}

/// Returns the address with the actual port. Must be called within an actix system.
pub fn listen(metrics: web::Data<Metrics>, reserved: Reserved) -> std::io::Result<(ListenAddress, dev::ServerHandle)> {
    let listener = reserved.listen()?;
    let bind = listener.bind()?;
    let app = move || {
        let app = App::new().app_data(metrics.clone()).service(read_only("/metrics", get().to(page)));
        app.default_service(web::to(|| async { Err::<HttpResponse, _>(Error::NotFound) }))
    };
    let server = HttpServer::new(app).workers(1).disable_signals().client_request_timeout(Duration::from_secs(5));
    let server = match listener {
        Listener::Tcp(listener) => server.listen(listener)?,
        Listener::Unix(listener) => server.listen_uds(listener)?,
    }
    .run();
    let handle = server.handle();
    rt::spawn(server);
    Ok((bind, handle))
}

pub fn urls(app: &mut web::ServiceConfig, metrics: Option<&web::Data<Metrics>>) {
    if let Some(metrics) = metrics {
        app.app_data(metrics.clone()).service(read_only("/metrics", get().to(guarded_page)));
    }
}

async fn page(metrics: web::Data<Metrics>) -> Result<HttpResponse, Error> {
    let text = tokio::task::spawn_blocking(move || metrics.text()).await;
    let text = text.map_err(|error| Error::Internal(error.to_string()))??;
    Ok(HttpResponse::Ok().content_type(TEXT_FORMAT).body(text))
}

async fn guarded_page(metrics: web::Data<Metrics>, request: HttpRequest) -> Result<HttpResponse, Error> {
    metrics.check(&request)?;
    page(metrics).await
}
