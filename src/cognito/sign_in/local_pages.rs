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
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::flow::CALLBACK;
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
    request: AuthorizeQuery,
    person: Person,
}

/// Who signs in. The pool keeps no users, so the page asks for all of it.
#[derive(Default)]
struct Person {
    email: String,
    /// Names of groups, separated by commas.
    groups: String,
}

impl Person {
    fn problems(&self) -> Vec<String> {
        if self.email.is_empty() {
            return vec!["This field is required.".to_owned()];
        }
        let groups = self.groups().flat_map(|group| validators::cognito_group(&group));
        validators::email(&self.email).into_iter().chain(groups).collect()
    }

    fn groups(&self) -> impl Iterator<Item = String> {
        self.groups.split(',').map(str::trim).filter(|group| !group.is_empty()).map(str::to_owned)
    }
}

/// RFC 6749, section 4.1.1, with PKCE and a nonce.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct AuthorizeQuery {
    response_type: String,
    client_id: String,
    redirect_uri: String,
    state: String,
    nonce: String,
    code_challenge: String,
    code_challenge_method: String,
}

#[derive(Template)]
#[template(path = "admin/local_pool.html")]
struct AuthorizePage<'a> {
    gate: Gate,
    csrf_token: &'a str,
    fields: Vec<(&'static str, &'a str)>,
    person: &'a Person,
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
            && field("client_id") == grant.request.client_id
            && field("redirect_uri") == grant.request.redirect_uri
            && equal(&fingerprint(field("code_verifier")), &grant.request.code_challenge);
        fits.then_some(grant)
    }
}

impl AuthorizeQuery {
    /// What is wrong with it. A provider must not redirect to a URL that the client has not registered.
    fn problem(&self) -> Option<&'static str> {
        let callback = Url::parse(&self.redirect_uri).ok();
        let is_own = callback.is_some_and(|url| url.path() == CALLBACK && is_local(&url));
        if self.client_id != ADMIN_CLIENT_ID {
            Some("The client_id is not that of the admin.")
        } else if !is_own {
            Some("The redirect_uri is not the admin’s.")
        } else if self.response_type != "code" {
            Some("The response_type is not code.")
        } else if self.code_challenge_method != "S256" || self.code_challenge.is_empty() {
            Some("There is no code_challenge with S256.")
        } else {
            None
        }
    }

    fn fields(&self) -> Vec<(&'static str, &str)> {
        vec![
            ("response_type", &self.response_type),
            ("client_id", &self.client_id),
            ("redirect_uri", &self.redirect_uri),
            ("state", &self.state),
            ("nonce", &self.nonce),
            ("code_challenge", &self.code_challenge),
            ("code_challenge_method", &self.code_challenge_method),
        ]
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

async fn authorize_page(request: HttpRequest, query: web::Query<AuthorizeQuery>) -> Result<HttpResponse, Error> {
    show(&request, &query, &Person::default(), Vec::new())
}

fn show(
    request: &HttpRequest,
    query: &AuthorizeQuery,
    person: &Person,
    mut errors: Vec<String>,
) -> Result<HttpResponse, Error> {
    errors.extend(query.problem().map(str::to_owned));
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    let token = csrf::anonymous_token(request)?;
    let gate = Gate::new(request, "Local user pool");
    let fields = query.fields();
    let mut response = page(status, &AuthorizePage { gate, csrf_token: &token, fields, person, errors })?;
    csrf::keep_token(request, &mut response, &token)?;
    Ok(response)
}

async fn authorize(
    request: HttpRequest,
    provider: web::Data<LocalProvider>,
    PublicForm(form): PublicForm,
) -> Result<HttpResponse, Error> {
    let field = |name: &str| form.get(name).unwrap_or_default().trim().to_owned();
    let query = AuthorizeQuery {
        response_type: field("response_type"),
        client_id: field("client_id"),
        redirect_uri: field("redirect_uri"),
        state: field("state"),
        nonce: field("nonce"),
        code_challenge: field("code_challenge"),
        code_challenge_method: field("code_challenge_method"),
    };
    let person = Person { email: field("email"), groups: field("groups") };
    let errors = person.problems();
    if !errors.is_empty() || query.problem().is_some() {
        return show(&request, &query, &person, errors);
    }
    let (redirect_uri, state) = (query.redirect_uri.clone(), query.state.clone());
    let code = provider.issue(Grant { issued: Instant::now(), request: query, person })?;
    let mut url = Url::parse(&redirect_uri).map_err(|error| Error::Internal(error.to_string()))?;
    url.query_pairs_mut().append_pair("code", &code).append_pair("state", &state);
    Ok(see_other(url.as_str()))
}

/// RFC 6749, sections 4.1.3 and 5.
async fn token(provider: web::Data<LocalProvider>, mut body: Body) -> Result<HttpResponse, Error> {
    let (_, charset) = body.media_type()?;
    let form = form_fields(&body.content().await?, charset)?.into_iter().collect();
    let Some(grant) = provider.redeem(&form) else {
        return Ok(HttpResponse::BadRequest().json(json!({ "error": "invalid_grant" })));
    };
    let Grant { request: AuthorizeQuery { nonce, .. }, person, .. } = grant;
    let (nonce, groups) = (Some(nonce), person.groups().collect());
    let request = TokenRequest { client_id: ADMIN_CLIENT_ID, nonce, groups, ..TokenRequest::new(person.email) };
    let token = provider.pool.token(&request).map_err(|error| Error::Internal(error.to_string()))?;
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
