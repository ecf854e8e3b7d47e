//! `/metrics`: at an address of its own for whoever reaches it, at the main address for who has the token.

use std::net::SocketAddr;
use std::time::Duration;

use actix_web::http::header::AUTHORIZATION;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, dev, rt, web};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use prometheus::TEXT_FORMAT;

use super::Metrics;
use crate::api::{get, read_only};
use crate::error::{Error, MetricsRefusal};

/// Starts a server beside, for the metrics alone: what reaches one reaches nothing of the other. Returns where
/// it listens. Must be called within an actix system.
pub fn listen(metrics: web::Data<Metrics>, address: SocketAddr) -> std::io::Result<(SocketAddr, dev::ServerHandle)> {
    let app = move || {
        let app = App::new().app_data(metrics.clone()).service(read_only("/metrics", get().to(page)));
        app.default_service(web::to(|| async { Err::<HttpResponse, _>(Error::NotFound) }))
    };
    let server = HttpServer::new(app)
        .workers(1)
        .disable_signals()
        .client_request_timeout(Duration::from_secs(5))
        .bind(address)?;
    let address = server.addrs().first().copied().unwrap_or(address);
    let server = server.run();
    let handle = server.handle();
    rt::spawn(server);
    Ok((address, handle))
}

/// Adds the address to the main ones, where there is a token for it.
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

impl Metrics {
    /// RFC 6750, section 2.1. The comparison takes the same time however much of the token is right.
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
