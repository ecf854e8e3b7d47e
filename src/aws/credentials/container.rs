//! Credentials of a container in ECS, or of a pod in EKS.
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>

use std::path::Path;

use reqwest::header::{AUTHORIZATION, HeaderValue};
use url::{Host, Url};

use super::Credentials;
use super::fetch::{parse, successful_body, token_file};
use crate::aws::environment::Environment;
use crate::aws::http_client::{http_client, is_loopback};

const RELATIVE: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const FULL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
const TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";

/// Where ECS and EKS serve credentials without TLS.
const HOSTS: [&str; 3] = ["169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"];

pub fn is_set(environment: &Environment) -> bool {
    [RELATIVE, FULL].into_iter().any(|name| environment.get(name).is_some())
}

pub async fn fetch(environment: &Environment, ca_file: Option<&Path>) -> Result<Credentials, String> {
    let url = url(environment)?;
    let mut request = http_client(&url, ca_file)?.get(url);
    if let Some(token) = token(environment)? {
        request = request.header(AUTHORIZATION, token);
    }
    parse(&successful_body(request).await?)
}

fn url(environment: &Environment) -> Result<Url, String> {
    if let Some(path) = environment.get(RELATIVE) {
        let url = Url::parse(&format!("http://{}{path}", HOSTS[0])).ok();
        let url = url.filter(|url| path.starts_with('/') && is_allowed(url));
        return url.ok_or_else(|| format!("{RELATIVE} is not a path"));
    }
    let url = Url::parse(environment.get(FULL).unwrap_or_default()).map_err(|_| format!("{FULL} is not a URL"))?;
    match is_allowed(&url) {
        true => Ok(url),
        false => Err(format!("{FULL} must begin with https://, unless its host is a loopback address or one of AWS's")),
    }
}

/// Credentials must not come from, and the token not go to, just anybody.
fn is_allowed(url: &Url) -> bool {
    let is_of_aws = url.host().is_some_and(|host: Host<&str>| HOSTS.contains(&host.to_string().as_str()));
    url.scheme() == "https" || url.scheme() == "http" && (is_of_aws || is_loopback(url))
}

fn token(environment: &Environment) -> Result<Option<HeaderValue>, String> {
    let token = match environment.get(TOKEN_FILE) {
        Some(path) => Some(token_file(TOKEN_FILE, path)?),
        None => environment.get(TOKEN).map(str::to_owned),
    };
    let header = token.map(|token| HeaderValue::try_from(token).map_err(|_| format!("{TOKEN} is not a header value")));
    let mut header = header.transpose()?;
    header.iter_mut().for_each(|header| header.set_sensitive(true));
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url_of(name: &'static str, value: &str) -> Result<String, String> {
        url(&Environment::read(|asked| (asked == name).then(|| value.to_owned()))).map(String::from)
    }

    #[test]
    fn credentials_come_without_tls_only_from_this_machine_or_from_aws() {
        for good in [
            "https://credentials.example.com/a",
            "http://127.0.0.1:80/a",
            "http://localhost/a",
            "http://[::1]/a",
            "http://169.254.170.2/a",
            "http://169.254.170.23/v1/credentials",
            "http://[fd00:ec2::23]/v1/credentials",
        ] {
            assert!(url_of(FULL, good).is_ok(), "{good}");
        }
        for bad in [
            "a",
            "/a",
            "ftp://localhost/a",
            "http://credentials.example.com/a",
            "http://169.254.170.3/a",
            "http://169.254.170.2.example.com/a",
            "http://169.254.170.2@example.com/a",
            "http://192.168.0.1/a",
            "http://[fd00:ec2::24]/a",
        ] {
            assert!(url_of(FULL, bad).is_err_and(|problem| problem.contains(FULL)), "{bad}");
        }
    }

    #[test]
    fn a_relative_path_cannot_leave_the_host() {
        assert_eq!(url_of(RELATIVE, "/v2/credentials/x"), Ok("http://169.254.170.2/v2/credentials/x".to_owned()));
        for bad in ["v2", ".example.com/", "@example.com/", ":80/", "//example.com:x/"] {
            let parsed = url_of(RELATIVE, bad);
            assert!(
                parsed.as_ref().is_err() || parsed.is_ok_and(|url| url.starts_with("http://169.254.170.2/")),
                "{bad}"
            );
        }
    }
}
