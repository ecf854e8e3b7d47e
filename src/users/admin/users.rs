//! Users in the admin. Staff can only grant rights that they have, and cannot change users who have more.

use diesel::QueryResult;

use super::actions::existing;
use super::link::{groups_panel, link_panel};
use super::memberships::group_choices;
use super::options::OPTIONS;
use super::rights::{self, BEYOND_YOURS, check_flags, check_grants};
use super::user_page::{self, permissions_panel};
use crate::admin::history::model::OPTIONS as HISTORY;
use crate::admin::model_admin::{
    Cell, Choice, Header, ModelAdmin, Options, Panel, Restrictions, Staff, Values, field_error, permissions,
};
use crate::db::Connection;
use crate::db::references::Catalog;
use crate::error::Error;
use crate::users::groups;
use crate::users::models::{self, NewUser, Origin, User};
use crate::users::permissions::{Grants, Rights, Verb};
use crate::users::rules::{LAST_SUPERUSER, is_last_superuser};
use crate::users::second_factor;

pub struct UserAdmin;

fn grants(values: &Values) -> Grants {
    Grants {
        groups: values.list("groups").iter().filter_map(|id| id.parse().ok()).collect(),
        permissions: values.list("user_permissions").into_iter().collect(),
    }
}

impl ModelAdmin for UserAdmin {
    fn options(&self) -> &'static Options {
        &OPTIONS
    }

    fn load(&self, conn: &mut Connection, id: i64) -> QueryResult<Option<Values>> {
        let Some(user) = models::find(conn, id)? else { return Ok(None) };
        let grants = Grants::of(conn, id)?;
        let mut groups: Vec<String> = grants.groups.iter().map(i64::to_string).collect();
        groups.sort();
        let values = Values::default()
            .with("username", user.username)
            .with("email", user.email)
            .with("first_name", user.first_name)
            .with("last_name", user.last_name)
            .with("is_active", user.is_active)
            .with("is_staff", user.is_staff)
            .with("is_superuser", user.is_superuser)
            .with("groups", groups)
            .with("user_permissions", grants.permissions.into_iter().collect::<Vec<_>>());
        Ok(Some(values))
    }

    fn save(&self, conn: &mut Connection, id: Option<i64>, values: &Values, staff: &Staff) -> Result<i64, Error> {
        match id {
            None => create(conn, values, staff),
            Some(id) => {
                let user = existing(conn, id)?;
                update(conn, &user, values, staff)
            }
        }
    }

    fn delete(&self, conn: &mut Connection, catalog: &mut Catalog, id: i64, staff: &Staff) -> Result<(), Error> {
        let user = existing(conn, id)?;
        models::delete(conn, catalog, &user, &staff.actor())
    }

    fn choices(&self, conn: &mut Connection, models: &[&Options], field: &str) -> QueryResult<Vec<Choice>> {
        match field {
            "groups" => group_choices(conn),
            "user_permissions" => Ok(permissions(models)),
            _ => Ok(Vec::new()),
        }
    }

    fn panels(&self, conn: &mut Connection, models: &[&Options], id: i64, staff: &Staff) -> QueryResult<Vec<Panel>> {
        let Some(user) = models::find(conn, id)? else { return Ok(Vec::new()) };
        let mut record = record_panel(&user);
        record.facts.push(match second_factor::find(conn, id)? {
            Some(factor) => ("Second factor since".into(), Cell::Time(factor.confirmed_at)),
            None => ("Second factor".into(), Cell::Text("Off".to_owned())),
        });
        if HISTORY.has_permission(&staff.rights, Verb::View) {
            let address = format!("/admin/history/?actor_id={id}");
            record.facts.push(("".into(), Cell::Link(address, "Search and export their activity".to_owned())));
        }
        let groups = groups_panel(conn, &user)?;
        let permissions = permissions_panel(conn, models, &user)?;
        Ok([link_panel(&user)].into_iter().chain(groups).chain([permissions, record]).collect())
    }

    fn header(&self, conn: &mut Connection, id: i64, staff: &Staff) -> QueryResult<Header> {
        let Some(user) = models::find(conn, id)? else { return Ok(Header::default()) };
        let may_change = staff.has_object_permission(conn, self, Verb::Change, id)?;
        let is_other = Some(id) != staff.user_id();
        let may_reset = staff.rights.is_superuser && is_other && second_factor::find(conn, id)?.is_some();
        Ok(user_page::header(&user, may_change, is_other, may_reset))
    }
}

impl Restrictions for UserAdmin {
    fn is_grantable(&self, conn: &mut Connection, field: &str, value: &str, staff: &Staff) -> QueryResult<bool> {
        rights::is_grantable(conn, field, value, staff)
    }

    fn check_import(&self, conn: &mut Connection, field: &str, value: &str) -> QueryResult<Result<(), String>> {
        let id = value.parse().ok().filter(|_| field == "groups");
        let group = id.map(|id| groups::find(conn, id)).transpose()?.flatten();
        Ok(match group.filter(|group| group.cognito_group.is_some()) {
            Some(group) => Err(format!("“{}” gets its members from Cognito.", group.name)),
            None => Ok(()),
        })
    }

    fn refusal(&self, conn: &mut Connection, verb: Verb, id: i64, staff: &Staff) -> QueryResult<Option<String>> {
        let Some(user) = models::find(conn, id)? else { return Ok(None) };
        if !staff.rights.cover(&Rights::given(conn, &user)?) {
            return Ok(Some(format!("{} has permissions that you do not have.", user.username)));
        }
        if verb != Verb::Delete {
            return Ok(None);
        }
        Ok(if is_last_superuser(conn, &user)? {
            Some(format!("{}: {LAST_SUPERUSER}", user.username))
        } else if Some(user.id) == staff.user_id() {
            Some("You cannot delete yourself.".to_owned())
        } else {
            None
        })
    }
}

fn create(conn: &mut Connection, values: &Values, staff: &Staff) -> Result<i64, Error> {
    let grants = grants(values);
    check_grants(conn, None, &Grants::default(), &grants, staff)?;
    if values.flag("is_superuser") && !staff.rights.is_superuser {
        return field_error("is_superuser", BEYOND_YOURS);
    }
    let new = NewUser {
        username: values.text("username").to_owned(),
        email: values.text("email").to_owned(),
        first_name: values.text("first_name").to_owned(),
        last_name: values.text("last_name").to_owned(),
        password: Some(values.text("password").to_owned()).filter(|hash| !hash.is_empty()),
        is_active: values.flag("is_active"),
        is_staff: values.flag("is_staff"),
        is_superuser: values.flag("is_superuser"),
        grants,
        ..NewUser::new(if staff.user_id().is_some() { Origin::Admin } else { Origin::CommandLine })
    };
    Ok(models::create(conn, new, &staff.actor())?.id)
}

fn update(conn: &mut Connection, user: &User, values: &Values, staff: &Staff) -> Result<i64, Error> {
    let new = User {
        username: values.text("username").to_owned(),
        email: values.text("email").to_owned(),
        first_name: values.text("first_name").to_owned(),
        last_name: values.text("last_name").to_owned(),
        is_active: values.flag("is_active"),
        is_staff: values.flag("is_staff"),
        is_superuser: values.flag("is_superuser"),
        ..user.clone()
    };
    let (old, grants) = (Grants::of(conn, user.id)?, grants(values));
    check_flags(conn, Some(user), &new, staff)?;
    check_grants(conn, Some(user), &old, &grants, staff)?;
    Ok(models::update(conn, user, &new, &grants, &staff.actor())?.id)
}

fn origin(origin: &str) -> &'static str {
    match origin {
        "post_confirmation" => "Created by sign-up",
        "first_token" => "Created by the first token",
        "pool_sync" => "Created by the pool sync",
        "command_line" => "Created on the command line",
        _ => "Created in the admin site",
    }
}

fn record_panel(user: &User) -> Panel {
    let state = if user.password.is_some() { "Set" } else { "None: signs in with Cognito only" };
    let facts = vec![
        ("Date joined".into(), Cell::Time(user.date_joined)),
        ("Last sign-in".into(), user.last_login.map_or(Cell::Empty, Cell::Time)),
        ("Origin".into(), Cell::Text(origin(&user.origin).to_owned())),
        ("Password".into(), Cell::Text(state.to_owned())),
    ];
    Panel { label: "Record", facts }
}
