//! The OpenAPI document, assembled from the endpoints' descriptions.

use actix_web::http::header::ContentType;
use actix_web::{HttpResponse, web};
use url::Url;
use utoipa::OpenApi;
use utoipa::openapi::RefOr;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, ClientCredentials, Flow, Http, HttpAuthScheme, OAuth2, OpenIdConnect, Scopes,
    SecurityRequirement, SecurityScheme,
};

use super::health;
use crate::api::ModelViewSet;
use crate::api::openapi::operations::{BEARER, describe, header, header_ref, operations};
use crate::api::openapi::viewset;
use crate::cognito::provider::discovery_url;
use crate::cognito::service_accounts::ResourceServer;
use crate::cognito::trigger::SIGNATURE;
use crate::cognito::{post_confirmation, user_migration};
use crate::error::Error;
use crate::users;

const SERVICE_ACCOUNT: &str = "serviceAccount";
const REQUEST_ID: &str = "X-Request-Id";

#[derive(OpenApi)]
#[openapi(info(
    title = "Gatepost",
    description = "A REST API for users of AWS Cognito, for clients that accept JSON. URLs also work without the trailing slash.",
    license(name = "MIT", identifier = "MIT")
), servers((url = "/", description = "Where this document is")))]
struct Document;

/// Machine clients, if their tokens are accepted.
pub struct MachineClients<'a> {
    pub resource_server: &'a ResourceServer,
    /// Where they get a token, if that is known.
    pub token_url: Option<&'a Url>,
    pub issuer: &'a str,
}

impl MachineClients<'_> {
    fn scheme(&self) -> SecurityScheme {
        let description = "The access token of a machine client. Its service account needs the permission as well, such as `articles.add_article`.";
        let Some(token_url) = self.token_url else {
            // The discovery document names the token URL.
            return SecurityScheme::OpenIdConnect(OpenIdConnect::with_description(
                discovery_url(self.issuer),
                description.to_owned(),
            ));
        };
        let server = self.resource_server;
        let scopes = [(server.read_scope(), "Read."), (server.write_scope(), "Create, change and delete.")];
        let scopes = Scopes::from_iter(scopes.map(|(scope, meaning)| (scope, meaning.to_owned())));
        let flow = Flow::ClientCredentials(ClientCredentials::new(token_url.as_str(), scopes));
        SecurityScheme::OAuth2(OAuth2::with_description([flow], description))
    }

    fn add_to(&self, document: &mut utoipa::openapi::OpenApi, api: &[&ModelViewSet]) {
        for path in api.iter().flat_map(|viewset| [viewset.path(), format!("{}{{id}}/", viewset.path())]) {
            for (method, operation) in document.paths.paths.get_mut(&path).into_iter().flat_map(operations) {
                let required = SecurityRequirement::new(SERVICE_ACCOUNT, [self.resource_server.scope_for(&method)]);
                operation.security.get_or_insert_default().push(required);
            }
        }
        document.components.get_or_insert_default().add_security_scheme(SERVICE_ACCOUNT, self.scheme());
    }
}

pub fn document(api: &[&ModelViewSet], machines: Option<MachineClients>) -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    for viewset in api {
        document.merge(viewset::document(viewset));
    }
    document.merge(users::api::Doc::openapi());
    describe(&mut document);
    if let Some(machines) = machines {
        machines.add_to(&mut document, api);
    }
    document.merge(post_confirmation::Doc::openapi());
    document.merge(user_migration::Doc::openapi());
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
    pub fn of(api: &[&ModelViewSet], machines: Option<MachineClients>) -> ApiDocument {
        ApiDocument(document(api, machines).to_json().map_err(|error| error.to_string()))
    }
}

pub async fn json(document: web::Data<ApiDocument>) -> Result<HttpResponse, Error> {
    let json = document.0.clone().map_err(Error::Internal)?;
    Ok(HttpResponse::Ok().content_type(ContentType::json()).body(json))
}
