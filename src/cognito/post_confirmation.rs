//! `POST /cognito/post-confirmation/`: the pool's trigger reports a confirmed sign-up, so that the local user exists
//! before the first token. Cognito calls a trigger up to three times, so a repeated event changes nothing.
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-post-confirmation.html>

use std::sync::Arc;

use actix_web::dev::HttpServiceFactory;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use utoipa::{OpenApi, ToSchema};

use super::linking::{self, Creation, Identity, MAX_SUB_CHARS, Outcome, Rules};
use super::trigger::{TriggerKeys, none_if_malformed};
use super::user_pool::UserPool;
use crate::api::openapi::responses::{ErrorBody, OtherMethod};
use crate::crypto::Secret;
use crate::db::{Connection, Db};
use crate::error::{Error, TriggerRefusal};
use crate::http::body::Body;
use crate::http::routes::not_allowed;
use crate::users::models::Origin;

const SIGN_UP: &str = "PostConfirmation_ConfirmSignUp";
const FORGOT_PASSWORD: &str = "PostConfirmation_ConfirmForgotPassword";

pub struct PostConfirmation {
    pool: UserPool,
    keys: TriggerKeys,
    rules: Arc<Rules>,
}

impl PostConfirmation {
    /// Without secrets, every call is refused.
    pub fn new(pool: UserPool, secrets: Vec<Secret>, link_unverified_email: bool) -> PostConfirmation {
        let (issuer, creation, origin) = (pool.issuer().to_owned(), Creation::Always, Origin::PostConfirmation);
        let rules = Arc::new(Rules { issuer, staff_group: None, link_unverified_email, creation, origin });
        PostConfirmation { pool, keys: TriggerKeys::new(secrets), rules }
    }
}

#[derive(OpenApi)]
#[openapi(paths(post_confirmation), tags((name = "cognito", description = "For the user pool's trigger.")))]
pub struct Doc;

/// The members of an event that matter. Others are ignored, and these are judged only where they are used.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PostConfirmationEvent)]
struct Event {
    /// Only a confirmed sign-up changes anything.
    #[schema(schema_with = trigger_sources)]
    trigger_source: String,
    user_pool_id: String,
    #[serde(default, deserialize_with = "none_if_malformed")]
    user_name: Option<String>,
    #[serde(default, deserialize_with = "none_if_malformed")]
    #[schema(inline, required, nullable = false)]
    request: Option<EventRequest>,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct EventRequest {
    #[schema(schema_with = user_attributes)]
    user_attributes: Attributes,
}

/// The attributes in use: any member may be of any kind.
#[derive(Deserialize)]
struct Attributes {
    sub: String,
    #[serde(default, deserialize_with = "none_if_malformed")]
    email: Option<String>,
    /// Pools with e-mail as an alias use this attribute.
    #[serde(rename = "cognito:email_alias", default, deserialize_with = "none_if_malformed")]
    email_alias: Option<String>,
    /// Cognito sends the string "true" for `true`; emulators send a boolean, as ID tokens have it.
    #[serde(default, deserialize_with = "none_if_malformed")]
    email_verified: Option<Value>,
}

/// The result of a sign-up event.
#[derive(Serialize, ToSchema)]
struct Registration {
    /// `created`, `linked`, `known`, or `ignored` for an event other than a sign-up
    result: &'static str,
    /// The local user's id.
    #[schema(required)]
    user: Option<i64>,
}

fn trigger_sources() -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some([SIGN_UP, FORGOT_PASSWORD])).build()
}

fn user_attributes() -> Object {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("sub", text().min_length(Some(1)).max_length(Some(MAX_SUB_CHARS)))
        .required("sub")
        .additional_properties(Some(text()))
        .build()
}

impl Event {
    fn identity(self) -> Result<Identity, TriggerRefusal> {
        let attributes = self.request.ok_or(TriggerRefusal::EventMalformed)?.user_attributes;
        if !linking::is_sub(&attributes.sub) {
            return Err(TriggerRefusal::EventMalformed);
        }
        Ok(Identity {
            sub: attributes.sub,
            username: self.user_name,
            email: attributes.email.or(attributes.email_alias),
            email_verified: attributes.email_verified.is_some_and(|verified| verified == true || verified == "true"),
        })
    }
}

/// No CORS, because no web page calls it.
pub fn resource() -> impl HttpServiceFactory {
    web::resource(["/cognito/post-confirmation/", "/cognito/post-confirmation"])
        .route(web::post().to(post_confirmation))
        .default_service(not_allowed("POST"))
}

/// Creates or links the local user of a sign-up.
///
/// Each call is signed with a shared secret. Repeating a call changes nothing.
#[utoipa::path(
    post, path = "/cognito/post-confirmation/", operation_id = "postConfirmation", tag = "cognito",
    request_body = Event, security(("triggerSignature" = [])),
    params(("X-Gatepost-Timestamp" = i64, Header, description = "The time of the signature in Unix seconds, at most 5 minutes from now.")),
    responses(
        (status = 200, description = "What was done.", body = Registration),
        (status = 400, description = "The body is not an event of the trigger.", body = ErrorBody),
        (status = 401, description = "The signature is missing, invalid or expired.", body = ErrorBody,
            headers(("WWW-Authenticate", description = "`Gatepost-Signature`"))),
        (status = 403, description = "The event is another pool's, or no secret is configured.", body = ErrorBody),
        OtherMethod,
        (status = 408, description = "The event took too long to arrive.", body = ErrorBody),
        (status = 409, description = "The user cannot be created or linked; `code` says why.", body = ErrorBody),
        (status = 413, description = "The event is too large.", body = ErrorBody),
        (status = 415, description = "The event is compressed, or its charset is unknown.", body = ErrorBody),
        (status = 429, description = "Too many refused calls.", body = ErrorBody,
            headers(("Retry-After" = u32, description = "Seconds to wait."))),
        (status = 500, description = "Internal server error.", body = ErrorBody),
        (status = 503, description = "The database is unreachable, or the service is overloaded.",
            body = ErrorBody, headers(("Retry-After" = u32, description = "Seconds to wait.")))))]
async fn post_confirmation(
    settings: web::Data<PostConfirmation>,
    db: web::Data<Db>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Error> {
    let event: Event = settings.keys.event(&request, body, TriggerRefusal::Disabled).await?;
    if event.user_pool_id != settings.pool.id {
        return Err(TriggerRefusal::WrongPool.into());
    }
    match event.trigger_source.as_str() {
        SIGN_UP => {}
        // A confirmed new password: the user is not new.
        FORGOT_PASSWORD => return Ok(answer("ignored", None)),
        _ => return Err(TriggerRefusal::SourceUnknown.into()),
    }
    let (identity, rules) = (event.identity()?, settings.rules.clone());
    let link = move |conn: &mut Connection| linking::find_or_link(conn, &rules, &identity);
    match db.write(link).await {
        Ok((Outcome::Created, user)) => Ok(answer("created", Some(user.id))),
        Ok((Outcome::Linked, user)) => Ok(answer("linked", Some(user.id))),
        Ok((Outcome::Known, user)) => Ok(answer("known", Some(user.id))),
        Err(Error::Refused(refusal)) => Err(Error::SignUpRefused(refusal)),
        Err(error) => Err(error),
    }
}

fn answer(result: &'static str, user: Option<i64>) -> HttpResponse {
    HttpResponse::Ok().json(Registration { result, user })
}
