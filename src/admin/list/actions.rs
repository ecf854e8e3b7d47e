//! Actions on the selected rows of a list, on all rows that match it, or on the row of an open form.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};

use super::bulk_action::{BulkAction, Work};
use super::confirm::ActionPlan;
use super::done::Done;
use super::selection::Selection;
use crate::admin::addresses::Addresses;
use crate::admin::context::AdminContext;
use crate::admin::form::delete::{LOOKED_AT, Plan};
use crate::admin::form_data::{FormData, PostForm};
use crate::admin::jobs::job::{ACTION, Running};
use crate::admin::jobs::parts::{self, Parts, WITHIN_REQUEST, reason};
use crate::admin::message::Message;
use crate::admin::model_admin::{Action, Options, Staff};
use crate::admin::pages::see_other;
use crate::admin::site::Site;
use crate::db::Connection;
use crate::error::Error;
use crate::users::permissions::Verb;

/// The field with what was chosen for an action.
const CHOSEN: &str = "choice";

/// Runs an action on one row, for a page of another model.
pub async fn run_on(
    cx: &AdminContext,
    options: &'static Options,
    id: i64,
    (action, chosen): (&str, String),
) -> Result<(), Error> {
    cx.staff.check_permission(options, Verb::Change)?;
    let action = options.actions.iter().find(|known| known.name == action).ok_or(Error::NotFound)?;
    run(cx, BulkAction::new(options, Selection::Ids(vec![id]), Work::Run(action, chosen))?).await
}

/// Within the request.
async fn run(cx: &AdminContext, action: BulkAction) -> Result<(), Error> {
    let (action, result) = parts::run(&cx.worker()?, action, None).await;
    let is_changed = action.done.changed > 0;
    if is_changed || result.is_ok() {
        cx.staff.tell(action.message(&cx.site)?);
    }
    match result {
        Err(error @ Error::Invalid(_)) => {
            let rest = if is_changed { " The others were not changed." } else { " Nothing was changed." };
            cx.staff.tell(Message::error(reason(error) + rest));
            Ok(())
        }
        result => result,
    }
}

/// The number of rows, if they are too many for a request.
async fn many(cx: &AdminContext, selection: &Selection) -> Result<Option<i64>, Error> {
    let selection = selection.clone();
    match cx.db.read(move |conn| selection.more_than(conn, WITHIN_REQUEST)).await {
        // Running it says what is wrong.
        Err(Error::Invalid(_)) => Ok(None),
        many => many,
    }
}

/// Asks first, unless an action changes only one row.
pub async fn on_selected(
    cx: AdminContext,
    running: web::Data<Running>,
    PostForm(form): PostForm,
) -> Result<HttpResponse, Error> {
    let options = cx.options()?;
    let list = Addresses::of_list(&cx, options);
    let selection = Selection::of(&cx, &form)?;
    let action = form.get("action").unwrap_or_default();
    let work = match options.actions.iter().find(|known| known.name == action) {
        Some(action) => Work::Run(action, form.get(CHOSEN).unwrap_or_default().to_owned()),
        None if action == "delete_selected" => Work::Delete,
        None => {
            cx.staff.tell(Message::warning("No action selected."));
            return Ok(see_other(&list.list()));
        }
    };
    cx.staff.check_permission(options, work.verb())?;
    if selection.is_empty() {
        let text = "Items must be selected in order to perform actions on them. No items have been changed.";
        cx.staff.tell(Message::warning(text));
        return Ok(see_other(&list.list()));
    }
    let page = match &work {
        _ if form.get("post") == Some("yes") => None,
        Work::Delete => Some(confirm_deletion(&cx, options, &selection).await?),
        Work::Run(action, _) => confirm(&cx, options, action, &selection).await?,
    };
    if let Some(page) = page {
        return Ok(page);
    }
    let (many, title) = (many(&cx, &selection).await?, work.title(options));
    let action = BulkAction::new(options, selection, work)?;
    if let Some(total) = many {
        let about = (options.slug(), total, list.list());
        return parts::start(&cx, &running, (ACTION, title), about, action).await;
    }
    run(&cx, action).await?;
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

/// The action that a query or a form names, if it is offered for one row.
fn form_action(options: &'static Options, data: &FormData) -> Option<&'static Action> {
    let name = data.get("action")?;
    options.actions.iter().find(|known| known.name == name && known.form_label.is_some())
}

/// The page that asks before an action of a row's form.
pub async fn confirm_one(cx: AdminContext) -> Result<HttpResponse, Error> {
    let (options, id) = cx.row(Verb::Change)?;
    let addresses = Addresses::new(&cx, options, Some(id));
    let action = form_action(options, &FormData::of_query(&cx.request)).ok_or(Error::NotFound)?;
    let plan = move |conn: &mut Connection, site: &Site, staff: &Staff| {
        ActionPlan::of(conn, site, staff, (options, action), &Selection::Ids(vec![id]))
    };
    match cx.read(plan).await? {
        plan if plan.count.number == 0 => {
            cx.staff.tell(Work::Run(action, String::new()).message(options, &Done::default(), ""));
            Ok(see_other(&addresses.change()))
        }
        plan => plan.page(&cx, addresses, action, vec![("action", action.name.to_owned())]),
    }
}

pub async fn on_one(cx: AdminContext, PostForm(form): PostForm) -> Result<HttpResponse, Error> {
    let (options, id) = cx.row(Verb::Change)?;
    match form_action(options, &form) {
        Some(action) => {
            let work = Work::Run(action, String::new());
            run(&cx, BulkAction::new(options, Selection::Ids(vec![id]), work)?).await?;
        }
        None => cx.staff.tell(Message::warning("No action selected.")),
    }
    Ok(see_other(&Addresses::new(&cx, options, Some(id)).change()))
}
