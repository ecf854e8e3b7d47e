//! Actions on the selected rows of a list, on all rows that match it, or on the row of an open form.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use diesel::QueryResult;
use serde::Deserialize;

use super::confirm::ActionPlan;
use super::done::Done;
use super::selection::Selection;
use crate::admin::addresses::Addresses;
use crate::admin::context::AdminContext;
use crate::admin::form::delete::{LOOKED_AT, Plan, check_and_delete};
use crate::admin::form_data::PostForm;
use crate::admin::message::Message;
use crate::admin::model_admin::{Action, ModelAdmin, Options, Run, Staff, field_error, new_batch};
use crate::admin::pages::see_other;
use crate::admin::site::Site;
use crate::db::rows::{self, Sql};
use crate::db::{self, Connection};
use crate::error::Error;
use crate::history::changed_rows::{Before, Scope};
use crate::users::permissions::Verb;

/// Rows per transaction: other writes wait for it.
const CHUNK: usize = 500;

/// The field with what was chosen for an action.
const CHOSEN: &str = "choice";

#[derive(Clone)]
enum Job {
    Delete,
    /// With the value chosen for it.
    Run(&'static Action, String),
}

impl Job {
    fn verb(&self) -> Verb {
        match self {
            Job::Delete => Verb::Delete,
            Job::Run(..) => Verb::Change,
        }
    }

    /// A deletion is of all rows or none. Rows that no longer exist are skipped. `staff` has the batch in which the rows
    /// can be undone.
    fn run(&self, conn: &mut Connection, site: &Site, slug: &str, ids: &[i64], staff: &Staff) -> Result<Done, Error> {
        let model = site.get(slug)?;
        staff.check_permission(model.options(), self.verb())?;
        match self {
            Job::Delete => delete(conn, model, ids, staff),
            Job::Run(action, chosen) => {
                let models = site.tables();
                let before = Before::of(conn, Scope { table: slug, models: &models }, ids)?;
                let done = change(conn, model, (action, chosen), ids, staff)?;
                if let Some(batch) = &staff.batch {
                    before.keep(conn, model.options().name(), action.name, batch)?;
                }
                Ok(done)
            }
        }
    }

    fn message(&self, options: &Options, done: &Done, batch: &str) -> Message {
        let label = |count| if count == 1 { options.label() } else { options.label_plural() };
        let (count, undo) = (done.changed, Some(batch.to_owned()));
        match self {
            Job::Delete if count > 0 => {
                Message { undo, ..Message::success(format!("Deleted {count} {}.", label(count))) }
            }
            Job::Run(action, _) if count > 0 => {
                let rest = left_out(action, done.already) + &done.refused_text();
                Message { undo, ..Message::success(format!("{count} {} {}.{rest}", label(count), action.done)) }
            }
            _ if done.refused > 0 => Message::error(done.refusals.join(" ") + " Nothing was changed."),
            Job::Delete => Message::warning(format!("No {} deleted: they were already deleted.", options.label())),
            Job::Run(action, _) => {
                Message::warning(format!("No {} {}: there was nothing to do.", options.label(), action.done))
            }
        }
    }
}

fn left_out(action: &Action, count: usize) -> String {
    match count {
        0 => String::new(),
        1 => format!(" 1 was {}.", action.already.1),
        count => format!(" {count} were {}.", action.already.1),
    }
}

fn delete(conn: &mut Connection, model: &dyn ModelAdmin, ids: &[i64], staff: &Staff) -> Result<Done, Error> {
    let mut done = Done::default();
    for id in ids {
        if model.options().model.title_of(conn, *id)?.is_some() {
            check_and_delete(conn, model, *id, staff)?;
            done.changed += 1;
        }
    }
    Ok(done)
}

fn change(
    conn: &mut Connection,
    model: &dyn ModelAdmin,
    (action, chosen): (&Action, &str),
    ids: &[i64],
    staff: &Staff,
) -> Result<Done, Error> {
    let mut done = Done::default();
    // For a single row, the reason why the user may not change it says more.
    let already = if ids.len() > 1 { already(conn, model.options(), action, ids)? } else { Vec::new() };
    for id in ids {
        if already.contains(id) {
            done.already += 1;
            continue;
        }
        if model.options().model.title_of(conn, *id)?.is_none() {
            continue;
        }
        match db::savepoint(conn, |conn| change_row(conn, model, (action, chosen), *id, staff)) {
            Ok(true) => done.changed += 1,
            Ok(false) => done.already += 1,
            Err(Error::Invalid(errors)) => {
                done.refused += 1;
                done.note(errors.0.into_iter().flat_map(|(_, messages)| messages).collect::<Vec<_>>().join(" "));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// The rows that the action would leave as they are, even if the user may not change them.
fn already(conn: &mut Connection, options: &Options, action: &Action, ids: &[i64]) -> QueryResult<Vec<i64>> {
    let mut from = Sql::new(format!("FROM {} WHERE id IN ?", options.slug()));
    from.bind(ids.to_vec()).push(&format!(" AND ({})", action.already.0));
    rows::ids(conn, from)
}

fn change_row(
    conn: &mut Connection,
    model: &dyn ModelAdmin,
    (action, chosen): (&Action, &str),
    id: i64,
    staff: &Staff,
) -> Result<bool, Error> {
    if let Some(refusal) = model.refusal(conn, Verb::Change, id, staff)? {
        return field_error("id", refusal);
    }
    match action.run {
        Run::Plain(run) => run(conn, id, staff),
        Run::Chosen { run, .. } => run(conn, id, chosen, staff),
    }
}

/// Runs an action on one row, for a page of another model.
pub async fn run_on(
    cx: &AdminContext,
    options: &'static Options,
    id: i64,
    (action, chosen): (&str, String),
) -> Result<(), Error> {
    cx.staff.check_permission(options, Verb::Change)?;
    let action = options.actions.iter().find(|known| known.name == action).ok_or(Error::NotFound)?;
    run(cx, options, Selection::Ids(vec![id]), &Job::Run(action, chosen)).await
}

async fn run(cx: &AdminContext, options: &Options, selection: Selection, job: &Job) -> Result<(), Error> {
    // For the history: what was done to all of them.
    let batch = match job {
        Job::Delete => new_batch("")?,
        Job::Run(action, _) => new_batch(&format!("{}-", action.name))?,
    };
    let (done, result) = run_parts(cx, options, selection, job, &batch).await;
    if done.changed > 0 || result.is_ok() {
        cx.staff.tell(job.message(options, &done, &batch));
    }
    match result {
        Err(Error::Invalid(errors)) => {
            let messages: Vec<String> = errors.0.into_iter().flat_map(|(_, messages)| messages).collect();
            let rest = if done.changed > 0 { " The others were not changed." } else { " Nothing was changed." };
            cx.staff.tell(Message::error(messages.join(" ") + rest));
            Ok(())
        }
        result => result,
    }
}

/// Runs a job in parts. If a part fails, the earlier ones stay done. The ids are read before each transaction, so that
/// other writes wait only for the job; rows deleted in between are skipped.
async fn run_parts(
    cx: &AdminContext,
    options: &Options,
    selection: Selection,
    job: &Job,
    batch: &str,
) -> (Done, Result<(), Error>) {
    let (mut done, mut after, slug) = (Done::default(), 0, options.slug());
    let is_chosen = matches!(job, Job::Run(Action { run: Run::Chosen { .. }, .. }, _));
    loop {
        let next = selection.clone();
        let ids = match cx.db.read(move |conn| next.next(conn, after, CHUNK)).await {
            Ok(ids) => ids,
            Err(error) => return (done, Err(error)),
        };
        let Some(last) = ids.last().copied() else { return (done, Ok(())) };
        let (job, batch) = (job.clone(), batch.to_owned());
        let part = move |conn: &mut Connection, site: &Site, staff: &Staff| {
            job.run(conn, site, slug, &ids, &staff.in_batch(batch))
        };
        match cx.write(part).await {
            Ok(part) => done += part,
            Err(error) => return (done, Err(error)),
        }
        // What was chosen is wrong, or not for this user.
        if is_chosen && done.refused >= CHUNK && done.changed + done.already == 0 {
            return (done, Ok(()));
        }
        after = last;
    }
}

/// Asks first, unless an action changes only one row.
pub async fn on_selected(cx: AdminContext, PostForm(form): PostForm) -> Result<HttpResponse, Error> {
    let options = cx.options()?;
    let list = Addresses::of_list(&cx, options);
    let selection = Selection::of(&cx, &form)?;
    let action = form.get("action").unwrap_or_default();
    let job = match options.actions.iter().find(|known| known.name == action) {
        Some(action) => Job::Run(action, form.get(CHOSEN).unwrap_or_default().to_owned()),
        None if action == "delete_selected" => Job::Delete,
        None => {
            cx.staff.tell(Message::warning("No action selected."));
            return Ok(see_other(&list.list()));
        }
    };
    cx.staff.check_permission(options, job.verb())?;
    if selection.is_empty() {
        let text = "Items must be selected in order to perform actions on them. No items have been changed.";
        cx.staff.tell(Message::warning(text));
        return Ok(see_other(&list.list()));
    }
    let page = match &job {
        _ if form.get("post") == Some("yes") => None,
        Job::Delete => Some(confirm_deletion(&cx, options, &selection).await?),
        Job::Run(action, _) => confirm(&cx, options, action, &selection).await?,
    };
    if let Some(page) = page {
        return Ok(page);
    }
    run(&cx, options, selection, &job).await?;
    Ok(see_other(&list.list()))
}

async fn confirm_deletion(
    cx: &AdminContext,
    options: &'static Options,
    selection: &Selection,
) -> Result<HttpResponse, Error> {
    let mut hidden = selection.hidden();
    hidden.push(("action", "delete_selected".to_owned()));
    let selection = selection.clone();
    let plan = move |conn: &mut Connection, site: &Site, staff: &Staff| {
        let mut ids = selection.next(conn, 0, LOOKED_AT + 1)?;
        let is_more = ids.len() > LOOKED_AT;
        ids.truncate(LOOKED_AT);
        Plan::of(conn, site, staff, options, &ids, is_more)
    };
    let plan = cx.read(plan).await?;
    plan.page(cx, StatusCode::OK, Addresses::of_list(cx, options), hidden)
}

/// `None` if there is nothing to ask: at most one row would change and nothing is to be chosen, or the filter is gone.
async fn confirm(
    cx: &AdminContext,
    options: &'static Options,
    action: &'static Action,
    selection: &Selection,
) -> Result<Option<HttpResponse>, Error> {
    let mut hidden = selection.hidden();
    hidden.push(("action", action.name.to_owned()));
    let selection = selection.clone();
    let plan = move |conn: &mut Connection, site: &Site, staff: &Staff| {
        ActionPlan::of(conn, site, staff, (options, action), &selection)
    };
    match cx.read(plan).await {
        Ok(plan) if plan.count.number <= 1 && plan.choice.is_none() => Ok(None),
        Ok(plan) => plan.page(cx, Addresses::of_list(cx, options), action, hidden).map(Some),
        // Running it says what is wrong.
        Err(Error::Invalid(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

#[derive(Deserialize)]
pub struct ActionQuery {
    #[serde(default)]
    action: String,
}

fn form_action(options: &'static Options, name: &str) -> Option<&'static Action> {
    options.actions.iter().find(|known| known.name == name && known.form_label.is_some())
}

/// The page that asks before an action of a row's form.
pub async fn confirm_one(cx: AdminContext, query: Option<web::Query<ActionQuery>>) -> Result<HttpResponse, Error> {
    let (options, id) = cx.row(Verb::Change)?;
    let addresses = Addresses::new(&cx, options, Some(id));
    let action = query.as_ref().and_then(|query| form_action(options, &query.action)).ok_or(Error::NotFound)?;
    let plan = move |conn: &mut Connection, site: &Site, staff: &Staff| {
        ActionPlan::of(conn, site, staff, (options, action), &Selection::Ids(vec![id]))
    };
    match cx.read(plan).await? {
        plan if plan.count.number == 0 => {
            cx.staff.tell(Job::Run(action, String::new()).message(options, &Done::default(), ""));
            Ok(see_other(&addresses.change()))
        }
        plan => plan.page(&cx, addresses, action, vec![("action", action.name.to_owned())]),
    }
}

pub async fn on_one(cx: AdminContext, PostForm(form): PostForm) -> Result<HttpResponse, Error> {
    let (options, id) = cx.row(Verb::Change)?;
    match form_action(options, form.get("action").unwrap_or_default()) {
        Some(action) => run(&cx, options, Selection::Ids(vec![id]), &Job::Run(action, String::new())).await?,
        None => cx.staff.tell(Message::warning("No action selected.")),
    }
    Ok(see_other(&Addresses::new(&cx, options, Some(id)).change()))
}
