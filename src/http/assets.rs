//! Style sheets, scripts and icons: the files of `static/`, embedded in the program. One hash over all files is part of
//! their URLs, so browsers may cache them forever and style sheets refer to icons by relative URLs.

use std::borrow::Cow;
use std::collections::HashMap;
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

/// The style sheets and scripts without indentation and comments, which are a sixth of them.
static LIGHT: LazyLock<HashMap<String, Bytes>> = LazyLock::new(|| {
    let is_text = |name: &str| [".css", ".js"].iter().any(|end| name.ends_with(end));
    let texts = Files::iter().filter(|name| is_text(name));
    let light =
        |name: Cow<str>| Some((name.to_string(), lighten(str::from_utf8(&Files::get(&name)?.data).ok()?).into()));
    texts.filter_map(light).collect()
});

fn lighten(text: &str) -> String {
    let is_comment =
        |line: &str| line.starts_with("//") || (line.starts_with("/*") && line.find("*/") == Some(line.len() - 2));
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !is_comment(line));
    lines.flat_map(|line| [line, "\n"]).collect()
}

fn bytes(data: Cow<'static, [u8]>) -> Bytes {
    match data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    }
}

pub fn content(name: &str) -> Option<Bytes> {
    LIGHT.get(name).cloned().or_else(|| Files::get(name).map(|file| bytes(file.data)))
}

pub async fn serve(request: HttpRequest) -> HttpResponse {
    // The raw path is enough: no file name needs percent-encoding.
    let name = request.path().strip_prefix(&url("")).map(str::to_owned).unwrap_or_default();
    let Some((file, content)) = Files::get(&name).zip(content(&name)) else {
        return pages::not_found(request).await;
    };
    let tag = format!("\"{}\"", *HASH);
    let mut response = match etag::any_matches(request.headers(), IF_NONE_MATCH, &tag) {
        true => HttpResponse::NotModified().finish(),
        false => HttpResponse::Ok().body(content),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_indentation_and_comments_are_left_out() {
        let text = "/* All. */\na {\n  color: red; /* why */\n}\n\n// One.\n  f(`a // b`);\n/** Does. */\n";
        assert_eq!(lighten(text), "a {\ncolor: red; /* why */\n}\nf(`a // b`);\n");
    }

    #[test]
    fn no_script_has_a_text_of_several_lines() {
        // Its indentation would be left out, too.
        for name in Files::iter().filter(|name| name.ends_with(".js")) {
            let data = Files::get(&name).expect("a file").data;
            let text = str::from_utf8(&data).expect("UTF-8");
            assert!(text.lines().all(|line| line.matches('`').count() % 2 == 0), "{name}");
        }
    }
}
