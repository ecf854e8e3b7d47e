//! The manners of the API: what Django REST framework does around every view.
//!
//! A view returns compact JSON or an [`Error`]. [`resource`] puts the rest around it, in the original's
//! order: CORS, choice of a renderer, authentication, method, view; then `Allow`, `Vary`, `ETag`,
//! conditional requests and the chosen rendering.

pub mod browsable;
pub mod etag;
pub mod fields;
pub mod negotiation;
pub mod openapi;
pub mod pagination;
pub mod parsers;
pub mod render;
pub mod schemas;
pub mod tokens;

use std::borrow::Cow;

use actix_cors::Cors;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{AppService, HttpServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::{Next, from_fn};
use actix_web::{HttpRequest, HttpResponse, Resource, ResponseError, Route, guard, web};
use serde_json::{Value, json};

use crate::admin::auth::browsing;
use crate::cognito::CognitoUser;
use crate::error::Error;
use fields::CharField;
use negotiation::Renderer;

/// What is known of an address before anybody calls it.
pub struct Endpoint {
    /// The view's name for people; Django REST framework derives it from the class.
    pub name: &'static str,
    /// The address, with a slash at its end.
    pub path: &'static str,
    /// The value of `Allow`.
    pub allow: &'static str,
    /// The method that takes a body, and the fields it takes.
    pub action: Option<(&'static str, &'static [CharField])>,
    /// The address above this one.
    pub parent: Option<&'static Endpoint>,
    /// Whether the answers' objects have addresses of their own, which are their ids below this one.
    pub has_items: bool,
}

/// Serves `endpoint` at its path, and without the slash at the end too, so that no redirect costs a POST its body. `routes` are the view's own; all that is the same for every address comes with it.
pub fn resource(
    endpoint: &'static Endpoint,
    origins: &[String],
    routes: fn() -> Vec<Route>,
) -> impl HttpServiceFactory + use<> {
    // Two resources and not one with two patterns: a single pattern without variables is found by comparing,
    // several of them only by regular expressions.
    let (with_slash, without) = (
        single_resource(endpoint, endpoint.path, origins, routes),
        single_resource(endpoint, endpoint.path.trim_end_matches('/'), origins, routes),
    );
    Boxed(Box::new(|config| {
        with_slash.register(config);
        without.register(config);
    }))
}

fn single_resource(
    endpoint: &'static Endpoint,
    path: &str,
    origins: &[String],
    routes: fn() -> Vec<Route>,
) -> impl HttpServiceFactory + use<> {
    let options = move |_: CognitoUser| async move { HttpResponse::Ok().json(endpoint.metadata()) };
    let refuse = |_: CognitoUser, request: HttpRequest| async move {
        Err::<HttpResponse, _>(Error::MethodNotAllowed(request.method().to_string()))
    };
    let resource = routes().into_iter().fold(web::resource(path), |resource, route| resource.route(route));
    resource
        .route(web::method(Method::OPTIONS).to(options))
        .default_service(web::to(refuse))
        .wrap(from_fn(move |request, next| frame(endpoint, request, next)))
        .wrap(cors(origins))
}

/// Hides the long type of wrapped resources.
struct Boxed(Box<dyn FnOnce(&mut AppService)>);

impl HttpServiceFactory for Boxed {
    fn register(self, config: &mut AppService) {
        (self.0)(config);
    }
}

/// A route for GET, and for HEAD, which is GET without the body (RFC 9110, section 9.3.2). Other methods are its
/// resource's default service to refuse.
pub fn get() -> Route {
    // The framework's own guards note in each request which methods they stand for, to answer with 405 themselves.
    web::route().guard(guard::fn_guard(|context| matches!(context.head().method, Method::GET | Method::HEAD)))
}

/// An address that is read and nothing else, by whoever likes.
pub fn read_only(path: &str, route: Route) -> Resource {
    web::resource(path).route(route).default_service(not_allowed("GET, HEAD"))
}

/// Refuses the methods that an address does not have (RFC 9110, section 15.5.6).
pub fn not_allowed(allow: &'static str) -> Route {
    web::to(move |request: HttpRequest| async move {
        let error = Error::MethodNotAllowed(request.method().to_string());
        let mut response = match negotiation::wants_problem(&request) {
            true => error.problem_response(),
            false => HttpResponse::from_error(error),
        };
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
        response
    })
}

fn cors(origins: &[String]) -> Cors {
    let cors = Cors::default()
        .allowed_methods(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
        .allowed_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::ACCEPT,
            header::IF_MATCH,
            header::IF_NONE_MATCH,
        ])
        .expose_headers([
            "Allow",
            "ETag",
            "Link",
            "Location",
            "Retry-After",
            "WWW-Authenticate",
            "X-Request-Id",
            "X-Total-Count",
        ])
        .max_age(600);
    origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}

impl Endpoint {
    /// The answer to OPTIONS.
    fn metadata(&self) -> Value {
        let mut metadata = json!({
            "name": self.name,
            "description": "",
            "renders": negotiation::MEDIA_TYPES,
            "parses": parsers::MEDIA_TYPES,
        });
        if let Some((method, fields)) = self.action {
            let id = json!({ "type": "integer", "required": false, "read_only": true, "label": "ID" });
            let fields = fields.iter().map(|field| (field.name.to_owned(), field.metadata()));
            let fields: Value = [("id".to_owned(), id)].into_iter().chain(fields).collect();
            metadata["actions"] = json!({ method: fields });
        }
        metadata
    }
}

async fn frame(
    endpoint: &'static Endpoint,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let (renderer, response) = match negotiation::choose(request.request()) {
        Ok(renderer) => match authenticate_page(renderer, request.request()).await {
            Ok(()) => (renderer, next.call(request).await?.map_into_boxed_body()),
            Err(error) => (renderer, request.error_response(error)),
        },
        Err(error) => (Renderer::JSON, request.error_response(error)),
    };
    let (request, response) = response.into_parts();
    let response = finish(endpoint, renderer, &request, response).await;
    Ok(ServiceResponse::new(request, response))
}

/// A page may be asked for by who is signed in to the admin; for JSON, a token is the only way.
async fn authenticate_page(renderer: Renderer, request: &HttpRequest) -> Result<(), Error> {
    if renderer == Renderer::Html { browsing::authenticate(request).await } else { Ok(()) }
}

/// Django REST framework's own errors are a sentence without a code, and its clients compare whole bodies.
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

/// Gives a view's answer what every answer of the API has.
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
        // An answer that its view remembers has its tag already.
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
        bytes = render::render(renderer, endpoint, request, &mut response, bytes);
    }
    if renderer == Renderer::Html {
        // A page may be for who is signed in to the admin, and has the theme that was chosen there.
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept, Cookie"));
    }
    response.set_body(BoxBody::new(bytes))
}
