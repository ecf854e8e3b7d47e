//! `/me/`: who the API takes the caller for.

use actix_web::HttpResponse;
use actix_web::dev::HttpServiceFactory;
use actix_web::http::header::ContentType;
use serde::Serialize;

use crate::api::{Endpoint, get, render, resource};
use crate::cognito::CognitoUser;
use crate::error::Error;

static ME: Endpoint = Endpoint { name: "Me", allow: "GET, HEAD, OPTIONS", action: None };

/// The address of the caller's own user.
pub fn me_resource(origins: &[String]) -> impl HttpServiceFactory + use<> {
    resource(&ME, "/me/", origins, || vec![get().to(me)])
}

#[derive(Serialize)]
struct UserJson<'a> {
    id: i64,
    username: &'a str,
    email: &'a str,
    first_name: &'a str,
    last_name: &'a str,
    is_staff: bool,
    is_superuser: bool,
}

async fn me(CognitoUser(user): CognitoUser) -> Result<HttpResponse, Error> {
    let json = render::json(&UserJson {
        id: user.id,
        username: &user.username,
        email: &user.email,
        first_name: &user.first_name,
        last_name: &user.last_name,
        is_staff: user.is_staff,
        is_superuser: user.is_superuser,
    })?;
    Ok(HttpResponse::Ok().content_type(ContentType::json()).body(json))
}
