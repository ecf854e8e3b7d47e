//! AWS credentials: from the environment, a web identity, the endpoint of a container, or the instance, in the order of
//! AWS's own tools. The first source that is set up counts, even if it fails. Profile files are not read.
//! <https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html>

mod chain;
mod container;
mod fetch;
mod instance;
mod keys;
mod web_identity;

pub use chain::Chain;
pub use keys::{Credentials, CredentialsError};
