//! What the service tells Prometheus (<https://prometheus.io/docs/instrumenting/exposition_formats/>).
//!
//! Each part counts for itself, and hands out what it counts as collectors. [`Metrics`] gathers them when it
//! is asked, on a thread that may wait. No label ever takes a value that a caller can choose.

mod process;

use std::sync::Mutex;
use std::time::Duration;

use actix_web::http::header::AUTHORIZATION;
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use diesel::{QueryDsl, RunQueryDsl};
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{
    GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry, TEXT_FORMAT, TextEncoder,
};

use crate::cognito::Authenticator;
use crate::db::Db;
use crate::error::Error;
use crate::schema::sessions;
use crate::secret::Secret;

/// Upper bounds for the time that an answer takes, in seconds.
const ANSWER_SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Names and labels are constants of ours, so that a mistake shows as soon as anything is started.
#[allow(clippy::expect_used)]
fn made<T>(metric: prometheus::Result<T>) -> T {
    metric.expect("the metric is well-formed")
}

/// Counters by labels.
pub fn counters(name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    made(IntCounterVec::new(Opts::new(name, help), labels))
}

/// One number that goes up and down.
pub fn gauge(name: &str, help: &str) -> IntGauge {
    made(IntGauge::new(name, help))
}

/// How many observations there are up to each of some bounds.
pub fn histogram(name: &str, help: &str, bounds: &[f64]) -> Histogram {
    made(Histogram::with_opts(HistogramOpts::new(name, help).buckets(bounds.to_vec())))
}

/// A gauge that is read when it is collected: the values of its labels, and its own, for each of them.
pub fn read_gauges<F>(name: &str, help: &str, labels: &[&str], read: F) -> Box<dyn Collector>
where
    F: Fn() -> Vec<(Vec<String>, f64)> + Send + Sync + 'static,
{
    Box::new(ReadGauges { gauges: made(GaugeVec::new(Opts::new(name, help), labels)), read })
}

struct ReadGauges<F> {
    gauges: GaugeVec,
    read: F,
}

impl<F: Fn() -> Vec<(Vec<String>, f64)> + Send + Sync> Collector for ReadGauges<F> {
    fn desc(&self) -> Vec<&Desc> {
        self.gauges.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.gauges.reset();
        for (labels, value) in (self.read)() {
            self.gauges.with_label_values(&labels).set(value);
        }
        self.gauges.collect()
    }
}

/// Counts requests. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct RequestMetrics {
    requests: IntCounterVec,
    seconds: HistogramVec,
}

impl RequestMetrics {
    fn new() -> RequestMetrics {
        let seconds = HistogramOpts::new("gatepost_http_request_duration_seconds", "Time to the answer's head.");
        RequestMetrics {
            requests: counters("gatepost_http_requests_total", "Requests answered.", &["route", "method", "status"]),
            seconds: made(HistogramVec::new(seconds.buckets(ANSWER_SECONDS.to_vec()), &["route", "method"])),
        }
    }

    /// Counts a request that was answered.
    pub fn observe(&self, request: &HttpRequest, status: StatusCode, took: Duration) {
        // Never the path, of which there are as many as callers like.
        let route = request.match_pattern();
        self.count(route.as_deref().unwrap_or("unmatched"), request.method(), status, took);
    }

    /// Counts a request that was lost in a middleware, and with it where it went.
    pub fn observe_lost(&self, method: &Method, status: StatusCode, took: Duration) {
        self.count("unknown", method, status, took);
    }

    fn count(&self, route: &str, method: &Method, status: StatusCode, took: Duration) {
        let method = known_method(method);
        self.requests.with_label_values(&[route, method, status.as_str()]).inc();
        self.seconds.with_label_values(&[route, method]).observe(took.as_secs_f64());
    }
}

/// Anything may stand where the method does.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Everything that is told; part of the application's data.
pub struct Metrics {
    /// One at a time: what is read is put into gauges first.
    registry: Mutex<Registry>,
    /// Requests, which the middleware counts.
    pub requests: RequestMetrics,
    token: Option<Secret>,
}

impl Metrics {
    /// The metrics of these parts. `token` opens them at the main address.
    pub fn new(db: &Db, authenticator: &Authenticator, token: Option<Secret>) -> Metrics {
        let requests = RequestMetrics::new();
        let version = read_gauges("gatepost_build_info", "The version that runs.", &["version"], || {
            vec![(vec![env!("CARGO_PKG_VERSION").to_owned()], 1.0)]
        });
        let own: [Box<dyn Collector>; 5] = [
            Box::new(requests.requests.clone()),
            Box::new(requests.seconds.clone()),
            version,
            sessions(db.clone()),
            process::collector(),
        ];
        let registry = Registry::new();
        for collector in own.into_iter().chain(db.collectors()).chain(authenticator.collectors()) {
            made(registry.register(collector));
        }
        Metrics { registry: Mutex::new(registry), requests, token }
    }

    fn text(&self) -> Result<String, Error> {
        let registry = self.registry.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        TextEncoder::new().encode_to_string(&registry.gather()).map_err(|error| Error::Internal(error.to_string()))
    }

    /// RFC 6750, section 2.1. The comparison takes the same time however much of the token is right.
    fn check(&self, request: &HttpRequest) -> Result<(), Error> {
        let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let sent =
            header.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let (Some((_, sent)), Some(token)) = (sent, &self.token) else {
            return Err(refused(
                "metrics_token_missing",
                "Send `Authorization: Bearer` and the token of METRICS_TOKEN.",
            ));
        };
        verify_slices_are_equal(sent.trim().as_bytes(), token.as_bytes())
            .map_err(|_| refused("metrics_token_invalid", "The token is not that of METRICS_TOKEN."))
    }
}

fn refused(code: &'static str, detail: &'static str) -> Error {
    Error::Unauthenticated { code, detail, challenge: Some("Bearer") }
}

/// Signed in, or so long ago that the row is about to go. Nothing while the database is out of reach.
fn sessions(db: Db) -> Box<dyn Collector> {
    read_gauges("gatepost_sessions", "Sessions of the admin.", &[], move || {
        let count = db.read_blocking(|conn| Ok(sessions::table.count().get_result::<i64>(conn)?));
        count.map(|count| (Vec::new(), count as f64)).into_iter().collect()
    })
}

/// `/metrics` at an address that only Prometheus reaches.
pub async fn page(metrics: web::Data<Metrics>) -> Result<HttpResponse, Error> {
    let text = tokio::task::spawn_blocking(move || metrics.text()).await;
    let text = text.map_err(|error| Error::Internal(error.to_string()))??;
    Ok(HttpResponse::Ok().content_type(TEXT_FORMAT).body(text))
}

/// `/metrics` at the main address, for who has the token.
pub async fn guarded_page(metrics: web::Data<Metrics>, request: HttpRequest) -> Result<HttpResponse, Error> {
    metrics.check(&request)?;
    page(metrics).await
}
