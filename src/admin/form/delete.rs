//! Deleting, after a page that says what goes along.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::related::{self, Related};
use crate::admin::addresses::Addresses;
use crate::admin::context::AdminContext;
use crate::admin::form_data::PostForm;
use crate::admin::message::Message;
use crate::admin::model_admin::{ModelAdmin, Options, Staff, field_error};
use crate::admin::pages::{Frame, page, see_other};
use crate::admin::site::Site;
use crate::crypto::random_token;
use crate::db::Connection;
use crate::error::Error;
use crate::users::permissions::Verb;

/// Rows that a page names; the others are only counted.
const NAMED: usize = 100;
/// Rows that are looked at for what goes along; with more, nobody reads the numbers.
pub const LOOKED_AT: usize = 1000;

#[derive(Template)]
#[template(path = "admin/delete.html")]
struct DeletePage {
    frame: Frame,
    options: &'static Options,
    addresses: Addresses,
    plan: Plan,
    /// What the form that confirms has to carry.
    hidden: Vec<(&'static str, String)>,
}

/// What a deletion does.
pub struct Plan {
    /// How many rows go, at least.
    pub count: usize,
    /// Whether there are more.
    pub is_more: bool,
    /// The first of them: ids and names.
    pub named: Vec<(i64, String)>,
    /// What becomes of others.
    pub related: Vec<Related>,
    /// Why it cannot be done, if it cannot.
    pub refusals: Vec<String>,
}

impl Plan {
    /// Looks at the first rows that are to be deleted.
    pub fn of(
        conn: &mut Connection,
        site: &Site,
        staff: &Staff,
        options: &Options,
        ids: &[i64],
        is_more: bool,
    ) -> Result<Plan, Error> {
        let model = site.get(options.slug())?;
        let mut plan = Plan { count: 0, is_more, named: Vec::new(), related: Vec::new(), refusals: Vec::new() };
        for id in ids {
            let Some(name) = options.model.title_of(conn, *id)? else { continue };
            plan.count += 1;
            if plan.named.len() < NAMED {
                plan.named.push((*id, name));
            }
            if plan.refusals.len() < NAMED {
                plan.refusals.extend(model.refusal(conn, Verb::Delete, *id, staff)?);
            }
        }
        plan.related = related::of(conn, site, options, ids)?;
        Ok(plan)
    }

    /// What is deleted, in words: `the user jane`, `3 users`.
    pub fn what(&self, options: &Options) -> String {
        match self.named.as_slice() {
            [(_, name)] if self.count == 1 => format!("the {} {name}", options.label()),
            _ if self.is_more => format!("more than {} {}", self.count, options.label_plural()),
            _ => format!("{} {}", self.count, options.label_plural()),
        }
    }

    /// The page that asks, or says why not.
    pub fn page(
        self,
        cx: &AdminContext,
        status: StatusCode,
        addresses: Addresses,
        hidden: Vec<(&'static str, String)>,
    ) -> Result<HttpResponse, Error> {
        let options = addresses.options();
        let frame = addresses.frame(cx, format!("Delete {}", self.what(options)));
        page(status, &DeletePage { frame, options, addresses, plan: self, hidden })
    }
}

/// What one row's page needs.
async fn plan(cx: &AdminContext, options: &'static Options, id: i64) -> Result<Plan, Error> {
    let plan = move |conn: &mut Connection, site: &Site, staff: &Staff| {
        let plan = Plan::of(conn, site, staff, options, &[id], false)?;
        if plan.count == 0 { Err(Error::NoSuchObject(options.name())) } else { Ok(plan) }
    };
    cx.read(plan).await
}

/// Asks whether a row is to be deleted.
pub async fn confirm(cx: AdminContext) -> Result<HttpResponse, Error> {
    let (options, id) = cx.row(Verb::Delete)?;
    let plan = plan(&cx, options, id).await?;
    plan.page(&cx, StatusCode::OK, Addresses::new(&cx, options, Some(id)), Vec::new())
}

/// Deletes a row.
pub async fn delete(cx: AdminContext, _: PostForm) -> Result<HttpResponse, Error> {
    let (options, id) = cx.row(Verb::Delete)?;
    let addresses = Addresses::new(&cx, options, Some(id));
    let batch = random_token()?;
    let in_batch = batch.clone();
    let delete = move |conn: &mut Connection, site: &Site, staff: &Staff| {
        let staff = Staff { batch: Some(in_batch), ..staff.clone() };
        delete_row(conn, site.get(options.slug())?, id, &staff)
    };
    match cx.write(delete).await {
        Ok(name) => {
            let text = format!("The {} “{name}” was deleted successfully.", options.label());
            cx.staff.tell(Message { undo: Some(batch), ..Message::success(text) });
            let has_view_permission = options.has_permission(cx.rights(), Verb::View);
            Ok(see_other(&if has_view_permission { addresses.list() } else { "/admin/".to_owned() }))
        }
        Err(Error::Invalid(_)) => {
            let plan = plan(&cx, options, id).await?;
            plan.page(&cx, StatusCode::FORBIDDEN, addresses, Vec::new())
        }
        Err(error) => Err(error),
    }
}

fn delete_row(conn: &mut Connection, model: &dyn ModelAdmin, id: i64, staff: &Staff) -> Result<String, Error> {
    staff.check_permission(model.options(), Verb::Delete)?;
    let name = model.options().model.title_of(conn, id)?.ok_or(Error::NoSuchObject(model.options().name()))?;
    check_and_delete(conn, model, id, staff)?;
    Ok(name)
}

/// Deletes a row, unless the model refuses that: [`Error::Invalid`] with its reason.
pub fn check_and_delete(conn: &mut Connection, model: &dyn ModelAdmin, id: i64, staff: &Staff) -> Result<(), Error> {
    if let Some(refusal) = model.refusal(conn, Verb::Delete, id, staff)? {
        return field_error("id", refusal);
    }
    model.delete(conn, id, staff)
}
