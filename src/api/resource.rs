//! [`resource`]: what all API URLs have in common.

use std::borrow::Cow;
use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{HttpServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, ResponseError, Route, web};
use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};

use super::endpoint::Endpoint;
use super::{browsable, render};
use crate::cognito::CognitoCaller;
use crate::error::Error;
use crate::history::api_requests::Worker;
use crate::http::negotiation::Renderer;
use crate::http::{etag, negotiation};

/// Serves both forms of the path, with and without the trailing slash: a redirect would lose the body of a POST.
pub fn resource(endpoint: Endpoint, routes: impl Fn() -> Vec<Route>) -> impl HttpServiceFactory {
    let endpoint = Arc::new(endpoint);
    let cut = endpoint.path.trim_end_matches('/');
    // Two resources instead of one with two patterns: actix-web matches a single static pattern by comparison, but
    // several only by regular expressions.
    Vec::from([endpoint.path.as_str(), cut].map(|path| single_resource(endpoint.clone(), path, routes())))
}

fn single_resource(endpoint: Arc<Endpoint>, path: &str, routes: Vec<Route>) -> impl HttpServiceFactory + use<> {
    let described = endpoint.clone();
    let options = move |_: CognitoCaller| {
        let metadata = described.metadata();
        async move { HttpResponse::Ok().json(metadata) }
    };
    let refuse = |_: CognitoCaller, request: HttpRequest| async move {
        Err::<HttpResponse, _>(Error::MethodNotAllowed(request.method().to_string()))
    };
    let resource = routes.into_iter().fold(web::resource(path), |resource, route| resource.route(route));
    resource
        .route(web::method(Method::OPTIONS).to(options))
        .default_service(web::to(refuse))
        .wrap(from_fn(move |request, next| frame(endpoint.clone(), request, next)))
}

async fn frame(
    endpoint: Arc<Endpoint>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    if let Some(requests) = request.app_data::<web::Data<Worker>>() {
        requests.count();
    }
    let (renderer, response) = match negotiation::choose(request.request()) {
        Ok(renderer) => match authenticate_page(renderer, request.request()).await {
            Ok(()) => (renderer, next.call(request).await?.map_into_boxed_body()),
            Err(error) => (renderer, request.error_response(error)),
        },
        Err(error) => (Renderer::JSON, request.error_response(error)),
    };
    let (request, response) = response.into_parts();
    let response = finish(&endpoint, renderer, &request, response).await;
    Ok(ServiceResponse::new(request, response))
}

/// HTML pages are also available to users signed in to the admin. JSON requires a token.
async fn authenticate_page(renderer: Renderer, request: &HttpRequest) -> Result<(), Error> {
    match request.app_data::<web::Data<PageSignIn>>() {
        Some(sign_in) if renderer == Renderer::Html => (sign_in.0)(request).await,
        _ => Ok(()),
    }
}

/// Stores the [`PageUser`](crate::users::page_user::PageUser) in a request for a page. Part of the application data.
pub struct PageSignIn(pub for<'a> fn(&'a HttpRequest) -> LocalBoxFuture<'a, Result<(), Error>>);

/// The bodies of Django REST framework's own errors have no code, and clients compare whole bodies.
fn original_body(error: &Error) -> Option<Value> {
    match error {
        Error::NoSuchFormat
        | Error::MethodNotAllowed(_)
        | Error::NotAcceptable
        | Error::UnsupportedMediaType(_)
        | Error::Parse(_) => Some(json!({ "detail": error.to_string() })),
        _ => None,
    }
}

async fn finish(
    endpoint: &Endpoint,
    renderer: Renderer,
    request: &HttpRequest,
    response: HttpResponse,
) -> HttpResponse {
    let error = response.error().and_then(|error| error.as_error::<Error>());
    let problem = error.filter(|_| negotiation::wants_problem(request)).map(Error::problem);
    let original = error.and_then(original_body);
    let (mut response, body) = response.into_parts();
    let headers = response.headers_mut();
    headers.insert(header::ALLOW, HeaderValue::from_static(endpoint.allow));
    headers.append(header::VARY, HeaderValue::from_static("Accept"));
    let mut bytes = match actix_web::body::to_bytes(body).await {
        Ok(bytes) => bytes,
        Err(error) => return Error::Internal(error.to_string()).error_response(),
    };
    if let Some(body) = problem.as_ref().or(original.as_ref()) {
        bytes = body.to_string().into();
    }
    if problem.is_some() {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    }
    if response.status().is_server_error() {
        bytes = render::with_request_id(request, bytes);
    }
    let is_read = response.status() == StatusCode::OK && matches!(*request.method(), Method::GET | Method::HEAD);
    if is_read {
        // A cached response already has its tag.
        let known = response.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok());
        let compact = known.map_or_else(|| Cow::Owned(etag::of(&bytes, response.headers())), Cow::Borrowed);
        let tag = etag::of_rendering(renderer, compact);
        let is_known = renderer != Renderer::Html && etag::any_matches(request.headers(), header::IF_NONE_MATCH, &tag);
        if let Cow::Owned(tag) = tag
            && let Ok(tag) = HeaderValue::try_from(tag)
        {
            response.headers_mut().insert(header::ETAG, tag);
        }
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response.headers_mut().remove(header::CONTENT_TYPE);
            return response.set_body(BoxBody::new(()));
        }
    }
    if renderer != Renderer::JSON && problem.is_none() && !bytes.is_empty() {
        bytes = render(renderer, endpoint, request, &mut response, bytes);
    }
    if renderer == Renderer::Html {
        // A page depends on the admin's session and theme cookies.
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept, Cookie"));
    }
    response.set_body(BoxBody::new(bytes))
}

fn render(
    renderer: Renderer,
    endpoint: &Endpoint,
    request: &HttpRequest,
    response: &mut HttpResponse<()>,
    body: Bytes,
) -> Bytes {
    let Ok(value) = serde_json::from_slice::<Value>(&body) else { return body };
    match renderer {
        Renderer::Json { indent } => render::indented(&value, indent.into()).into(),
        Renderer::Html => browsable::page(endpoint, request, response, &value).unwrap_or_else(|error| {
            log::error!("the page of a response could not be rendered: {}", error.logged());
            body
        }),
    }
}
