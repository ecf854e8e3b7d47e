//! How staff sign in to the admin, from the settings.

use std::sync::Arc;

use actix_web::cookie::Key;
use actix_web::web;

use super::start_error::StartError;
use crate::admin::AdminSettings;
use crate::admin::auth::external::SignInMethods;
use crate::api::TokenCommand;
use crate::cognito::Authenticator;
use crate::cognito::provider::{Provider, ProviderSettings};
use crate::cognito::sign_in::local_pages::{self, LocalProvider};
use crate::cognito::sign_in::{SignIn, pages};
use crate::config::{Config, Mode, invocation};
use crate::db::{Db, kept_keys};

/// How staff sign in with the pool, if they can.
pub async fn sign_in(
    config: &Config,
    db: &Db,
    authenticator: &Authenticator,
    is_local: bool,
) -> Result<Option<SignIn>, StartError> {
    let settings = match &config.provider {
        Some(settings) => settings.clone(),
        None if is_local => ProviderSettings::local(authenticator.verifier.pool().issuer()),
        None => return Ok(None),
    };
    let key = db.write(|conn| kept_keys::find_or_create(conn, "sign_in_cookie")).await;
    let key = key.map_err(|error| StartError::Admin(error.to_string()))?;
    Ok(Some(SignIn {
        verifier: authenticator.verifier.for_client(&settings.client_id),
        provider: Provider::new(settings, config.jwks.ca_file.clone()),
        rules: Arc::new(SignIn::rules(authenticator.verifier.pool().issuer().to_owned(), config.staff_group.clone())),
        public_origin: config.public_origin.clone().filter(|_| !is_local),
        max_age: config.session_limits.max,
        flow_key: Key::from(&key),
        is_local,
    }))
}

pub fn urls(
    app: &mut web::ServiceConfig,
    sign_in: Option<&web::Data<SignIn>>,
    local_provider: Option<&web::Data<LocalProvider>>,
) {
    if let Some(sign_in) = sign_in {
        app.app_data(sign_in.clone());
    }
    if let Some(provider) = local_provider {
        let token_command = TokenCommand(format!("{} token", invocation()));
        app.app_data(provider.clone()).app_data(web::Data::new(token_command)).configure(local_pages::urls);
    }
}

pub fn settings_of_admin(config: &Config, has_sign_in: bool) -> AdminSettings {
    AdminSettings {
        secure_cookies: config.mode != Mode::Development,
        session_limits: config.session_limits,
        max_failures: config.login_max_failures,
        second_factor_key: config.second_factor_key.clone(),
        second_factor_required: config.second_factor_required,
        methods: SignInMethods { password: config.password_sign_in, external: has_sign_in.then_some(&pages::EXTERNAL) },
    }
}
