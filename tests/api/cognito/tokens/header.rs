//! The `Authorization` header, and the places where a token has no business.

use gatepost::cognito::Refusal;

use super::{assert_refusal, assert_says_nothing_of};
use crate::harness::TestServer;

#[tokio::test]
async fn a_token_comes_after_bearer_in_any_case_or_alone() {
    let (server, token) = TestServer::with_alice().await;
    for form in [
        "Bearer @",
        "bearer @",
        "BEARER @",
        "bEaReR @",
        "Bearer    @",
        "Bearer @   ",
        "  Bearer   @  ",
        "@",
        "  @",
        "@  ",
        // Tabs around a header's value are no part of it (RFC 9110, section 5.5).
        "\tBearer @\t",
    ] {
        let answer = server.call("GET", "/me/").header("authorization", form.replace('@', &token)).send().await;
        assert_eq!(answer.status, 200, "{form:?}: {}", answer.text());
    }
}

#[tokio::test]
async fn a_header_without_one_readable_token_is_refused() {
    let (server, token) = TestServer::with_alice().await;
    // @ stands for a good token.
    let forms: [&[u8]; 34] = [
        b"",
        b" ",
        b"Bearer",
        b"bearer",
        b"Bearer ",
        b"Bearer   ",
        b"Bearer\t@",
        b"Bearer \t@",
        b"Bearer @\t@",
        b"Basic @",
        b"Basic YWxpY2U6c2VjcmV0",
        b"Token @",
        b"JWT @",
        b"Digest username=\"alice\"",
        b"Negotiate @",
        b"AWS4-HMAC-SHA256 @",
        b"DPoP @",
        b"OAuth @",
        b"Bearer Bearer @",
        b"Bearer bearer",
        b"Bearer @ @",
        b"Bearer @ x",
        b"@ @",
        b"@ x",
        b"@ Bearer",
        b"Bearer @,",
        b"Bearer @, Bearer @",
        b"@,@",
        b"Basic x, Bearer @",
        b"Bearer realm=\"x\", @",
        b"Bearer \xff\xfe",
        b"Bearer \xc3\xa9@",
        b"Bearer\xc2\xa0@",
        b"\xff@",
    ];
    for form in forms {
        let value = form.split(|byte| *byte == b'@').collect::<Vec<_>>().join(token.as_bytes());
        let what = String::from_utf8_lossy(form).into_owned();
        let answer = server.call("GET", "/me/").header("authorization", &value).send().await;
        assert_refusal(&what, &answer, Refusal::AuthorizationInvalid);
        assert_says_nothing_of(&what, &answer, &token);
    }
    for form in [
        "Bearer@",
        "Bearer:@",
        "Bearer=@",
        "Bearer \"@\"",
        "Bearer <@>",
        "Bearer '@'",
        "Bearer @;",
        "Bearer %40",
        "Bearer token=@",
    ] {
        let answer = server.call("GET", "/me/").header("authorization", form.replace('@', &token)).send().await;
        assert_refusal(form, &answer, Refusal::TokenMalformed);
    }
}

#[tokio::test]
async fn two_authorization_headers_are_refused_even_if_both_are_good() {
    let (server, token) = TestServer::with_alice().await;
    let bearer = format!("Bearer {token}");
    for (what, first, second) in [
        ("the same twice", bearer.as_str(), bearer.as_str()),
        ("good, then empty", &bearer, ""),
        ("empty, then good", "", &bearer),
        ("good, then Basic", &bearer, "Basic YWxpY2U6c2VjcmV0"),
        ("Basic, then good", "Basic YWxpY2U6c2VjcmV0", &bearer),
        ("with and without the scheme", &token, &bearer),
    ] {
        let call = server.call("GET", "/me/").header("authorization", first).header("Authorization", second);
        assert_refusal(what, &call.send().await, Refusal::AuthorizationInvalid);
    }
}

#[tokio::test]
async fn a_header_that_is_no_http_never_reaches_the_token_parser() {
    let (server, token) = TestServer::with_alice().await;
    for (what, line) in [
        ("NUL", format!("Authorization: Bearer {token}\0")),
        ("NUL before", format!("Authorization: \0Bearer {token}")),
        ("a control character", format!("Authorization: Bearer \x01{token}")),
        ("DEL", format!("Authorization: Bearer {token}\x7f")),
        ("a folded line", format!("Authorization: Bearer\r\n {token}")),
        ("a blank before the colon", format!("Authorization : Bearer {token}")),
        ("a lone CR", format!("Authorization: Bearer\r{token}")),
    ] {
        let request = format!("GET /me/ HTTP/1.1\r\nHost: localhost\r\n{line}\r\nConnection: close\r\n\r\n");
        let answer = server.exchange(request).await.text();
        let refused = answer.starts_with("HTTP/1.1 400") || answer.starts_with("HTTP/1.1 401");
        assert!(refused && !answer.contains("eyJ"), "{what}: {answer}");
    }
}

#[tokio::test]
async fn a_token_anywhere_else_is_no_token() {
    let (server, token) = TestServer::with_alice().await;
    for query in
        ["access_token=", "token=", "id_token=", "authorization=Bearer%20", "Authorization=", "jwt=", "bearer="]
    {
        let answer = server.fetch(&format!("/me/?{query}{token}")).await;
        assert_refusal(query, &answer, Refusal::NoToken);
        assert_says_nothing_of(query, &answer, &token);
    }
    for cookie in ["access_token=", "token=", "idToken=", "Authorization=Bearer ", "jwt=", "sessionid="] {
        let answer = server.call("GET", "/me/").header("cookie", format!("{cookie}{token}")).send().await;
        assert_refusal(cookie, &answer, Refusal::NoToken);
    }
    for name in [
        "x-authorization",
        "proxy-authorization",
        "x-access-token",
        "x-amzn-oidc-data",
        "x-forwarded-user",
        "token",
        "authorization2",
    ] {
        let answer = server.call("GET", "/me/").header(name, format!("Bearer {token}")).send().await;
        assert_refusal(name, &answer, Refusal::NoToken);
    }
    for (content_type, body) in [
        ("application/x-www-form-urlencoded", format!("access_token={token}&name=x")),
        ("application/json", format!(r#"{{"access_token":"{token}","name":"x"}}"#)),
    ] {
        let answer = server.call("POST", "/articles/").body(content_type, body).send().await;
        assert_refusal(content_type, &answer, Refusal::NoToken);
    }
    assert_eq!(server.count("articles").await, 0);
}

#[tokio::test]
async fn every_address_and_method_of_the_api_asks_for_a_token() {
    let server = TestServer::start().await;
    for path in ["/articles/", "/articles/1/", "/me/"] {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            let answer = server.call(method, path).send().await;
            assert_refusal(&format!("{method} {path}"), &answer, Refusal::NoToken);
            let answer = server.call(method, path).token("nonsense").send().await;
            assert_refusal(&format!("{method} {path} with nonsense"), &answer, Refusal::TokenMalformed);
        }
        let head = server.call("HEAD", path).send().await;
        assert_eq!((head.status, head.header("www-authenticate")), (401, "Bearer"), "HEAD {path}");
    }
}

#[tokio::test]
async fn a_web_page_can_read_why_it_was_refused() {
    let server = TestServer::start().await;
    for (token, refusal) in [(None, Refusal::NoToken), (Some("nonsense"), Refusal::TokenMalformed)] {
        let mut call = server.call("GET", "/articles/").header("origin", "http://localhost:3000");
        if let Some(token) = token {
            call = call.token(token);
        }
        let answer = call.send().await;
        assert_refusal("cross-origin", &answer, refusal);
        assert_eq!(answer.header("access-control-allow-origin"), "http://localhost:3000");
    }
}
