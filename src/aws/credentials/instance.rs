//! Credentials of the role of an EC2 instance, from version 2 of its metadata service alone.
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-v2-how-it-works.html>

use std::time::Duration;

use reqwest::{Client, StatusCode};
use url::Url;

use super::Credentials;
use super::fetch::{body, parse, successful_body};
use crate::aws::environment::Environment;
use crate::aws::http_client::http_client;

/// Elsewhere nobody answers, so a long wait would be in vain.
const PATIENCE: Duration = Duration::from_secs(1);
const ROLES: &str = "/latest/meta-data/iam/security-credentials/";

pub fn is_disabled(environment: &Environment) -> bool {
    environment.get("AWS_EC2_METADATA_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

pub async fn fetch(environment: &Environment) -> Result<Credentials, String> {
    const NAME: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
    let endpoint = environment.get(NAME).unwrap_or("http://169.254.169.254");
    let base = Url::parse(endpoint).map_err(|_| format!("{NAME} is not a URL"))?;
    let service = Metadata { client: http_client(&base, None)?, base };
    let token = service.token().await?;
    let role = service.get(ROLES, &token).await?;
    // Comes from the network and becomes a part of a path.
    let role = role.lines().next().unwrap_or_default().trim();
    if role.is_empty() || !role.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte)) {
        return Err("the instance has no role".to_owned());
    }
    parse(&service.get(&format!("{ROLES}{role}"), &token).await?)
}

struct Metadata {
    client: Client,
    base: Url,
}

impl Metadata {
    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base.as_str().trim_end_matches('/'))
    }

    async fn token(&self) -> Result<String, String> {
        let request = self.client.put(self.url("/latest/api/token")).timeout(PATIENCE);
        let request = request.header("x-aws-ec2-metadata-token-ttl-seconds", "300");
        successful_body(request).await.map_err(|problem| {
            // With the default hop limit of 1, the answer does not get into a container.
            format!(
                "the metadata service gives no token: {problem} (in a container, set the instance's hop limit to 2)"
            )
        })
    }

    async fn get(&self, path: &str, token: &str) -> Result<String, String> {
        let request = self.client.get(self.url(path)).header("x-aws-ec2-metadata-token", token).timeout(PATIENCE);
        match body(request).await? {
            (StatusCode::OK, body) => Ok(body),
            (StatusCode::NOT_FOUND, _) => Err("the instance has no role".to_owned()),
            (status, _) => Err(format!("the metadata service answers {status}")),
        }
    }
}
