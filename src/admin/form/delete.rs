//! Deleting, after a page that says what goes along.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::related::{self, Related};
use crate::admin::addresses::Addresses;
use crate::admin::auth::staff::StaffUser;
use crate::admin::form_data::PostForm;
use crate::admin::message::Message;
use crate::admin::model_admin::{ModelAdmin, Options, Staff, field_error};
use crate::admin::pages::{Frame, page, see_other};
use crate::admin::site::Site;
use crate::crypto::random_token;
use crate::db::{Connection, Db};
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
        model: &dyn ModelAdmin,
        ids: &[i64],
        is_more: bool,
        staff: &Staff,
    ) -> Result<Plan, Error> {
        let options = model.options();
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
        status: StatusCode,
        request: &HttpRequest,
        site: &Site,
        staff: &StaffUser,
        addresses: Addresses,
        hidden: Vec<(&'static str, String)>,
    ) -> Result<HttpResponse, Error> {
        let options = addresses.options();
        let frame = addresses.frame(request, site, staff, format!("Delete {}", self.what(options)));
        page(status, &DeletePage { frame, options, addresses, plan: self, hidden })
    }
}

/// What one row's page needs.
async fn plan(site: Arc<Site>, db: &Db, staff: &StaffUser, options: &'static Options, id: i64) -> Result<Plan, Error> {
    let viewer = staff.staff.clone();
    let plan = move |conn: &mut Connection| {
        let plan = Plan::of(conn, &site, site.get(options.slug())?, &[id], false, &viewer)?;
        if plan.count == 0 { Err(Error::NoSuchObject(options.name())) } else { Ok(plan) }
    };
    db.read(plan).await
}

/// Asks whether a row is to be deleted.
pub async fn confirm(
    staff: StaffUser,
    site: web::Data<Site>,
    db: web::Data<Db>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Error> {
    let options = site.get(&path.0)?.options();
    staff.require(options, Verb::Delete)?;
    let id = options.parse_id(&path.1)?;
    let plan = plan(site.clone().into_inner(), &db, &staff, options, id).await?;
    plan.page(StatusCode::OK, &request, &site, &staff, Addresses::new(options, Some(id), &request), Vec::new())
}

/// Deletes a row.
pub async fn delete(
    staff: StaffUser,
    site: web::Data<Site>,
    db: web::Data<Db>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
    _: PostForm,
) -> Result<HttpResponse, Error> {
    let options = site.get(&path.0)?.options();
    staff.require(options, Verb::Delete)?;
    let id = options.parse_id(&path.1)?;
    let addresses = Addresses::new(options, Some(id), &request);
    let batch = random_token()?;
    let (all, staff_id, in_batch) = (site.clone().into_inner(), staff.staff.user.id, batch.clone());
    let delete = move |conn: &mut Connection| delete_row(conn, all.get(options.slug())?, id, staff_id, in_batch);
    match db.write(delete).await {
        Ok(name) => {
            let text = format!("The {} “{name}” was deleted successfully.", options.label());
            staff.tell(Message { undo: Some(batch), ..Message::success(text) });
            let may_view = options.allow(&staff.staff.rights, Verb::View);
            Ok(see_other(&if may_view { addresses.list() } else { "/admin/".to_owned() }))
        }
        Err(Error::Invalid(_)) => {
            let plan = plan(site.clone().into_inner(), &db, &staff, options, id).await?;
            plan.page(StatusCode::FORBIDDEN, &request, &site, &staff, addresses, Vec::new())
        }
        Err(error) => Err(error),
    }
}

fn delete_row(
    conn: &mut Connection,
    model: &dyn ModelAdmin,
    id: i64,
    staff_id: i64,
    batch: String,
) -> Result<String, Error> {
    let staff = Staff { batch: Some(batch), ..Staff::find(conn, staff_id)? };
    staff.require(model.options(), Verb::Delete)?;
    let name = model.options().model.title_of(conn, id)?.ok_or(Error::NoSuchObject(model.options().name()))?;
    check_and_delete(conn, model, id, &staff)?;
    Ok(name)
}

/// Deletes a row, unless the model refuses that: [`Error::Invalid`] with its reason.
pub fn check_and_delete(conn: &mut Connection, model: &dyn ModelAdmin, id: i64, staff: &Staff) -> Result<(), Error> {
    if let Some(refusal) = model.refusal(conn, Verb::Delete, id, staff)? {
        return field_error("id", refusal);
    }
    model.delete(conn, id, staff)
}
