//! Style sheets, scripts and icons.

use std::path::Path;

use gatepost::assets::url;

use crate::harness::TestServer;

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
        let answer = server.call("GET", &url(name)).send().await;
        assert_eq!((answer.status, answer.header("content-type")), (200, kind), "{name}");
        assert!(answer.body == on_disk(name), "{name}");
        assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable", "{name}");
        let tag = answer.header("etag").to_owned();
        assert!(tag.starts_with('"'), "{name}: {tag}");
        let again = server.call("GET", &url(name)).header("if-none-match", &tag).send().await;
        assert_eq!((again.status, again.body.len()), (304, 0), "{name}");
        let head = server.call("HEAD", &url(name)).send().await;
        assert_eq!((head.status, head.body.len(), head.header("content-type")), (200, 0, kind), "{name}");
    }
}

#[tokio::test]
async fn relative_addresses_in_the_style_sheet_lead_to_files() {
    let server = TestServer::start().await;
    let sheet = String::from_utf8(on_disk("gatepost.css")).expect("CSS is UTF-8");
    let names: Vec<_> = sheet.split("url(").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(names.len() > 10, "{names:?}");
    for name in names {
        let name = name.trim_matches(['"', '\'']);
        assert_eq!(server.call("GET", &url(name)).send().await.status, 200, "{name}");
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
        let answer =
            crate::harness::client::raw(server.address, request.as_bytes(), std::time::Duration::from_secs(10)).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 404 "), "{name}: {answer}");
    }
    for path in ["/static/gatepost.css", "/static/0123456789abcdef/gatepost.css", "/static"] {
        assert_eq!(server.call("GET", path).send().await.status, 404, "{path}");
    }
}
