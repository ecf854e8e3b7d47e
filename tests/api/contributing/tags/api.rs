//! `/tags/`: all tags, and new ones by the staff.

use actix_web::dev::HttpServiceFactory;
use actix_web::http::header::ContentType;
use actix_web::{HttpResponse, web};
use gatepost::api::{Endpoint, render, resource};
use gatepost::cognito::CognitoUser;
use gatepost::db::Db;
use gatepost::error::Error;
use gatepost::history::Source;
use gatepost::http::body::Body;
use gatepost::http::routes::get;
use serde::Serialize;

use super::models::{self, NAME, Tag};

static TAGS: Endpoint = Endpoint {
    name: "Tags",
    path: "/tags/",
    allow: "GET, POST, HEAD, OPTIONS",
    action: Some(("POST", &[NAME])),
    parent: None,
    has_items: false,
};

/// The list's address.
pub fn tags_resource(origins: &[String]) -> impl HttpServiceFactory + use<> {
    resource(&TAGS, origins, || vec![get().to(list), web::post().to(create)])
}

/// A tag as the API shows it.
#[derive(Serialize)]
struct TagJson {
    id: i64,
    name: String,
}

impl From<Tag> for TagJson {
    fn from(tag: Tag) -> TagJson {
        TagJson { id: tag.id, name: tag.name }
    }
}

async fn list(_: CognitoUser, db: web::Data<Db>) -> Result<HttpResponse, Error> {
    let tags = db.read(|conn| Ok(models::all(conn)?)).await?;
    let tags: Vec<TagJson> = tags.into_iter().map(TagJson::from).collect();
    Ok(HttpResponse::Ok().content_type(ContentType::json()).body(render::json(&tags)?))
}

async fn create(CognitoUser { user, .. }: CognitoUser, db: web::Data<Db>, body: Body) -> Result<HttpResponse, Error> {
    if !user.is_staff {
        return Err(Error::PermissionDenied);
    }
    let name = NAME.clean_required(&body.data().await?)?;
    let actor = user.actor(Source::Api);
    let tag = db.write(move |conn| models::create(conn, &name, &actor)).await?;
    Ok(HttpResponse::Created().content_type(ContentType::json()).body(render::json(&TagJson::from(tag))?))
}
