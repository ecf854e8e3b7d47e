//! Actions on the selected rows of a list, on all rows that match it, or on the row of an open form.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::page::matching_ids;
use super::query::AskedList;
use crate::admin::addresses::Addresses;
use crate::admin::context::AdminContext;
use crate::admin::form::delete::{LOOKED_AT, Plan, check_and_delete};
use crate::admin::form_data::{FormData, PostForm};
use crate::admin::message::Message;
use crate::admin::model_admin::{Action, ModelAdmin, Options, Staff, field_error};
use crate::admin::pages::see_other;
use crate::admin::site::Site;
use crate::crypto::random_token;
use crate::db::Connection;
use crate::error::Error;
use crate::users::permissions::Verb;

/// Rows per transaction: other writes wait for it.
const CHUNK: usize = 500;

#[derive(Clone)]
enum Selection {
    /// In ascending order.
    Ids(Vec<i64>),
    Matching(AskedList),
}

impl Selection {
    fn of(cx: &AdminContext, form: &FormData) -> Result<Selection, Error> {
        if form.get("select_across") == Some("1") {
            return Ok(Selection::Matching(AskedList::of(cx)?));
        }
        let mut ids: Vec<i64> = form.all("_selected_action").iter().filter_map(|id| id.parse().ok()).collect();
        ids.sort_unstable();
        ids.dedup();
        Ok(Selection::Ids(ids))
    }

    fn next(&self, conn: &mut Connection, after: i64, limit: usize) -> Result<Vec<i64>, Error> {
        match self {
            Selection::Ids(ids) => Ok(ids.iter().copied().filter(|id| *id > after).take(limit).collect()),
            Selection::Matching(asked) => {
                let query = asked.parse(conn)?;
                if query.is_choice_gone || query.problem.is_some() {
                    return field_error("action", CHOICE_GONE);
                }
                Ok(matching_ids(conn, asked.options, &query, after, limit as i64)?)
            }
        }
    }

    fn hidden(&self) -> Vec<(&'static str, String)> {
        match self {
            Selection::Ids(ids) => ids.iter().map(|id| ("_selected_action", id.to_string())).collect(),
            Selection::Matching(_) => vec![("select_across", "1".to_owned())],
        }
    }
}

/// If a chosen filter value no longer exists, nothing is done: without the filter, all rows would match.
const CHOICE_GONE: &str = "A value that the list is filtered by no longer exists. Reload the list and try again.";

#[derive(Clone)]
enum Job {
    /// With the batch that restores all rows together.
    Delete(String),
    Run(&'static Action),
}

impl Job {
    fn verb(&self) -> Verb {
        match self {
            Job::Delete(_) => Verb::Delete,
            Job::Run(_) => Verb::Change,
        }
    }

    /// All rows or none. Returns how many; rows that no longer exist are skipped.
    fn run(&self, conn: &mut Connection, model: &dyn ModelAdmin, ids: &[i64], staff: &Staff) -> Result<usize, Error> {
        staff.check_permission(model.options(), self.verb())?;
        let mut staff = staff.clone();
        let mut count = 0;
        for id in ids {
            if model.options().model.title_of(conn, *id)?.is_none() {
                continue;
            }
            count += usize::from(match self {
                Job::Delete(batch) => {
                    staff.batch = Some(batch.clone());
                    check_and_delete(conn, model, *id, &staff)?;
                    true
                }
                Job::Run(action) => {
                    if let Some(refusal) = model.refusal(conn, Verb::Change, *id, &staff)? {
                        return field_error("id", refusal);
                    }
                    (action.run)(conn, *id, &staff)?
                }
            });
        }
        Ok(count)
    }

    fn message(&self, options: &Options, count: usize) -> Message {
        let label = if count == 1 { options.label() } else { options.label_plural() };
        match self {
            Job::Delete(batch) if count > 0 => {
                Message { undo: Some(batch.clone()), ..Message::success(format!("Deleted {count} {label}.")) }
            }
            Job::Run(action) if count > 0 => Message::success(format!("{count} {label} {}.", action.done)),
            Job::Delete(_) => Message::warning(format!("No {} deleted: they were already deleted.", options.label())),
            Job::Run(action) => {
                Message::warning(format!("No {} {}: there was nothing to do.", options.label(), action.done))
            }
        }
    }
}

async fn run(cx: &AdminContext, options: &Options, selection: Selection, job: &Job) -> Result<(), Error> {
    let (done, result) = run_parts(cx, options.slug(), selection, job).await;
    if done > 0 || result.is_ok() {
        cx.staff.tell(job.message(options, done));
    }
    match result {
        Err(Error::Invalid(errors)) => {
            let messages: Vec<String> = errors.0.into_iter().flat_map(|(_, messages)| messages).collect();
            let rest = if done > 0 { " The others were not changed." } else { " Nothing was changed." };
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
    slug: &'static str,
    selection: Selection,
    job: &Job,
) -> (usize, Result<(), Error>) {
    let (mut done, mut after) = (0, 0);
    loop {
        let next = selection.clone();
        let ids = match cx.db.read(move |conn| next.next(conn, after, CHUNK)).await {
            Ok(ids) => ids,
            Err(error) => return (done, Err(error)),
        };
        let Some(last) = ids.last().copied() else { return (done, Ok(())) };
        let job = job.clone();
        let part = move |conn: &mut Connection, site: &Site, staff: &Staff| job.run(conn, site.get(slug)?, &ids, staff);
        match cx.write(part).await {
            Ok(count) => done += count,
            Err(error) => return (done, Err(error)),
        }
        after = last;
    }
}

/// Deleting asks first.
pub async fn on_selected(cx: AdminContext, PostForm(form): PostForm) -> Result<HttpResponse, Error> {
    let options = cx.options()?;
    let list = Addresses::of_list(&cx, options);
    let selection = Selection::of(&cx, &form)?;
    let action = form.get("action").unwrap_or_default();
    let job = match options.actions.iter().find(|known| known.name == action) {
        Some(action) => Job::Run(action),
        None if action == "delete_selected" => Job::Delete(random_token()?),
        None => {
            cx.staff.tell(Message::warning("No action selected."));
            return Ok(see_other(&list.list()));
        }
    };
    cx.staff.check_permission(options, job.verb())?;
    if matches!(&selection, Selection::Ids(ids) if ids.is_empty()) {
        let text = "Items must be selected in order to perform actions on them. No items have been changed.";
        cx.staff.tell(Message::warning(text));
        return Ok(see_other(&list.list()));
    }
    if matches!(job, Job::Delete(_)) && form.get("post") != Some("yes") {
        return confirm(&cx, list, selection).await;
    }
    run(&cx, options, selection, &job).await?;
    Ok(see_other(&list.list()))
}

async fn confirm(cx: &AdminContext, list: Addresses, selection: Selection) -> Result<HttpResponse, Error> {
    let options = list.options();
    let mut hidden = selection.hidden();
    hidden.push(("action", "delete_selected".to_owned()));
    let plan = move |conn: &mut Connection, site: &Site, staff: &Staff| {
        let mut ids = selection.next(conn, 0, LOOKED_AT + 1)?;
        let is_more = ids.len() > LOOKED_AT;
        ids.truncate(LOOKED_AT);
        Plan::of(conn, site, staff, options, &ids, is_more)
    };
    let plan = cx.read(plan).await?;
    plan.page(cx, StatusCode::OK, list, hidden)
}

pub async fn on_one(cx: AdminContext, PostForm(form): PostForm) -> Result<HttpResponse, Error> {
    let (options, id) = cx.row(Verb::Change)?;
    let asked = form.get("action").unwrap_or_default();
    match options.actions.iter().find(|known| known.name == asked && known.form_label.is_some()) {
        Some(action) => run(&cx, options, Selection::Ids(vec![id]), &Job::Run(action)).await?,
        None => cx.staff.tell(Message::warning("No action selected.")),
    }
    Ok(see_other(&Addresses::new(&cx, options, Some(id)).change()))
}
