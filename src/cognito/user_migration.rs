//! `POST /cognito/user-migration/`: the pool's trigger asks about somebody whom the pool does not know. A user who came
//! from Django signs in to the pool with the old password once, and the pool keeps it from then on. The password is
//! checked and forgotten.
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-migrate-user.html>

use std::time::{Duration, Instant};

use actix_web::dev::HttpServiceFactory;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use utoipa::{OpenApi, ToSchema};

use super::trigger::{TriggerKeys, none_if_malformed};
use super::user_pool::UserPool;
use crate::admin::auth::credentials::{Credentials, Verdict};
use crate::api::openapi::responses::{ErrorBody, OtherMethod};
use crate::crypto::Secret;
use crate::db::{Connection, Db};
use crate::error::{Error, TriggerRefusal};
use crate::history::{Actor, Changes, Source};
use crate::http::body::Body;
use crate::http::routes::not_allowed;
use crate::users::django_hashes::{DjangoHash, Work};
use crate::users::models::{self, User};
use crate::users::password::Hasher;
use crate::users::{second_factor, validators};

const SIGN_IN: &str = "UserMigration_Authentication";
const FORGOT_PASSWORD: &str = "UserMigration_ForgotPassword";
/// The hashes of all users are looked through that often. An import brings new ones.
const WORKS_LAST: Duration = Duration::from_secs(60);

pub struct UserMigration {
    pool: UserPool,
    keys: TriggerKeys,
    /// The e-mails that came from Django were verified there.
    trusts_emails: bool,
    works: Mutex<Option<(Instant, Vec<Work>)>>,
    /// Anyone can type names at the pool's sign-in, which must not keep staff waiting.
    hasher: Hasher,
}

impl UserMigration {
    /// Without secrets, every call is refused.
    pub fn new(pool: UserPool, secrets: Vec<Secret>, trusts_emails: bool) -> UserMigration {
        let (keys, hasher) = (TriggerKeys::new(secrets), Hasher::apart());
        UserMigration { pool, keys, trusts_emails, works: Mutex::default(), hasher }
    }

    /// What checking the hashes of all users takes who may move, so that the time does not tell one from another.
    async fn works(&self, db: &Db, hash: Option<&str>) -> Result<Vec<Work>, Error> {
        let mut kept = self.works.lock().await;
        let mut works = match kept.as_ref().filter(|(at, _)| at.elapsed() < WORKS_LAST) {
            Some((_, works)) => works.clone(),
            None => {
                let works = db.read(|conn| Ok(models::django_works_of_others(conn)?)).await?;
                kept.insert((Instant::now(), works)).1.clone()
            }
        };
        // Imported a moment ago.
        if let Some(hash) = hash.and_then(|hash| DjangoHash::parse(hash).ok()) {
            hash.work().clone().add_to(&mut works);
        }
        Ok(works)
    }
}

#[derive(OpenApi)]
#[openapi(paths(user_migration))]
pub struct Doc;

/// The members of an event that matter.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UserMigrationEvent)]
struct Event {
    #[schema(schema_with = trigger_sources)]
    trigger_source: String,
    user_pool_id: String,
    /// What was typed: a username, or an e-mail.
    user_name: String,
    #[serde(default, deserialize_with = "none_if_malformed")]
    #[schema(inline, required, nullable = false)]
    request: Option<MigrationRequest>,
}

#[derive(Deserialize, ToSchema)]
struct MigrationRequest {
    /// Only at a sign-in.
    #[serde(default, deserialize_with = "none_if_malformed")]
    #[schema(format = Password)]
    password: Option<String>,
}

/// The `response` of the event, for the pool.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UserMigrationResponse)]
struct MigrationResponse {
    #[schema(inline)]
    user_attributes: Attributes,
    /// `CONFIRMED` at a sign-in: the pool takes the password over.
    #[serde(skip_serializing_if = "Option::is_none")]
    final_user_status: Option<&'static str>,
    /// `SUPPRESS`: no message of welcome.
    message_action: &'static str,
}

#[derive(Serialize, ToSchema)]
struct Attributes {
    email: String,
    /// `true` or `false`, as text.
    email_verified: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

impl Attributes {
    fn of(user: &User, is_verified: bool) -> Attributes {
        let name = format!("{} {}", user.first_name, user.last_name);
        Attributes {
            email: user.email.clone(),
            email_verified: if is_verified { "true" } else { "false" },
            name: Some(name.trim().to_owned()).filter(|name| !name.is_empty()),
        }
    }
}

fn trigger_sources() -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some([SIGN_IN, FORGOT_PASSWORD])).build()
}

/// No CORS, because no web page calls it.
pub fn resource() -> impl HttpServiceFactory {
    web::resource(["/cognito/user-migration/", "/cognito/user-migration"])
        .route(web::post().to(user_migration))
        .default_service(not_allowed("POST"))
}

/// Checks the password of a user who moves to the pool.
///
/// Each call is signed with a shared secret. Unknown users, wrong passwords and users who do not move get the same answer.
#[utoipa::path(
    post, path = "/cognito/user-migration/", operation_id = "userMigration", tag = "cognito",
    request_body = Event, security(("triggerSignature" = [])),
    params(("X-Gatepost-Timestamp" = i64, Header, description = "The time of the signature in Unix seconds, at most 5 minutes from now.")),
    responses(
        (status = 200, description = "The `response` for the pool.", body = MigrationResponse),
        (status = 400, description = "The body is not an event of the trigger.", body = ErrorBody),
        (status = 401, description = "The signature is missing, invalid or expired.", body = ErrorBody,
            headers(("WWW-Authenticate", description = "`Gatepost-Signature`"))),
        (status = 403, description = "The user does not move, the event is another pool's, or no secret is configured.", body = ErrorBody),
        OtherMethod,
        (status = 408, description = "The event took too long to arrive.", body = ErrorBody),
        (status = 413, description = "The event is too large.", body = ErrorBody),
        (status = 415, description = "The event is compressed, or its charset is unknown.", body = ErrorBody),
        (status = 429, description = "Too many wrong passwords for this account, or too many refused calls.", body = ErrorBody,
            headers(("Retry-After" = u32, description = "Seconds to wait."))),
        (status = 500, description = "Internal server error.", body = ErrorBody),
        (status = 503, description = "The database is unreachable, or the service is overloaded.",
            body = ErrorBody, headers(("Retry-After" = u32, description = "Seconds to wait.")))))]
async fn user_migration(
    settings: web::Data<UserMigration>,
    credentials: web::Data<Credentials>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Error> {
    let event: Event = settings.keys.event(&request, body, TriggerRefusal::MigrationDisabled).await?;
    if event.user_pool_id != settings.pool.id {
        return Err(TriggerRefusal::WrongPool.into());
    }
    let is_sign_in = match event.trigger_source.as_str() {
        SIGN_IN => true,
        FORGOT_PASSWORD => false,
        _ => return Err(TriggerRefusal::SourceUnknown.into()),
    };
    let name = event.user_name.clone();
    let user = credentials.db.read(move |conn| find(conn, &name)).await?;
    let moving = match is_sign_in {
        true => settings.sign_in(&credentials, event, user).await?,
        // Only those who read the code that is sent to the e-mail can use the account, so it is theirs.
        false => user.map(|user| (user, true)),
    };
    let Some((user, is_verified)) = moving else { return Err(TriggerRefusal::UserNotMigrated.into()) };
    log::info!("user migration: `{}` moves to the user pool", user.username.escape_debug());
    let response = MigrationResponse {
        user_attributes: Attributes::of(&user, is_verified),
        final_user_status: is_sign_in.then_some("CONFIRMED"),
        message_action: "SUPPRESS",
    };
    Ok(HttpResponse::Ok().json(response))
}

impl UserMigration {
    /// The user if the password is right, and whether the e-mail counts as verified.
    async fn sign_in(
        &self,
        credentials: &Credentials,
        event: Event,
        user: Option<User>,
    ) -> Result<Option<(User, bool)>, Error> {
        let password = event.request.and_then(|request| request.password).ok_or(TriggerRefusal::EventMalformed)?;
        // Cognito does not say whose IP address it is. Usernames have no spaces, so that guesses at the pool do not lock
        // staff out of the admin.
        // By what was typed, so that the limit does not tell whether there is such a user.
        let name = validators::normalize_username(event.user_name.trim());
        let buckets = vec![credentials.throttle.account(&format!("migration of {name}"))];
        let hash = user.as_ref().and_then(|user| user.password.clone());
        let works = self.works(&credentials.db, hash.as_deref());
        match credentials.check_hash(&self.hasher, buckets, hash.clone(), works, password).await? {
            Verdict::Right => {}
            Verdict::Wrong => return Ok(None),
            Verdict::Throttled(seconds) => return Err(Error::Throttled(Duration::from_secs(seconds))),
        }
        let Some(user) = user else { return Ok(None) };
        let moved = user.clone();
        let record = move |conn: &mut Connection| {
            let changes = Changes::default().field("cognito_password", None::<String>, "moved");
            Ok(models::record_change(conn, &moved, &Actor::system(Source::Cognito), changes)?)
        };
        credentials.db.write(record).await?;
        Ok(Some((user, self.trusts_emails)))
    }
}

/// The user with this username, or with this e-mail if it is one; `None` for those who do not move: inactive and linked
/// users, and staff, whose passwords open the admin.
fn find(conn: &mut Connection, typed: &str) -> Result<Option<User>, Error> {
    let typed = typed.trim();
    let user = if typed.contains('@') {
        // The pool may make an alias of what was typed, so it has to be the user's own e-mail, whatever the username is.
        models::find_by_email(conn, typed)?.filter(|user| user.has_email(typed))
    } else {
        models::find_by_username(conn, &validators::normalize_username(typed))?
    };
    let may_move = |user: &User| {
        let is_staff = user.is_staff || user.is_superuser;
        user.is_active && !is_staff && user.cognito_sub.is_none() && !user.email.is_empty()
    };
    let Some(user) = user.filter(may_move) else { return Ok(None) };
    // A password alone must not open what takes a code as well.
    Ok(if second_factor::find(conn, user.id)?.is_some() { None } else { Some(user) })
}
