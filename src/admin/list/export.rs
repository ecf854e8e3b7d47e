//! `/admin/<slug>/export/`: a list as a CSV file (RFC 4180), with all rows that match, in the order of the list. Only
//! one batch is in memory at a time, and no database connection is held while the client reads.

use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::web::Bytes;
use actix_web::{HttpResponse, web};
use chrono::Utc;
use csv::{QuoteStyle, Terminator, WriterBuilder};
use futures_util::stream::try_unfold;

use super::change_list::{cells, sql};
use super::matches::plain_condition;
use super::page::{ListRow, Scan, fetch};
use super::query::{AskedList, ChangeListQuery, Cursor};
use crate::admin::context::AdminContext;
use crate::admin::import::csv_file::{guarded, importable};
use crate::admin::model_admin::{Cell, Column, Options, Show};
use crate::db::rows::Sql;
use crate::db::search::Turns;
use crate::db::{Connection, Db};
use crate::error::{Error, FieldErrors};
use crate::models::{Field, Kind};

/// Rows per read. Each takes a few milliseconds, so that other requests need not wait.
const BATCH: i64 = 1_000;
/// Without this mark, Excel assumes the country's legacy encoding.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

pub async fn export(cx: AdminContext, turns: web::Data<Turns>) -> Result<HttpResponse, Error> {
    let asked = AskedList::of(&cx)?;
    let options = asked.options;
    let query = cx.db.read(move |conn| Ok(asked.parse(conn)?)).await?;
    if let Some(problem) = query.problem {
        return Err(FieldErrors::one(problem.of, problem.text).into());
    }
    let export = Export::new(options, query, cx.db.clone(), turns.get_ref().clone());
    let name = format!("attachment; filename=\"{}-{}.csv\"", options.slug(), Utc::now().format("%Y-%m-%d"));
    let mut response = HttpResponse::Ok();
    response.content_type("text/csv; charset=utf-8").insert_header((CONTENT_DISPOSITION, name));
    Ok(response.streaming(try_unfold(export, Export::next)))
}

struct Export {
    options: &'static Options,
    columns: Vec<Column>,
    query: ChangeListQuery,
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
    fn new(options: &'static Options, query: ChangeListQuery, db: Db, turns: Turns) -> Export {
        let condition = plain_condition(options, &query);
        Export { options, columns: columns(options), query, condition, db, turns, progress: Progress::Begin }
    }

    /// Called only when the client has taken the previous piece.
    async fn next(self) -> Result<Option<(Bytes, Export)>, Error> {
        let (mut file, from) = match &self.progress {
            Progress::Begin => (self.head()?, None),
            Progress::After(cursor) => (Vec::new(), Some(cursor.clone())),
            Progress::End => return Ok(None),
        };
        // A search, and an order without an index, read every row, so other searches get their turn in between.
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
            .inspect_err(|error| log::error!("an export stopped: {}", error.logged()))?;
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

    fn batch(&self, conn: &mut Connection, from: Option<&Cursor>) -> Result<Vec<ListRow>, Error> {
        let columns: Vec<&str> = sql(&self.columns).collect();
        let order = self.query.full_order();
        let scan = Scan { condition: &self.condition, order: &order, from, backwards: false, limit: BATCH };
        Ok(fetch(conn, self.options, &columns, scan)?)
    }

    fn write(&self, file: &mut Vec<u8>, rows: &[ListRow]) -> Result<(), Error> {
        let line = |row: &ListRow| {
            let cells = cells(&self.columns, &row.values);
            // A number needs no guard, even with a minus sign.
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
    // Quotes keep Excel from separating cells at semicolons, as it does in many countries.
    let mut builder = WriterBuilder::new();
    let mut writer = builder.terminator(Terminator::CRLF).quote_style(QuoteStyle::NonNumeric).from_writer(file);
    let write = || {
        lines.into_iter().try_for_each(|line| writer.write_record(line))?;
        Ok(writer.flush()?)
    };
    write().map_err(|error: csv::Error| Error::Internal(error.to_string()))
}

/// The id and fields as an import takes them, so that the file can be imported again; then the list's other columns.
fn columns(options: &'static Options) -> Vec<Column> {
    let list = |name: &str| options.import_lists.iter().find(|(known, _)| *known == name).map(|(_, sql)| *sql);
    let raw = |field: &'static Field| Column {
        name: field.name,
        label: field.verbose_name(),
        sql: vec![list(field.name).unwrap_or(field.name).into()],
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
            columns.extend(options.column(name).filter(|column| !is_count(options, column)));
        }
    }
    columns
}

/// A number that is counted: it says nothing to an import, and would be taken for the names of what it counts.
fn is_count(options: &Options, column: &Column) -> bool {
    options.displays.iter().any(|display| display.name == column.name)
        && matches!(column.kind, Show::Number | Show::Count(_))
}
