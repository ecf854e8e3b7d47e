//! [`CognitoCaller`] and [`CognitoUser`]: a handler with this argument runs only for requests of a known, active caller,
//! who must be a user for the second.

use std::sync::Arc;

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, web};
use futures_util::future::LocalBoxFuture;

use super::authentication::Authenticator;
use super::caller::Caller;
use crate::db::Version;
use crate::error::{Error, Refusal};
use crate::http::rate_limit::RateLimits;
use crate::users::models::User;
use crate::users::page_user::PageUser;

/// A user, or a service account whose token has the scope for the request's method. An HTML page requested without a
/// token has the [`PageUser`]. Fails with 401 and a [`Refusal`], with 403 without the scope, with 429 beyond the
/// [`RateLimits`], or with 503 while the keys or the database are unavailable.
pub struct CognitoCaller {
    pub caller: Caller,
    /// When the caller was read. Values cached at this version are fresh enough for this request.
    pub version: Option<Version>,
}

impl FromRequest for CognitoCaller {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<CognitoCaller, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let found = identify(&request).await?;
            if let Caller::ServiceAccount { machine, .. } = &found.caller {
                authenticator(&request)?.service_accounts.check_scope(machine, request.method())?;
            }
            Ok(found)
        })
    }
}

/// Fails as [`CognitoCaller`] does, and with 403 for a service account.
pub struct CognitoUser {
    pub user: Arc<User>,
}

impl FromRequest for CognitoUser {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<CognitoUser, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            match identify(&request).await?.caller {
                Caller::User(user) => Ok(CognitoUser { user }),
                Caller::ServiceAccount { .. } => Err(Error::UserRequired),
            }
        })
    }
}

fn authenticator(request: &HttpRequest) -> Result<&Authenticator, Error> {
    let authenticator = request.app_data::<web::Data<Authenticator>>().map(|data| &***data);
    authenticator.ok_or_else(|| Error::Internal("the application data has no authenticator".to_owned()))
}

/// Counts the request, too.
async fn identify(request: &HttpRequest) -> Result<CognitoCaller, Error> {
    let (authenticator, limits) = (authenticator(request)?, RateLimits::of(request)?);
    let known = match PageUser::of(request) {
        Some(page) => Ok((Caller::User(page.user), authenticator.db.recent_version())),
        None => authenticator.authenticate(request.headers()).await,
    };
    let (caller, version) = match known {
        Err(Error::Refused(refusal)) if refusal != Refusal::KeysUnavailable => {
            limits.count_stranger(request)?;
            return Err(refusal.into());
        }
        outcome => outcome?,
    };
    let id = caller.id();
    request.extensions_mut().insert(id);
    limits.count_caller(id)?;
    Ok(CognitoCaller { caller, version })
}
