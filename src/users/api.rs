//! `/me/`: the authenticated user.

use actix_web::HttpResponse;
use actix_web::dev::HttpServiceFactory;
use actix_web::http::header::ContentType;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use crate::api::{Endpoint, render, resource};
use crate::cognito::CognitoUser;
use crate::error::Error;
use crate::http::routes::get;

#[derive(OpenApi)]
#[openapi(paths(me), tags((name = "users")))]
pub struct Doc;

pub fn me_resource() -> impl HttpServiceFactory {
    let endpoint = Endpoint {
        name: "Me".to_owned(),
        path: "/me/".to_owned(),
        allow: "GET, HEAD, OPTIONS",
        action: None,
        parent: None,
        has_items: false,
    };
    resource(endpoint, || vec![get().to(me)])
}

/// The local user of the token.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
struct UserJson<'a> {
    id: i64,
    username: &'a str,
    /// Empty if the user has none.
    email: &'a str,
    first_name: &'a str,
    last_name: &'a str,
    is_staff: bool,
    is_superuser: bool,
}

/// Returns the authenticated user.
#[utoipa::path(
    get, path = "/me/", operation_id = "retrieveMe", tag = "users",
    responses((status = 200, description = "The user.", body = UserJson)))]
async fn me(CognitoUser { user }: CognitoUser) -> Result<HttpResponse, Error> {
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
