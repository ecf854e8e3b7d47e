//! Groups in the admin. Staff can only grant permissions that they have, and cannot change groups that have more.

use std::collections::BTreeSet;

use diesel::QueryResult;

use super::members;
use super::options::OPTIONS as USERS;
use super::rights::BEYOND_YOURS;
use crate::admin::model_admin::{
    Cell, Choice, Display, ModelAdmin, Options, Panel, Restrictions, Show, Staff, Values, field_error, permissions,
};
use crate::db::Connection;
use crate::db::references::Catalog;
use crate::error::Error;
use crate::users::groups::{self, GROUP, Group, GroupFields};
use crate::users::permissions::{Verb, of_group};

pub struct GroupAdmin;

static OPTIONS: Options = Options {
    section: "People",
    icon: "group",
    list_display: &["name", "cognito_group", "members", "permissions"],
    displays: &[
        Display {
            name: "members",
            label: "Members",
            sql: &[
                "(SELECT count(*) FROM (SELECT user_id FROM user_groups WHERE group_id = groups.id \
                    UNION SELECT user_id FROM user_cognito_groups WHERE group_id = groups.id) AS members)",
                "id",
            ],
            kind: Show::Count("/admin/users/?groups="),
            order: None,
        },
        Display {
            name: "permissions",
            label: "Permissions",
            sql: &["(SELECT count(*) FROM group_permissions WHERE group_id = groups.id)"],
            kind: Show::Number,
            order: None,
        },
    ],
    ordering: &["name"],
    importable: true,
    tabs: &[&members::TAB],
    related: &[
        ("group_permissions", "permissions"),
        ("user_cognito_groups", "memberships of users from Cognito"),
        ("user_groups", "memberships of users"),
    ],
    ..Options::new(&GROUP)
};

fn existing(conn: &mut Connection, id: i64) -> Result<Group, Error> {
    groups::find(conn, id)?.ok_or(Error::NoSuchObject("group"))
}

impl ModelAdmin for GroupAdmin {
    fn options(&self) -> &'static Options {
        &OPTIONS
    }

    fn load(&self, conn: &mut Connection, id: i64) -> QueryResult<Option<Values>> {
        let Some(group) = groups::find(conn, id)? else { return Ok(None) };
        let permissions: Vec<String> = of_group(conn, id)?.into_iter().collect();
        let values = Values::default()
            .with("name", group.name)
            .with("cognito_group", group.cognito_group.unwrap_or_default())
            .with("permissions", permissions);
        Ok(Some(values))
    }

    fn save(&self, conn: &mut Connection, id: Option<i64>, values: &Values, staff: &Staff) -> Result<i64, Error> {
        let group = id.map(|id| existing(conn, id)).transpose()?;
        let old = group.as_ref().map(|group| of_group(conn, group.id)).transpose()?.unwrap_or_default();
        let permissions: BTreeSet<String> = values.list("permissions").into_iter().collect();
        if !staff.rights.has_all(permissions.difference(&old)) {
            return field_error("permissions", BEYOND_YOURS);
        }
        let (name, cognito_group) = (values.text("name"), values.text("cognito_group"));
        // The pool's members get the group's permissions, even if they include the one who maps it.
        let is_mapped_anew =
            cognito_group != group.as_ref().and_then(|group| group.cognito_group.as_deref()).unwrap_or_default();
        if is_mapped_anew && !staff.rights.is_superuser {
            return field_error("cognito_group", "Only superusers can choose the Cognito group.");
        }
        let new = GroupFields { name, cognito_group, permissions: &permissions };
        let saved = match group {
            None => groups::create(conn, &new, &staff.actor())?,
            Some(group) => groups::update(conn, &group, &new, &staff.actor())?,
        };
        Ok(saved.id)
    }

    fn delete(&self, conn: &mut Connection, catalog: &mut Catalog, id: i64, staff: &Staff) -> Result<(), Error> {
        let group = existing(conn, id)?;
        groups::delete(conn, catalog, &group, &staff.actor())
    }

    fn choices(&self, _: &mut Connection, models: &[&Options], field: &str) -> QueryResult<Vec<Choice>> {
        Ok(if field == "permissions" { permissions(models) } else { Vec::new() })
    }

    fn panels(&self, conn: &mut Connection, _: &[&Options], id: i64, staff: &Staff) -> QueryResult<Vec<Panel>> {
        let Some(group) = groups::find(conn, id)? else { return Ok(Vec::new()) };
        let members = match groups::count_members(conn, &group)? {
            1 => "1 user".to_owned(),
            count => format!("{count} users"),
        };
        let link = match USERS.has_permission(&staff.rights, Verb::View) {
            true => Cell::Link(format!("/admin/users/?groups={id}"), members),
            false => Cell::Text(members),
        };
        Ok(vec![Panel { label: "Record", facts: vec![("Members".into(), link)] }])
    }
}

impl Restrictions for GroupAdmin {
    fn is_grantable(&self, _: &mut Connection, field: &str, value: &str, staff: &Staff) -> QueryResult<bool> {
        Ok(field != "permissions" || staff.rights.has(value))
    }

    fn refusal(&self, conn: &mut Connection, _: Verb, id: i64, staff: &Staff) -> QueryResult<Option<String>> {
        let Some(group) = groups::find(conn, id)? else { return Ok(None) };
        let is_covered = staff.rights.has_all(&of_group(conn, id)?);
        Ok((!is_covered).then(|| format!("{} gives permissions that you do not have.", group.name)))
    }
}
