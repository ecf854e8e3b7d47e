//! The error type, and its HTTP responses in Django REST framework's format. Queries return `QueryResult`; everything
//! above returns `Result<_, Error>`. Server errors are logged once, where the response is created, with the request id.
//! The client gets that id and never the cause.

mod refusal;

use std::borrow::Cow;
use std::str::EscapeDebug;
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE,
};
use actix_web::{HttpResponse, ResponseError};
use serde_json::{Value, json};

pub use refusal::{MetricsRefusal, Refusal, SignInRefusal, TriggerRefusal};

/// The key of errors that belong to no field, or to several.
pub const NON_FIELD_ERRORS: &str = "non_field_errors";

/// By field, in the order of the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldErrors(pub Vec<(&'static str, Vec<String>)>);

impl FieldErrors {
    pub fn one(field: &'static str, message: impl Into<String>) -> FieldErrors {
        FieldErrors(vec![(field, vec![message.into()])])
    }

    pub fn add(&mut self, field: &'static str, messages: Vec<String>) {
        if !messages.is_empty() {
            self.0.push((field, messages));
        }
    }

    pub fn of(&self, field: &str) -> Vec<String> {
        self.0.iter().filter(|(known, _)| *known == field).flat_map(|(_, messages)| messages.clone()).collect()
    }

    /// Without their fields.
    pub fn messages(&self) -> Vec<&str> {
        self.0.iter().flat_map(|(_, messages)| messages).map(String::as_str).collect()
    }

    fn to_json(&self) -> Value {
        self.0.iter().map(|(field, messages)| ((*field).to_owned(), json!(messages))).collect()
    }

    pub fn into_result(self) -> Result<(), FieldErrors> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl std::error::Error for FieldErrors {}

impl std::fmt::Display for FieldErrors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lines: Vec<_> = self.0.iter().map(|(field, messages)| format!("{field}: {}", messages.join(" "))).collect();
        f.write_str(&lines.join("\n"))
    }
}

#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// 401, or 503 while the pool's keys are unreachable.
    #[error("{}", .0.detail())]
    Refused(Refusal),
    /// The trigger's call is valid, but the user cannot be created or linked: 409.
    #[error("{}", .0.sign_up_detail())]
    SignUpRefused(Refusal),
    #[error("{}", .0.detail())]
    TriggerRefused(TriggerRefusal),
    #[error("{}", .0.detail())]
    MetricsRefused(MetricsRefusal),
    #[error("The request names a host that this service does not answer for.")]
    HostNotAllowed,
    /// 302 to this URL of the sign-in page.
    #[error("Sign in first.")]
    SignInRequired(String),
    #[error("The form could not be accepted: {0}.")]
    CsrfFailed(&'static str),
    #[error("You do not have permission to perform this action.")]
    PermissionDenied,
    /// The service account's token lacks this scope.
    #[error("The token needs the scope {0}.")]
    InsufficientScope(String),
    #[error("Only a user may do this, and the token stands for a service account.")]
    UserRequired,
    #[error("There is nothing at this URL.")]
    NotFound,
    #[error("No {} matches the given query.", object_name(.0))]
    NoSuchObject(&'static str),
    /// 404, as in Django REST framework.
    #[error("Not found.")]
    NoSuchFormat,
    /// The resource adds `Allow`.
    #[error("Method \"{0}\" not allowed.")]
    MethodNotAllowed(String),
    #[error("Could not satisfy the request Accept header.")]
    NotAcceptable,
    #[error("The request body did not arrive in time.")]
    RequestTimeout,
    #[error(
        "`If-Match` does not name the object's current ETag: it has changed since you read it, or the quotation marks are missing."
    )]
    PreconditionFailed,
    #[error("The request body is larger than {0} bytes.")]
    BodyTooLarge(usize),
    #[error("Unsupported media type \"{0}\" in request.")]
    UnsupportedMediaType(String),
    #[error("Unsupported content coding \"{0}\" in request. Send the body without compression.")]
    UnsupportedCoding(String),
    #[error("{0}")]
    PreflightRefused(String),
    /// The time until the next request is allowed.
    #[error("{}", throttled(*.0))]
    Throttled(Duration),
    #[error("The request body cannot be read: {0}")]
    BodyUnreadable(String),
    /// In Django REST framework's words.
    #[error("{0}")]
    Parse(String),
    #[error("{0}")]
    Invalid(#[from] FieldErrors),
    /// Conflicts with another write and can be retried at once; 503 if it is not retried.
    #[error("The service is unavailable for the moment. Try again.")]
    Collision(String),
    /// A query failed, and the driver does not say why. PostgreSQL's writers find out whether it can be retried.
    #[error("A server error occurred.")]
    Unknown(String),
    /// Something is temporarily unavailable. Like `Internal`, contains the cause for the log.
    #[error("The service is unavailable for the moment. Try again.")]
    Unavailable(String),
    #[error("A server error occurred.")]
    Internal(String),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Error {
        Error::Refused(refusal)
    }
}

impl From<TriggerRefusal> for Error {
    fn from(refusal: TriggerRefusal) -> Error {
        Error::TriggerRefused(refusal)
    }
}

impl Error {
    /// Stable; Django REST framework's code where it has one.
    pub fn code(&self) -> &'static str {
        match self {
            Error::Refused(refusal) | Error::SignUpRefused(refusal) => refusal.code(),
            Error::TriggerRefused(refusal) => refusal.code(),
            Error::MetricsRefused(refusal) => refusal.code(),
            Error::HostNotAllowed => "host_not_allowed",
            Error::SignInRequired(_) => "sign_in_required",
            Error::CsrfFailed(_) => "csrf_failed",
            Error::PermissionDenied => "permission_denied",
            Error::InsufficientScope(_) => "insufficient_scope",
            Error::UserRequired => "user_required",
            Error::NotFound | Error::NoSuchObject(_) | Error::NoSuchFormat => "not_found",
            Error::MethodNotAllowed(_) => "method_not_allowed",
            Error::NotAcceptable => "not_acceptable",
            Error::RequestTimeout => "request_timeout",
            Error::PreconditionFailed => "precondition_failed",
            Error::BodyTooLarge(_) => "body_too_large",
            Error::UnsupportedMediaType(_) => "unsupported_media_type",
            Error::UnsupportedCoding(_) => "unsupported_content_coding",
            Error::Throttled(_) => "throttled",
            Error::Parse(_) | Error::BodyUnreadable(_) => "parse_error",
            Error::PreflightRefused(_) => "preflight_refused",
            Error::Invalid(_) => "invalid",
            Error::Unavailable(_) | Error::Collision(_) => "unavailable",
            Error::Internal(_) | Error::Unknown(_) => "error",
        }
    }

    pub fn is_refusal(&self) -> bool {
        use Error::{InsufficientScope, MetricsRefused, Refused, SignUpRefused, TriggerRefused};
        matches!(self, Refused(_) | SignUpRefused(_) | TriggerRefused(_) | MetricsRefused(_) | InsufficientScope(_))
    }

    /// `WWW-Authenticate` is required for every 401 (RFC 9110, section 15.5.2), and tells of a missing scope (RFC 6750,
    /// section 3).
    fn challenge(&self) -> Option<Cow<'static, str>> {
        if let Error::InsufficientScope(scope) = self {
            return Some(format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"").into());
        }
        if self.status_code() != StatusCode::UNAUTHORIZED {
            return None;
        }
        let challenge = match self {
            Error::TriggerRefused(_) => "Gatepost-Signature",
            // RFC 6750, section 3.1: a challenge names an error only if a token was sent.
            Error::MetricsRefused(_) | Error::Refused(Refusal::NoToken) => "Bearer",
            _ => "Bearer error=\"invalid_token\"",
        };
        Some(challenge.into())
    }

    /// The cause on one line, for the log.
    pub fn logged(&self) -> EscapeDebug<'_> {
        self.cause().unwrap_or_default().escape_debug()
    }

    /// Not for clients.
    pub fn cause(&self) -> Option<&str> {
        match self {
            Error::Unavailable(cause) | Error::Collision(cause) | Error::Unknown(cause) | Error::Internal(cause) => {
                Some(cause)
            }
            _ => None,
        }
    }

    fn body(&self) -> Value {
        match self {
            Error::Invalid(fields) => fields.to_json(),
            _ => json!({ "detail": self.to_string(), "code": self.code() }),
        }
    }

    /// Problem details (RFC 9457), with the extension members `code` and, for invalid fields, `errors`.
    pub fn problem(&self) -> Value {
        let status = self.status_code();
        let mut problem = json!({
            // Section 4.2.1: with `about:blank` the status is the type, and its reason phrase is the title.
            "type": "about:blank",
            "title": status.canonical_reason(),
            "status": status.as_u16(),
            "detail": self.to_string(),
            "code": self.code(),
        });
        if let Error::Invalid(fields) = self {
            problem["detail"] = "Invalid input.".into();
            problem["errors"] = fields.to_json();
        }
        problem
    }

    pub fn problem_response(&self) -> HttpResponse {
        let mut response = self.error_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response.set_body(BoxBody::new(self.problem().to_string()))
    }
}

/// Django REST framework's sentence.
fn throttled(wait: Duration) -> String {
    let (seconds, plural) = (whole_seconds(wait), if whole_seconds(wait) == 1 { "" } else { "s" });
    format!("Request was throttled. Expected available in {seconds} second{plural}.")
}

/// Rounded up, so that clients that wait this long are not too early.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        match self {
            // Not the caller's fault, and no other token would help.
            Error::Refused(Refusal::KeysUnavailable) => StatusCode::SERVICE_UNAVAILABLE,
            Error::Refused(_) | Error::MetricsRefused(_) => StatusCode::UNAUTHORIZED,
            Error::SignUpRefused(_) => StatusCode::CONFLICT,
            Error::TriggerRefused(refusal) => refusal.status(),
            Error::SignInRequired(_) => StatusCode::FOUND,
            Error::CsrfFailed(_) | Error::PermissionDenied | Error::InsufficientScope(_) | Error::UserRequired => {
                StatusCode::FORBIDDEN
            }
            Error::NotFound | Error::NoSuchObject(_) | Error::NoSuchFormat => StatusCode::NOT_FOUND,
            Error::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Error::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Error::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Error::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Error::BodyTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Error::UnsupportedMediaType(_) | Error::UnsupportedCoding(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Error::Throttled(_) => StatusCode::TOO_MANY_REQUESTS,
            Error::HostNotAllowed
            | Error::PreflightRefused(_)
            | Error::BodyUnreadable(_)
            | Error::Parse(_)
            | Error::Invalid(_) => StatusCode::BAD_REQUEST,
            Error::Unavailable(_) | Error::Collision(_) => StatusCode::SERVICE_UNAVAILABLE,
            Error::Internal(_) | Error::Unknown(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code()).json(self.body());
        let mut set = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                response.headers_mut().insert(name, value);
            }
        };
        if let Error::SignInRequired(address) = self {
            set(LOCATION, address);
        }
        if let Error::UnsupportedCoding(_) = self {
            // RFC 9110, section 15.5.16: this tells it from a media type that is not supported.
            set(ACCEPT_ENCODING, "identity");
        }
        if let Some(challenge) = self.challenge() {
            set(WWW_AUTHENTICATE, &challenge);
        }
        let retry_after = match self {
            Error::Throttled(wait) => Some(whole_seconds(*wait)),
            _ => (self.status_code() == StatusCode::SERVICE_UNAVAILABLE).then_some(5),
        };
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// As in Django's messages: `Article` for `article`.
fn object_name(model: &str) -> String {
    let capitalized = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
    };
    model.split('_').map(capitalized).collect()
}
