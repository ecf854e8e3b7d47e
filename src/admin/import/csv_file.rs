//! Reads the CSV file of an import: the field of each column, and the values of each row.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde_json::Value;

use super::reader::{Reader, Record};
use crate::admin::form::fields::canonical;
use crate::admin::model_admin::{Options, Values};
use crate::error::FieldErrors;
use crate::models::{Field, Input, Kind};

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
    /// Columns in which an earlier line has the same key: name, name for people, and that line.
    repeats: Vec<(&'static str, String, u64)>,
}

/// Other lists of choices, and passwords, can only be entered in the form.
pub fn importable(options: &'static Options) -> impl Iterator<Item = &'static Field> {
    let is_list = |field: &Field| options.import_lists.iter().any(|(name, _)| *name == field.name);
    options.fields().filter(move |field| field.is_column() || is_list(field))
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

/// Reads a text: a line with the names of fields, then one line a row. Commas, semicolons and tabs may separate cells,
/// because spreadsheets use what their country's settings say. A first line `sep=;` names the separator, as in Excel.
pub fn read(options: &'static Options, text: &str) -> Result<Sheet, String> {
    let (delimiter, text, first_line) = delimiter(text);
    let mut records =
        Reader::new(text, delimiter, first_line).skip_while(|record| matches!(record, Ok(r) if is_empty(r)));
    let headings = records.next().ok_or("The file is empty.")??.cells;
    let (columns, ignored) = columns(options, &headings)?;
    let mut sheet = Sheet { columns, ignored, empty_lines: 0, rows: Vec::new() };
    let mut empty_before = 0;
    for record in records {
        let record = record?;
        if is_empty(&record) {
            empty_before += 1;
            continue;
        }
        sheet.empty_lines += std::mem::take(&mut empty_before);
        sheet.add(record)?;
    }
    if sheet.rows.is_empty() {
        return Err("The file has no rows below its headings.".to_owned());
    }
    sheet.find_repeats();
    Ok(sheet)
}

fn is_empty(record: &Record) -> bool {
    record.cells == [""]
}

/// The separator, the text to read, and the number of its first line.
fn delimiter(text: &str) -> (char, &str, u64) {
    let (first, rest) = text.split_at(text.find(['\r', '\n']).unwrap_or(text.len()));
    let first = first.trim_matches('"');
    let named = first.get(..4).filter(|word| word.eq_ignore_ascii_case("sep=")).and_then(|_| first[4..].parse().ok());
    if let Some(delimiter) = named.filter(|c: &char| !c.is_alphanumeric()) {
        let after = rest.strip_prefix("\r\n").or_else(|| rest.get(1..)).unwrap_or_default();
        return (delimiter, after, 2);
    }
    (most_frequent_delimiter(text), text, 1)
}

/// The separator that the first line has most of.
fn most_frequent_delimiter(text: &str) -> char {
    let first = text.split(['\r', '\n']).find(|line| !line.is_empty()).unwrap_or_default();
    // Of equal ones the last wins: the comma where there is none at all.
    ['\t', ';', ','].into_iter().max_by_key(|separator| first.matches(*separator).count()).unwrap_or(',')
}

fn columns(options: &'static Options, headings: &[String]) -> Result<(Vec<Target>, Vec<String>), String> {
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
    fn add(&mut self, record: Record) -> Result<(), String> {
        let Record { line, cells } = record;
        // Spreadsheets leave lines with nothing but separators at the end.
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            self.empty_lines += 1;
            return Ok(());
        }
        let (count, headings) = (cells.len(), self.columns.len());
        if count != headings {
            let cells = if count == 1 { "cell" } else { "cells" };
            return Err(format!("Line {line} has {count} {cells}, but there are {headings} headings."));
        }
        let cells = cells.iter().map(|cell| unguarded(cell)).collect();
        self.rows.push(CsvRow { line, cells, repeats: Vec::new() });
        Ok(())
    }

    /// Finds rows that an earlier line has as well, by id or by a unique field.
    fn find_repeats(&mut self) {
        let mut lines = HashMap::new();
        for row in &mut self.rows {
            for (column, cell) in self.columns.iter().zip(&row.cells).filter(|(_, cell)| !cell.is_empty()) {
                let Some((name, label, key)) = column.key(cell) else { continue };
                match lines.entry((name, key)) {
                    Entry::Occupied(earlier) => row.repeats.push((name, label, *earlier.get())),
                    Entry::Vacant(first) => {
                        first.insert(row.line);
                    }
                }
            }
        }
    }

    /// What an earlier line has as well.
    pub fn repeats(&self, row: &CsvRow) -> FieldErrors {
        let mut errors = FieldErrors::default();
        for (name, label, line) in &row.repeats {
            errors.add(name, vec![format!("Line {line} has the same {label}.")]);
        }
        errors
    }

    /// `None` for a new row.
    pub fn id(&self, row: &CsvRow) -> Result<Option<i64>, FieldErrors> {
        match self.id_cell(row) {
            None => Ok(None),
            Some(cell) => cell.parse().map(Some).map_err(|_| FieldErrors::one("id", format!("“{cell}” is not an ID."))),
        }
    }

    fn id_cell<'a>(&self, row: &'a CsvRow) -> Option<&'a String> {
        let at = self.columns.iter().position(|column| matches!(column, Target::Id))?;
        row.cells.get(at).filter(|cell| !cell.is_empty())
    }

    /// Puts the row's cells over `values`, those of the row or the defaults. Fields that the file omits stay, as do those
    /// with errors.
    pub fn fill(&self, row: &CsvRow, mut values: Values, errors: &mut FieldErrors) -> Values {
        let is_new = self.id_cell(row).is_none();
        for (column, cell) in self.columns.iter().zip(&row.cells) {
            if let Target::Field(field) = column
                && field.is_column()
                && is_given(field, cell, is_new)
            {
                match value(field, cell) {
                    Ok(value) => values = values.with(field.name, value),
                    Err(problem) => errors.add(field.name, vec![problem]),
                }
            }
        }
        values
    }

    pub fn fields(&self) -> impl Iterator<Item = &'static Field> + '_ {
        self.columns.iter().filter_map(|column| match column {
            Target::Field(field) => Some(*field),
            _ => None,
        })
    }

    /// `None` if it is blank.
    pub fn cell<'a>(&self, row: &'a CsvRow, field: &Field) -> Option<&'a String> {
        let is_this = |column: &Target| matches!(column, Target::Field(known) if known.name == field.name);
        row.cells.get(self.columns.iter().position(is_this)?).filter(|cell| !cell.is_empty())
    }
}

impl Target {
    /// What must not appear twice in the column: its name, its name for people, and the cell in the form in which it is
    /// compared.
    fn key(&self, cell: &str) -> Option<(&'static str, String, String)> {
        match self {
            Target::Id => Some(("id", "ID".to_owned(), cell.parse::<i64>().ok()?.to_string())),
            Target::Field(field) => {
                let key = (field.unique_key?)(&canonical(field, cell))?;
                Some((field.name, field.verbose_name().to_lowercase(), key))
            }
            Target::Ignored => None,
        }
    }
}

/// Whether a cell says anything. Only a text can be blank; any other blank cell, and that of a new row whose field has a
/// default, was left out.
fn is_given(field: &Field, cell: &str, is_new: bool) -> bool {
    let has_default = is_new && field.default.is_some();
    !cell.is_empty() || (field.is_text() && !has_default)
}

fn value(field: &Field, cell: &str) -> Result<Value, String> {
    if !matches!(field.kind, Kind::Boolean) {
        return Ok(canonical(field, cell).into());
    }
    match field.clean(Some(&Input::text(cell)), true) {
        Ok(Some(cleaned)) => Ok(cleaned.as_bool().into()),
        _ => Err(format!("“{cell}” is neither true nor false.")),
    }
}
