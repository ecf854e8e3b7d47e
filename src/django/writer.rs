//! Writes the rows that are new, through the functions of their models.

use std::collections::{BTreeSet, HashMap};

use chrono::{NaiveDateTime, SubsecRound, Utc};
use diesel::QueryResult;

use super::error::ImportError;
use super::log;
use super::options::Progress;
use super::staging::{KNOWN, NEW, Staging, integer, owned, text};
use crate::articles::models::ARTICLE;
use crate::db::rows::{self, Value};
use crate::db::{Connection, bulk, ids};
use crate::history::{self, Action, Actor, PastEntry, Source};
use crate::users::groups::{self, Group};
use crate::users::models::{self, NewUser, Origin, StoredUser};
use crate::users::permissions::Grants;

/// Rows that are written together.
const BATCH: i64 = 1000;
/// An id beyond this in the log is no reason to skip all ids below it.
const MAX_LOGGED_ID: i64 = 1 << 62;

pub fn write(
    staging: &mut Staging,
    target: &mut Connection,
    with_history: bool,
    progress: Progress,
) -> Result<(), ImportError> {
    let actor = Actor::system(Source::CommandLine);
    let last_entry = ids::last_ids(target)?.get("history").copied().unwrap_or(0);
    let entries = if with_history { staging.number(&format!("count(*) FROM {ENTRIES}"))? } else { 0 };
    // What the import itself records comes after the log.
    ids::set_last_id(target, "history", last_entry + entries)?;
    write_groups(staging, target, &actor)?;
    write_users(staging, target, &actor, progress)?;
    write_articles(staging, target, &actor, progress)?;
    if with_history {
        write_log(staging, target, last_entry, progress)?;
    }
    continue_ids(staging, target)
}

const ENTRIES: &str = "log WHERE state = 0 AND reason IS NULL";

fn write_groups(staging: &mut Staging, target: &mut Connection, actor: &Actor) -> Result<(), ImportError> {
    let mut permissions: HashMap<i64, BTreeSet<String>> = HashMap::new();
    let granted = "SELECT p.owner_row, q.name FROM pairs p JOIN permissions q ON q.row = p.other_row
         WHERE p.kind = 'group_permission' AND q.name IS NOT NULL";
    for row in staging.rows(granted)? {
        if let (Some(group), Some(name)) = (integer(&row, 0), text(&row, 1)) {
            permissions.entry(group).or_default().insert(name.to_owned());
        }
    }
    let (mut groups, mut marks) = (Vec::new(), Vec::new());
    for row in staging.rows(&format!("SELECT row, key, local_id, name FROM groups WHERE state = {NEW} ORDER BY row"))? {
        let (place, id) = (integer(&row, 0).unwrap_or_default(), integer(&row, 2).unwrap_or_default());
        let group = Group { id, name: owned(&row, 3), cognito_group: None };
        groups.push((group, permissions.remove(&place).unwrap_or_default()));
        marks.push((owned(&row, 1), None, id));
    }
    groups::create_all(target, &groups, actor)?;
    Ok(mark(target, "group", marks)?)
}

fn write_users(
    staging: &mut Staging,
    target: &mut Connection,
    actor: &Actor,
    progress: Progress,
) -> Result<(), ImportError> {
    let names = staging.rows("SELECT local_id, name FROM groups WHERE local_id IS NOT NULL")?;
    let name = |row: &Vec<Value>| Some((integer(row, 0)?, text(row, 1)?.to_owned()));
    let names: HashMap<i64, String> = names.iter().filter_map(name).collect();
    let (mut after, mut written) = (0, 0);
    loop {
        let mut grants = grants(staging, after)?;
        let query = format!(
            "SELECT row, key, local_id, username, email, first_name, last_name, password, is_active, is_staff,
                 is_superuser, last_login, date_joined, joined FROM users
             WHERE state = {NEW} AND row > {after} ORDER BY row LIMIT {BATCH}"
        );
        let batch = staging.rows(&query)?;
        let Some(last) = batch.last().and_then(|row| integer(row, 0)) else { return Ok(()) };
        let users: Vec<StoredUser> = batch.iter().map(|row| user(row, &mut grants)).collect();
        models::create_all(target, &users, &names, actor)?;
        let joined = |row: &[Value]| text(row, 13).map(str::to_owned);
        let marks = batch.iter().map(|row| (owned(row, 1), joined(row), integer(row, 2).unwrap_or_default()));
        mark(target, "user", marks.collect())?;
        after = last;
        written += users.len() as u64;
        progress("users", written);
    }
}

/// Groups and permissions of the next batch of users, by their rows.
fn grants(staging: &mut Staging, after: i64) -> QueryResult<HashMap<i64, Grants>> {
    let next = format!("SELECT row FROM users WHERE state = {NEW} AND row > {after} ORDER BY row LIMIT {BATCH}");
    let mut grants: HashMap<i64, Grants> = HashMap::new();
    let in_groups = format!(
        "SELECT p.owner_row, g.local_id FROM pairs p JOIN groups g ON g.row = p.other_row
         WHERE p.kind = 'membership' AND g.local_id IS NOT NULL AND p.owner_row IN ({next})"
    );
    for row in staging.rows(&in_groups)? {
        if let (Some(user), Some(group)) = (integer(&row, 0), integer(&row, 1)) {
            grants.entry(user).or_default().groups.insert(group);
        }
    }
    let granted = format!(
        "SELECT p.owner_row, q.name FROM pairs p JOIN permissions q ON q.row = p.other_row
         WHERE p.kind = 'user_permission' AND q.name IS NOT NULL AND p.owner_row IN ({next})"
    );
    for row in staging.rows(&granted)? {
        if let (Some(user), Some(name)) = (integer(&row, 0), text(&row, 1)) {
            grants.entry(user).or_default().permissions.insert(name.to_owned());
        }
    }
    Ok(grants)
}

fn user(row: &[Value], grants: &mut HashMap<i64, Grants>) -> StoredUser {
    let flag = |at: usize| integer(row, at) == Some(1);
    StoredUser {
        id: integer(row, 2).unwrap_or_default(),
        new: NewUser {
            username: owned(row, 3),
            email: owned(row, 4),
            first_name: owned(row, 5),
            last_name: owned(row, 6),
            password: text(row, 7).map(str::to_owned),
            is_active: flag(8),
            is_staff: flag(9),
            is_superuser: flag(10),
            grants: integer(row, 0).and_then(|place| grants.remove(&place)).unwrap_or_default(),
            ..NewUser::new(Origin::CommandLine)
        },
        last_login: time(row, 11),
        date_joined: time(row, 12).unwrap_or_default(),
    }
}

fn time(row: &[Value], at: usize) -> Option<NaiveDateTime> {
    text(row, at).and_then(rows::parse_time)
}

fn write_articles(
    staging: &mut Staging,
    target: &mut Connection,
    actor: &Actor,
    progress: Progress,
) -> Result<(), ImportError> {
    let now = Utc::now().naive_utc().trunc_subsecs(6);
    let (mut after, mut written) = (0, 0);
    loop {
        let query = format!(
            "SELECT t.row, t.local_id, t.name, a.at FROM articles t LEFT JOIN additions a ON a.id = t.source_id
             WHERE t.state = {NEW} AND t.row > {after} ORDER BY t.row LIMIT {BATCH}"
        );
        let batch = staging.rows(&query)?;
        let Some(last) = batch.last().and_then(|row| integer(row, 0)) else { return Ok(()) };
        let rows = batch.iter().map(|row| (integer(row, 1).unwrap_or_default(), article(row, now)));
        ARTICLE.create_all(target, rows.collect(), actor)?;
        let ids = batch.iter().filter_map(|row| integer(row, 1));
        mark(target, "article", ids.map(|id| (id.to_string(), None, id)).collect())?;
        after = last;
        written += batch.len() as u64;
        progress("articles", written);
    }
}

/// A value for each field of an article.
fn article(row: &[Value], now: NaiveDateTime) -> Vec<Value> {
    let at = Value::DateTime(time(row, 3).unwrap_or(now));
    let value = |name: &str| match name {
        "name" => owned(row, 2).into(),
        "created_at" | "updated_at" => at.clone(),
        _ => Value::Null,
    };
    ARTICLE.fields.iter().map(|field| value(field.name)).collect()
}

fn write_log(
    staging: &mut Staging,
    target: &mut Connection,
    mut last_id: i64,
    progress: Progress,
) -> Result<(), ImportError> {
    staging.run("CREATE INDEX log_at ON log (at, row)")?;
    let (mut after, mut written) = ((String::new(), 0), 0);
    loop {
        let query = format!(
            "SELECT l.row, l.key, l.at, l.action, l.model, l.local_object, l.object, l.message, u.local_id, u.shown
             FROM log l LEFT JOIN keys k ON k.model = 'user' AND k.ref = l.user LEFT JOIN users u ON u.row = k.row
             WHERE l.state = {NEW} AND l.reason IS NULL AND (l.at, l.row) > ('{}', {}) ORDER BY l.at, l.row LIMIT {BATCH}",
            after.0, after.1
        );
        let batch = staging.rows(&query)?;
        let Some(last) = batch.last() else { return Ok(()) };
        after = (owned(last, 2), integer(last, 0).unwrap_or_default());
        let entries: Vec<PastEntry> = batch.iter().zip(last_id + 1..).map(|(row, id)| entry(row, id)).collect();
        history::record_past(target, &entries)?;
        let marks = batch.iter().zip(last_id + 1..).map(|(row, id)| (owned(row, 1), None, id));
        mark(target, "log_entry", marks.collect())?;
        last_id += entries.len() as i64;
        written += entries.len() as u64;
        progress("log entries", written);
    }
}

fn entry(row: &[Value], id: i64) -> PastEntry {
    let actor = match (integer(row, 8), text(row, 9)) {
        (Some(user), Some(name)) => Actor::user(user, name, Source::CommandLine),
        (None, Some(name)) => Actor::named(name, Source::CommandLine),
        _ => Actor::system(Source::CommandLine),
    };
    PastEntry {
        id,
        at: time(row, 2).unwrap_or_default(),
        actor,
        action: match integer(row, 3) {
            Some(1) => Action::Created,
            Some(3) => Action::Deleted,
            _ => Action::Changed,
        },
        model: match text(row, 4) {
            Some("user") => "user",
            Some("group") => "group",
            _ => ARTICLE.name,
        },
        object_id: integer(row, 5).unwrap_or_default(),
        object: owned(row, 6),
        changes: log::changes(text(row, 7).unwrap_or_default()),
    }
}

/// Notes that rows came from Django: their keys there, when users joined, and their ids here.
fn mark(target: &mut Connection, model: &str, rows: Vec<(String, Option<String>, i64)>) -> QueryResult<()> {
    let columns = ["model", "source_key", "joined", "local_id"];
    let rows = rows.into_iter().map(|(key, joined, id)| vec![model.into(), key.into(), joined.into(), id.into()]);
    bulk::insert(target, "django_rows", &columns, rows)
}

/// No id that the source has ever given is given again, even if its row is gone.
fn continue_ids(staging: &mut Staging, target: &mut Connection) -> Result<(), ImportError> {
    let here = ids::last_ids(target)?;
    for (model, table) in [("user", "users"), ("group", "groups"), ("article", "articles")] {
        let highest = staging.number(&format!("coalesce(max(local_id), 0) FROM {table} WHERE state <> {KNOWN}"))?;
        let is_kept =
            model == "article" || staging.is_any(&format!("{table} WHERE state = {NEW} AND local_id = source_id"))?;
        let given = staging.number(&format!(
            "max((SELECT coalesce(max(id), 0) FROM last_ids WHERE model = '{model}'),
                 (SELECT coalesce(max(object_id), 0) FROM log WHERE model = '{model}' AND object_id < {MAX_LOGGED_ID}))"
        ))?;
        let last = here.get(table).copied().unwrap_or(0).max(highest).max(if is_kept { given } else { 0 });
        if last > 0 {
            ids::set_last_id(target, table, last)?;
        }
    }
    Ok(())
}
