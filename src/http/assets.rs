//! Style sheets, scripts and icons: the files of `static/`, embedded in the program. One hash over all files is part of
//! their URLs, so browsers may cache them forever and style sheets refer to icons by relative URLs.

use std::borrow::Cow;
use std::sync::LazyLock;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use aws_lc_rs::digest::{Context, SHA256};
use rust_embed::Embed;

use crate::http::etag;
use crate::http::pages;

#[derive(Embed)]
#[folder = "static/"]
struct Files;

static HASH: LazyLock<String> = LazyLock::new(|| {
    let mut names: Vec<_> = Files::iter().collect();
    names.sort();
    let mut hash = Context::new(&SHA256);
    for name in names {
        hash.update(name.as_bytes());
        hash.update(&Files::get(&name).map_or([0; 32], |file| file.metadata.sha256_hash()));
    }
    hash.finish().as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
});

pub fn url(name: &str) -> String {
    format!("/static/{}/{name}", *HASH)
}

pub async fn serve(request: HttpRequest) -> HttpResponse {
    // The raw path is enough: no file name needs percent-encoding.
    let file = request.path().strip_prefix(&url("")).and_then(Files::get);
    let Some(file) = file else { return pages::not_found(request).await };
    let tag = format!("\"{}\"", *HASH);
    let mut response = match etag::any_matches(request.headers(), IF_NONE_MATCH, &tag) {
        true => HttpResponse::NotModified().finish(),
        false => HttpResponse::Ok().body(match file.data {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => Bytes::from(bytes),
        }),
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    let mut set = |name, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set(ETAG, &tag);
    let kind = file.metadata.mimetype();
    let charset = if kind.starts_with("text/") { "; charset=utf-8" } else { "" };
    set(CONTENT_TYPE, &format!("{kind}{charset}"));
    response
}
