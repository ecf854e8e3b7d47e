//! Credentials of a role, in exchange for a token of a cluster such as EKS.
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>

use std::path::Path;

use form_urlencoded::Serializer;
use reqwest::StatusCode;

use super::Credentials;
use super::fetch::{body, time, token_file};
use crate::aws::environment::Environment;
use crate::aws::http_client::http_client;
use crate::aws::partition::endpoint;
use crate::crypto::Secret;

pub async fn fetch(environment: &Environment, region: &str, ca_file: Option<&Path>) -> Result<Credentials, String> {
    const FILE: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";
    let token = token_file(FILE, environment.require(FILE, FILE)?)?;
    let role = environment.require("AWS_ROLE_ARN", FILE)?;
    let session = environment.get("AWS_ROLE_SESSION_NAME").unwrap_or("gatepost");
    let form = Serializer::new(String::new())
        .append_pair("Action", "AssumeRoleWithWebIdentity")
        .append_pair("Version", "2011-06-15")
        .append_pair("RoleArn", role)
        .append_pair("RoleSessionName", session)
        .append_pair("WebIdentityToken", &token)
        .finish();
    let url = environment.endpoint("AWS_ENDPOINT_URL_STS", &endpoint("sts", region));
    let url = url.map_err(|error| error.to_string())?;
    let client = http_client(&url, ca_file)?;
    let request = client.post(url).header("content-type", "application/x-www-form-urlencoded").body(form);
    let (status, xml) = body(request).await?;
    if status != StatusCode::OK {
        let code = element(&xml, "Code").unwrap_or_default();
        return Err(format!("STS answers {status} {}", code.escape_debug()));
    }
    let text = |name| element(&xml, name).ok_or_else(|| format!("the answer of STS has no {name}"));
    Ok(Credentials {
        access_key_id: text("AccessKeyId")?.to_owned(),
        secret_access_key: Secret::new(text("SecretAccessKey")?.to_owned()),
        session_token: Some(Secret::new(text("SessionToken")?.to_owned())),
        expires: Some(time(text("Expiration")?)?),
    })
}

/// The content of the first such element. None of those that matter has markup or references in it.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (content, _) = rest.split_once(&format!("</{name}>"))?;
    Some(content.trim()).filter(|content| !content.is_empty() && !content.contains(['<', '&']))
}
