//! Ways to sign in beside passwords. The server registers one; the admin knows where it is and no more.

use actix_web::Route;

/// How staff can sign in; part of the application data.
#[derive(Clone, Copy)]
pub struct SignInMethods {
    /// With a password.
    pub password: bool,
    /// With an account elsewhere.
    pub external: Option<&'static ExternalSignIn>,
}

pub struct ExternalSignIn {
    /// As in "Sign in with Cognito".
    pub name: &'static str,
    pub sign_in_path: &'static str,
    /// Ends the session there.
    pub sign_out_path: &'static str,
    pub resources: fn() -> Vec<SignInResource>,
}

/// A path below `/admin`, open to who is not signed in.
pub struct SignInResource {
    pub path: &'static str,
    pub allow: &'static str,
    pub route: Route,
}
