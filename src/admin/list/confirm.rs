//! The page that shows what an action will change, before it does.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::matches::{CAP, Count};
use super::page::{Scan, fetch};
use super::query::Order;
use super::selection::Selection;
use crate::admin::addresses::Addresses;
use crate::admin::context::AdminContext;
use crate::admin::form::delete::{LOOKED_AT, NAMED};
use crate::admin::model_admin::{Action, Choice, Options, Run, Staff};
use crate::admin::pages::{Frame, page};
use crate::admin::site::Site;
use crate::admin::text::thousands;
use crate::db::Connection;
use crate::db::rows::Sql;
use crate::error::Error;
use crate::models::value::to_text;
use crate::users::permissions::Verb;

#[derive(Template)]
#[template(path = "admin/confirm.html")]
struct ConfirmPage {
    frame: Frame,
    options: &'static Options,
    addresses: Addresses,
    /// `Deactivate 3 users`
    title: String,
    plan: ActionPlan,
    hidden: Vec<(&'static str, String)>,
}

pub struct ActionPlan {
    pub count: Count,
    /// `3 users are already inactive and stay as they are.`
    left_out: Option<String>,
    /// Ids and names of the first rows.
    named: Vec<(i64, String)>,
    /// Why rows will be left out, of the first of them.
    refusals: Vec<String>,
    /// No row would change.
    is_refused: bool,
    pub is_danger: bool,
    /// What is to be chosen, and its label.
    pub choice: Option<(&'static str, Vec<Choice>)>,
}

impl ActionPlan {
    pub fn of(
        conn: &mut Connection,
        site: &Site,
        staff: &Staff,
        (options, action): (&'static Options, &'static Action),
        selection: &Selection,
    ) -> Result<ActionPlan, Error> {
        let selected = selection.condition(conn)?;
        let already = Sql::new(action.already.0);
        let mut open = Sql::new("NOT (");
        open.append(already.clone()).push(")");
        let open = Sql::all([selected.clone(), open]);
        let left_out = Count::up_to(CAP, conn, options, Sql::all([selected, already]))?;
        let order = [Order::by_id(false)];
        let scan = Scan { condition: &open, order: &order, from: None, backwards: false, limit: LOOKED_AT as i64 };
        let rows = fetch(conn, options, &[options.model.title], scan)?;
        let (model, mut refusals, mut changed) = (site.get(options.slug())?, Vec::new(), Vec::new());
        for row in &rows {
            match model.refusal(conn, Verb::Change, row.id, staff)? {
                Some(refusal) => refusals.push(refusal),
                None => changed.push(row),
            }
        }
        // Among those that were not looked at may be others.
        let is_refused = (1..LOOKED_AT).contains(&rows.len()) && changed.is_empty();
        let named =
            changed.iter().take(NAMED).map(|row| (row.id, row.values.first().map_or_else(String::new, to_text)));
        let all = Count::up_to(CAP, conn, options, open)?;
        let choice = match action.run {
            Run::Plain(_) => None,
            Run::Chosen { label, choices, .. } => Some((label, choices(conn, staff)?)),
        };
        Ok(ActionPlan {
            choice,
            // Those that were not looked at may be left out, too.
            count: if is_refused { all } else { Count { number: all.number - refusals.len() as i64, ..all } },
            is_refused,
            is_danger: action.is_danger,
            left_out: (left_out.number > 0).then(|| left_out_text(options, action, left_out)),
            named: named.collect(),
            refusals: refusals.into_iter().take(NAMED).collect(),
        })
    }

    /// How many rows have no name on the page.
    fn unnamed(&self) -> String {
        let number = self.count.number - self.named.len() as i64;
        Count { number, ..self.count }.to_string()
    }

    /// `the user jane`, `3 users`
    fn what(&self, options: &Options) -> String {
        match self.named.as_slice() {
            [(_, name)] => format!("the {} {name}", options.label()),
            _ if self.count.is_at_least => format!("more than {} {}", thousands(CAP), options.label_plural()),
            _ => format!("{} {}", self.count, options.label_plural()),
        }
    }

    pub fn page(
        self,
        cx: &AdminContext,
        addresses: Addresses,
        action: &Action,
        hidden: Vec<(&'static str, String)>,
    ) -> Result<HttpResponse, Error> {
        let options = addresses.options();
        let title = action.title(&options.label_plural(), &self.what(options));
        let frame = addresses.frame(cx, title.clone());
        page(StatusCode::OK, &ConfirmPage { frame, options, addresses, title, plan: self, hidden })
    }
}

fn left_out_text(options: &Options, action: &Action, count: Count) -> String {
    match count.number {
        1 => format!("1 {} is {} and stays as it is.", options.label(), action.already.1),
        _ => format!("{count} {} are {} and stay as they are.", options.label_plural(), action.already.1),
    }
}
