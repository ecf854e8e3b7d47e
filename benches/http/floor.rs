//! The floor: the same framework with the same number of workers, answering constant bytes, with or
//! without one verification of the token's signature.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use actix_web::http::header::AUTHORIZATION;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use gatepost::cognito::jwks::Key;
use gatepost::cognito::local_pool::LocalPool;

use crate::Outcome;

/// Serves until killed; prints the address first.
pub fn serve(keys: &Path, body: &str) -> Outcome<()> {
    let keys = LocalPool::open(keys)?.key_set();
    let body = web::Bytes::copy_from_slice(body.as_bytes());
    let signing_key = Arc::new(OnceLock::<Option<Arc<Key>>>::new());
    let verify = move |request: &HttpRequest| -> Option<bool> {
        let token = request.headers().get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
        let (signed, signature) = token.rsplit_once('.')?;
        // One verification and no more: which of the pool's keys signs ID tokens shows at the first.
        let key = match signing_key.get() {
            Some(key) => key,
            None => signing_key
                .get_or_init(|| keys.values().find(|key| key.verifies(signed.as_bytes(), signature)).cloned()),
        };
        Some(key.as_ref()?.verifies(signed.as_bytes(), signature))
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
