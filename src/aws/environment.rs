//! The environment variables of AWS's own tools.
//! <https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html>

use std::collections::HashMap;
use std::fmt;

use url::Url;

use super::error::AwsError;
use super::http_client::is_loopback;

/// The variables that are read. Some hold secrets.
pub const VARIABLES: [&str; 15] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ENDPOINT_URL",
];

/// `Debug` shows names only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment(HashMap<&'static str, String>);

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Environment {
    /// An empty value counts as unset.
    pub fn read(get: impl Fn(&'static str) -> Option<String>) -> Environment {
        let value = |name| Some((name, get(name)?.trim().to_owned())).filter(|(_, value)| !value.is_empty());
        Environment(VARIABLES.into_iter().filter_map(value).collect())
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub fn require(&self, name: &str, needed_for: &str) -> Result<&str, String> {
        self.get(name).ok_or_else(|| format!("{name} is not set, but {needed_for} is"))
    }

    /// The URL of a service: `variable`, `AWS_ENDPOINT_URL`, or this host.
    pub fn endpoint(&self, variable: &str, host: &str) -> Result<Url, AwsError> {
        let set = [variable, "AWS_ENDPOINT_URL"].into_iter().find_map(|name| Some((name, self.get(name)?)));
        let (name, text) =
            set.map_or(("the endpoint", format!("https://{host}")), |(name, text)| (name, text.to_owned()));
        let fail = |problem: &str| Err(AwsError::Settings(format!("{name}: {problem}")));
        let Ok(url) = Url::parse(&text) else { return fail("is not a URL") };
        let is_plain = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if !is_plain || !url.has_host() || !url.username().is_empty() || url.password().is_some() {
            return fail("must be a scheme, a host and a port, such as `http://localhost:4566`");
        }
        match url.scheme() {
            "https" => Ok(url),
            "http" if is_loopback(&url) => Ok(url),
            _ => fail("must begin with https:// (http:// is for loopback addresses only)"),
        }
    }
}
