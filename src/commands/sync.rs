//! `sync`: brings local users in step with the user pool, once.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::check_token::refuse_unless_served;
use super::output::{CommandError, say};
use super::progress::Progress;
use crate::cognito::linking::Creation;
use crate::cognito::sync::{self, Applied, MaxChanges, Plan, Source};
use crate::config::{Config, Pool};
use crate::db::Db;
use crate::server::{pool_api, sync_rules};

/// Too many users would change, so none was.
const BEYOND_LIMIT: u8 = 3;
/// The list was not that of the whole pool, so nobody was deactivated.
const INCOMPLETE: u8 = 4;

/// Reads the users of the pool and compares them with those who are linked to it here. It deactivates those who are
/// disabled or gone there, and activates users again that it has deactivated. It never changes the pool.
///
/// It needs the rights cognito-idp:ListUsers and cognito-idp:ListUsersInGroup, with credentials from the environment, a
/// web identity, a container or an instance. Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 too many changes, 4 the
/// list was not that of the whole pool, so nobody was deactivated.
#[derive(Args)]
pub struct Arguments {
    /// Show what would happen, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Also create users who are only in the pool, if their e-mail is verified
    #[arg(long)]
    create: bool,
    /// How many linked users may change, such as 20 or 15% (default: COGNITO_SYNC_MAX_CHANGES)
    #[arg(long, value_name = "N|PERCENT", value_parser = max_changes)]
    max_changes: Option<MaxChanges>,
    /// Read the users from a file, the output of `aws cognito-idp list-users`; groups stay as they are
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Print the plan and the outcome as JSON
    #[arg(long)]
    json: bool,
}

fn max_changes(text: &str) -> Result<MaxChanges, String> {
    text.parse().map_err(|problem| format!("it {problem}"))
}

pub fn run(config: &Config, arguments: Arguments) -> Result<(), CommandError> {
    refuse_unless_served(config)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run_async(config, arguments))
}

async fn run_async(config: &Config, arguments: Arguments) -> Result<(), CommandError> {
    let Pool::Cognito(pool) = &config.pool else {
        return Err(CommandError::new("the local user pool has no list of users; set AWS_USER_POOLS_ID"));
    };
    let creation = if arguments.create { Creation::WithEmail } else { Creation::Never };
    let rules = sync_rules(config, pool, creation);
    let api = arguments.from.is_none().then(|| pool_api(config, pool)).transpose()?;
    let source = match (&api, &arguments.from) {
        (Some(api), _) => Source::Pool(api),
        (None, file) => Source::File(file.clone().unwrap_or_default()),
    };
    let (db, _) = Db::open(&config.database)?;
    let mut line = Progress::start();
    let mut progress = |users: usize| line.show(format_args!("{users} users listed"));
    let prepared = sync::prepare(&db, source, &rules, &mut progress).await;
    line.clear();
    let prepared = prepared?;
    let plan = &prepared.plan;
    if !arguments.json {
        print(plan)?;
    }
    let beyond = plan.beyond(arguments.max_changes.unwrap_or(config.sync_max_changes));
    let applied = match beyond.is_none() && !arguments.dry_run {
        true => Some(prepared.apply(&db).await?),
        false => None,
    };
    if arguments.json {
        say!("{:#}", as_json(plan, beyond.is_some(), applied.as_ref()))?;
    } else {
        print_outcome(plan, applied.as_ref())?;
    }
    verdict(plan, beyond, applied.as_ref())
}

fn print(plan: &Plan) -> Result<(), CommandError> {
    for step in &plan.steps {
        let (name, reason) = (step.username.escape_debug(), step.reason.escape_debug());
        say!("{:10} {name}: {reason}", step.action.as_str())?;
    }
    say!(
        "The pool has {} users, of whom {} have no local user. {} local users are linked.",
        plan.listed,
        plan.missing,
        plan.linked
    )?;
    if let Some(incomplete) = plan.incomplete {
        say!("{}; nobody will be deactivated ({} would be).", sentence(&incomplete.to_string()), plan.spared)?;
    }
    Ok(())
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn print_outcome(plan: &Plan, applied: Option<&Applied>) -> Result<(), CommandError> {
    let Some(applied) = applied else { return say!("Nothing was changed.") };
    for (name, reason) in &applied.failed {
        say!("failed     {}: {}", name.escape_debug(), reason.escape_debug())?;
    }
    if !plan.has_changes() {
        return say!("There is nothing to change.");
    }
    say!(
        "{} users were changed, {} had changed since the plan was made, {} failed.",
        applied.done,
        applied.overtaken,
        applied.failed.len()
    )
}

fn as_json(plan: &Plan, is_beyond: bool, applied: Option<&Applied>) -> serde_json::Value {
    let steps: Vec<_> = plan.steps.iter().map(|step| {
        json!({ "action": step.action.as_str(), "id": step.user_id, "username": step.username, "sub": step.identity.sub, "reason": step.reason })
    }).collect();
    let outcome = match applied {
        _ if is_beyond => "too_many_changes",
        None => "dry_run",
        Some(_) if plan.has_changes() => "changed",
        Some(_) => "nothing_to_do",
    };
    let applied = applied.map(|applied| {
        let failed: Vec<_> =
            applied.failed.iter().map(|(name, reason)| json!({ "username": name, "reason": reason })).collect();
        json!({ "changed": applied.done, "overtaken": applied.overtaken, "failed": failed })
    });
    json!({
        "outcome": outcome,
        "listed": plan.listed,
        "linked": plan.linked,
        "missing": plan.missing,
        "incomplete": plan.incomplete.map(|incomplete| incomplete.to_string()),
        "steps": steps,
        "applied": applied,
    })
}

fn verdict(plan: &Plan, beyond: Option<(usize, usize)>, applied: Option<&Applied>) -> Result<(), CommandError> {
    if let Some((changes, most)) = beyond {
        let problem = format!(
            "{changes} of {} linked users would change, and at most {most} may, so nothing was changed. If the plan is right, allow it with --max-changes {changes}",
            plan.linked
        );
        return Err(CommandError::with_code(problem, BEYOND_LIMIT));
    }
    if let Some(incomplete) = plan.incomplete {
        return Err(CommandError::with_code(format!("nobody was deactivated: {incomplete}"), INCOMPLETE));
    }
    match applied.map_or(0, |applied| applied.failed.len()) {
        0 => Ok(()),
        failed => Err(CommandError::new(format!("{failed} users could not be changed"))),
    }
}
