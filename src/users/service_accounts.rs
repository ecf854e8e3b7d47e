//! The `service_accounts` table: machine clients of the pool and their permissions. All changes are made here and
//! recorded in the history.

use std::collections::BTreeSet;

use chrono::{NaiveDateTime, Utc};
use diesel::prelude::*;
use diesel::result::Error as DieselError;

use super::groups::normalize_name;
use super::validators;
use crate::db::Connection;
use crate::db::references::{Catalog, unique_column};
use crate::error::{Error, FieldErrors};
use crate::history::deleted_rows;
use crate::history::{self, Action, Actor, Changes, Object, Source};
use crate::models::{Default, Field, Model};
use crate::schema::{service_account_permissions, service_accounts};

/// AWS's limit.
const MAX_CLIENT_ID_CHARS: usize = 128;

pub static SERVICE_ACCOUNT: Model = Model {
    name: "service_account",
    plural: "service_accounts",
    title: "name",
    fields: &[
        Field::char("name", validators::MAX_NAME_CHARS)
            .unique_by(|name| Some(normalize_name(name)))
            .search()
            .order()
            .help_text("Named in the history of what it changes."),
        Field::char("client_id", MAX_CLIENT_ID_CHARS)
            .unique()
            .search()
            .order()
            .label("Client ID")
            .help_text("Of the app client in Cognito that has the client credentials grant."),
        Field::boolean("is_active")
            .order()
            .label("Active")
            .default(Default::Boolean(true))
            .help_text("Can use the API. Turning this off works at once, even for tokens that were issued before."),
        Field::many_to_many("permissions").help_text("The scopes of its token must allow the method, too."),
    ],
};

/// What the admin enters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    pub name: String,
    pub client_id: String,
    pub is_active: bool,
    pub permissions: BTreeSet<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccount {
    pub id: i64,
    pub fields: Fields,
    pub created_at: NaiveDateTime,
    pub last_seen_at: Option<NaiveDateTime>,
}

type Columns = (i64, String, String, bool, NaiveDateTime, Option<NaiveDateTime>);

impl ServiceAccount {
    fn as_object(&self) -> Object<'_> {
        Object { model: "service_account", id: self.id, name: &self.fields.name }
    }

    pub fn has_permission(&self, permission: &str) -> bool {
        self.fields.permissions.contains(permission)
    }

    /// No username has a space, so nobody can be mistaken for it.
    pub fn actor(&self, source: Source) -> Actor {
        Actor::named(&format!("{} (service account)", self.fields.name), source)
    }
}

pub fn find(conn: &mut Connection, id: i64) -> QueryResult<Option<ServiceAccount>> {
    let row = service_accounts::table.find(id).get_result(conn).optional()?;
    with_permissions(conn, row)
}

pub fn find_by_client_id(conn: &mut Connection, client_id: &str) -> QueryResult<Option<ServiceAccount>> {
    // Also keeps NUL from PostgreSQL, which rejects it even in a comparison.
    if !client_id_problems(client_id).is_empty() {
        return Ok(None);
    }
    let row = service_accounts::table.filter(service_accounts::client_id.eq(client_id));
    let row = row.get_result(conn).optional()?;
    with_permissions(conn, row)
}

fn with_permissions(conn: &mut Connection, row: Option<Columns>) -> QueryResult<Option<ServiceAccount>> {
    let Some((id, name, client_id, is_active, created_at, last_seen_at)) = row else { return Ok(None) };
    let permissions: Vec<String> = service_account_permissions::table
        .filter(service_account_permissions::account_id.eq(id))
        .select(service_account_permissions::permission)
        .load(conn)?;
    let fields = Fields { name, client_id, is_active, permissions: permissions.into_iter().collect() };
    Ok(Some(ServiceAccount { id, fields, created_at, last_seen_at }))
}

pub fn create(conn: &mut Connection, fields: Fields, actor: &Actor) -> Result<ServiceAccount, Error> {
    let fields = checked(fields)?;
    let now = Utc::now().naive_utc();
    let inserted = diesel::insert_into(service_accounts::table).values((
        service_accounts::name.eq(&fields.name),
        service_accounts::client_id.eq(&fields.client_id),
        service_accounts::is_active.eq(fields.is_active),
        service_accounts::created_at.eq(now),
    ));
    let id = inserted.returning(service_accounts::id).get_result(conn).map_err(taken)?;
    let account = ServiceAccount { id, fields, created_at: now, last_seen_at: None };
    store_permissions(conn, &account)?;
    let changes = changes(None, Some(&account.fields));
    history::record(conn, actor, Action::Created, account.as_object(), &changes)?;
    Ok(account)
}

/// Equal values are not recorded as changes.
pub fn update(
    conn: &mut Connection,
    account: &ServiceAccount,
    fields: Fields,
    actor: &Actor,
) -> Result<ServiceAccount, Error> {
    let new = ServiceAccount { fields: checked(fields)?, ..account.clone() };
    let changes = changes(Some(&account.fields), Some(&new.fields));
    if changes.is_empty() {
        return Ok(new);
    }
    let updated = diesel::update(service_accounts::table.find(account.id)).set((
        service_accounts::name.eq(&new.fields.name),
        service_accounts::client_id.eq(&new.fields.client_id),
        service_accounts::is_active.eq(new.fields.is_active),
    ));
    updated.execute(conn).map_err(taken)?;
    store_permissions(conn, &new)?;
    history::record(conn, actor, Action::Changed, new.as_object(), &changes)?;
    Ok(new)
}

pub fn delete(
    conn: &mut Connection,
    catalog: &mut Catalog,
    account: &ServiceAccount,
    actor: &Actor,
) -> Result<(), Error> {
    let changes = changes(Some(&account.fields), None);
    deleted_rows::delete(conn, catalog, actor, account.as_object(), "service_accounts", &changes)
}

/// Not recorded in the history.
pub fn set_last_seen(conn: &mut Connection, id: i64, at: NaiveDateTime) -> QueryResult<()> {
    let seen = diesel::update(service_accounts::table.find(id)).set(service_accounts::last_seen_at.eq(at));
    seen.execute(conn).map(drop)
}

fn changes(old: Option<&Fields>, new: Option<&Fields>) -> Changes {
    let name = |fields: &Fields| fields.name.clone();
    let client_id = |fields: &Fields| fields.client_id.clone();
    let is_active = |fields: &Fields| fields.is_active;
    let permissions = |fields: Option<&Fields>| -> Vec<String> {
        fields.into_iter().flat_map(|fields| fields.permissions.iter().cloned()).collect()
    };
    Changes::default()
        .field("name", old.map(name), new.map(name))
        .field("client_id", old.map(client_id), new.map(client_id))
        .field("is_active", old.map(is_active), new.map(is_active))
        .field("permissions", permissions(old), permissions(new))
}

fn checked(fields: Fields) -> Result<Fields, FieldErrors> {
    let fields = Fields { name: normalize_name(&fields.name), ..fields };
    let mut errors = FieldErrors::default();
    errors.add("name", validators::required_name(&fields.name));
    errors.add("client_id", client_id_problems(&fields.client_id));
    errors.into_result().map(|()| fields)
}

/// Cognito's are letters and digits; emulators also use the other three.
pub fn client_id_problems(client_id: &str) -> Vec<String> {
    if client_id.is_empty() {
        return vec![validators::BLANK.to_owned()];
    }
    let mut problems = Vec::new();
    if !client_id.chars().all(|c| c.is_ascii_alphanumeric() || "_+-".contains(c)) {
        problems.push("Enter a valid client ID. It may have letters, digits and _/+/- only.".to_owned());
    }
    problems.extend(validators::too_long(client_id, MAX_CLIENT_ID_CHARS));
    problems
}

fn store_permissions(conn: &mut Connection, account: &ServiceAccount) -> QueryResult<()> {
    let of_account = service_account_permissions::account_id.eq(account.id);
    diesel::delete(service_account_permissions::table.filter(of_account)).execute(conn)?;
    for permission in &account.fields.permissions {
        let row = (of_account, service_account_permissions::permission.eq(permission));
        diesel::insert_into(service_account_permissions::table).values(row).execute(conn)?;
    }
    Ok(())
}

fn taken(error: DieselError) -> Error {
    match unique_column(&error).as_deref() {
        Some("name") => FieldErrors::one("name", "A service account with that name already exists.").into(),
        Some("client_id") => {
            FieldErrors::one("client_id", "A service account with that client ID already exists.").into()
        }
        _ => error.into(),
    }
}
