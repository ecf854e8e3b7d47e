//! Counts of requests. Each worker thread counts for itself, and what it has counted is added to the totals
//! when somebody asks: were there but one number for all, every request would wait for the processors to agree
//! on it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::{Method, StatusCode};
use prometheus::core::Collector;
use prometheus::local::{LocalHistogramVec, LocalIntCounterVec};
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec};

use super::collectors::{counters, made};

/// Upper bounds for the time that an answer takes, in seconds.
const SECONDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The totals.
pub struct Requests {
    answered: IntCounterVec,
    seconds: HistogramVec,
    workers: Mutex<Vec<Worker>>,
}

impl Requests {
    /// Nothing is counted yet.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Requests {
        let seconds = HistogramOpts::new("gatepost_http_request_duration_seconds", "Time to the answer's head.");
        Requests {
            answered: counters("gatepost_http_requests_total", "Requests answered.", &["route", "method", "status"]),
            seconds: made(HistogramVec::new(seconds.buckets(SECONDS.to_vec()), &["route", "method"])),
            workers: Mutex::default(),
        }
    }

    /// What a further worker counts.
    pub fn worker(&self) -> Worker {
        let counts = Counts { answered: self.answered.local(), seconds: self.seconds.local() };
        let worker = Worker(Arc::new(Mutex::new(counts)));
        self.workers.lock().unwrap_or_else(PoisonError::into_inner).push(worker.clone());
        worker
    }

    /// What is told of requests.
    pub fn collectors(&self) -> [Box<dyn Collector>; 2] {
        [Box::new(self.answered.clone()), Box::new(self.seconds.clone())]
    }

    /// Adds what the workers have counted to the totals.
    pub fn gather(&self) {
        for Worker(counts) in self.workers.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
            counts.answered.flush();
            counts.seconds.flush();
        }
    }
}

/// What one worker has counted since the last time that somebody asked.
#[derive(Clone)]
pub struct Worker(Arc<Mutex<Counts>>);

struct Counts {
    answered: LocalIntCounterVec,
    seconds: LocalHistogramVec,
}

impl Worker {
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
        let method = known(method);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.answered.with_label_values(&[route, method, status.as_str()]).inc();
        counts.seconds.with_label_values(&[route, method]).observe(took.as_secs_f64());
    }
}

/// Anything may stand where the method does.
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
