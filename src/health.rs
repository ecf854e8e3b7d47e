//! `/healthz` and `/readyz`, for what watches over the process.

use actix_web::{HttpResponse, web};
use serde_json::json;

use crate::cognito::Authenticator;
use crate::db::{Db, migrations};
use crate::error::Error;

/// The process is there.
pub async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
}

/// Requests can be served: 200, or 503 with what is missing.
pub async fn readyz(db: web::Data<Db>, authenticator: web::Data<Authenticator>) -> HttpResponse {
    let status = db.read(|conn| migrations::status(conn).map_err(Error::Internal)).await;
    let (database, migrations) = match status {
        Ok(status) if status.pending == 0 && status.unknown.is_none() => ("ok", "ok"),
        Ok(_) => ("ok", "the database and the program have different migrations"),
        Err(error) => {
            log::warn!("not ready: {}", error.cause().unwrap_or_default());
            ("unavailable", "unknown")
        }
    };
    let keys = if authenticator.verifier.jwks().is_loaded() { "ok" } else { "the user pool's keys are not loaded" };
    let checks = json!({ "database": database, "migrations": migrations, "keys": keys });
    if [database, migrations, keys].iter().all(|check| *check == "ok") {
        HttpResponse::Ok().json(json!({ "status": "ready", "checks": checks }))
    } else {
        HttpResponse::ServiceUnavailable()
            .insert_header(("retry-after", "5"))
            .json(json!({ "status": "not ready", "checks": checks }))
    }
}
