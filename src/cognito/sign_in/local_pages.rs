//! The local pool's provider: a sign-in page, a token endpoint and a sign-out, in development only. Whoever reaches it
//! signs in as anybody, so it is not there for requests that a proxy forwards.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use actix_web::guard::fn_guard;
use actix_web::http::StatusCode;
use actix_web::middleware::from_fn;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde_json::json;
use url::Url;

use super::flow::CALLBACK;
use crate::admin::FormData;
use crate::admin::auth::csrf;
use crate::admin::errors;
use crate::admin::form_data::PublicForm;
use crate::admin::pages::{Gate, page, see_other};
use crate::aws::http_client::is_loopback;
use crate::cognito::local_pool::{ADMIN_CLIENT_ID, LocalPool, TokenRequest};
use crate::cognito::provider::Endpoints;
use crate::crypto::{equal, fingerprint, random_token};
use crate::error::Error;
use crate::http::body::Body;
use crate::http::forms::form_fields;
use crate::http::routes::{get, not_allowed};
use crate::users::validators;

const ROOT: &str = "/local-pool";

/// Headers of requests that a proxy or a tunnel forwards from other machines.
const PROXIED: [&str; 7] =
    ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via", "cf-connecting-ip"];

/// As with Cognito.
const CODE_AGE: Duration = Duration::from_secs(300);
const MOST_CODES: usize = 100;

pub struct LocalProvider {
    pool: Arc<LocalPool>,
    codes: Mutex<HashMap<String, Grant>>,
}

/// What a code stands for.
struct Grant {
    issued: Instant,
    authorization: Authorization,
}

/// Of an authorization request: RFC 6749, section 4.1.1, with PKCE and a nonce.
const PARAMETERS: [&str; 7] =
    ["response_type", "client_id", "redirect_uri", "state", "nonce", "code_challenge", "code_challenge_method"];

/// An authorization request, and who signs in: the pool keeps no users, so the page asks for all of it.
struct Authorization(FormData);

#[derive(Template)]
#[template(path = "admin/local_pool.html")]
struct AuthorizePage<'a> {
    gate: Gate,
    csrf_token: &'a str,
    fields: [(&'static str, &'a str); 7],
    email: &'a str,
    groups: &'a str,
    errors: Vec<String>,
}

impl LocalProvider {
    pub fn new(pool: Arc<LocalPool>) -> LocalProvider {
        LocalProvider { pool, codes: Mutex::default() }
    }

    /// Its endpoints, below an origin such as `http://127.0.0.1:8000`.
    pub fn endpoints(origin: &str) -> Result<Endpoints, String> {
        let url = |path| Url::parse(&format!("{origin}{ROOT}{path}")).map_err(|error| error.to_string());
        Ok(Endpoints {
            authorization: url("/oauth2/authorize")?,
            token: url("/oauth2/token")?,
            logout: Some(url("/logout")?),
        })
    }

    fn codes(&self) -> MutexGuard<'_, HashMap<String, Grant>> {
        self.codes.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn issue(&self, grant: Grant) -> Result<String, Error> {
        let (code, mut codes) = (random_token()?, self.codes());
        codes.retain(|_, grant| grant.issued.elapsed() < CODE_AGE);
        if codes.len() >= MOST_CODES {
            codes.clear();
        }
        codes.insert(code.clone(), grant);
        Ok(code)
    }

    /// The grant of a code, which counts once.
    fn redeem(&self, form: &HashMap<String, String>) -> Option<Grant> {
        let field = |name: &str| form.get(name).map_or("", String::as_str);
        let grant = self.codes().remove(field("code"))?;
        let fits = field("grant_type") == "authorization_code"
            && grant.issued.elapsed() < CODE_AGE
            && ["client_id", "redirect_uri"].iter().all(|name| field(name) == grant.authorization.get(name))
            && equal(&fingerprint(field("code_verifier")), grant.authorization.get("code_challenge"));
        fits.then_some(grant)
    }
}

impl Authorization {
    /// A missing value is an empty one.
    fn get(&self, name: &str) -> &str {
        self.0.get(name).unwrap_or_default().trim()
    }

    fn groups(&self) -> impl Iterator<Item = String> {
        self.get("groups").split(',').map(str::trim).filter(|group| !group.is_empty()).map(str::to_owned)
    }

    fn person_problems(&self) -> Vec<String> {
        let email = self.get("email");
        if email.is_empty() {
            return vec!["This field is required.".to_owned()];
        }
        let groups = self.groups().flat_map(|group| validators::cognito_group(&group));
        validators::email(email).into_iter().chain(groups).collect()
    }

    /// A provider must not redirect to a URL that the client has not registered.
    fn request_problem(&self) -> Option<&'static str> {
        let callback = Url::parse(self.get("redirect_uri")).ok();
        let is_own = callback.is_some_and(|url| url.path() == CALLBACK && is_local(&url));
        if self.get("client_id") != ADMIN_CLIENT_ID {
            Some("The client_id is not that of the admin.")
        } else if !is_own {
            Some("The redirect_uri is not the admin’s.")
        } else if PARAMETERS.iter().any(|name| self.0.0.iter().filter(|(found, _)| found == name).count() > 1) {
            // RFC 6749, section 3.1.
            Some("A parameter is repeated.")
        } else if self.get("response_type") != "code" {
            Some("The response_type is not code.")
        } else if self.get("code_challenge_method") != "S256" || self.get("code_challenge").is_empty() {
            Some("There is no code_challenge with S256.")
        } else {
            None
        }
    }
}

pub fn urls(app: &mut web::ServiceConfig) {
    let form = web::resource("/oauth2/authorize").route(get().to(authorize_page)).route(web::post().to(authorize));
    app.service(
        web::scope(ROOT)
            .service(form.default_service(not_allowed("GET, HEAD, POST")))
            .service(web::resource("/oauth2/token").route(web::post().to(token)).default_service(not_allowed("POST")))
            .service(web::resource("/logout").route(get().to(logout)).default_service(not_allowed("GET, HEAD")))
            .guard(fn_guard(|context| !PROXIED.iter().any(|name| context.head().headers.contains_key(*name))))
            .wrap(from_fn(errors::surround)),
    );
}

async fn authorize_page(request: HttpRequest) -> Result<HttpResponse, Error> {
    let FormData(mut query) = FormData::parse(request.query_string().as_bytes());
    query.retain(|(name, _)| PARAMETERS.contains(&name.as_str()));
    show(&request, &Authorization(FormData(query)), Vec::new())
}

fn show(request: &HttpRequest, authorization: &Authorization, mut errors: Vec<String>) -> Result<HttpResponse, Error> {
    errors.extend(authorization.request_problem().map(str::to_owned));
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    let token = csrf::anonymous_token(request)?;
    let gate = Gate::new(request, "Local user pool");
    let fields = PARAMETERS.map(|name| (name, authorization.get(name)));
    let (email, groups) = (authorization.get("email"), authorization.get("groups"));
    let mut response = page(status, &AuthorizePage { gate, csrf_token: &token, fields, email, groups, errors })?;
    csrf::keep_token(request, &mut response, &token)?;
    Ok(response)
}

async fn authorize(
    request: HttpRequest,
    provider: web::Data<LocalProvider>,
    PublicForm(form): PublicForm,
) -> Result<HttpResponse, Error> {
    let authorization = Authorization(form);
    let errors = authorization.person_problems();
    if !errors.is_empty() || authorization.request_problem().is_some() {
        return show(&request, &authorization, errors);
    }
    let url = Url::parse(authorization.get("redirect_uri"));
    let mut url = url.map_err(|error| Error::Internal(error.to_string()))?;
    let state = authorization.get("state").to_owned();
    let code = provider.issue(Grant { issued: Instant::now(), authorization })?;
    url.query_pairs_mut().append_pair("code", &code).append_pair("state", &state);
    Ok(see_other(url.as_str()))
}

/// RFC 6749, sections 4.1.3 and 5.
async fn token(provider: web::Data<LocalProvider>, mut body: Body) -> Result<HttpResponse, Error> {
    let (_, charset) = body.media_type()?;
    let form = form_fields(&body.content().await?, charset)?.into_iter().collect();
    let Some(Grant { authorization, .. }) = provider.redeem(&form) else {
        return Ok(HttpResponse::BadRequest().json(json!({ "error": "invalid_grant" })));
    };
    let (nonce, groups) = (Some(authorization.get("nonce").to_owned()), authorization.groups().collect());
    let person = TokenRequest::new(authorization.get("email").to_owned());
    let request = TokenRequest { client_id: ADMIN_CLIENT_ID, nonce, groups, ..person };
    let token = provider.pool.token(&request)?;
    let answer = json!({ "id_token": token, "token_type": "Bearer", "expires_in": request.expires_in });
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(answer))
}

fn is_local(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && is_loopback(url)
}

/// Cognito's parameters. There is no session to end.
async fn logout(query: web::Query<HashMap<String, String>>) -> HttpResponse {
    let uri = query.get("logout_uri").and_then(|uri| Url::parse(uri).ok());
    let uri = uri.filter(is_local);
    see_other(uri.as_ref().map_or("/admin/login/", Url::as_str))
}
