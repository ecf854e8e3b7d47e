//! Carries a plan out. What has changed since the plan was made is looked at again.

use super::plan::{Action, Step};
use super::prepare::{Prepared, SyncError};
use crate::cognito::linking::{self, Rules};
use crate::db::{Connection, Db, savepoint};
use crate::error::Error;
use crate::history::{Actor, Source};
use crate::users::models::{self, User};
use crate::users::permissions::Grants;

/// Steps of one transaction. Other writes wait for it.
const BATCH: usize = 50;

#[derive(Debug, Default)]
pub struct Applied {
    pub done: usize,
    /// Somebody was faster.
    pub overtaken: usize,
    /// Names, and why they could not be changed.
    pub failed: Vec<(String, String)>,
}

impl Prepared {
    /// Returns what became of the steps. Those of a batch are committed together, so that a plan that was broken off is
    /// carried out in part, and the next sync plans the rest.
    pub async fn apply(&self, db: &Db) -> Result<Applied, SyncError> {
        let steps: Vec<Step> = self.plan.steps.iter().filter(|step| step.action.is_change()).cloned().collect();
        let mut applied = Applied::default();
        for batch in steps.chunks(BATCH) {
            let (steps, rules) = (batch.to_vec(), self.rules.clone());
            let outcomes = db.write(move |conn| steps.iter().map(|step| take(conn, step, &rules)).collect());
            let outcomes: Vec<Result<bool, String>> = outcomes.await?;
            for (step, outcome) in batch.iter().zip(outcomes) {
                match outcome {
                    Ok(true) => applied.done += 1,
                    Ok(false) => applied.overtaken += 1,
                    Err(reason) => applied.failed.push((step.username.clone(), reason)),
                }
            }
        }
        Ok(applied)
    }
}

/// A user who cannot be changed does not keep the others from it.
fn take(conn: &mut Connection, step: &Step, rules: &Rules) -> Result<Result<bool, String>, Error> {
    match savepoint(conn, |conn| change(conn, step, rules)) {
        Err(error @ (Error::Invalid(_) | Error::Refused(_))) => Ok(Err(error.to_string().replace('\n', " "))),
        done => done.map(Ok),
    }
}

/// `false` if the user is no longer as in the plan.
fn change(conn: &mut Connection, step: &Step, rules: &Rules) -> Result<bool, Error> {
    if matches!(step.action, Action::Link | Action::Create) {
        let (_, user) = linking::find_or_link(conn, rules, &step.identity)?;
        return give_groups(conn, step, &user).map(|()| true);
    }
    let Some(user) = models::find_by_link(conn, &rules.issuer, &step.identity.sub)? else { return Ok(false) };
    match step.action {
        Action::Deactivate if user.is_active => set_active(conn, &user, false)?,
        Action::Activate if !user.is_active && user.deactivated_by_sync => {
            let user = set_active(conn, &user, true)?;
            give_groups(conn, step, &user)?;
            user
        }
        Action::Groups if user.is_active => {
            give_groups(conn, step, &user)?;
            user
        }
        _ => return Ok(false),
    };
    Ok(true)
}

/// As in the admin: it ends the user's sessions and leaves the last superuser active.
fn set_active(conn: &mut Connection, user: &User, is_active: bool) -> Result<User, Error> {
    let new = User { is_active, deactivated_by_sync: !is_active, ..user.clone() };
    let grants = Grants::of(conn, user.id)?;
    models::update(conn, user, &new, &grants, &Actor::system(Source::PoolSync))
}

fn give_groups(conn: &mut Connection, step: &Step, user: &User) -> Result<(), Error> {
    step.groups.as_ref().map_or(Ok(()), |groups| groups.take(conn, user).map(drop))
}
