//! Responses that operations share, with the schemas of errors and metadata. They are never constructed: responses come
//! from [`Error`](crate::error::Error) and [`Endpoint`](crate::api::Endpoint), and a test compares both.
#![allow(dead_code)]

use std::collections::BTreeMap;

use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use utoipa::{IntoResponses, OpenApi, ToSchema};

use crate::error::Refusal;

/// All schemas of this module.
#[derive(OpenApi)]
#[openapi(components(schemas(
    AuthenticationErrorBody,
    DetailBody,
    ErrorBody,
    InvalidBody,
    MetadataBody,
    ProblemBody
)))]
pub(super) struct Schemas;

/// An error.
#[derive(ToSchema)]
#[schema(as = ErrorDetail)]
pub struct ErrorBody {
    /// A human-readable sentence.
    detail: String,
    /// A stable, machine-readable code.
    code: String,
    /// The id of the request in the service's log, for status 500 and above.
    #[schema(nullable = false)]
    request_id: Option<String>,
}

/// An error in Django REST framework's format.
#[derive(ToSchema)]
#[schema(as = Detail)]
pub(super) struct DetailBody {
    /// A human-readable sentence.
    detail: String,
    /// A stable, machine-readable code. Django REST framework's own errors have none.
    #[schema(nullable = false)]
    code: Option<String>,
}

/// Problem details (RFC 9457), for clients that accept them.
#[derive(ToSchema)]
#[schema(as = Problem)]
struct ProblemBody {
    /// Always `about:blank`: the status is the problem type.
    r#type: String,
    /// The reason phrase of the status.
    title: String,
    status: u16,
    /// A human-readable sentence.
    detail: String,
    /// A stable, machine-readable code.
    code: String,
    /// Error messages by field.
    #[schema(nullable = false)]
    errors: Option<FieldErrorsBody>,
    /// The id of the request in the service's log, for status 500 and above.
    #[schema(nullable = false)]
    request_id: Option<String>,
}

/// Why authentication failed.
#[derive(ToSchema)]
#[schema(as = AuthenticationError)]
pub(super) struct AuthenticationErrorBody {
    /// A human-readable sentence.
    detail: String,
    #[schema(schema_with = refusal_code)]
    code: String,
}

/// The codes are text and no `enum`: generated clients would fail at a code that a later version adds.
fn refusal_code() -> Object {
    let codes = Refusal::ALL.iter().filter(|refusal| **refusal != Refusal::KeysUnavailable);
    let codes: Vec<String> = codes.map(|refusal| format!("`{}`", refusal.code())).collect();
    let description = format!("A stable, machine-readable code: {}. There may be more.", codes.join(", "));
    ObjectBuilder::new().schema_type(Type::String).description(Some(description)).build()
}

/// Error messages by field. `non_field_errors` is for the body as a whole.
#[derive(ToSchema)]
#[schema(as = FieldErrors)]
pub struct FieldErrorsBody(BTreeMap<String, Vec<String>>);

/// A body that cannot be parsed, or has invalid fields.
#[derive(ToSchema)]
#[schema(as = InvalidBody)]
#[serde(untagged)]
pub(super) enum InvalidBody {
    Parse(DetailBody),
    Fields(FieldErrorsBody),
}

/// Responses of any request.
#[derive(IntoResponses)]
pub(super) enum Always {
    /// The token is missing or not accepted.
    #[response(status = 401, headers(("WWW-Authenticate", description = "`Bearer` (RFC 6750).")))]
    Unauthorized(AuthenticationErrorBody),
    /// The caller may not do this, or the token of a service account lacks a scope.
    #[response(status = 403, headers(("WWW-Authenticate", description = "The missing scope, if that is the reason (RFC 6750).")))]
    Forbidden(ErrorBody),
    /// The URL is unknown, or `format` is not supported.
    #[response(status = 404)]
    NotFound(DetailBody),
    /// `Accept` names no supported media type.
    #[response(status = 406)]
    NotAcceptable(DetailBody),
    /// The client has exceeded the rate limit.
    #[response(status = 429, headers(("Retry-After" = u32, description = "Seconds to wait.")))]
    TooManyRequests(ErrorBody),
    /// Internal server error.
    #[response(status = 500)]
    InternalServerError(ErrorBody),
    /// The database or the user pool's keys are unreachable, or the service is overloaded.
    #[response(status = 503, headers(("Retry-After" = u32, description = "Seconds to wait.")))]
    ServiceUnavailable(ErrorBody),
}

/// Responses of unsupported methods. OpenAPI has no place for these, so every operation lists them.
#[derive(IntoResponses)]
pub enum OtherMethod {
    /// The URL does not support this method.
    #[response(status = 405, headers(("Allow", description = "The methods of this URL.")))]
    MethodNotAllowed(ErrorBody),
}

/// The same for API URLs.
#[derive(IntoResponses)]
pub(super) enum OtherApiMethod {
    /// The URL does not support this method.
    #[response(status = 405, headers(("Allow", description = "The methods of this URL.")))]
    MethodNotAllowed(DetailBody),
}

/// Additional responses of a request with a body.
#[derive(IntoResponses)]
pub(super) enum WithBody {
    /// The body cannot be parsed, or has invalid fields.
    #[response(status = 400)]
    BadRequest(InvalidBody),
    /// The body took too long to arrive.
    #[response(status = 408)]
    RequestTimeout(ErrorBody),
    /// The body is too large.
    #[response(status = 413)]
    PayloadTooLarge(ErrorBody),
    /// The body's `Content-Type` is not supported.
    #[response(status = 415)]
    UnsupportedMediaType(DetailBody),
}

/// Additional responses of a GET.
#[derive(IntoResponses)]
pub(super) enum OfRead {
    /// `If-None-Match` names the current version.
    #[response(status = 304, headers(("ETag", description = "The version.")))]
    NotModified,
}

/// Additional responses of a request that changes an object.
#[derive(IntoResponses)]
pub(super) enum OfChange {
    /// `If-Match` does not name the current version.
    #[response(status = 412)]
    PreconditionFailed(ErrorBody),
}

/// The metadata of a URL, as in Django REST framework.
#[derive(ToSchema)]
#[schema(as = Metadata)]
pub(super) struct MetadataBody {
    /// The view's name.
    name: String,
    /// Always empty.
    description: String,
    /// The media types of responses.
    renders: Vec<String>,
    /// The accepted media types of request bodies.
    parses: Vec<String>,
    /// The fields of the body, by method.
    #[schema(nullable = false)]
    actions: Option<BTreeMap<String, BTreeMap<String, FieldMetadata>>>,
}

#[derive(ToSchema)]
struct FieldMetadata {
    /// `string` or `integer`.
    r#type: String,
    required: bool,
    read_only: bool,
    /// The display name.
    label: String,
    /// Maximum length in characters.
    #[schema(nullable = false)]
    max_length: Option<u32>,
}
