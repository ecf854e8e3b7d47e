//! What groups of the pool give. A local group may name one and then has its members, and one setting names the group
//! whose members are staff. Memberships from the pool are in `user_cognito_groups`, apart from those given by hand.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use diesel::prelude::*;

use super::models::User;
use super::rules::{is_last_superuser, is_last_superuser_of_pool};
use super::sessions;
use crate::db::Connection;
use crate::error::Error;
use crate::history::{self, Action, Actor, Changes, Object, Source};
use crate::schema::{groups, user_cognito_groups, users};

/// A local group that names a group of the pool.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct MappedGroup {
    pub id: i64,
    pub name: String,
    pub cognito_group: String,
}

/// The groups in a verified token, or in a list of the pool.
#[derive(Clone, Debug)]
pub struct TokenGroups {
    pub names: Vec<String>,
    /// When the token was issued or the list begun, in Unix seconds.
    pub iat: i64,
    /// The group of the pool whose members are staff.
    pub staff_group: Option<Arc<str>>,
    pub source: Source,
}

impl TokenGroups {
    /// The local groups of which they make the user a member.
    pub fn given(&self, conn: &mut Connection) -> QueryResult<Vec<MappedGroup>> {
        // Compared here, so that no text of a token gets into a statement.
        Ok(mapped(conn)?.into_iter().filter(|group| self.names.contains(&group.cognito_group)).collect())
    }

    pub fn makes_staff(&self) -> bool {
        self.staff_group.as_ref().is_some_and(|group| self.names.iter().any(|name| **name == **group))
    }

    /// A newer token has been taken.
    pub fn is_outdated(&self, user: &User) -> bool {
        user.cognito_groups_iat > Some(self.iat)
    }

    /// Whether [`TokenGroups::take`] would change what the user may do.
    pub fn would_change(&self, conn: &mut Connection, user: &User) -> QueryResult<bool> {
        let staff = self.makes_staff();
        let is_staff_kept = if staff { user.is_staff || user.is_superuser } else { !user.staff_by_cognito };
        Ok(!is_staff_kept || of_user(conn, user.id)? != self.given(conn)?)
    }

    /// Gives the user what the groups give, takes away what earlier ones gave, and records it in the history. Does
    /// nothing if a newer token was taken, or if nothing depends on groups.
    pub fn take(&self, conn: &mut Connection, user: &User) -> Result<User, Error> {
        if self.staff_group.is_none() && !user.staff_by_cognito && mapped(conn)?.is_empty() {
            return Ok(user.clone());
        }
        // One statement, so that of two requests at once the newer token wins.
        let newer = users::cognito_groups_iat.is_null().or(users::cognito_groups_iat.le(self.iat));
        let noted = diesel::update(users::table.find(user.id).filter(newer))
            .set(users::cognito_groups_iat.eq(self.iat))
            .returning(users::all_columns)
            .get_result(conn)
            .optional()?;
        let Some(user): Option<User> = noted else { return Ok(user.clone()) };
        let given = self.given(conn)?;
        let (user, changes) = give(conn, user, &given, self.makes_staff(), Changes::default())?;
        if !changes.is_empty() {
            // The pool decides, not the user.
            let actor = Actor::system(self.source);
            history::record(conn, &actor, Action::Changed, object(user.id, &user.username), &changes)?;
        }
        Ok(user)
    }
}

fn object(id: i64, name: &str) -> Object<'_> {
    Object { model: "user", id, name }
}

pub fn mapped(conn: &mut Connection) -> QueryResult<Vec<MappedGroup>> {
    groups::table
        .filter(groups::cognito_group.is_not_null())
        .order(groups::name)
        .select((groups::id, groups::name, groups::cognito_group.assume_not_null()))
        .load(conn)
}

/// The groups of which the pool has made the user a member.
pub fn of_user(conn: &mut Connection, user_id: i64) -> QueryResult<Vec<MappedGroup>> {
    user_cognito_groups::table
        .inner_join(groups::table)
        .filter(user_cognito_groups::user_id.eq(user_id).and(groups::cognito_group.is_not_null()))
        .order(groups::name)
        .select((groups::id, groups::name, groups::cognito_group.assume_not_null()))
        .load(conn)
}

/// The ids of the groups of which the pool has made each user a member.
pub fn of_all_users(conn: &mut Connection) -> QueryResult<HashMap<i64, BTreeSet<i64>>> {
    let rows = user_cognito_groups::table
        .inner_join(groups::table)
        .filter(groups::cognito_group.is_not_null())
        .select((user_cognito_groups::user_id, user_cognito_groups::group_id));
    let mut all = HashMap::<i64, BTreeSet<i64>>::new();
    for (user, group) in rows.load::<(i64, i64)>(conn)? {
        all.entry(user).or_default().insert(group);
    }
    Ok(all)
}

/// Takes away all that the pool has given, for example because the user's link ends. `changes` gets what changes.
pub fn take_away(conn: &mut Connection, user: &User, changes: Changes) -> QueryResult<Changes> {
    give(conn, user.clone(), &[], false, changes).map(|(_, changes)| changes)
}

/// Replaces what the pool has given. Status as staff that was given by hand stays.
fn give(
    conn: &mut Connection,
    user: User,
    given: &[MappedGroup],
    makes_staff: bool,
    changes: Changes,
) -> QueryResult<(User, Changes)> {
    let old = of_user(conn, user.id)?;
    let gone = old.iter().filter(|group| !given.contains(group)).map(|group| group.id);
    let of_user = user_cognito_groups::table.filter(user_cognito_groups::user_id.eq(user.id));
    diesel::delete(of_user.filter(user_cognito_groups::group_id.eq_any(gone))).execute(conn)?;
    for group in given.iter().filter(|group| !old.contains(group)) {
        let row = (user_cognito_groups::user_id.eq(user.id), user_cognito_groups::group_id.eq(group.id));
        diesel::insert_into(user_cognito_groups::table).values(row).execute(conn)?;
    }
    let was_staff = user.is_staff;
    let user = give_staff(conn, user, makes_staff)?;
    let changes =
        changes.field("cognito_groups", names(&old), names(given)).field("is_staff", was_staff, user.is_staff);
    Ok((user, changes))
}

fn give_staff(conn: &mut Connection, user: User, makes_staff: bool) -> QueryResult<User> {
    let is_staff = match (makes_staff, user.staff_by_cognito) {
        // A superuser who is not staff was taken out of the staff by hand.
        (true, _) if !user.is_staff && !user.is_superuser => true,
        (false, true) if is_last_superuser(conn, &user)? || is_last_superuser_of_pool(conn, &user)? => {
            let name = user.username.escape_debug();
            log::warn!("`{name}` left the Cognito group that made them staff, and stays staff as the last superuser");
            return Ok(user);
        }
        (false, true) => false,
        _ => return Ok(user),
    };
    if !is_staff {
        sessions::delete_of_user(conn, user.id, None)?;
    }
    diesel::update(users::table.find(user.id))
        .set((users::is_staff.eq(is_staff), users::staff_by_cognito.eq(is_staff)))
        .returning(users::all_columns)
        .get_result(conn)
}

fn names(groups: &[MappedGroup]) -> Vec<String> {
    groups.iter().map(|group| group.name.clone()).collect()
}

/// Ends the memberships that the pool has given in a group which no longer names the group of the pool.
pub fn remove_members(conn: &mut Connection, group_id: i64, actor: &Actor) -> QueryResult<()> {
    let of_group = diesel::alias!(user_cognito_groups as of_group);
    let members = of_group
        .filter(of_group.field(user_cognito_groups::group_id).eq(group_id))
        .select(of_group.field(user_cognito_groups::user_id));
    let rows: Vec<(i64, String, i64, String)> = user_cognito_groups::table
        .inner_join(groups::table)
        .inner_join(users::table.on(users::id.eq(user_cognito_groups::user_id)))
        .filter(user_cognito_groups::user_id.eq_any(members))
        .order((users::id, groups::name))
        .select((users::id, users::username, groups::id, groups::name))
        .load(conn)?;
    let of_group = user_cognito_groups::table.filter(user_cognito_groups::group_id.eq(group_id));
    diesel::delete(of_group).execute(conn)?;
    let mut members = BTreeMap::<_, Vec<_>>::new();
    for (id, username, group, name) in rows {
        members.entry((id, username)).or_default().push((group, name));
    }
    for ((id, username), groups) in members {
        let all: Vec<String> = groups.iter().map(|(_, name)| name.clone()).collect();
        let left: Vec<String> =
            groups.into_iter().filter(|(group, _)| *group != group_id).map(|(_, name)| name).collect();
        let changes = Changes::default().field("cognito_groups", all, left);
        history::record(conn, actor, Action::Changed, object(id, &username), &changes)?;
    }
    Ok(())
}
