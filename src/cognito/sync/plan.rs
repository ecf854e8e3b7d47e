//! [`Plan`]: what has to change so that local users are in step with the pool. Users without a link to this pool are never
//! deactivated.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDateTime;

use super::groups::Groups;
use super::listing::{Incomplete, Listing};
use super::max_changes::MaxChanges;
use crate::cognito::linking::{self, Creation, Identity, Match, Rules};
use crate::cognito::pool_api::{PoolUser, UserStatus};
use crate::db::Connection;
use crate::error::{Error, Refusal};
use crate::users::cognito_groups::TokenGroups;
use crate::users::models::{self, LinkedUser, email_key};
use crate::users::rules::{is_last_superuser_of_pool, is_last_superuser_without};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Deactivate,
    Activate,
    Groups,
    Link,
    Create,
    /// The user should be deactivated, but is the last active superuser.
    Keep,
    /// The user of the pool cannot be linked or created.
    Refuse,
}

impl Action {
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Deactivate => "deactivate",
            Action::Activate => "activate",
            Action::Groups => "groups",
            Action::Link => "link",
            Action::Create => "create",
            Action::Keep => "keep",
            Action::Refuse => "refuse",
        }
    }

    /// Whether anything is to be done.
    pub fn is_change(self) -> bool {
        !matches!(self, Action::Keep | Action::Refuse)
    }

    /// Whether the brake counts it: who is already linked.
    fn is_counted(self) -> bool {
        matches!(self, Action::Deactivate | Action::Activate | Action::Groups)
    }
}

#[derive(Clone, Debug)]
pub struct Step {
    pub action: Action,
    /// The local user; `None` for one who is not linked yet.
    pub user_id: Option<i64>,
    pub username: String,
    pub identity: Identity,
    pub groups: Option<TokenGroups>,
    pub reason: String,
}

#[derive(Debug)]
pub struct Plan {
    pub steps: Vec<Step>,
    /// Local users with a link to this pool.
    pub linked: usize,
    /// Those of them who are active: what the brake's percentage is of.
    active: usize,
    /// Users of the pool.
    pub listed: usize,
    /// Users of the pool without a local one, who were not asked to be created.
    pub missing: usize,
    /// Why nobody is deactivated, and how many would have been.
    pub incomplete: Option<Incomplete>,
    pub spared: usize,
    pub began: NaiveDateTime,
}

impl Plan {
    /// Changes nothing.
    pub fn make(conn: &mut Connection, listing: Listing, rules: &Rules) -> Result<Plan, Error> {
        let Listing { users, began, incomplete, groups } = listing;
        let linked = models::linked(conn, &rules.issuer)?;
        let is_empty = users.is_empty() && linked.iter().any(|user| user.is_active);
        let incomplete = incomplete.or(is_empty.then_some(Incomplete::Empty));
        let iat = began.and_utc().timestamp();
        let groups = groups.map(|members| Groups::of(conn, members, iat, rules)).transpose()?;
        let (steps, listed) = (Vec::new(), users.len());
        let active = linked.iter().filter(|user| user.is_active).count();
        let plan = Plan { steps, linked: linked.len(), active, listed, missing: 0, incomplete, spared: 0, began };
        let mut planner = Planner { conn, rules, groups, plan, gone: Vec::new() };
        for user in &linked {
            planner.judge(user, users.get(&user.sub))?;
        }
        planner.add_strangers(&linked, users)?;
        Ok(planner.plan)
    }

    pub fn has_changes(&self) -> bool {
        self.steps.iter().any(|step| step.action.is_change())
    }

    pub fn count(&self, action: Action) -> usize {
        self.steps.iter().filter(|step| step.action == action).count()
    }

    /// If it changes too many linked users: how many, and how many it may.
    pub fn beyond(&self, most: MaxChanges) -> Option<(usize, usize)> {
        let changed = self.steps.iter().filter(|step| step.action.is_counted()).count();
        let most = most.of(self.active);
        (changed > most).then_some((changed, most))
    }
}

struct Planner<'a> {
    conn: &'a mut Connection,
    rules: &'a Rules,
    groups: Option<Groups>,
    plan: Plan,
    /// The ids of the superusers who will be deactivated.
    gone: Vec<i64>,
}

impl Planner<'_> {
    fn judge(&mut self, user: &LinkedUser, in_pool: Option<&PoolUser>) -> Result<(), Error> {
        match in_pool {
            // A user who was linked after the list was begun may have come into the pool after it, too.
            None if user.is_active && user.linked_at.is_none_or(|at| at < self.plan.began) => {
                self.deactivate(user, "no longer in the pool")
            }
            Some(pool_user) if !pool_user.is_enabled && user.is_active => self.deactivate(user, "disabled in the pool"),
            Some(pool_user) if pool_user.is_enabled && !user.is_active && user.deactivated_by_sync => {
                let groups = self.groups_of(&user.sub);
                self.step(Action::Activate, user, groups, "enabled in the pool again".to_owned());
                Ok(())
            }
            Some(pool_user) if pool_user.is_enabled && user.is_active => self.give_groups(user),
            _ => Ok(()),
        }
    }

    fn deactivate(&mut self, user: &LinkedUser, reason: &str) -> Result<(), Error> {
        if self.plan.incomplete.is_some() {
            self.plan.spared += 1;
            return Ok(());
        }
        if self.is_last_superuser(user)? {
            let reason = format!("{reason}, but the last active superuser");
            self.step(Action::Keep, user, None, reason);
            return Ok(());
        }
        if user.is_superuser {
            self.gone.push(user.id);
        }
        self.step(Action::Deactivate, user, None, reason.to_owned());
        Ok(())
    }

    fn is_last_superuser(&mut self, user: &LinkedUser) -> Result<bool, Error> {
        if !user.is_staff {
            return Ok(false);
        }
        let Some(user) = models::find(self.conn, user.id)? else { return Ok(false) };
        Ok(is_last_superuser_without(self.conn, &user, &self.gone)?)
    }

    fn is_last_superuser_of_pool(&mut self, user: &LinkedUser) -> Result<bool, Error> {
        let Some(user) = models::find(self.conn, user.id)? else { return Ok(false) };
        Ok(is_last_superuser_of_pool(self.conn, &user)?)
    }

    fn give_groups(&mut self, user: &LinkedUser) -> Result<(), Error> {
        let Some(groups) = self.groups_of(&user.sub) else { return Ok(()) };
        let leaves = user.staff_by_cognito && !groups.makes_staff();
        let judged = match leaves && (self.is_last_superuser(user)? || self.is_last_superuser_of_pool(user)?) {
            // Stays staff, as with a token.
            true => &LinkedUser { staff_by_cognito: false, ..user.clone() },
            false => user,
        };
        if let Some(difference) = self.groups.as_ref().and_then(|all| all.difference(judged, &groups)) {
            self.step(Action::Groups, user, Some(groups), difference);
        }
        Ok(())
    }

    fn groups_of(&self, sub: &str) -> Option<TokenGroups> {
        self.groups.as_ref().map(|groups| groups.of_user(sub))
    }

    fn step(&mut self, action: Action, user: &LinkedUser, groups: Option<TokenGroups>, reason: String) {
        let identity = Identity { sub: user.sub.clone(), username: None, email: None, email_verified: false };
        let (user_id, username) = (Some(user.id), user.username.clone());
        self.plan.steps.push(Step { action, user_id, username, identity, groups, reason });
    }

    /// Links or creates users of the pool who are not linked yet.
    fn add_strangers(&mut self, linked: &[LinkedUser], users: HashMap<String, PoolUser>) -> Result<(), Error> {
        let known: HashSet<&str> = linked.iter().map(|user| user.sub.as_str()).collect();
        let may_come = |user: &PoolUser| {
            user.is_enabled && user.status != UserStatus::Unconfirmed && !known.contains(&*user.identity.sub)
        };
        let mut strangers: Vec<Identity> = users.into_values().filter(may_come).map(|user| user.identity).collect();
        // The order of the map differs from run to run.
        strangers.sort_by(|a, b| (&a.username, &a.sub).cmp(&(&b.username, &b.sub)));
        let local = models::email_keys(self.conn)?;
        let mut shared = HashMap::<String, usize>::new();
        for key in strangers.iter().filter_map(|identity| self.usable_key(identity)) {
            *shared.entry(key).or_default() += 1;
        }
        for identity in strangers {
            match self.usable_key(&identity) {
                Some(key) if local.contains(&key) || self.creates() => {
                    let is_shared = shared.get(&key).is_some_and(|count| *count > 1);
                    self.add_stranger(identity, is_shared)?;
                }
                _ => self.plan.missing += 1,
            }
        }
        Ok(())
    }

    fn creates(&self) -> bool {
        self.rules.creation != Creation::Never
    }

    /// Of an e-mail that may link or create a user.
    fn usable_key(&self, identity: &Identity) -> Option<String> {
        let is_usable = identity.email_verified || self.rules.link_unverified_email;
        identity.email.as_deref().filter(|_| is_usable).and_then(email_key)
    }

    fn add_stranger(&mut self, identity: Identity, is_shared: bool) -> Result<(), Error> {
        let email = identity.email.clone().unwrap_or_default();
        let pool_name = identity.username.clone().unwrap_or_default();
        let found = linking::find(self.conn, self.rules, &identity)?;
        let (action, user_id, username, reason) = match found {
            Match::Linkable(_) | Match::Creatable(_) if is_shared => {
                (Action::Refuse, None, pool_name, format!("several users of the pool have the e-mail {email}"))
            }
            Match::Linkable(user) => (Action::Link, Some(user.id), user.username, email),
            Match::Creatable(_) => (Action::Create, None, pool_name, email),
            // They were told apart by their keys, so this is another address.
            Match::Refused(Refusal::UserUnknown) | Match::Linked(_) => {
                self.plan.missing += 1;
                return Ok(());
            }
            Match::Refused(refusal) => (Action::Refuse, None, pool_name, refusal.detail().to_owned()),
        };
        let groups = self.groups_of(&identity.sub);
        self.plan.steps.push(Step { action, user_id, username, identity, groups, reason });
        Ok(())
    }
}
