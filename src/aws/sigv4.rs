//! Signs requests with AWS's Signature Version 4, as far as POST to the root path of a service needs it.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use chrono::{DateTime, Utc};

use super::credentials::Credentials;
use crate::crypto::hex;

pub struct Request<'a> {
    pub method: &'a str,
    pub region: &'a str,
    pub service: &'a str,
    /// All that are signed, with names in lower case. `host` must be among them.
    pub headers: &'a [(&'a str, &'a str)],
    pub body: &'a [u8],
}

/// The headers to add to those of the request.
pub fn sign(request: &Request, credentials: &Credentials, at: DateTime<Utc>) -> Vec<(&'static str, String)> {
    let time = at.format("%Y%m%dT%H%M%SZ").to_string();
    let mut added = vec![("x-amz-date", time.clone())];
    if let Some(token) = &credentials.session_token {
        added.push(("x-amz-security-token", token.as_str().to_owned()));
    }
    let own = request.headers.iter().copied();
    let mut headers: Vec<(&str, &str)> = own.chain(added.iter().map(|(name, value)| (*name, value.as_str()))).collect();
    headers.sort_unstable();
    let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{}\n", one_line(value))).collect();
    let canonical = format!("{}\n/\n\n{lines}\n{names}\n{}", request.method, sha256(request.body));
    let scope = format!("{}/{}/{}/aws4_request", &time[..8], request.region, request.service);
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", sha256(canonical.as_bytes()));
    let signature = hex(hmac_sha256(key(request, credentials, &time[..8]).as_ref(), &text).as_ref());
    let id = &credentials.access_key_id;
    let authorization =
        format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}");
    added.push(("authorization", authorization));
    added
}

/// Good for one day, region and service.
fn key(request: &Request, credentials: &Credentials, day: &str) -> hmac::Tag {
    let secret = format!("AWS4{}", credentials.secret_access_key.as_str());
    [request.region, request.service, "aws4_request"]
        .into_iter()
        .fold(hmac_sha256(secret.as_bytes(), day), |key, part| hmac_sha256(key.as_ref(), part))
}

fn hmac_sha256(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

fn one_line(value: &str) -> String {
    value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Secret;

    const TOKEN: &str = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";

    /// AWS's test suite for Signature Version 4: name, method, headers besides `host`, body, session token, names of
    /// the signed headers, signature.
    type Vector<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str, Option<&'a str>, &'a str, &'a str);
    const VECTORS: [Vector; 7] = [
        (
            "get-vanilla",
            "GET",
            &[],
            "",
            None,
            "host;x-amz-date",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "post-vanilla",
            "POST",
            &[],
            "",
            None,
            "host;x-amz-date",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        (
            "post-header-key-sort",
            "POST",
            &[("my-header1", "value1")],
            "",
            None,
            "host;my-header1;x-amz-date",
            "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
        ),
        (
            "post-header-value-case",
            "POST",
            &[("my-header1", "VALUE1")],
            "",
            None,
            "host;my-header1;x-amz-date",
            "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
        ),
        (
            "get-header-value-trim",
            "GET",
            &[("my-header1", " value1"), ("my-header2", " \"a   b   c\"")],
            "",
            None,
            "host;my-header1;my-header2;x-amz-date",
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        ),
        (
            "post-x-www-form-urlencoded",
            "POST",
            &[("content-type", "application/x-www-form-urlencoded")],
            "Param1=value1",
            None,
            "content-type;host;x-amz-date",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
        (
            "post-sts-header-before",
            "POST",
            &[],
            "",
            Some(TOKEN),
            "host;x-amz-date;x-amz-security-token",
            "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
        ),
    ];

    #[test]
    fn signatures_are_those_of_the_test_suite_of_aws() {
        let at = "2015-08-30T12:36:00Z".parse().expect("a time");
        for (name, method, headers, body, token, signed, signature) in VECTORS {
            let credentials = Credentials {
                access_key_id: "AKIDEXAMPLE".to_owned(),
                secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned()),
                session_token: token.map(|token| Secret::new(token.to_owned())),
                expires: None,
            };
            let headers = [&[("host", "example.amazonaws.com")], headers].concat();
            let request =
                Request { method, region: "us-east-1", service: "service", headers: &headers, body: body.as_bytes() };
            let added = sign(&request, &credentials, at);
            let expected = format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders={signed}, Signature={signature}"
            );
            assert_eq!(added.last(), Some(&("authorization", expected)), "{name}");
            assert_eq!(added[0], ("x-amz-date", "20150830T123600Z".to_owned()), "{name}");
        }
    }
}
