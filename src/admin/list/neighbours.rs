//! `/admin/<slug>/<id>/next/` and `previous/`: the row after or before one, in the list that the user came from. The
//! links name no row, so a form takes no query for them.

use actix_web::{HttpResponse, web};
use diesel::QueryResult;

use super::matches::plain_condition;
use super::page::{Scan, fetch};
use super::query::{AskedList, ChangeListQuery, turn_for};
use crate::admin::addresses::Addresses;
use crate::admin::context::AdminContext;
use crate::admin::message::Message;
use crate::admin::model_admin::Options;
use crate::admin::pages::see_other;
use crate::db::Connection;
use crate::db::rows::Sql;
use crate::db::search::Turns;
use crate::error::Error;
use crate::users::permissions::Verb;

pub async fn next(cx: AdminContext, turns: web::Data<Turns>) -> Result<HttpResponse, Error> {
    neighbour(cx, turns, false).await
}

pub async fn previous(cx: AdminContext, turns: web::Data<Turns>) -> Result<HttpResponse, Error> {
    neighbour(cx, turns, true).await
}

async fn neighbour(cx: AdminContext, turns: web::Data<Turns>, backwards: bool) -> Result<HttpResponse, Error> {
    let (options, id) = cx.row(Verb::View)?;
    let addresses = Addresses::new(&cx, options, Some(id));
    let mut asked = AskedList::of(&cx)?;
    asked.query = addresses.filters().to_owned();
    let turn = turn_for(&asked.query, &turns).await?;
    let find = move |conn: &mut Connection| {
        let _turn = turn;
        let query = asked.parse(conn)?;
        Ok(find(conn, options, &query, id, backwards)?)
    };
    let found = cx.db.read(find).await?;
    if found.is_none() {
        let end = if backwards { "first" } else { "last" };
        cx.staff.tell(Message::warning(format!("This is the {end} {} of the list.", options.label())));
    }
    Ok(see_other(&Addresses::new(&cx, options, found.or(Some(id))).change()))
}

fn find(
    conn: &mut Connection,
    options: &Options,
    query: &ChangeListQuery,
    id: i64,
    backwards: bool,
) -> QueryResult<Option<i64>> {
    if query.problem.is_some() {
        // The list is empty.
        return Ok(None);
    }
    let order = query.full_order();
    let this = Sql::new("id = ?").with(id);
    let scan = Scan { condition: &this, order: &order, from: None, backwards, limit: 1 };
    let Some(row) = fetch(conn, options, &[], scan)?.pop() else { return Ok(None) };
    let (condition, from) = (plain_condition(options, query), row.cursor(None));
    let scan = Scan { condition: &condition, order: &order, from: Some(&from), backwards, limit: 1 };
    Ok(fetch(conn, options, &[], scan)?.pop().map(|row| row.id))
}
