//! What the service tells Prometheus (<https://prometheus.io/docs/instrumenting/exposition_formats/>).
//!
//! Each part counts for itself, and hands out what it counts as collectors. [`Metrics`] gathers them when it
//! is asked, on a thread that may wait. No label ever takes a value that a caller can choose.

mod endpoint;
mod process;
mod requests;

use std::sync::Mutex;

use diesel::{QueryDsl, RunQueryDsl};
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{GaugeVec, Histogram, HistogramOpts, IntCounterVec, IntGauge, Opts, Registry, TextEncoder};

use crate::cognito::Authenticator;
use crate::db::Db;
use crate::error::Error;
use crate::schema::sessions;
use crate::secret::Secret;
pub use endpoint::{listen, urls};
pub use requests::{Requests, Worker};

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

/// Everything that is told; part of the application's data.
pub struct Metrics {
    /// One at a time: what is read is put into gauges first.
    registry: Mutex<Registry>,
    /// Requests, which the middleware counts.
    pub requests: Requests,
    token: Option<Secret>,
}

impl Metrics {
    /// The metrics of these parts. `token` opens them at the main address.
    pub fn new(db: &Db, authenticator: &Authenticator, token: Option<Secret>) -> Metrics {
        let requests = Requests::new();
        let version = read_gauges("gatepost_build_info", "The version that runs.", &["version"], || {
            vec![(vec![env!("CARGO_PKG_VERSION").to_owned()], 1.0)]
        });
        let mut collectors = vec![version, sessions(db.clone()), process::collector()];
        collectors.extend(requests.collectors());
        collectors.extend(db.collectors());
        collectors.extend(authenticator.collectors());
        let registry = Registry::new();
        for collector in collectors {
            made(registry.register(collector));
        }
        Metrics { registry: Mutex::new(registry), requests, token }
    }

    fn text(&self) -> Result<String, Error> {
        let registry = self.registry.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        self.requests.gather();
        TextEncoder::new().encode_to_string(&registry.gather()).map_err(|error| Error::Internal(error.to_string()))
    }
}

/// Signed in, or so long ago that the row is about to go. Nothing while the database is out of reach.
fn sessions(db: Db) -> Box<dyn Collector> {
    read_gauges("gatepost_sessions", "Sessions of the admin.", &[], move || {
        let count = db.read_blocking(|conn| Ok(sessions::table.count().get_result::<i64>(conn)?));
        count.map(|count| (Vec::new(), count as f64)).into_iter().collect()
    })
}
