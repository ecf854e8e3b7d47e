//! The floor: the same framework with the same number of workers, answering constant bytes, with or
//! without one verification of the token's signature by jsonwebtoken, as a service of this stack has it.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use actix_web::http::header::AUTHORIZATION;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use gatepost::cognito::local_pool::LocalPool;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};

use crate::Outcome;

/// Serves until killed; prints the address first.
pub fn serve(keys: &Path, body: &str) -> Outcome<()> {
    crypto::aws_lc::DEFAULT_PROVIDER.install_default().map_err(|_| "another provider is installed")?;
    let jwks = LocalPool::open(keys)?.jwks();
    let keys: JwkSet = serde_json::from_value(jwks)?;
    let keys = keys.keys.iter().map(DecodingKey::from_jwk).collect::<Result<Vec<_>, _>>()?;
    let body = web::Bytes::copy_from_slice(body.as_bytes());
    let signing_key = Arc::new(OnceLock::<Option<DecodingKey>>::new());
    let verify = move |request: &HttpRequest| -> Option<bool> {
        let token = request.headers().get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
        let (signed, signature) = token.rsplit_once('.')?;
        let verifies =
            |key: &DecodingKey| crypto::verify(signature, signed.as_bytes(), key, Algorithm::RS256).unwrap_or(false);
        // One verification and no more: which of the pool's keys signs ID tokens shows at the first.
        let key = match signing_key.get() {
            Some(key) => key,
            None => signing_key.get_or_init(|| keys.iter().find(|key| verifies(key)).cloned()),
        };
        Some(verifies(key.as_ref()?))
    };
    let constant = {
        let body = body.clone();
        move || {
            let body = body.clone();
            async move { HttpResponse::Ok().content_type("application/json").body(body) }
        }
    };
    let verified = move |request: HttpRequest| {
        let (body, is_good) = (body.clone(), verify(&request).unwrap_or(false));
        async move {
            if is_good {
                HttpResponse::Ok().content_type("application/json").body(body)
            } else {
                HttpResponse::Unauthorized().finish()
            }
        }
    };
    actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || {
            App::new()
                .route("/articles/", web::get().to(constant.clone()))
                .route("/verified/", web::get().to(verified.clone()))
        })
        .bind("127.0.0.1:0")?;
        println!("http://{}/", server.addrs()[0]);
        Ok(server.run().await?)
    })
}
