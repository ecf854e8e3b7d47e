//! Doing something to rows: to those that are selected in a list, to all that match it, or to the one whose
//! form is open.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::page::matching_ids;
use super::query::AskedList;
use crate::admin::addresses::Addresses;
use crate::admin::auth::staff::StaffUser;
use crate::admin::form::delete::{LOOKED_AT, Plan, check_and_delete};
use crate::admin::form_data::{FormData, PostForm};
use crate::admin::message::Message;
use crate::admin::model_admin::{Action, ModelAdmin, Options, Staff, field_error};
use crate::admin::pages::see_other;
use crate::admin::site::Site;
use crate::crypto::random_token;
use crate::db::{Connection, Db};
use crate::error::Error;
use crate::users::permissions::Verb;

/// Rows that one transaction takes: the others who write wait for it.
const CHUNK: usize = 500;

/// The rows that are meant.
#[derive(Clone)]
enum Selection {
    /// These ids, in ascending order.
    Ids(Vec<i64>),
    /// All rows of a list.
    Matching(AskedList),
}

impl Selection {
    fn of(
        request: &HttpRequest,
        site: &Site,
        staff: &StaffUser,
        slug: &str,
        form: &FormData,
    ) -> Result<Selection, Error> {
        if form.get("select_across") == Some("1") {
            return Ok(Selection::Matching(AskedList::of(request, site, staff, slug)?));
        }
        let mut ids: Vec<i64> = form.all("_selected_action").iter().filter_map(|id| id.parse().ok()).collect();
        ids.sort_unstable();
        ids.dedup();
        Ok(Selection::Ids(ids))
    }

    /// The next ids after this one.
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

    /// The fields of a form that mean the same.
    fn hidden(&self) -> Vec<(&'static str, String)> {
        match self {
            Selection::Ids(ids) => ids.iter().map(|id| ("_selected_action", id.to_string())).collect(),
            Selection::Matching(_) => vec![("select_across", "1".to_owned())],
        }
    }
}

/// Why nothing is done to what a filter selects that is not there any more: without it, all rows would match.
const CHOICE_GONE: &str = "A value that the list is filtered by no longer exists. Reload the list and try again.";

/// What is done to each row.
#[derive(Clone)]
enum Job {
    /// Deleted; all come back together.
    Delete(String),
    /// One of [`Options::actions`].
    Run(&'static Action),
}

impl Job {
    fn verb(&self) -> Verb {
        match self {
            Job::Delete(_) => Verb::Delete,
            Job::Run(_) => Verb::Change,
        }
    }

    /// Does it to rows, all of them or none, and tells to how many. Those that are gone are left out.
    fn run(&self, conn: &mut Connection, model: &dyn ModelAdmin, ids: &[i64], staff_id: i64) -> Result<usize, Error> {
        let mut staff = Staff::find(conn, staff_id)?;
        staff.require(model.options(), self.verb())?;
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
                    model.run(conn, action.name, *id, &staff)?
                }
            });
        }
        Ok(count)
    }

    /// What was done, to so many.
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

/// Does a job to a selection, so many rows at a time. Where a part fails, those before it are done. Others who
/// write wait for the job alone: the rows are sought before, and those that are gone by then are left out.
async fn run(
    db: &Db,
    site: &Arc<Site>,
    options: &'static Options,
    selection: Selection,
    job: &Job,
    staff_id: i64,
) -> (usize, Result<(), Error>) {
    let (mut done, mut after) = (0, 0);
    loop {
        let next = selection.clone();
        let ids = match db.read(move |conn| next.next(conn, after, CHUNK)).await {
            Ok(ids) => ids,
            Err(error) => return (done, Err(error)),
        };
        let Some(last) = ids.last().copied() else { return (done, Ok(())) };
        let (site, job) = (site.clone(), job.clone());
        match db.write(move |conn| job.run(conn, site.get(options.slug())?, &ids, staff_id)).await {
            Ok(count) => done += count,
            Err(error) => return (done, Err(error)),
        }
        after = last;
    }
}

/// Tells what was done, and what came in between.
fn tell(staff: &StaffUser, options: &Options, job: &Job, outcome: (usize, Result<(), Error>)) -> Result<(), Error> {
    let (done, result) = outcome;
    if done > 0 || result.is_ok() {
        staff.tell(job.message(options, done));
    }
    match result {
        Err(Error::Invalid(errors)) => {
            let messages: Vec<String> = errors.0.into_iter().flat_map(|(_, messages)| messages).collect();
            let rest = if done > 0 { " The others were not changed." } else { " Nothing was changed." };
            staff.tell(Message::error(messages.join(" ") + rest));
            Ok(())
        }
        result => result,
    }
}

/// `POST /admin/<slug>/`: an action on the selected rows of a list. Deleting asks first.
pub async fn on_selected(
    staff: StaffUser,
    site: web::Data<Site>,
    db: web::Data<Db>,
    request: HttpRequest,
    slug: web::Path<String>,
    PostForm(form): PostForm,
) -> Result<HttpResponse, Error> {
    let options = site.get(&slug)?.options();
    let addresses = Addresses::of_list(options, &request);
    let selection = Selection::of(&request, &site, &staff, &slug, &form)?;
    let action = form.get("action").unwrap_or_default();
    let job = match options.actions.iter().find(|known| known.name == action) {
        Some(action) => Job::Run(action),
        None if action == "delete_selected" => Job::Delete(random_token()?),
        None => {
            staff.tell(Message::warning("No action selected."));
            return Ok(see_other(&addresses.list()));
        }
    };
    staff.require(options, job.verb())?;
    if matches!(&selection, Selection::Ids(ids) if ids.is_empty()) {
        let text = "Items must be selected in order to perform actions on them. No items have been changed.";
        staff.tell(Message::warning(text));
        return Ok(see_other(&addresses.list()));
    }
    if matches!(job, Job::Delete(_)) && form.get("post") != Some("yes") {
        return confirm(&staff, &site, &db, &request, addresses, selection).await;
    }
    let outcome = run(&db, &site.clone().into_inner(), options, selection, &job, staff.staff.user.id).await;
    tell(&staff, options, &job, outcome)?;
    Ok(see_other(&addresses.list()))
}

/// The page that asks whether all of these are to be deleted.
async fn confirm(
    staff: &StaffUser,
    site: &web::Data<Site>,
    db: &Db,
    request: &HttpRequest,
    addresses: Addresses,
    selection: Selection,
) -> Result<HttpResponse, Error> {
    let (options, all, viewer) = (addresses.options(), site.clone().into_inner(), staff.staff.clone());
    let mut hidden = selection.hidden();
    hidden.push(("action", "delete_selected".to_owned()));
    let plan = move |conn: &mut Connection| {
        let mut ids = selection.next(conn, 0, LOOKED_AT + 1)?;
        let is_more = ids.len() > LOOKED_AT;
        ids.truncate(LOOKED_AT);
        Plan::of(conn, &all, all.get(options.slug())?, &ids, is_more, &viewer)
    };
    let plan = db.read(plan).await?;
    plan.page(StatusCode::OK, request, site, staff, addresses, hidden)
}

/// `POST /admin/<slug>/<id>/action/`: an action on one row, from its form.
pub async fn on_one(
    staff: StaffUser,
    site: web::Data<Site>,
    db: web::Data<Db>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
    PostForm(form): PostForm,
) -> Result<HttpResponse, Error> {
    let options = site.get(&path.0)?.options();
    let id = options.parse_id(&path.1)?;
    staff.require(options, Verb::Change)?;
    let addresses = Addresses::new(options, Some(id), &request);
    let asked = form.get("action").unwrap_or_default();
    match options.actions.iter().find(|known| known.name == asked && known.form_label.is_some()) {
        Some(action) => {
            let (job, selection) = (Job::Run(action), Selection::Ids(vec![id]));
            let outcome = run(&db, &site.clone().into_inner(), options, selection, &job, staff.staff.user.id).await;
            tell(&staff, options, &job, outcome)?;
        }
        None => staff.tell(Message::warning("No action selected.")),
    }
    Ok(see_other(&addresses.change()))
}
