//! `/healthz` and `/readyz`, for health checks.

use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use crate::api::openapi::responses::OtherMethod;
use crate::cognito::Authenticator;
use crate::db::{Db, migrations};
use crate::error::Error;

#[derive(OpenApi)]
#[openapi(paths(healthz, readyz), tags((name = "health", description = "Health checks.")))]
pub struct Doc;

/// The process is running.
#[derive(Serialize, ToSchema)]
struct Health {
    /// `ok`
    status: &'static str,
}

/// Whether requests can be served.
#[derive(Serialize, ToSchema)]
struct Readiness {
    /// `ready` or `not ready`
    status: &'static str,
    checks: Checks,
}

/// Each is `ok` or a message.
#[derive(Serialize, ToSchema)]
#[schema(as = ReadinessChecks)]
struct Checks {
    database: &'static str,
    migrations: &'static str,
    keys: &'static str,
}

/// Reports that the process is running.
#[utoipa::path(
    get, path = "/healthz", operation_id = "healthz", tag = "health",
    responses((status = 200, description = "The process is running.", body = Health), OtherMethod))]
pub async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "ok" })
}

/// Reports whether requests can be served.
#[utoipa::path(
    get, path = "/readyz", operation_id = "readyz", tag = "health",
    responses(
        (status = 200, description = "Requests can be served.", body = Readiness),
        OtherMethod,
        (status = 503, description = "The service is not ready.", body = Readiness,
            headers(("Retry-After" = u32, description = "Seconds to wait.")))))]
pub async fn readyz(db: web::Data<Db>, authenticator: web::Data<Authenticator>) -> HttpResponse {
    let status = db.read(|conn| migrations::status(conn).map_err(Error::Internal)).await;
    let (mut database, migrations) = match status {
        Ok(status) if status.pending == 0 && status.unknown.is_none() => ("ok", "ok"),
        Ok(_) => ("ok", "the migrations of the database and the program differ"),
        Err(error) => (unready(&error, "unavailable"), "unknown"),
    };
    if database == "ok"
        && let Err(error) = db.check_writable().await
    {
        database = unready(&error, "read-only");
    }
    let keys = if authenticator.verifier.jwks().is_loaded() { "ok" } else { "the user pool's keys are not loaded" };
    let checks = Checks { database, migrations, keys };
    if [database, migrations, keys].iter().all(|check| *check == "ok") {
        HttpResponse::Ok().json(Readiness { status: "ready", checks })
    } else {
        HttpResponse::ServiceUnavailable()
            .insert_header(("retry-after", "5"))
            .json(Readiness { status: "not ready", checks })
    }
}

fn unready(error: &Error, state: &'static str) -> &'static str {
    log::warn!("not ready: {}", error.logged());
    state
}
