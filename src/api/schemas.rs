//! What errors and metadata look like, for the OpenAPI document. Nothing of it is ever made: the answers come
//! from [`Error`](crate::error::Error) and [`Endpoint`](super::Endpoint), and a test holds both together.
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

/// What is wrong.
#[derive(ToSchema)]
#[schema(as = Error)]
pub struct ErrorBody {
    /// A sentence for people.
    detail: String,
    /// A stable word for programs.
    code: String,
    /// Leads to the request in the service's log; in answers of 500 and above.
    #[schema(nullable = false)]
    request_id: Option<String>,
}

/// What is wrong, as Django REST framework says it.
#[derive(ToSchema)]
#[schema(as = Detail)]
pub(super) struct DetailBody {
    /// A sentence for people.
    detail: String,
    /// A stable word for programs. Django REST framework's own errors have none.
    #[schema(nullable = false)]
    code: Option<String>,
}

/// Problem details (RFC 9457), for who asks for them.
#[derive(ToSchema)]
#[schema(as = Problem)]
struct ProblemBody {
    /// Always `about:blank`: the kind of problem is the status.
    r#type: String,
    /// The status in words.
    title: String,
    status: u16,
    /// A sentence for people.
    detail: String,
    /// A stable word for programs.
    code: String,
    /// What is wrong with each field.
    #[schema(nullable = false)]
    errors: Option<FieldErrorsBody>,
    /// Leads to the request in the service's log; in answers of 500 and above.
    #[schema(nullable = false)]
    request_id: Option<String>,
}

/// Why the request does not prove who it comes from.
#[derive(ToSchema)]
#[schema(as = AuthenticationError)]
pub(super) struct AuthenticationErrorBody {
    /// A sentence for people.
    detail: String,
    /// A stable word for programs.
    #[schema(schema_with = refusal_codes)]
    code: String,
}

fn refusal_codes() -> Object {
    let codes =
        Refusal::ALL.iter().filter(|refusal| **refusal != Refusal::KeysUnavailable).map(|refusal| refusal.code());
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(codes)).build()
}

/// What is wrong with each field; `non_field_errors` is for the body as a whole.
#[derive(ToSchema)]
#[schema(as = FieldErrors)]
pub struct FieldErrorsBody(BTreeMap<String, Vec<String>>);

/// A body that cannot be read, or whose fields are wrong.
#[derive(ToSchema)]
#[schema(as = InvalidBody)]
#[serde(untagged)]
pub(super) enum InvalidBody {
    Parse(DetailBody),
    Fields(FieldErrorsBody),
}

/// What any request can be answered with.
#[derive(IntoResponses)]
pub(super) enum Always {
    /// The token is missing or not accepted.
    #[response(status = 401, headers(("WWW-Authenticate", description = "`Bearer` (RFC 6750).")))]
    Unauthorized(AuthenticationErrorBody),
    /// There is nothing at this address, or `format` names no rendering.
    #[response(status = 404)]
    NotFound(DetailBody),
    /// `Accept` names nothing that can be served.
    #[response(status = 406)]
    NotAcceptable(DetailBody),
    /// The caller has sent more requests than the service's operator allows.
    #[response(status = 429, headers(("Retry-After" = u32, description = "Seconds to wait.")))]
    TooManyRequests(ErrorBody),
    /// Something went wrong on the service's side.
    #[response(status = 500)]
    InternalServerError(ErrorBody),
    /// The database or the user pool's keys are out of reach, or there is too much to do at once.
    #[response(status = 503, headers(("Retry-After" = u32, description = "Seconds to wait.")))]
    ServiceUnavailable(ErrorBody),
}

/// What the other methods of an address are answered with. The document has no place for these, so that each
/// method that is there tells it.
#[derive(IntoResponses)]
pub enum OtherMethod {
    /// The address has no such method.
    #[response(status = 405, headers(("Allow", description = "The methods of this address.")))]
    MethodNotAllowed(ErrorBody),
}

/// The same for an address of the API.
#[derive(IntoResponses)]
pub(super) enum OtherApiMethod {
    /// The address has no such method.
    #[response(status = 405, headers(("Allow", description = "The methods of this address.")))]
    MethodNotAllowed(DetailBody),
}

/// What a request with a body can be answered with besides.
#[derive(IntoResponses)]
pub(super) enum WithBody {
    /// The body cannot be read, or its fields are wrong.
    #[response(status = 400)]
    BadRequest(InvalidBody),
    /// The body took too long to arrive.
    #[response(status = 408)]
    RequestTimeout(ErrorBody),
    /// The body is too large.
    #[response(status = 413)]
    PayloadTooLarge(ErrorBody),
    /// The body's `Content-Type` is none of those that can be read.
    #[response(status = 415)]
    UnsupportedMediaType(DetailBody),
}

/// What a request that reads can be answered with besides.
#[derive(IntoResponses)]
pub(super) enum OfRead {
    /// `If-None-Match` names the present version.
    #[response(status = 304, headers(("ETag", description = "The version.")))]
    NotModified,
}

/// What a request that changes one object can be answered with besides.
#[derive(IntoResponses)]
pub(super) enum OfChange {
    /// The caller may not change this object.
    #[response(status = 403)]
    Forbidden(ErrorBody),
    /// `If-Match` names another version than the present one.
    #[response(status = 412)]
    PreconditionFailed(ErrorBody),
}

/// What OPTIONS tells of an address, as Django REST framework does.
#[derive(ToSchema)]
#[schema(as = Metadata)]
pub(super) struct MetadataBody {
    /// The view's name.
    name: String,
    /// Always empty.
    description: String,
    /// The media types that can be answered with.
    renders: Vec<String>,
    /// The media types that can be read.
    parses: Vec<String>,
    /// The fields of the body of each method that has one.
    #[schema(nullable = false)]
    actions: Option<BTreeMap<String, BTreeMap<String, FieldMetadata>>>,
}

#[derive(ToSchema)]
struct FieldMetadata {
    /// `string` or `integer`.
    r#type: String,
    required: bool,
    read_only: bool,
    /// The name for people.
    label: String,
    /// In characters.
    #[schema(nullable = false)]
    max_length: Option<u32>,
}
