//! A user pool's id, and the URLs derived from it.
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html>

use url::Url;

use crate::aws::http_client::is_loopback;
use crate::aws::partition::endpoint;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenUse {
    Id,
    Access,
    Any,
}

impl TokenUse {
    pub const ALL: [(&str, TokenUse); 3] = [("id", TokenUse::Id), ("access", TokenUse::Access), ("any", TokenUse::Any)];
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserPool {
    pub id: String,
    /// Accepted values of `iss`; users are linked under the first.
    pub issuers: Vec<String>,
    /// Empty for the local pool.
    pub jwks_urls: Vec<Url>,
    pub client_ids: Vec<String>,
}

impl UserPool {
    pub fn is_local(&self) -> bool {
        self.jwks_urls.is_empty()
    }

    pub fn issuer(&self) -> &str {
        self.issuers.first().map_or("", String::as_str)
    }
}

/// `<region>_<alphanumeric>`, validated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolId {
    id: String,
    region: String,
}

impl PoolId {
    pub fn parse(id: &str) -> Result<PoolId, String> {
        let malformed = || format!("`{}` is not a user pool id such as `eu-west-1_AbCdEfGhI`", id.escape_debug());
        let (region, name) = id.split_once('_').ok_or_else(malformed)?;
        let region_fits = region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let name_fits = name.bytes().all(|b| b.is_ascii_alphanumeric());
        if region.is_empty() || name.is_empty() || !region_fits || !name_fits || id.len() > 55 {
            return Err(malformed());
        }
        Ok(PoolId { id: id.to_owned(), region: region.to_owned() })
    }

    pub fn as_str(&self) -> &str {
        &self.id
    }

    pub fn region(&self) -> &str {
        &self.region
    }

    /// Cognito uses both.
    pub fn issuers(&self) -> [String; 2] {
        let PoolId { id, region } = self;
        ["cognito-idp", "issuer-cognito-idp"].map(|service| format!("https://{}/{id}", endpoint(service, region)))
    }
}

pub fn jwks_url(issuer: &str) -> String {
    format!("{issuer}/.well-known/jwks.json")
}

/// Only `https`, because all authentication depends on it; `http` is for loopback addresses.
pub fn checked_url(text: &str) -> Result<Url, String> {
    let shown = text.escape_debug();
    // `Url` would take these for a part of the path, and with it what are two URLs.
    if text.contains(|c: char| c.is_whitespace() || c.is_control() || ";\"'<>\\".contains(c)) {
        return Err(format!("`{shown}` is not one URL; separate several with commas"));
    }
    let url = Url::parse(text).map_err(|error| format!("`{shown}` is not a URL: {error}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        // Do not print the URL, which contains a secret.
        return Err("the URL must not hold a user name or a password".to_owned());
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        _ => Err(format!("`{shown}` must begin with https:// (http:// is for loopback addresses only)")),
    }
}

/// [`checked_url`] of an issuer, which is compared as a string: nothing in it may be written in another way than usual.
pub fn checked_issuer(text: &str) -> Result<Url, String> {
    let url = checked_url(text)?;
    let usual = url.as_str();
    if text.ends_with('/') {
        return Err(format!("`{}` ends with a slash, which an issuer never does", text.escape_debug()));
    }
    if text != usual && text != usual.trim_end_matches('/') {
        return Err(format!("`{}` is not how an issuer is written; write `{usual}`", text.escape_debug()));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("`{}` has a `?` or `#`, which an issuer never has", text.escape_debug()));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_id_is_a_region_and_a_name() {
        for good in ["eu-west-1_AbCdEfGhI", "us-gov-west-1_a1B2c3D4e", "cn-north-1_X", "local_1a2B"] {
            assert_eq!(PoolId::parse(good).map(|id| id.as_str().to_owned()), Ok(good.to_owned()));
        }
        let long = format!("eu-west-1_{}", "a".repeat(46));
        for bad in [
            "",
            "_",
            "eu-west-1",
            "eu-west-1_",
            "_AbCdEfGhI",
            "EU-WEST-1_AbCdEfGhI",
            "eu-west-1_AbC-dEf",
            "eu-west-1_AbC_dEf",
            "eu-west-1_AbC/../x",
            "eu-west-1.evil.example/_a",
            "eu-west-1@evil.example_a",
            " eu-west-1_AbC",
            "eu-west-1_AbC\n",
            "eu-west-1_ÀbC",
            &long,
        ] {
            let error = PoolId::parse(bad).expect_err(bad);
            assert!(error.contains("is not a user pool id") && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn issuers_and_key_addresses_follow_from_the_id() {
        let issuers = PoolId::parse("eu-west-1_AbCdEfGhI").map(|id| id.issuers()).expect("a pool id");
        assert_eq!(
            issuers,
            [
                "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI",
                "https://issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI",
            ]
        );
        assert_eq!(
            jwks_url(&issuers[0]),
            "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI/.well-known/jwks.json"
        );
    }

    #[test]
    fn only_loopback_addresses_may_do_without_tls() {
        for good in [
            "https://cognito-idp.eu-west-1.amazonaws.com/x",
            "http://localhost:9229/x",
            "http://LOCALHOST/x",
            "http://pool.localhost/x",
            "http://127.0.0.1:5000/x",
            "http://127.8.9.1/x",
            "http://[::1]:5000/x",
        ] {
            assert!(checked_url(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "x",
            "//localhost/x",
            "ftp://localhost/x",
            "file:///etc/passwd",
            "http://cognito-idp.eu-west-1.amazonaws.com/x",
            "http://localhost.example.com/x",
            "http://localhost@example.com/x",
            "http://notlocalhost/x",
            "http://127.0.0.1.example.com/x",
            "http://128.0.0.1/x",
            "http://0.0.0.0/x",
            "http://10.0.0.1/x",
            "http://[::2]/x",
            "http://169.254.169.254/latest/meta-data",
        ] {
            assert!(checked_url(bad).is_err(), "{bad}");
        }
    }
}
