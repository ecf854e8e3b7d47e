//! Reads the output of `dumpdata`: one JSON list, or JSON lines, perhaps compressed. Each row is dropped before the next
//! is read.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::{Map, Value as Json};

use super::cell::Cell;
use super::error::ImportError;
use super::intake::{Intake, RawEntry, RawUser};
use super::user_table::{FIELDS, UserTable};

#[derive(Deserialize)]
struct Row {
    model: String,
    #[serde(default)]
    pk: Json,
    fields: Map<String, Json>,
}

pub fn read(file: &Path, users: &UserTable, intake: &mut Intake) -> Result<(), ImportError> {
    let fail = |problem: &dyn std::fmt::Display| ImportError::Source(format!("{}: {problem}", file.display()));
    let content = open(file).map_err(|error| fail(&error))?;
    let mut dump = Dump { users, user_model: users.table.clone(), intake, failed: None };
    let outcome = dump.rows(content);
    match (dump.failed, outcome) {
        (Some(error), _) => return Err(error),
        (None, Err(error)) => return Err(fail(&error)),
        (None, Ok(())) => {}
    }
    check_references(intake).map_err(|error| match error {
        ImportError::Source(problem) => fail(&problem),
        other => other,
    })
}

/// Text in UTF-8, whatever the file is.
fn open(file: &Path) -> std::io::Result<Box<dyn BufRead>> {
    let mut content = BufReader::new(File::open(file)?);
    let start = content.fill_buf()?.to_vec();
    let unsupported = |what: &str| Err(std::io::Error::other(format!("{what} is not supported; decompress it first")));
    match &start[..] {
        [0x1f, 0x8b, ..] => decoded(BufReader::new(MultiGzDecoder::new(content))),
        [b'B', b'Z', b'h', ..] => unsupported("bzip2"),
        [0xfd, b'7', b'z', b'X', b'Z', ..] => unsupported("xz"),
        _ => decoded(content),
    }
}

/// Without a byte order mark, and in UTF-8 if it is UTF-16, as from PowerShell's `>`.
fn decoded(mut content: impl BufRead + 'static) -> std::io::Result<Box<dyn BufRead>> {
    let start = content.fill_buf()?;
    match encoding_rs::Encoding::for_bom(start) {
        Some((encoding, _)) if encoding != encoding_rs::UTF_8 => {
            Ok(Box::new(BufReader::new(Transcoder { content, decoder: encoding.new_decoder(), ready: Vec::new() })))
        }
        Some((_, length)) => {
            content.consume(length);
            Ok(Box::new(content))
        }
        None => Ok(Box::new(content)),
    }
}

struct Transcoder<R> {
    content: R,
    decoder: encoding_rs::Decoder,
    /// Decoded, and not read yet.
    ready: Vec<u8>,
}

impl<R: BufRead> Read for Transcoder<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.ready.is_empty() {
            let bytes = self.content.fill_buf()?;
            let (length, is_end) = (bytes.len(), bytes.is_empty());
            let mut text = String::with_capacity(self.decoder.max_utf8_buffer_length(length).unwrap_or(length * 3));
            let (_, _, is_malformed) = self.decoder.decode_to_string(bytes, &mut text, is_end);
            self.content.consume(length);
            if is_malformed {
                return Err(std::io::Error::other("it is not valid UTF-16"));
            }
            self.ready = text.into_bytes();
        }
        let length = self.ready.len().min(out.len());
        out[..length].copy_from_slice(&self.ready[..length]);
        self.ready.drain(..length);
        Ok(length)
    }
}

struct Dump<'a, 'b> {
    users: &'a UserTable,
    /// Known from the first row that looks like a user.
    user_model: Option<String>,
    intake: &'a mut Intake<'b>,
    /// What stopped the reading, other than the file.
    failed: Option<ImportError>,
}

impl Dump<'_, '_> {
    fn rows(&mut self, mut content: Box<dyn BufRead>) -> Result<(), serde_json::Error> {
        let is_list = loop {
            match content.fill_buf().map_err(serde_json::Error::io)?.first() {
                Some(b' ' | b'\t' | b'\r' | b'\n') => content.consume(1),
                None => return Err(serde::de::Error::custom("it is empty")),
                first => break first == Some(&b'['),
            }
        };
        if is_list {
            let mut list = serde_json::Deserializer::from_reader(content);
            list.deserialize_seq(Rows(self))?;
            return list.end();
        }
        for row in serde_json::Deserializer::from_reader(content).into_iter::<Row>() {
            if !self.take(&row?) {
                break;
            }
        }
        Ok(())
    }

    /// `false` if it cannot go on.
    fn take(&mut self, row: &Row) -> bool {
        let taken = self.row(row);
        self.failed = taken.err();
        self.failed.is_none()
    }

    fn row(&mut self, row: &Row) -> Result<(), ImportError> {
        let field = |name: &str| row.fields.get(name).map_or(Cell::Missing, cell);
        let key = cell(&row.pk);
        match row.model.as_str() {
            "auth.group" => {
                let natural = row.fields.get("name").map(|name| Json::Array(vec![name.clone()]).to_string());
                self.intake.group(&key, natural.clone(), &field("name"))?;
                let owner = if key == Cell::Null { natural.map_or(Cell::Null, Cell::Text) } else { key };
                self.pairs("group_permission", &owner, row.fields.get("permissions"))
            }
            "auth.permission" => self.intake.permission(&key, &field("content_type"), &field("codename")),
            "contenttypes.contenttype" => self.intake.content_type(&key, &field("app_label"), &field("model")),
            "articles.article" => self.intake.article(&key, &field("name")),
            "admin.logentry" => self.intake.entry(&RawEntry {
                key,
                at: field("action_time"),
                user: field("user"),
                content_type: field("content_type"),
                object_id: field("object_id"),
                object: field("object_repr"),
                action: field("action_flag"),
                message: field("change_message"),
            }),
            model if self.is_user_model(model, &row.fields) => self.user(key, &row.fields),
            _ => Ok(()),
        }
    }

    /// Django's abstract base of user models has a password and a last login.
    fn is_user_model(&mut self, model: &str, fields: &Map<String, Json>) -> bool {
        let table = model.replacen('.', "_", 1);
        if self.user_model.is_none() && fields.contains_key("password") && fields.contains_key("last_login") {
            self.user_model = Some(table.clone());
        }
        let is_user = self.user_model.as_ref() == Some(&table);
        if is_user {
            self.intake.set_user_table(&table);
        }
        is_user
    }

    fn user(&mut self, key: Cell, fields: &Map<String, Json>) -> Result<(), ImportError> {
        let existing: Vec<String> = fields.keys().cloned().collect();
        let columns = self.users.columns(&existing)?;
        let cells = columns
            .each_ref()
            .map(|column| column.as_ref().and_then(|column| fields.get(column)).map_or(Cell::Missing, cell));
        let name = cells.iter().zip(FIELDS).find(|(cell, _)| **cell != Cell::Missing);
        let natural = name.and_then(|(cell, _)| cell.text()).map(|name| Json::from(vec![name]).to_string());
        let owner = if key == Cell::Null { natural.clone().map_or(Cell::Null, Cell::Text) } else { key.clone() };
        self.intake.user(&RawUser { key, natural, cells })?;
        self.pairs("membership", &owner, fields.get("groups"))?;
        self.pairs("user_permission", &owner, fields.get("user_permissions"))
    }

    fn pairs(&mut self, kind: &str, owner: &Cell, others: Option<&Json>) -> Result<(), ImportError> {
        for other in others.and_then(Json::as_array).into_iter().flatten() {
            self.intake.pair(kind, &Cell::Null, owner, &cell(other))?;
        }
        Ok(())
    }
}

/// A natural key stays JSON.
fn cell(value: &Json) -> Cell {
    match value {
        Json::Null => Cell::Null,
        Json::Bool(flag) => Cell::Integer((*flag).into()),
        Json::Number(number) => number.as_i64().map_or(Cell::Other, Cell::Integer),
        Json::String(text) => Cell::Text(text.clone()),
        Json::Array(_) => Cell::Text(value.to_string()),
        Json::Object(_) => Cell::Other,
    }
}

struct Rows<'a, 'b, 'c>(&'a mut Dump<'b, 'c>);

impl<'de> Visitor<'de> for Rows<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("a list of rows, as `dumpdata` writes it")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        while let Some(row) = rows.next_element::<Row>()? {
            if !self.0.take(&row) {
                return Err(serde::de::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}

/// Numbers of permissions mean nothing without the tables that they are the keys of.
fn check_references(intake: &mut Intake) -> Result<(), ImportError> {
    let staging = intake.staging()?;
    let by_number = "pairs WHERE kind <> 'membership' AND substr(other, 1, 1) <> '['";
    let is_complete = staging.is_any("permissions")?
        && (staging.is_any("content_types")?
            || staging.is_any("permissions WHERE substr(content_type, 1, 1) = '['")?);
    if staging.is_any(by_number)? && !is_complete {
        let problem = "it has permissions by number, and not the tables auth.permission and contenttypes.contenttype. Make it \
                       with `manage.py dumpdata auth articles admin contenttypes`, or with --natural-foreign";
        return Err(ImportError::source(problem));
    }
    Ok(())
}
