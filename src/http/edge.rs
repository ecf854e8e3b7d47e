//! The outermost middleware: request id, `Host` check, security headers and the access log.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::Error;
use crate::http::caller::CallerId;
use crate::http::compression::compress;
use crate::http::cors::{Cors, CorsHeaders};
use crate::http::header_values::{elements, joined};
use crate::http::idle::IdleWatch;
use crate::http::pages;
use crate::http::trace_context::trace_id;
use crate::metrics;

/// The `Content-Security-Policy` of a page with Gatepost's own script, which may call this server.
pub const SCRIPTED_POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; \
    img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Set when the server is about to stop. From then on, each response closes its connection, so that the client sends no
/// request on one that is closed meanwhile.
#[derive(Clone, Default)]
pub struct Stopping(Arc<AtomicBool>);

impl Stopping {
    pub fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Part of the application data, one per worker thread.
pub struct EdgeSettings {
    pub stopping: Stopping,
    /// `example.com`, `.example.com` to include subdomains, or `*`.
    pub allowed_hosts: Vec<String>,
    pub cors: Cors,
    pub request_ids: RequestIds,
    pub metrics: Option<metrics::Worker>,
}

/// A random prefix per worker thread and a counter: unique, not secret, and without a random number per request.
pub struct RequestIds {
    run: String,
    next: AtomicU64,
}

impl Default for RequestIds {
    fn default() -> RequestIds {
        let mut bytes = [0; 6];
        // If the system has no random numbers, zeros are acceptable.
        let _ = aws_lc_rs::rand::fill(&mut bytes);
        RequestIds { run: URL_SAFE_NO_PAD.encode(bytes), next: AtomicU64::new(1) }
    }
}

impl RequestIds {
    fn next(&self) -> RequestId {
        let number = self.next.fetch_add(1, Ordering::Relaxed).to_string();
        let id = [&*self.run, "-", &number].concat();
        // All characters are valid in a header.
        RequestId(HeaderValue::try_from(id).unwrap_or_else(|_| HeaderValue::from_static("-")))
    }
}

#[derive(Clone)]
struct RequestId(HeaderValue);

impl RequestId {
    fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

pub fn request_id(request: &HttpRequest) -> String {
    request.extensions().get::<RequestId>().map(|id| id.as_str().to_owned()).unwrap_or_default()
}

pub async fn edge(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let started = Instant::now();
    if let Some(watch) = request.request().conn_data::<IdleWatch>() {
        watch.pause();
    }
    let settings = request.app_data::<web::Data<EdgeSettings>>().cloned();
    let settings = settings.ok_or_else(|| Error::Internal("the middleware has no settings".to_owned()))?;
    let id = incoming_id(request.headers()).unwrap_or_else(|| settings.request_ids.next());
    request.extensions_mut().insert(id.clone());
    let (cors, preflight) = settings.cors.judge(request.request());
    let common = Common { id, behind_tls: is_behind_tls(request.headers()), cors };
    let mut response = if !is_allowed(request.request(), &settings.allowed_hosts) {
        log::warn!(request_id = common.id.as_str(), trace_id = trace_id(request.headers()); "refused: the Host {} is not in ALLOWED_HOSTS", shown_host(request.headers()));
        let page = pages::bad_host(request.request());
        request.into_response(page)
    } else if let Some(answer) = preflight {
        let answer = answer.unwrap_or_else(HttpResponse::from_error);
        request.into_response(answer)
    } else {
        let method = request.method().clone();
        let response = next.call(request).await.map_err(|error| {
            if let Some(metrics) = &settings.metrics {
                metrics.observe_lost(&method, error.as_response_error().status_code(), started.elapsed());
            }
            finish(error, &common)
        })?;
        compress(response.map_into_boxed_body()).await
    };
    common.add_to(response.headers_mut());
    if let Some(metrics) = &settings.metrics {
        metrics.observe(response.request(), response.status(), started.elapsed());
    }
    log_request(&response, &common.id, started);
    await_next_request(&mut response, &settings.stopping);
    Ok(response)
}

pub fn is_behind_tls(headers: &HeaderMap) -> bool {
    // Of several proxies, each adds what it received; the first is the one that the client speaks to.
    let protocols = joined(headers, header::X_FORWARDED_PROTO);
    elements(&protocols).next().is_some_and(|protocol| protocol.eq_ignore_ascii_case("https"))
}

/// Adds the headers of every response: another middleware's error has lost its request.
fn finish(error: actix_web::Error, common: &Common) -> actix_web::Error {
    log::warn!(request_id = common.id.as_str(); "a request failed before or after its handler: {}", error.to_string().escape_debug());
    let mut response = HttpResponse::from_error(error);
    common.add_to(response.headers_mut());
    InternalError::from_response("", response).into()
}

/// Closes the connection after a body that was too slow or too large: its rest would come before the next request.
fn await_next_request(response: &mut ServiceResponse, stopping: &Stopping) {
    let is_body_left = matches!(response.status(), StatusCode::REQUEST_TIMEOUT | StatusCode::PAYLOAD_TOO_LARGE);
    if is_body_left || stopping.has_begun() {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    let Some(watch) = response.request().conn_data::<IdleWatch>() else { return };
    if is_body_left {
        watch.close_soon();
    } else if response.response().body().size() != BodySize::Stream {
        // A stream takes as long as its reader needs.
        watch.resume();
    }
}

fn incoming_id(headers: &HeaderMap) -> Option<RequestId> {
    let id = headers.get(X_REQUEST_ID)?;
    let is_harmless = (8..=64).contains(&id.len())
        && id.as_bytes().iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-' || *b == b'_');
    is_harmless.then(|| RequestId(id.clone()))
}

fn shown_host(headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).map_or(&b""[..], HeaderValue::as_bytes);
    format!("`{}`", host[..host.len().min(100)].escape_ascii())
}

fn is_allowed(request: &HttpRequest, hosts: &[String]) -> bool {
    // Load balancer probes use an IP address as host, and these responses reveal nothing.
    if matches!(request.path(), "/healthz" | "/readyz") {
        return true;
    }
    // A host in the request target overrides the header (RFC 9112, section 3.2.2), so both must be allowed.
    if request.uri().authority().is_some_and(|authority| !host_matches(authority.as_str(), hosts)) {
        return false;
    }
    let mut values = request.headers().get_all(header::HOST);
    match (values.next().map(HeaderValue::to_str), values.next()) {
        (Some(Ok(host)), None) => host_matches(host, hosts),
        _ => false,
    }
}

/// Ignores port and case.
pub fn host_matches(host: &str, allowed: &[String]) -> bool {
    let host = match host.bytes().any(|b| b.is_ascii_uppercase()) {
        true => Cow::Owned(host.to_ascii_lowercase()),
        false => Cow::Borrowed(host),
    };
    let (name, port) = match host.rfind(':') {
        Some(at) if !host.ends_with(']') => (&host[..at], &host[at + 1..]),
        _ => (&*host, ""),
    };
    let is_of_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'[' | b']' | b':');
    let is_name = !name.is_empty() && name.bytes().all(is_of_name);
    if !is_name || !port.bytes().all(|b| b.is_ascii_digit()) || (name.contains(':') && !name.starts_with('[')) {
        return false;
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    allowed.iter().any(|allowed| match allowed.strip_prefix('.') {
        Some(domain) => name == domain || name.strip_suffix(domain).is_some_and(|below| below.ends_with('.')),
        None => allowed == "*" || allowed == name,
    })
}

/// What the headers of every response depend on.
struct Common {
    id: RequestId,
    behind_tls: bool,
    cors: CorsHeaders,
}

impl Common {
    fn add_to(&self, headers: &mut HeaderMap) {
        const FIXED: [(HeaderName, &str); 4] = [
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::X_FRAME_OPTIONS, "DENY"),
            (header::REFERRER_POLICY, "same-origin"),
            (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        ];
        // Defaults that a response may override. Outside the admin no page needs scripts, and only the own style sheet is
        // allowed.
        const DEFAULTS: [(HeaderName, &str); 2] = [
            (header::CACHE_CONTROL, "no-store"),
            (
                header::CONTENT_SECURITY_POLICY,
                "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
            ),
        ];
        for (name, value) in FIXED {
            headers.insert(name, HeaderValue::from_static(value));
        }
        for (name, value) in DEFAULTS {
            if !headers.contains_key(&name) {
                headers.insert(name, HeaderValue::from_static(value));
            }
        }
        if self.behind_tls {
            headers.insert(
                header::STRICT_TRANSPORT_SECURITY,
                HeaderValue::from_static("max-age=31536000; includeSubDomains"),
            );
        }
        headers.insert(X_REQUEST_ID, self.id.0.clone());
        self.cors.add_to(headers);
    }
}

/// One line per request, without the query string (which may contain personal data). `escape_debug` prevents a hostile
/// path from forging log lines.
fn log_request(response: &ServiceResponse, id: &RequestId, started: Instant) {
    let id = id.as_str();
    let request = response.request();
    let trace = || trace_id(request.headers());
    let status = response.status();
    let error = response.response().error().and_then(|error| error.as_error::<Error>());
    if let Some(cause) = error.and_then(Error::cause) {
        log::error!(request_id = id, trace_id = trace(); "{} {}: {}", request.method(), request.path().escape_debug(), cause.escape_debug());
    }
    if let Some(refusal) = error.filter(|error| error.is_refusal()) {
        log::info!(target: "gatepost::cognito", request_id = id, trace_id = trace(); "refused: {}", refusal.code());
    }
    let level = if status.is_server_error() { log::Level::Warn } else { log::Level::Info };
    if log::log_enabled!(target: "gatepost::access", level) {
        let (user, account) = match request.extensions().get::<CallerId>() {
            Some(CallerId::User(id)) => (Some(*id), None),
            Some(CallerId::ServiceAccount(id)) => (None, Some(*id)),
            None => (None, None),
        };
        let milliseconds = started.elapsed().as_secs_f64() * 1000.0;
        log::log!(
            target: "gatepost::access", level,
            request_id = id, trace_id = trace(), status = status.as_u16(), duration_ms = (milliseconds * 1000.0).round() / 1000.0, user = user, service_account = account;
            "{} {} {}", request.method(), request.path().escape_debug(), status.as_u16()
        );
    }
}
