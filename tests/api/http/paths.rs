//! Hosts, paths and methods: what they lead to, and what they do not.

use crate::harness::TestServer;

#[tokio::test]
async fn only_the_hosts_of_the_list_are_answered() {
    let server = TestServer::start_with(|config| {
        config.allowed_hosts = ["localhost", ".example.com", "[::1]", "192.0.2.7"].map(str::to_owned).to_vec();
    })
    .await;
    let rows: [(&[u8], bool); 44] = [
        (b"localhost", true),
        (b"LOCALHOST", true),
        (b"localhost:8000", true),
        (b"localhost.", true),
        (b"localhost.:80", true),
        (b"  localhost  ", true),
        (b"example.com", true),
        (b"a.example.com", true),
        (b"A.b.Example.COM:443", true),
        (b"[::1]", true),
        (b"[::1]:80", true),
        (b"192.0.2.7", true),
        (b"192.0.2.7:65535", true),
        (b"", false),
        (b":80", false),
        (b".", false),
        (b"evil.com", false),
        (b"localhost.evil.com", false),
        (b"evillocalhost", false),
        (b"evil.localhost", false),
        (b"evilexample.com", false),
        (b"example.com.evil.com", false),
        (b"localhost..", false),
        (b"localhost@evil.com", false),
        (b"evil.com@localhost", false),
        (b"user:pw@localhost", false),
        (b"localhost:80@evil.com", false),
        (b"localhost:80:80", false),
        (b"localhost:http", false),
        (b"localhost:-1", false),
        (b"evil.com:localhost", false),
        (b"localhost/", false),
        (b"localhost?", false),
        (b"localhost#", false),
        (b"localhost\\evil.com", false),
        (b"localhost, evil.com", false),
        (b"localhost evil.com", false),
        (b"http://localhost", false),
        (b"l\xc3\xb6calhost", false),
        (b"\xff", false),
        (b"::1", false),
        (b"[::1", false),
        (b"[::1]evil.com", false),
        (b"[::2]", false),
    ];
    for (host, is_answered) in rows {
        let request = [b"GET /nope HTTP/1.1\r\nconnection: close\r\nhost: ", host, b"\r\n\r\n"].concat();
        let exchange = server.exchange(&request).await;
        let expected = if is_answered { 404 } else { 400 };
        let text = exchange.text();
        assert_eq!(exchange.statuses(), [expected], "{:?}: {text}", String::from_utf8_lossy(host));
        if !is_answered && text.contains("<html") {
            assert!(!text.contains("evil"), "the host comes back: {text}");
        }
        // Probes name whatever they like. What is no host at all may be refused before that.
        if !is_answered && host.iter().all(u8::is_ascii) {
            let request = [b"GET /healthz HTTP/1.1\r\nconnection: close\r\nhost: ", host, b"\r\n\r\n"].concat();
            let exchange = server.exchange(&request).await;
            assert_eq!(exchange.statuses(), [200], "a probe, {:?}", String::from_utf8_lossy(host));
        }
    }
    // What a proxy says beside `Host` changes nothing.
    for (host, forwarded, status) in [("localhost", "evil.com", 404), ("evil.com", "localhost", 400)] {
        let call = server.call("GET", "/nope").header("host", host).header("x-forwarded-host", forwarded);
        assert_eq!(call.header("forwarded", format!("host={forwarded}")).status().await, status, "{host}");
    }
}

#[tokio::test]
async fn the_star_allows_any_host_that_is_one() {
    let server = TestServer::start_with(|config| config.allowed_hosts = vec!["*".to_owned()]).await;
    for (host, status) in [("evil.com", 404), ("[::2]:8", 404), ("a@b", 400), ("a/b", 400), ("", 400)] {
        assert_eq!(server.call("GET", "/nope").header("host", host).status().await, status, "{host}");
    }
}

#[tokio::test]
async fn paths_lead_nowhere_but_where_they_say() {
    let (server, token) = TestServer::with_alice().await;
    assert_eq!(server.post_article(&token, "x").await.status, 201);
    let rows = [
        ("/articles/1/", 200),
        ("/articles/../me/", 404),
        ("/articles/./", 404),
        ("/articles/%2e%2e/me/", 404),
        ("/articles/..%2fme/", 404),
        ("/%2e%2e/%2e%2e/etc/passwd", 404),
        ("/../../etc/passwd", 404),
        ("/static/../Cargo.toml", 404),
        ("/static/%2e%2e/Cargo.toml", 404),
        ("/static/..%2fCargo.toml", 404),
        ("/static/..%5cCargo.toml", 404),
        ("/static/..\\Cargo.toml", 404),
        ("/static/", 404),
        ("/static/gatepost.css", 404),
        ("/static/gatepost.css/", 404),
        ("/static/gatepost.css%00.html", 404),
        ("//articles/", 404),
        ("/articles//", 404),
        ("/articles//1/", 404),
        ("//evil.example/articles/", 404),
        ("/articles%2f", 404),
        ("/%2farticles/", 404),
        ("/articles/1%2f", 404),
        ("/articles/1%00/", 404),
        ("/articles/1;x=1/", 404),
        ("/articles/1/..", 404),
        ("/articles/-1/", 404),
        ("/articles/1.0/", 404),
        ("/articles/%D9%A1/", 404),
        ("/articles/99999999999999999999/", 404),
        ("/ARTICLES/", 404),
        ("/.env", 404),
        ("/.git/config", 404),
        ("/healthz/", 404),
        ("/healthz/../articles/", 404),
        ("/me/me/", 404),
        ("/%", 404),
        ("/%zz/", 404),
        ("/%ff%fe/", 404),
    ];
    for (path, status) in rows {
        // By hand: a client would tidy the path up.
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: {token}\r\nconnection: close\r\n\r\n");
        let exchange = server.exchange(request).await;
        assert_eq!(exchange.statuses(), [status], "{path}: {}", exchange.text());
    }
}

#[tokio::test]
async fn the_method_is_the_requests_own_whatever_is_said_beside_it() {
    let (server, token) = TestServer::with_alice().await;
    for (n, name) in ["x-http-method-override", "x-http-method", "x-method-override"].into_iter().enumerate() {
        let call = server.call("POST", "/articles/?_method=DELETE&method=DELETE").token(&token).header(name, "DELETE");
        assert_eq!(call.json(r#"{"name":"x","_method":"DELETE"}"#).status().await, 201, "{name}");
        let one = server.call("GET", "/articles/1/?_method=DELETE").token(&token).header(name, "DELETE").send().await;
        assert_eq!(one.status, 200, "{name}");
        assert_eq!(server.count("articles").await, n as i64 + 1, "{name}");
    }
}
