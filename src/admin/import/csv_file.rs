//! Reads the CSV file of an import: the field of each column, and the values of each row.

use serde_json::Value;

use crate::admin::model_admin::{Options, Values};
use crate::error::FieldErrors;
use crate::models::{Field, Kind};

/// One transaction, for which other writes wait.
pub const MAX_ROWS: usize = 10_000;

const MAX_COLUMNS: usize = 200;

pub struct Sheet {
    columns: Vec<Target>,
    pub ignored: Vec<String>,
    /// Lines before the end that are empty or have only separators.
    pub empty_lines: usize,
    pub rows: Vec<CsvRow>,
}

#[derive(Clone, Copy)]
enum Target {
    Id,
    Field(&'static Field),
    Ignored,
}

#[derive(Debug)]
pub struct CsvRow {
    /// From 1.
    pub line: u64,
    cells: Vec<String>,
}

/// Several choices and passwords can only be entered in the form.
pub fn importable(options: &Options) -> impl Iterator<Item = &'static Field> + use<> {
    options.fields().filter(|field| field.is_column())
}

/// Only UTF-8, the one encoding that every spreadsheet can write.
pub fn text(file: &[u8]) -> Result<&str, String> {
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let text = std::str::from_utf8(file).map_err(|error| {
        let line = file[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("Line {line} is not UTF-8. Save the file as “CSV UTF-8”.")
    })?;
    if text.contains('\0') {
        return Err("The file has null characters, so it is not a CSV file.".to_owned());
    }
    Ok(text)
}

/// A line of field names, then the rows. Spreadsheets use their country's separator: comma, semicolon or tab.
pub fn read(options: &Options, text: &str) -> Result<Sheet, String> {
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter(text)).flexible(true).from_reader(text.as_bytes());
    let headings = reader.headers().map_err(|error| error.to_string())?.clone();
    let (columns, ignored) = columns(options, &headings)?;
    let (mut rows, mut empty_lines) = (Vec::new(), 0);
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        let (line, skipped) = record.position().map_or((0, 0), |position| begin(text, position));
        empty_lines += skipped;
        // Spreadsheets leave lines with only separators at the end.
        if record.iter().all(|cell| cell.trim().is_empty()) {
            empty_lines += 1;
            continue;
        }
        if record.len() > columns.len() && record.iter().skip(columns.len()).any(|cell| !cell.trim().is_empty()) {
            return Err(format!("Line {line} has {} cells, but there are {} headings.", record.len(), columns.len()));
        }
        if rows.len() == MAX_ROWS {
            return Err(format!("The file has more than {MAX_ROWS} rows. Split it into several files."));
        }
        rows.push(CsvRow { line, cells: record.iter().map(unguarded).collect() });
    }
    if rows.is_empty() {
        return Err("The file has no rows below its headings.".to_owned());
    }
    Ok(Sheet { columns, ignored, empty_lines, rows })
}

/// The line where a record starts, and the number of empty lines before it. The reader's own position is just after the
/// end of the last record, which is the CR if lines end with CR and LF.
fn begin(text: &str, position: &csv::Position) -> (u64, usize) {
    let (before, rest) = text.as_bytes().split_at_checked(position.byte() as usize).unwrap_or_default();
    let breaks = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).filter(|byte| **byte == b'\n').count();
    let is_within_crlf = before.ends_with(b"\r") && rest.starts_with(b"\n");
    (position.line() + breaks as u64, breaks - usize::from(is_within_crlf))
}

fn delimiter(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default().as_bytes();
    let count = |separator: &u8| first.iter().filter(|byte| *byte == separator).count();
    // The last of equal ones wins: the comma if there is none at all.
    [b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b',')
}

fn columns(options: &Options, headings: &csv::StringRecord) -> Result<(Vec<Target>, Vec<String>), String> {
    if headings.len() > MAX_COLUMNS {
        return Err(format!("The first line has more than {MAX_COLUMNS} cells."));
    }
    let mut columns: Vec<Target> = Vec::new();
    let mut ignored = Vec::new();
    for heading in headings {
        let name = heading.trim();
        let is = |known: &str| known.eq_ignore_ascii_case(name);
        let target = match importable(options).find(|field| is(field.name) || is(&field.verbose_name())) {
            Some(field) => Target::Field(field),
            None if is("id") => Target::Id,
            None => Target::Ignored,
        };
        let is_repeated = columns.iter().any(|known| match (known, &target) {
            (Target::Field(known), Target::Field(field)) => known.name == field.name,
            (known, target) => matches!((known, target), (Target::Id, Target::Id)),
        });
        if is_repeated {
            return Err(format!("The column “{name}” appears twice."));
        }
        if matches!(target, Target::Ignored) && !name.is_empty() {
            ignored.push(name.to_owned());
        }
        columns.push(target);
    }
    if columns.is_empty() {
        return Err("The file is empty.".to_owned());
    }
    if !columns.iter().any(|column| matches!(column, Target::Field(_))) {
        let names: Vec<_> = importable(options).map(|field| field.name).collect();
        return Err(format!("The first line has no known column name. Known names: {}.", names.join(", ")));
    }
    Ok((columns, ignored))
}

/// Whether a spreadsheet would take a cell for a formula (<https://owasp.org/www-community/attacks/CSV_Injection>) if
/// it had no leading apostrophes.
fn is_formula(cell: &str) -> bool {
    cell.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
}

/// A leading apostrophe stops spreadsheets from running text as a formula. Such text that has apostrophes of its own
/// gets one more, so that an import finds the same text.
pub fn guarded(cell: String) -> String {
    if is_formula(&cell) { format!("'{cell}") } else { cell }
}

/// Removes the apostrophe of [`guarded`].
fn unguarded(cell: &str) -> String {
    let rest = cell.strip_prefix('\'').filter(|rest| is_formula(rest));
    rest.unwrap_or(cell).trim().to_owned()
}

impl Sheet {
    /// `None` for a new row.
    pub fn id(&self, row: &CsvRow) -> Result<Option<i64>, FieldErrors> {
        let at = self.columns.iter().position(|column| matches!(column, Target::Id));
        match at.and_then(|at| row.cells.get(at)).filter(|cell| !cell.is_empty()) {
            None => Ok(None),
            Some(cell) => cell.parse().map(Some).map_err(|_| FieldErrors::one("id", format!("“{cell}” is not an ID."))),
        }
    }

    /// Puts the row's cells over `values`: fields that the file omits stay.
    pub fn fill(&self, row: &CsvRow, mut values: Values) -> Result<Values, FieldErrors> {
        let mut errors = FieldErrors::default();
        for (column, cell) in self.columns.iter().zip(&row.cells) {
            if let Target::Field(field) = column {
                match value(field, cell) {
                    Ok(value) => values = values.with(field.name, value),
                    Err(problem) => errors.add(field.name, vec![problem]),
                }
            }
        }
        errors.into_result().map(|()| values)
    }
}

fn value(field: &Field, cell: &str) -> Result<Value, String> {
    if !matches!(field.kind, Kind::Boolean) {
        return Ok(cell.into());
    }
    match cell.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Ok(true.into()),
        "false" | "no" | "0" | "" => Ok(false.into()),
        _ => Err(format!("“{cell}” is neither true nor false.")),
    }
}
