//! Tokens of machine clients (client credentials, RFC 6749, section 4.4), and the service accounts that they stand for.

use std::sync::Arc;

use actix_web::http::Method;

use super::token::Claims;
use crate::db::{Db, Remembered, Version};
use crate::error::{Error, Refusal};
use crate::users::service_accounts::{self, ServiceAccount};

const REMEMBERED_ACCOUNTS: usize = 1000;

/// A machine client as its token describes it.
#[derive(Debug, PartialEq, Eq)]
pub struct Machine {
    pub client_id: Arc<str>,
    /// Scopes, separated by spaces (RFC 6749, section 3.3).
    scope: Box<str>,
}

impl Machine {
    /// `None` for the token of a user.
    pub fn of(claims: &Claims) -> Option<Machine> {
        let scope = || claims.scope.as_deref().unwrap_or_default().into();
        claims.is_machine().then(|| Machine { client_id: claims.sub.as_str().into(), scope: scope() })
    }

    pub fn has_scope(&self, scope: &str) -> bool {
        self.scope.split(' ').any(|has| has == scope)
    }

    pub(super) fn bytes(&self) -> usize {
        self.client_id.len() + self.scope.len()
    }
}

/// The identifier of this API in the user pool, with which its scopes begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceServer(String);

impl ResourceServer {
    /// The characters that AWS and RFC 6749 allow.
    pub fn parse(identifier: &str) -> Result<ResourceServer, &'static str> {
        let is_allowed = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
        match identifier.bytes().all(is_allowed) && (1..=256).contains(&identifier.len()) {
            true => Ok(ResourceServer(identifier.to_owned())),
            false => Err("is not the identifier of a resource server, such as `articles` or `https://api.example.com`"),
        }
    }

    /// Of the local user pool.
    pub fn local() -> ResourceServer {
        ResourceServer("gatepost".to_owned())
    }

    pub fn identifier(&self) -> &str {
        &self.0
    }

    pub fn read_scope(&self) -> String {
        format!("{}/read", self.0)
    }

    pub fn write_scope(&self) -> String {
        format!("{}/write", self.0)
    }

    pub fn scope_for(&self, method: &Method) -> String {
        if method.is_safe() { self.read_scope() } else { self.write_scope() }
    }
}

pub(super) struct ServiceAccounts {
    /// `None`: tokens of machine clients are refused.
    resource_server: Option<ResourceServer>,
    /// By client id.
    known: Remembered<Arc<str>, Option<Arc<ServiceAccount>>>,
}

impl ServiceAccounts {
    pub fn new(resource_server: Option<ResourceServer>) -> ServiceAccounts {
        ServiceAccounts { resource_server, known: Remembered::new(REMEMBERED_ACCOUNTS) }
    }

    /// Read for every request, so that changes in the admin apply at once.
    pub async fn account(
        &self,
        db: &Db,
        machine: &Machine,
        version: Option<Version>,
    ) -> Result<Arc<ServiceAccount>, Error> {
        self.resource_server()?;
        let read = async || find(db, machine).await;
        Ok(active(self.known.get_or_read(db, version, &machine.client_id, read).await?)?)
    }

    fn resource_server(&self) -> Result<&ResourceServer, Refusal> {
        self.resource_server.as_ref().ok_or(Refusal::ResourceServerUnset)
    }

    pub fn check_scope(&self, machine: &Machine, method: &Method) -> Result<(), Error> {
        let scope = self.resource_server()?.scope_for(method);
        if machine.has_scope(&scope) { Ok(()) } else { Err(Error::InsufficientScope(scope)) }
    }

    /// What the token inspector says of a machine client.
    pub async fn inspect(&self, db: &Db, machine: Machine) -> Result<Result<String, Refusal>, Error> {
        let server = match self.resource_server() {
            Ok(server) => server,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let account = find(db, &machine).await?;
        Ok(active(account).map(|account| summary(&account, &machine, server)))
    }
}

async fn find(db: &Db, machine: &Machine) -> Result<Option<Arc<ServiceAccount>>, Error> {
    let client_id = machine.client_id.clone();
    let account = db.read_here(move |conn| Ok(service_accounts::find_by_client_id(conn, &client_id)?)).await?;
    Ok(account.map(Arc::new))
}

pub(super) fn active(account: Option<Arc<ServiceAccount>>) -> Result<Arc<ServiceAccount>, Refusal> {
    match account {
        Some(account) if account.fields.is_active => Ok(account),
        Some(_) => Err(Refusal::ServiceAccountInactive),
        None => Err(Refusal::ServiceAccountUnknown),
    }
}

fn summary(account: &ServiceAccount, machine: &Machine, server: &ResourceServer) -> String {
    let (read, write) = (server.read_scope(), server.write_scope());
    let scope_of = |permission: &String| match permission.contains(".view_") {
        true => &read,
        false => &write,
    };
    let name = format!("{} (service account {})", account.fields.name, account.id);
    let permissions = &account.fields.permissions;
    if permissions.is_empty() {
        return format!("{name}, which has no permissions yet");
    }
    let (usable, others): (Vec<_>, Vec<_>) = permissions.iter().partition(|p| machine.has_scope(scope_of(p)));
    let may = usable.iter().map(|permission| (*permission).clone());
    let may_not =
        others.iter().map(|permission| format!("not {permission} without the scope {}", scope_of(permission)));
    format!("{name}: {}", may.chain(may_not).collect::<Vec<_>>().join(", "))
}
