//! Deleting, after a page that shows what will be deleted.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::related::{self, Related};
use crate::admin::addresses::Addresses;
use crate::admin::context::AdminContext;
use crate::admin::form_data::PostForm;
use crate::admin::message::Message;
use crate::admin::model_admin::{ModelAdmin, Options, Staff, field_error, new_batch};
use crate::admin::pages::{Frame, page, see_other};
use crate::admin::site::Site;
use crate::db::Connection;
use crate::db::references::Catalog;
use crate::error::Error;
use crate::users::permissions::Verb;

/// Rows listed by name; the others are only counted.
pub const NAMED: usize = 100;
/// Rows checked for related rows. Nobody reads larger numbers.
pub const LOOKED_AT: usize = 1000;

#[derive(Template)]
#[template(path = "admin/delete.html")]
struct DeletePage {
    frame: Frame,
    options: &'static Options,
    addresses: Addresses,
    plan: Plan,
    hidden: Vec<(&'static str, String)>,
}

pub struct Plan {
    /// At least this many, if [`Plan::is_more`].
    pub count: usize,
    pub is_more: bool,
    /// Ids and names of the first rows.
    pub named: Vec<(i64, String)>,
    pub related: Vec<Related>,
    pub refusals: Vec<String>,
}

impl Plan {
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

    /// `the user jane`, `3 users`
    pub fn what(&self, options: &Options) -> String {
        match self.named.as_slice() {
            [(_, name)] if self.count == 1 => format!("the {} {name}", options.label()),
            _ if self.is_more => format!("more than {} {}", self.count, options.label_plural()),
            _ => format!("{} {}", self.count, options.label_plural()),
        }
    }

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

async fn plan(cx: &AdminContext, options: &'static Options, id: i64) -> Result<Plan, Error> {
    let plan = move |conn: &mut Connection, site: &Site, staff: &Staff| {
        let plan = Plan::of(conn, site, staff, options, &[id], false)?;
        if plan.count == 0 { Err(Error::NoSuchObject(options.name())) } else { Ok(plan) }
    };
    cx.read(plan).await
}

pub async fn confirm(cx: AdminContext) -> Result<HttpResponse, Error> {
    let (options, id) = cx.row(Verb::Delete)?;
    let plan = plan(&cx, options, id).await?;
    plan.page(&cx, StatusCode::OK, Addresses::new(&cx, options, Some(id)), Vec::new())
}

pub async fn delete(cx: AdminContext, _: PostForm) -> Result<HttpResponse, Error> {
    let (options, id) = cx.row(Verb::Delete)?;
    let addresses = Addresses::new(&cx, options, Some(id));
    let batch = new_batch("")?;
    let in_batch = batch.clone();
    let delete = move |conn: &mut Connection, site: &Site, staff: &Staff| {
        delete_row(conn, site.get(options.slug())?, id, &staff.in_batch(in_batch))
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
    check_and_delete(conn, &mut Catalog::default(), model, id, staff)?;
    Ok(name)
}

/// [`Error::Invalid`] with the reason if the model refuses.
pub fn check_and_delete(
    conn: &mut Connection,
    catalog: &mut Catalog,
    model: &dyn ModelAdmin,
    id: i64,
    staff: &Staff,
) -> Result<(), Error> {
    if let Some(refusal) = model.refusal(conn, Verb::Delete, id, staff)? {
        return field_error("id", refusal);
    }
    model.delete(conn, catalog, id, staff)
}
