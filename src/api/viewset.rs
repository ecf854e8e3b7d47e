//! [`ModelViewSet`]: the API of a model.

use std::fmt::Display;

use super::endpoint::{Endpoint, Parent, SerializerField};
use crate::cognito::Caller;
use crate::db::{Connection, references};
use crate::error::Error;
use crate::models::words::capitalized_words;
use crate::models::{Field, Kind, Model, Row};
use crate::users::models::User;
use crate::users::permissions::{Verb, permission};

/// The API of a model, below `/<plural>/`. Any authenticated user may read; the permissions control writes. A service
/// account may do what its own permissions allow, such as `articles.add_article`.
pub struct ModelViewSet {
    pub model: &'static Model,
    /// In addition to the id; empty for all.
    pub fields: &'static [&'static str],
    /// In addition to the model's read-only fields.
    pub read_only_fields: &'static [&'static str],
    pub create: Permission,
    /// Who may change or delete a row.
    pub change: Permission,
}

/// Named after Django REST framework's classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    IsAuthenticated,
    IsAdminUser,
    /// Staff, and the user in this foreign key of the row.
    IsOwnerOrAdmin(&'static str),
}

impl ModelViewSet {
    pub fn path(&self) -> String {
        format!("/{}/", self.model.plural)
    }

    /// All fields, which staff may change.
    pub const fn new(model: &'static Model) -> ModelViewSet {
        ModelViewSet {
            model,
            fields: &[],
            read_only_fields: &[],
            create: Permission::IsAdminUser,
            change: Permission::IsAdminUser,
        }
    }

    /// Without the id.
    pub fn shown(&self) -> impl Iterator<Item = SerializerField> {
        let is_shown = |field: &&Field| self.fields.is_empty() || self.fields.contains(&field.name);
        let is_read_only = |field: &Field| !field.is_editable || self.read_only_fields.contains(&field.name);
        let shown = self.model.concrete().filter(is_shown);
        shown.map(move |field| SerializerField { field, is_read_only: is_read_only(field) })
    }

    pub fn writable(&self) -> impl Iterator<Item = &'static Field> {
        self.shown().filter(|shown| !shown.is_read_only).map(|shown| shown.field)
    }

    /// The ordering fields in addition to the id. Only visible fields: the order would reveal the values of a hidden one.
    pub(super) fn orderings(&self) -> impl Iterator<Item = &'static Field> {
        self.shown().map(|shown| shown.field).filter(|field| field.is_ordering)
    }

    pub fn check(&self) -> Result<(), String> {
        self.model.check_creatable()?;
        let owner = [self.create, self.change].into_iter().filter_map(|permission| match permission {
            Permission::IsOwnerOrAdmin(field) => Some(field),
            _ => None,
        });
        let named = self.fields.iter().chain(self.read_only_fields).copied().chain(owner.clone());
        if let Some(name) = named.clone().find(|name| self.model.field(name).is_none()) {
            return Err(format!("{}: the model has no field {name}", self.path()));
        }
        let is_user = |field: &Field| matches!(field.kind, Kind::ForeignKey(to) if to.name == "user");
        if let Some(name) = owner.clone().find(|name| !self.model.field(name).is_some_and(is_user)) {
            return Err(format!("{}: the owner {name} is not a foreign key to a user", self.path()));
        }
        let mut required = self.model.concrete().filter(|field| field.is_required());
        match required.find(|required| !self.writable().any(|field| field.name == required.name)) {
            Some(field) => Err(format!("{}: {} is required and cannot be set", self.path(), field.name)),
            None => Ok(()),
        }
    }

    /// Fails if the table has not what the model describes, or no index for an order of the list.
    pub fn check_table(&self, conn: &mut Connection) -> Result<(), String> {
        self.model.check_table(conn)?;
        let table = self.model.plural;
        for Field { name, .. } in self.orderings() {
            let fail = |problem: &dyn Display| format!("{}: {problem}", self.path());
            if !references::has_order(conn, table, name).map_err(|error| fail(&error))? {
                let index = format!("CREATE INDEX {table}_{name} ON {table} ({name}, id)");
                return Err(fail(&format!(
                    "the list can be ordered by {name}, which has no index; add one in a new migration: {index}"
                )));
            }
        }
        Ok(())
    }

    /// Whether the caller may do this, with this row if there is one.
    pub(super) fn check_permission(&self, caller: &Caller, verb: Verb, row: Option<&Row>) -> Result<(), Error> {
        let has = match (caller, verb) {
            (Caller::ServiceAccount { account, .. }, _) => account.has_permission(&permission(self.model, verb)),
            (Caller::User(_), Verb::View) => true,
            (Caller::User(user), Verb::Add) => self.create.has_permission(user, row),
            (Caller::User(user), Verb::Change | Verb::Delete) => self.change.has_permission(user, row),
        };
        if has { Ok(()) } else { Err(Error::PermissionDenied) }
    }

    pub(super) fn names(&self) -> Vec<&'static str> {
        self.shown().map(|shown| shown.field.name).collect()
    }

    pub(super) fn list_endpoint(&self) -> Endpoint {
        let plural = capitalized_words(&self.model.verbose_name_plural());
        Endpoint {
            name: format!("List Create {plural}"),
            path: self.path(),
            allow: "GET, POST, HEAD, OPTIONS",
            action: Some(("POST", self.shown().collect())),
            parent: None,
            has_items: true,
        }
    }

    pub(super) fn detail_endpoint(&self) -> Endpoint {
        let list = self.list_endpoint();
        Endpoint {
            name: capitalized_words(&self.model.verbose_name()),
            path: format!("{}{{id:[0-9]+}}/", list.path),
            allow: "GET, PUT, PATCH, DELETE, HEAD, OPTIONS",
            action: Some(("PUT", self.shown().collect())),
            parent: Some(Parent { name: list.name, path: list.path }),
            has_items: false,
        }
    }
}

impl Permission {
    fn has_permission(self, user: &User, row: Option<&Row>) -> bool {
        match self {
            Permission::IsAuthenticated => true,
            Permission::IsAdminUser => user.is_staff,
            Permission::IsOwnerOrAdmin(field) => {
                user.is_staff || row.is_some_and(|row| row.get(field).as_i64() == Some(user.id))
            }
        }
    }
}
