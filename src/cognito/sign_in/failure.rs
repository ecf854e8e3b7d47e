//! [`Failure`]: why somebody was not signed in, for them, for the staff and for the log.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::flow::{SIGN_OUT, sign_in_path};
use crate::admin::auth::external::SignInMethods;
use crate::admin::auth::next::sign_in_address;
use crate::admin::pages::{Gate, page};
use crate::cognito::provider::ProviderError;
use crate::error::{Error, Refusal, SignInRefusal};
use crate::http::client_address::client_address;
use crate::http::edge::request_id;

/// Why somebody was not signed in.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("no flow of this browser: late, repeated, or begun elsewhere")]
    NoFlow,
    #[error("the redirect has an error: {0}")]
    Redirect(String),
    #[error("the redirect has no code, or another issuer's")]
    Malformed,
    #[error("the provider: {0}")]
    Provider(#[from] ProviderError),
    #[error("the ID token: {}", .0.code())]
    Token(Refusal),
    #[error("the ID token has another nonce")]
    Nonce,
    #[error("the ID token's acr is not accepted")]
    Acr,
    #[error("the sign-in at the provider is too long ago")]
    TooOld,
    #[error("{}", .0.code())]
    NoUser(Refusal),
    #[error("not staff")]
    NotStaff,
    #[error("the key of the second factors is missing")]
    NoFactorKey,
    #[error("the provider has no sign-out")]
    NoSignOut,
}

/// How a sign-in ends without a session: refused, or by an error that the admin's own page answers.
pub enum End {
    Refused(Failure),
    Error(Error),
}

impl From<Failure> for End {
    fn from(failure: Failure) -> End {
        End::Refused(failure)
    }
}

impl From<ProviderError> for End {
    fn from(error: ProviderError) -> End {
        Failure::from(error).into()
    }
}

impl From<Error> for End {
    fn from(error: Error) -> End {
        match error {
            Error::Refused(refusal) => End::Refused(Failure::NoUser(refusal)),
            error => End::Error(error),
        }
    }
}

impl Failure {
    /// For people. Names no account, and repeats nothing that came with the request.
    fn text(&self) -> &'static str {
        match self {
            Failure::NoFlow => "This sign-in took too long, was already used, or began in another browser.",
            Failure::Redirect(error) => match error.as_str() {
                "access_denied" => "Cognito did not let you in, or you cancelled.",
                "login_required" | "interaction_required" => "Cognito asks you to sign in again.",
                "temporarily_unavailable" | "server_error" => "Cognito has a problem at the moment.",
                "unauthorized_client" | "invalid_scope" | "unsupported_response_type" => {
                    "The app client of this site is not set up for this kind of sign-in. Tell your administrator."
                }
                _ => "Cognito refused the sign-in.",
            },
            Failure::Malformed => "Cognito’s response is incomplete.",
            Failure::Provider(ProviderError::Unreachable(_)) | Failure::Token(Refusal::KeysUnavailable) => {
                "Cognito cannot be reached at the moment."
            }
            Failure::Provider(ProviderError::Unusable(_)) => "Cognito’s response is not valid.",
            Failure::Provider(ProviderError::CodeRefused(error)) => match error.as_str() {
                "invalid_grant" => "Cognito did not accept the code of this sign-in.",
                _ => "The app client of this site is not set up for this kind of sign-in. Tell your administrator.",
            },
            Failure::Token(_) | Failure::Nonce => "The token from Cognito is not one for this sign-in.",
            Failure::Acr => "This site asks for a second factor, and Cognito did not confirm one.",
            Failure::TooOld => "You signed in to Cognito too long ago.",
            Failure::NoUser(Refusal::EmailUnverified) => {
                "Cognito has not verified your e-mail address, so no account here can be found by it."
            }
            Failure::NoUser(Refusal::EmailMissing) => "Cognito did not send your e-mail address.",
            Failure::NoUser(Refusal::UserInactive) => "Your account here is deactivated.",
            Failure::NoUser(_) => "No account here belongs to your Cognito account.",
            Failure::NotStaff => "Your account here is not a staff account.",
            Failure::NoFactorKey => "Your second factor cannot be checked at the moment. Tell your administrator.",
            Failure::NoSignOut => "You are signed out here. This site does not know where to sign you out of Cognito.",
        }
    }

    /// The code of a refusal that is about somebody; `None` if nobody was refused.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Failure::Token(Refusal::KeysUnavailable) => None,
            Failure::Token(refusal) | Failure::NoUser(refusal) => Some(refusal.code()),
            Failure::Nonce => Some(SignInRefusal::NonceWrong.code()),
            Failure::Acr => Some(SignInRefusal::AcrNotAccepted.code()),
            Failure::TooOld => Some(SignInRefusal::SignInTooOld.code()),
            Failure::NotStaff => Some(SignInRefusal::NotStaff.code()),
            // The page of the code has recorded it.
            Failure::NoFactorKey => None,
            Failure::NoFlow | Failure::Redirect(_) | Failure::Malformed => None,
            Failure::Provider(_) | Failure::NoSignOut => None,
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Failure::Provider(ProviderError::Unreachable(_))
            | Failure::Token(Refusal::KeysUnavailable)
            | Failure::NoFactorKey => StatusCode::SERVICE_UNAVAILABLE,
            Failure::Provider(ProviderError::CodeRefused(error)) if error == "invalid_grant" => StatusCode::BAD_REQUEST,
            Failure::Provider(_) => StatusCode::BAD_GATEWAY,
            Failure::NoSignOut => StatusCode::OK,
            Failure::NoFlow | Failure::Redirect(_) | Failure::Malformed => StatusCode::BAD_REQUEST,
            _ => StatusCode::FORBIDDEN,
        }
    }

    /// Whether another account at the provider could get in where this one did not.
    fn is_about_account(&self) -> bool {
        matches!(self, Failure::NoUser(_) | Failure::NotStaff)
    }

    /// Whether only a new sign-in at the provider helps.
    fn needs_new_sign_in(&self) -> bool {
        self.is_about_account() || matches!(self, Failure::Acr | Failure::TooOld)
    }
}

#[derive(Template)]
#[template(path = "admin/sign_in_refused.html")]
struct RefusedPage {
    gate: Gate,
    text: &'static str,
    again: String,
    sign_out: Option<&'static str>,
    password: Option<String>,
}

/// The page that says why nobody was signed in.
pub fn refuse(
    request: &HttpRequest,
    methods: &SignInMethods,
    next: &str,
    failure: Failure,
) -> Result<HttpResponse, Error> {
    let from = client_address(request);
    let why = failure.to_string();
    log::warn!(request_id = request_id(request); "sign-in with Cognito refused: {} from {from}", why.escape_debug());
    let refused = RefusedPage {
        gate: Gate::new(request, "You are not signed in"),
        text: failure.text(),
        again: sign_in_path(next, failure.needs_new_sign_in()),
        sign_out: failure.is_about_account().then_some(SIGN_OUT),
        password: methods.password.then(|| sign_in_address(next)),
    };
    page(failure.status(), &refused)
}
