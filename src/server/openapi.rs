//! The OpenAPI document, assembled from the endpoints' descriptions.

use actix_web::http::header::ContentType;
use actix_web::{HttpResponse, web};
use utoipa::OpenApi;
use utoipa::openapi::RefOr;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};

use super::health;
use crate::api::openapi::{BEARER, describe, header, header_ref, operations};
use crate::api::{ModelViewSet, model_schemas};
use crate::cognito::post_confirmation::{self, SIGNATURE};
use crate::error::Error;
use crate::users;

const REQUEST_ID: &str = "X-Request-Id";

#[derive(OpenApi)]
#[openapi(info(
    title = "Gatepost",
    description = "An articles API for users of AWS Cognito. URLs also work without the trailing slash.",
    license(name = "MIT")
))]
struct Document;

pub fn document(api: &[&ModelViewSet]) -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    for viewset in api {
        document.merge(model_schemas::document(viewset));
    }
    document.merge(users::api::Doc::openapi());
    describe(&mut document);
    document.merge(post_confirmation::Doc::openapi());
    document.merge(health::Doc::openapi());
    let components = document.components.get_or_insert_default();
    for (name, scheme) in security_schemes() {
        components.add_security_scheme(name, scheme);
    }
    let operations = document.paths.paths.values_mut().flat_map(operations);
    let own = operations.flat_map(|(_, operation)| operation.responses.responses.values_mut());
    for response in own.chain(components.responses.values_mut()) {
        if let RefOr::T(response) = response {
            response.headers.insert(REQUEST_ID.to_owned(), header_ref(REQUEST_ID));
        }
    }
    components.headers.insert(REQUEST_ID.to_owned(), header("The id of the request in the service's log.").into());
    document
}

fn security_schemes() -> [(&'static str, SecurityScheme); 2] {
    let mut bearer = Http::new(HttpAuthScheme::Bearer);
    bearer.bearer_format = Some("JWT".to_owned());
    bearer.description = Some("The `idToken` of a signed-in user of the pool.".to_owned());
    let signature = "`v1=` and the lower-case hexadecimal HMAC-SHA256 of `v1.<timestamp>.<body>`.";
    let signature = ApiKey::Header(ApiKeyValue::with_description(SIGNATURE, signature));
    [(BEARER, SecurityScheme::Http(bearer)), ("triggerSignature", SecurityScheme::ApiKey(signature))]
}

/// As JSON; part of the application data.
pub struct ApiDocument(Result<String, String>);

impl ApiDocument {
    pub fn of(api: &[&ModelViewSet]) -> ApiDocument {
        ApiDocument(document(api).to_json().map_err(|error| error.to_string()))
    }
}

pub async fn json(document: web::Data<ApiDocument>) -> Result<HttpResponse, Error> {
    let json = document.0.clone().map_err(Error::Internal)?;
    Ok(HttpResponse::Ok().content_type(ContentType::json()).body(json))
}
