//! Reads CSV as Python's `csv` does in strict mode: a malformed file is refused with its line, never guessed at.

/// A row of cells.
#[derive(Debug, PartialEq, Eq)]
pub struct Record {
    /// The line where it begins, from 1.
    pub line: u64,
    pub cells: Vec<String>,
}

/// Returns the records of a text, and ends after the first error.
pub struct Reader<'a> {
    rest: &'a str,
    delimiter: char,
    line: u64,
    /// Whether CR alone ends a line, as on old Macs. In any other file it is a stray character.
    is_cr_text: bool,
}

impl<'a> Reader<'a> {
    /// `first_line` is the number of the text's first line.
    pub fn new(text: &'a str, delimiter: char, first_line: u64) -> Reader<'a> {
        let first_end = text.find(['\r', '\n']).map_or("", |at| &text[at..]);
        let is_cr_text = !first_end.trim_start_matches('\r').starts_with('\n') && !first_end.is_empty();
        Reader { rest: text, delimiter, line: first_line, is_cr_text }
    }

    fn record(&mut self) -> Result<Record, String> {
        let (line, mut cells) = (self.line, Vec::new());
        loop {
            cells.push(if self.take("\"") { self.quoted()? } else { self.unquoted().to_owned() });
            if !self.take(self.delimiter.encode_utf8(&mut [0; 4])) {
                break;
            }
        }
        self.end_line()?;
        Ok(Record { line, cells })
    }

    fn take(&mut self, prefix: &str) -> bool {
        let rest = self.rest.strip_prefix(prefix);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn unquoted(&mut self) -> &'a str {
        let is_end = |c: char| c == self.delimiter || matches!(c, '\r' | '\n');
        let (cell, rest) = self.rest.split_at(self.rest.find(is_end).unwrap_or(self.rest.len()));
        self.rest = rest;
        cell
    }

    /// The cell after its opening quotation mark.
    fn quoted(&mut self) -> Result<String, String> {
        let (opening, mut cell) = (self.line, String::new());
        loop {
            let Some((part, rest)) = self.rest.split_once('"') else {
                return Err(format!("Line {opening} opens a quotation mark that is never closed."));
            };
            cell.push_str(part);
            self.line += self.line_ends(part);
            self.rest = rest;
            if !self.take("\"") {
                break;
            }
            cell.push('"');
        }
        match self.rest.chars().next() {
            Some(c) if c != self.delimiter && !matches!(c, '\r' | '\n') => Err(format!(
                "Line {} has text after a closing quotation mark. Double each quotation mark within a cell.",
                self.line
            )),
            _ => Ok(cell),
        }
    }

    fn line_ends(&self, text: &str) -> u64 {
        let lf = text.matches('\n').count();
        let cr = if self.is_cr_text { text.matches('\r').count() - text.matches("\r\n").count() } else { 0 };
        (lf + cr) as u64
    }

    fn end_line(&mut self) -> Result<(), String> {
        let is_end = if self.is_cr_text {
            self.take("\r\n") || self.take("\r") || self.take("\n")
        } else {
            self.rest = self.rest.trim_start_matches('\r');
            self.take("\n")
        };
        if !is_end && !self.rest.is_empty() {
            return Err(format!(
                "Line {} has a line end (CR) within a cell. Put the cell between quotation marks.",
                self.line
            ));
        }
        self.line += 1;
        Ok(())
    }
}

impl Iterator for Reader<'_> {
    type Item = Result<Record, String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let record = self.record();
        if record.is_err() {
            self.rest = "";
        }
        Some(record)
    }
}
