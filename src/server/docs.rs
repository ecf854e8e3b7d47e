//! `/docs/`: Swagger UI for the OpenAPI document, embedded in the program.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, ContentType, ETAG, HeaderMap, IF_NONE_MATCH, LOCATION, VARY,
};
use actix_web::web::{self, Bytes};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::error::Error;
use crate::http::edge::SCRIPTED_POLICY;
use crate::http::etag;
use crate::http::pages;
use crate::http::theme;

const FILES: [&str; 2] = ["swagger-ui-bundle.js", "swagger-ui.css"];

#[derive(Template)]
#[template(path = "docs.html")]
struct DocsPage {
    theme: &'static str,
}

pub async fn page(request: HttpRequest) -> Result<HttpResponse, Error> {
    let html =
        DocsPage { theme: theme::chosen(&request) }.render().map_err(|error| Error::Internal(error.to_string()))?;
    Ok(HttpResponse::Ok()
        .content_type(ContentType::html())
        .insert_header((CONTENT_SECURITY_POLICY, SCRIPTED_POLICY))
        .insert_header((VARY, "Cookie"))
        .body(html))
}

/// The page uses relative URLs.
pub async fn add_slash() -> HttpResponse {
    HttpResponse::MovedPermanently().insert_header((LOCATION, "/docs/")).finish()
}

struct File {
    content_type: String,
    content: Bytes,
    tag: String,
}

static SWAGGER_UI: LazyLock<HashMap<&'static str, File>> = LazyLock::new(|| {
    let config = Arc::new(utoipa_swagger_ui::Config::default());
    let load = |name| {
        let file = utoipa_swagger_ui::serve(name, config.clone()).ok()??;
        let content = match file.bytes {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => bytes.into(),
        };
        let tag = etag::of(&content, &HeaderMap::new());
        Some((name, File { content_type: file.content_type, content, tag }))
    };
    FILES.into_iter().filter_map(load).collect()
});

pub async fn file(request: HttpRequest, name: web::Path<String>) -> HttpResponse {
    let Some(file) = SWAGGER_UI.get(name.as_str()) else { return pages::not_found(request).await };
    let is_known = etag::any_matches(request.headers(), IF_NONE_MATCH, &file.tag);
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((CACHE_CONTROL, "public, max-age=86400")).insert_header((ETAG, file.tag.as_str()));
    if is_known { response.finish() } else { response.content_type(&*file.content_type).body(file.content.clone()) }
}
