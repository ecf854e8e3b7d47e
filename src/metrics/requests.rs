//! Request counters per worker thread: with shared counters, the cores would contend for them at every request.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::{Method, StatusCode};
use prometheus::core::Collector;
use prometheus::local::{LocalHistogramVec, LocalIntCounterVec};
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec};

use super::collectors::{counters, made};

const SECONDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

pub struct Requests {
    answered: IntCounterVec,
    seconds: HistogramVec,
    workers: Mutex<Vec<Worker>>,
}

impl Requests {
    #[allow(clippy::new_without_default)]
    pub fn new() -> Requests {
        let seconds = HistogramOpts::new("gatepost_http_request_duration_seconds", "Time to the response head.");
        Requests {
            answered: counters("gatepost_http_requests_total", "Requests answered.", &["route", "method", "status"]),
            seconds: made(HistogramVec::new(seconds.buckets(SECONDS.to_vec()), &["route", "method"])),
            workers: Mutex::default(),
        }
    }

    pub fn worker(&self) -> Worker {
        let counts = Counts { answered: self.answered.local(), seconds: self.seconds.local() };
        let worker = Worker(Arc::new(Mutex::new(counts)));
        self.workers.lock().unwrap_or_else(PoisonError::into_inner).push(worker.clone());
        worker
    }

    pub fn collectors(&self) -> [Box<dyn Collector>; 2] {
        [Box::new(self.answered.clone()), Box::new(self.seconds.clone())]
    }

    pub fn gather(&self) {
        for Worker(counts) in self.workers.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
            counts.answered.flush();
            counts.seconds.flush();
        }
    }
}

/// Counts since the last gathering.
#[derive(Clone)]
pub struct Worker(Arc<Mutex<Counts>>);

struct Counts {
    answered: LocalIntCounterVec,
    seconds: LocalHistogramVec,
}

impl Worker {
    pub fn observe(&self, request: &HttpRequest, status: StatusCode, took: Duration) {
        // The route pattern, not the path: clients could create any number of paths.
        let route = request.match_pattern();
        self.count(route.as_deref().unwrap_or("unmatched"), request.method(), status, took);
    }

    /// For a request that failed in a middleware, where the route is unknown.
    pub fn observe_lost(&self, method: &Method, status: StatusCode, took: Duration) {
        self.count("unknown", method, status, took);
    }

    fn count(&self, route: &str, method: &Method, status: StatusCode, took: Duration) {
        let method = known(method);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.answered.with_label_values(&[route, method, status.as_str()]).inc();
        counts.seconds.with_label_values(&[route, method]).observe(took.as_secs_f64());
    }
}

/// Clients can send any method name.
fn known(method: &Method) -> &'static str {
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
