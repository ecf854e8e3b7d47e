//! A list as a CSV file (RFC 4180): all rows that match, in the order of the list, sent as they are read. No
//! more of them than one batch is in memory, whatever their number, and no connection to the database is held
//! while the reader takes its time.

use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;
use csv::{QuoteStyle, Terminator, WriterBuilder};
use futures_util::stream::try_unfold;

use super::change_list::{cells, sql};
use super::matches::plain_condition;
use super::page::{Row, Scan, fetch};
use super::query::{AskedList, Cursor, ListQuery};
use crate::admin::auth::staff::StaffUser;
use crate::admin::import::csv_file::{guarded, importable};
use crate::admin::model_admin::{Cell, Column, Options, Show};
use crate::admin::site::Site;
use crate::db::rows::Sql;
use crate::db::search::Turns;
use crate::db::{Connection, Db};
use crate::error::{Error, FieldErrors};
use crate::models::{Field, Kind};

/// Rows that are read at once. A few milliseconds' work, so that requests between batches need not wait.
const BATCH: i64 = 1_000;
/// Excel takes a file without this mark for one in the country's old character set.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// GET `/admin/<slug>/export/`, with the query of the list.
pub async fn export(
    staff: StaffUser,
    site: web::Data<Site>,
    db: web::Data<Db>,
    turns: web::Data<Turns>,
    slug: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Error> {
    let asked = AskedList::of(&request, &site, &staff, &slug)?;
    let options = asked.options;
    let query = db.read(move |conn| Ok(asked.parse(conn)?)).await?;
    if query.is_choice_gone {
        return Err(FieldErrors::one("filter", "A value that the list is filtered by no longer exists.").into());
    }
    if let Some(problem) = query.problem {
        return Err(FieldErrors::one("q", problem).into());
    }
    let export = Export::new(options, query, db.get_ref().clone(), turns.get_ref().clone());
    let name = format!("attachment; filename=\"{}-{}.csv\"", options.slug(), Utc::now().format("%Y-%m-%d"));
    let mut response = HttpResponse::Ok();
    response.content_type("text/csv; charset=utf-8").insert_header((CONTENT_DISPOSITION, name));
    Ok(response.streaming(try_unfold(export, Export::next)))
}

/// An export under way.
struct Export {
    options: &'static Options,
    columns: Vec<Column>,
    query: ListQuery,
    condition: Sql,
    db: Db,
    turns: Turns,
    progress: Progress,
}

enum Progress {
    Begin,
    After(Cursor),
    End,
}

impl Export {
    fn new(options: &'static Options, query: ListQuery, db: Db, turns: Turns) -> Export {
        let condition = plain_condition(options, &query);
        Export { options, columns: columns(options), query, condition, db, turns, progress: Progress::Begin }
    }

    /// The next piece of the file. It is asked for only when the reader has taken the one before.
    async fn next(self) -> Result<Option<(Bytes, Export)>, Error> {
        let (mut file, from) = match &self.progress {
            Progress::Begin => (self.head()?, None),
            Progress::After(cursor) => (Vec::new(), Some(cursor.clone())),
            Progress::End => return Ok(None),
        };
        // A search, and an order that no index has, look at every row: what others search for comes in between.
        let looks_at_all = !self.query.words.is_empty() || self.query.has_own_order;
        let turn = if looks_at_all { self.turns.wait().await } else { None };
        let db = self.db.clone();
        let (mut export, rows) = db
            .read(move |conn| {
                let _turn = turn;
                let rows = self.batch(conn, from.as_ref())?;
                Ok((self, rows))
            })
            .await
            .inspect_err(|error| log::error!("an export stopped: {}", error.cause().unwrap_or_default()))?;
        export.write(&mut file, &rows)?;
        export.progress = match rows.last() {
            Some(last) if rows.len() as i64 == BATCH => Progress::After(last.cursor(None)),
            _ => Progress::End,
        };
        Ok(Some((file.into(), export)))
    }

    fn head(&self) -> Result<Vec<u8>, Error> {
        let mut file = BYTE_ORDER_MARK.to_vec();
        let names = self.columns.iter().map(|column| column.name);
        write(&mut file, [names.map(str::to_owned)])?;
        Ok(file)
    }

    fn batch(&self, conn: &mut Connection, from: Option<&Cursor>) -> Result<Vec<Row>, Error> {
        let columns: Vec<&str> = sql(&self.columns).collect();
        let order = self.query.full_order();
        let scan = Scan { condition: &self.condition, order: &order, from, backwards: false, limit: BATCH };
        Ok(fetch(conn, self.options, &columns, scan)?)
    }

    fn write(&self, file: &mut Vec<u8>, rows: &[Row]) -> Result<(), Error> {
        let line = |row: &Row| {
            let cells = cells(&self.columns, &row.values);
            // A number stays one, minus sign and all.
            let text = |(column, cell): (&Column, Cell)| match column.kind {
                Show::Number => cell.plain(),
                _ => guarded(cell.plain()),
            };
            cells.map(text).collect::<Vec<_>>()
        };
        write(file, rows.iter().map(line))
    }
}

fn write(file: &mut Vec<u8>, lines: impl IntoIterator<Item = impl IntoIterator<Item = String>>) -> Result<(), Error> {
    // Within quotation marks a semicolon separates nothing either, which it does for Excel in many countries.
    let mut builder = WriterBuilder::new();
    let mut writer = builder.terminator(Terminator::CRLF).quote_style(QuoteStyle::NonNumeric).from_writer(file);
    let write = || {
        lines.into_iter().try_for_each(|line| writer.write_record(line))?;
        Ok(writer.flush()?)
    };
    write().map_err(|error: csv::Error| Error::Internal(error.to_string()))
}

/// The id and the fields that an import takes, under the same names and as the same texts, so that a file can come back;
/// then what else the list shows.
fn columns(options: &'static Options) -> Vec<Column> {
    let raw = |field: &'static Field| Column {
        name: field.name,
        label: field.verbose_name(),
        sql: vec![field.name.into()],
        kind: match field.kind {
            Kind::Integer | Kind::ForeignKey(_) => Show::Number,
            Kind::Boolean => Show::Boolean,
            Kind::DateTime => Show::DateTime,
            _ => Show::Text,
        },
        order: None,
    };
    let mut columns: Vec<Column> = [Column::id()].into_iter().chain(importable(options).map(raw)).collect();
    for name in options.list_display.iter().chain(options.export) {
        if !columns.iter().any(|known| known.name == *name) {
            columns.extend(options.column(name));
        }
    }
    columns
}
