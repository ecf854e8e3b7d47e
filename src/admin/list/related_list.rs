//! The tab of a row with the rows of another model that refer to it: `/admin/<slug>/<id>/<other slug>/`.

use std::borrow::Cow;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::cells::ShownCell;
use super::change_list::{cells, sql};
use super::page::ListRow;
use super::view::{Pages, rows_within};
use crate::admin::addresses::Addresses;
use crate::admin::context::AdminContext;
use crate::admin::model_admin::{Cell, Column, Options, Staff};
use crate::admin::pages::{Frame, page};
use crate::admin::row_head::{RowHead, refers_to};
use crate::admin::site::{Site, is_reference};
use crate::db::Connection;
use crate::db::rows::Sql;
use crate::error::Error;
use crate::users::permissions::Verb;

#[derive(Template)]
#[template(path = "admin/related_list.html")]
struct RelatedListPage {
    frame: Frame,
    addresses: Addresses,
    head: RowHead,
    related: &'static Options,
    listed: Listed,
}

struct Listed {
    heads: Vec<(&'static str, Cow<'static, str>)>,
    rows: Vec<Row>,
    pages: Pages,
}

struct Row {
    url: String,
    cells: Vec<ShownCell>,
}

pub async fn related_list(cx: AdminContext) -> Result<HttpResponse, Error> {
    let (options, id) = cx.row(Verb::View)?;
    let related = cx.site.get(cx.request.match_info().get("related").unwrap_or_default())?.options();
    cx.staff.check_permission(related, Verb::View)?;
    let asked = cx.request.query_string().to_owned();
    let read = move |conn: &mut Connection, site: &Site, staff: &Staff| {
        let head = RowHead::of(conn, site, staff, (options, id), related.slug())?;
        let visible = site.get(related.slug())?.visible(&site.options(), &staff.rights);
        let within = Sql::all([refers_to(related, options.model, id)].into_iter().chain(visible));
        let is_other = |column: &Column| {
            !related.model.field(column.name).is_some_and(|field| is_reference(field.kind, options.model))
        };
        let columns: Vec<Column> = related.summary().into_iter().filter(is_other).collect();
        let for_reader = |cell: Cell| cell.for_reader(site, &staff.rights);
        let (rows, pages) = rows_within(conn, related, &sql(&columns).collect::<Vec<_>>(), &asked, within)?;
        let rows = rows.iter().map(|row| Row::of(related, &columns, row, for_reader)).collect();
        let heads = columns.into_iter().map(|column| (column.head_class(), column.label)).collect();
        Ok((head, Listed { heads, rows, pages }))
    };
    let (head, listed) = cx.read(read).await?;
    let addresses = Addresses::new(&cx, options, Some(id));
    let frame = addresses.frame(&cx, head.title.clone());
    page(StatusCode::OK, &RelatedListPage { frame, addresses, head, related, listed })
}

impl Row {
    fn of(options: &Options, columns: &[Column], row: &ListRow, for_reader: impl Fn(Cell) -> Cell) -> Row {
        let cells = cells(columns, &row.values).map(|(column, cell)| ShownCell::of(column, for_reader(cell))).collect();
        Row { url: format!("/admin/{}/{}/change/", options.slug(), row.id), cells }
    }
}
