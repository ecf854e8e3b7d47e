//! Constructors of Prometheus collectors.

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{GaugeVec, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry};

/// Names and labels are constants, so a mistake shows at every start.
#[allow(clippy::expect_used)]
pub(super) fn made<T>(metric: prometheus::Result<T>) -> T {
    metric.expect("the metric is well-formed")
}

pub fn counter(name: &str, help: &str) -> IntCounter {
    made(IntCounter::new(name, help))
}

pub fn counters(name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    made(IntCounterVec::new(Opts::new(name, help), labels))
}

pub fn gauge(name: &str, help: &str) -> IntGauge {
    made(IntGauge::new(name, help))
}

pub fn histogram(name: &str, help: &str, bounds: &[f64]) -> Histogram {
    made(Histogram::with_opts(HistogramOpts::new(name, help).buckets(bounds.to_vec())))
}

pub fn registry(collectors: Vec<Box<dyn Collector>>) -> Registry {
    let registry = Registry::new();
    for collector in collectors {
        made(registry.register(collector));
    }
    registry
}

/// `read` returns label values and the gauge's value for each series.
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
