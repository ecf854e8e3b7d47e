//! Service accounts in the admin. Staff can only grant permissions that they have, and cannot change accounts that have
//! more.

use diesel::QueryResult;

use super::rights::BEYOND_YOURS;
use crate::admin::model_admin::{
    Action, Cell, Choice, Choices, Display, Filter, ModelAdmin, Options, Panel, Restrictions, Run, Show, Staff, Values,
    field_error, permissions,
};
use crate::db::Connection;
use crate::db::references::Catalog;
use crate::error::Error;
use crate::users::permissions::Verb;
use crate::users::service_accounts::{self, Fields, SERVICE_ACCOUNT, ServiceAccount};

pub struct ServiceAccountAdmin;

static OPTIONS: Options = Options {
    section: "People",
    icon: "key",
    list_display: &["name", "client_id", "permissions", "is_active", "last_seen_at", "created_at"],
    displays: &[
        Display {
            name: "permissions",
            label: "Permissions",
            sql: &["(SELECT count(*) FROM service_account_permissions WHERE account_id = service_accounts.id)"],
            kind: Show::Number,
            order: None,
        },
        Display {
            name: "last_seen_at",
            label: "Last seen",
            sql: &["last_seen_at"],
            kind: Show::DateTime,
            order: Some("COALESCE(last_seen_at, '0001-01-01 00:00:00')"),
        },
        Display { name: "created_at", label: "Created", sql: &["created_at"], kind: Show::DateTime, order: None },
    ],
    list_filter: &[Filter { name: "active", label: "Active", choices: Choices::Field("is_active") }],
    ordering: &["name"],
    actions: &[
        Action {
            name: "activate",
            label: "Activate selected service accounts",
            form_label: None,
            done: "activated",
            already: ("is_active", "already active"),
            superusers_only: false,
            is_danger: false,
            run: Run::Plain(|conn, id, staff| set_active(conn, id, true, staff)),
        },
        Action {
            name: "deactivate",
            label: "Deactivate selected service accounts",
            form_label: None,
            done: "deactivated",
            already: ("NOT is_active", "already inactive"),
            superusers_only: false,
            is_danger: true,
            run: Run::Plain(|conn, id, staff| set_active(conn, id, false, staff)),
        },
    ],
    related: &[("service_account_permissions", "permissions")],
    ..Options::new(&SERVICE_ACCOUNT)
};

fn existing(conn: &mut Connection, id: i64) -> Result<ServiceAccount, Error> {
    service_accounts::find(conn, id)?.ok_or(Error::NoSuchObject("service_account"))
}

fn set_active(conn: &mut Connection, id: i64, is_active: bool, staff: &Staff) -> Result<bool, Error> {
    let account = existing(conn, id)?;
    if account.fields.is_active == is_active {
        return Ok(false);
    }
    let fields = Fields { is_active, ..account.fields.clone() };
    service_accounts::update(conn, &account, fields, &staff.actor())?;
    Ok(true)
}

impl ModelAdmin for ServiceAccountAdmin {
    fn options(&self) -> &'static Options {
        &OPTIONS
    }

    fn load(&self, conn: &mut Connection, id: i64) -> QueryResult<Option<Values>> {
        let Some(ServiceAccount { fields, .. }) = service_accounts::find(conn, id)? else { return Ok(None) };
        let values = Values::default()
            .with("name", fields.name)
            .with("client_id", fields.client_id)
            .with("is_active", fields.is_active)
            .with("permissions", fields.permissions.into_iter().collect::<Vec<_>>());
        Ok(Some(values))
    }

    fn save(&self, conn: &mut Connection, id: Option<i64>, values: &Values, staff: &Staff) -> Result<i64, Error> {
        let account = id.map(|id| existing(conn, id)).transpose()?;
        let old = account.as_ref().map(|account| account.fields.permissions.clone()).unwrap_or_default();
        let fields = Fields {
            name: values.text("name").to_owned(),
            client_id: values.text("client_id").to_owned(),
            is_active: values.flag("is_active"),
            permissions: values.list("permissions").into_iter().collect(),
        };
        if !staff.rights.has_all(fields.permissions.difference(&old)) {
            return field_error("permissions", BEYOND_YOURS);
        }
        let saved = match account {
            None => service_accounts::create(conn, fields, &staff.actor())?,
            Some(account) => service_accounts::update(conn, &account, fields, &staff.actor())?,
        };
        Ok(saved.id)
    }

    fn delete(&self, conn: &mut Connection, catalog: &mut Catalog, id: i64, staff: &Staff) -> Result<(), Error> {
        let account = existing(conn, id)?;
        service_accounts::delete(conn, catalog, &account, &staff.actor())
    }

    fn choices(&self, _: &mut Connection, models: &[&Options], field: &str) -> QueryResult<Vec<Choice>> {
        Ok(if field == "permissions" { permissions(models) } else { Vec::new() })
    }

    fn panels(&self, conn: &mut Connection, _: &[&Options], id: i64, _: &Staff) -> QueryResult<Vec<Panel>> {
        let Some(account) = service_accounts::find(conn, id)? else { return Ok(Vec::new()) };
        let facts = vec![
            ("Created".into(), Cell::Time(account.created_at)),
            ("Last seen".into(), account.last_seen_at.map_or(Cell::Empty, Cell::Time)),
        ];
        Ok(vec![Panel { label: "Record", facts }])
    }
}

impl Restrictions for ServiceAccountAdmin {
    fn is_grantable(&self, _: &mut Connection, field: &str, value: &str, staff: &Staff) -> QueryResult<bool> {
        Ok(field != "permissions" || staff.rights.has(value))
    }

    /// Who could change the client of such an account could call the API with its permissions.
    fn refusal(&self, conn: &mut Connection, _: Verb, id: i64, staff: &Staff) -> QueryResult<Option<String>> {
        let Some(ServiceAccount { fields, .. }) = service_accounts::find(conn, id)? else { return Ok(None) };
        let is_covered = staff.rights.has_all(&fields.permissions);
        Ok((!is_covered).then(|| format!("{} has permissions that you do not have.", fields.name)))
    }
}
