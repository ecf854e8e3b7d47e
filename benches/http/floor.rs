//! The floor: the same framework with the same number of workers, returning the same bytes as constants, with or
//! without one verification of the token's signature by jsonwebtoken.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use actix_web::http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use gatepost::cognito::local_pool::LocalPool;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};

use crate::Outcome;

/// Headers that the framework adds itself.
const OWN: [&str; 2] = ["content-length", "date"];

/// Prints the address, then serves until killed. `answer` is a complete response with its head.
pub fn serve(keys: &Path, answer: &str) -> Outcome<()> {
    // Must run before opening the pool, which would install the service's own provider.
    crypto::aws_lc::DEFAULT_PROVIDER.install_default().map_err(|_| "another provider is installed")?;
    let jwks = LocalPool::open(keys)?.jwks();
    let keys: JwkSet = serde_json::from_value(jwks)?;
    let keys = keys.keys.iter().map(DecodingKey::from_jwk).collect::<Result<Vec<_>, _>>()?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("the answer has no head")?;
    let headers = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    let headers = headers
        .filter(|(name, _)| !OWN.contains(name))
        .map(|(name, value)| Ok((HeaderName::from_bytes(name.as_bytes())?, HeaderValue::from_str(value)?)));
    let headers: Arc<[(HeaderName, HeaderValue)]> = headers.collect::<Outcome<Vec<_>>>()?.into();
    let body = web::Bytes::copy_from_slice(body.as_bytes());
    let constant = move || {
        let mut response = HttpResponse::Ok();
        for header in &*headers {
            response.append_header(header.clone());
        }
        response.body(body.clone())
    };
    let signing_key = Arc::new(OnceLock::<Option<DecodingKey>>::new());
    let verify = move |request: &HttpRequest| -> Option<bool> {
        let token = request.headers().get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
        let (signed, signature) = token.rsplit_once('.')?;
        let verifies =
            |key: &DecodingKey| crypto::verify(signature, signed.as_bytes(), key, Algorithm::RS256).unwrap_or(false);
        // Exactly one verification per request: the first one shows which of the pool's keys signs ID tokens.
        let key = match signing_key.get() {
            Some(key) => key,
            None => signing_key.get_or_init(|| keys.iter().find(|key| verifies(key)).cloned()),
        };
        Some(verifies(key.as_ref()?))
    };
    let plain = {
        let constant = constant.clone();
        move || std::future::ready(constant())
    };
    let verified = move |request: HttpRequest| {
        let is_good = verify(&request).unwrap_or(false);
        std::future::ready(if is_good { constant() } else { HttpResponse::Unauthorized().finish() })
    };
    actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || {
            App::new()
                .route("/articles/", web::get().to(plain.clone()))
                .route("/verified/", web::get().to(verified.clone()))
        })
        .bind("127.0.0.1:0")?;
        println!("http://{}/", server.addrs()[0]);
        Ok(server.run().await?)
    })
}
