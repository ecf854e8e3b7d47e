//! Style sheets, scripts and icons.

use std::collections::BTreeSet;
use std::path::Path;

use gatepost::http::assets::url;

use crate::harness::html::between;
use crate::harness::{TestServer, assert_has};

fn on_disk(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("static").join(name)).expect("a file of static/")
}

#[tokio::test]
async fn files_are_served_with_their_types_and_may_be_kept_for_ever() {
    let server = TestServer::start().await;
    for (name, kind) in [
        ("gatepost.css", "text/css; charset=utf-8"),
        ("admin.js", "text/javascript; charset=utf-8"),
        ("icons/gatepost.svg", "image/svg+xml"),
    ] {
        let answer = server.fetch(&url(name)).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, kind), "{name}");
        // Texts come without indentation and comments, and with all the rest in its order.
        let on_disk = String::from_utf8(on_disk(name)).expect("UTF-8");
        let mut lines = on_disk.lines().map(str::trim);
        let text = answer.text();
        let is_in_order = text.lines().all(|line| lines.any(|known| known == line.trim()));
        assert!(is_in_order && text.len() * 2 > on_disk.len(), "{name}");
        assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable", "{name}");
        let tag = answer.header("etag").to_owned();
        assert!(tag.starts_with('"'), "{name}: {tag}");
        let again = server.call("GET", &url(name)).header("if-none-match", &tag).send().await;
        assert_eq!((again.status, again.body.len()), (304, 0), "{name}");
        let head = server.call("HEAD", &url(name)).send().await;
        assert_eq!((head.status, head.body.len(), head.header("content-type")), (200, 0, kind), "{name}");
    }
}

/// The style sheets of our own pages, one after the other.
fn style_sheets() -> String {
    let names = ["gatepost.css", "lists.css", "forms.css", "api.css", "docs.css"];
    names.map(|name| String::from_utf8(on_disk(name)).expect("CSS is UTF-8")).concat()
}

/// What is written in the files of a folder, and of those within it.
fn text_of(folder: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = std::fs::read_dir(path).expect("a folder").map(|file| file.expect("a file"));
    let text = files.map(|file| {
        let name = format!("{folder}/{}", file.file_name().to_string_lossy());
        if file.path().is_dir() { text_of(&name) } else { std::fs::read_to_string(file.path()).unwrap_or_default() }
    });
    text.collect()
}

#[tokio::test]
async fn style_sheets_show_every_icon_by_its_place_in_the_sprite() {
    let server = TestServer::start().await;
    let (sheets, sprite) = (style_sheets(), server.fetch(&url("icons.svg")).await.text());
    let icons: Vec<&str> = between(&sprite, "<svg id=\"", "\" width=");
    assert!(icons.len() > 40, "{icons:?}");
    let (logo, icons) = icons.split_last().expect("the logo");
    assert_eq!(*logo, format!("gatepost\" y=\"{}", icons.len() * 20));
    for (number, icon) in icons.iter().enumerate() {
        let (name, y) = icon.split_once("\" y=\"").expect("a name and a place");
        assert_eq!(y, (number * 20).to_string(), "{name}");
        assert_has(&sheets, &[&format!(".icon-{name} {{ --icon: {number}; }}")]);
    }
    for places in between(&sheets, "* 100% / ", ")") {
        assert_eq!(places, icons.len().to_string());
    }
    let images: BTreeSet<&str> =
        between(&sheets, "url(", ")").into_iter().filter(|file| !file.contains(".css")).collect();
    assert_eq!(images, BTreeSet::from(["icons.svg"]), "a page loads one image");
}

#[test]
fn every_class_of_a_style_sheet_is_on_some_page() {
    let text = ["templates", "src", "static"].map(text_of).concat();
    let words: BTreeSet<&str> = text.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '.')).collect();
    let sheets = style_sheets();
    // Swagger UI has classes of its own.
    let own = sheets.split_once(".swagger-ui").map_or(&*sheets, |(own, _)| own);
    for rule in own.split('}').filter_map(|rule| rule.rsplit_once('{')) {
        let selector = rule.0.rsplit(['{', ';', '/']).next().unwrap_or_default();
        for class in selector.split('.').skip(1) {
            let class = class.split(|c: char| !(c.is_alphanumeric() || c == '-')).next().unwrap_or_default();
            // A model names its icon without the prefix; an arrow has its direction added by a template.
            let icon = class.strip_prefix("icon-").map(|icon| if icon.starts_with("arrow-") { "arrow" } else { icon });
            let is_used = words.contains(class) || icon.is_some_and(|icon| words.contains(icon) || icon == "arrow");
            assert!(is_used, "{class} is on no page");
        }
    }
}

#[tokio::test]
async fn there_is_nothing_beside_the_files() {
    let server = TestServer::start().await;
    for name in [
        "",
        "nope.css",
        "icons",
        "icons/",
        "../Cargo.toml",
        "..%2fCargo.toml",
        "%2e%2e/Cargo.toml",
        "icons/../gatepost.css",
        "icons/..%2fgatepost.css",
        "icons%2fgatepost.svg",
        "%67atepost.css",
        "gatepost.css/",
        "gatepost.css%00",
        "/etc/passwd",
        "/gatepost.css",
        "..\\Cargo.toml",
        "GATEPOST.CSS",
    ] {
        // A client would tidy the path up; this one must arrive as it is.
        let request = format!("GET {} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n", url(name));
        let answer = server.exchange(request).await.text();
        assert!(answer.starts_with("HTTP/1.1 404 "), "{name}: {answer}");
    }
    for path in ["/static/gatepost.css", "/static/0123456789abcdef/gatepost.css", "/static"] {
        assert_eq!(server.fetch(path).await.status, 404, "{path}");
    }
}
