//! [`Intake`]: takes a source's rows and checks each by itself.

use chrono::{NaiveDateTime, SubsecRound, Utc};

use super::cell::Cell;
use super::error::ImportError;
use super::options::{Options, Passwords, Progress};
use super::rules::{self, Problems};
use super::staging::{NEW, Staging};
use super::time::{self, Zone};
use super::user_table::FIELDS;
use crate::db::rows::Value;
use crate::users::django_hashes::{DjangoHash, Unusable};
use crate::users::models::email_key;

/// A row of the users' table.
pub struct RawUser {
    pub key: Cell,
    /// The natural key, in a dump.
    pub natural: Option<String>,
    /// In the order of [`FIELDS`].
    pub cells: [Cell; 10],
}

impl RawUser {
    fn cell(&self, field: &str) -> &Cell {
        FIELDS.iter().position(|name| *name == field).map_or(&Cell::Missing, |at| &self.cells[at])
    }
}

pub struct RawEntry {
    pub key: Cell,
    pub at: Cell,
    pub user: Cell,
    pub content_type: Cell,
    pub object_id: Cell,
    pub object: Cell,
    pub action: Cell,
    pub message: Cell,
}

pub struct Intake<'a> {
    staging: &'a mut Staging,
    passwords: Passwords,
    zone: &'a Zone,
    now: NaiveDateTime,
    progress: Progress<'a>,
    read: u64,
}

impl<'a> Intake<'a> {
    pub fn new(staging: &'a mut Staging, options: &'a Options, progress: Progress<'a>) -> Intake<'a> {
        let now = Utc::now().naive_utc().trunc_subsecs(6);
        Intake { staging, passwords: options.passwords, zone: &options.zone, now, progress, read: 0 }
    }

    pub fn finish(self) -> Result<(), ImportError> {
        Ok(self.staging.flush()?)
    }

    pub fn set_user_table(&mut self, table: &str) {
        self.staging.user_table = table.to_owned();
    }

    /// For questions about what has been read.
    pub fn staging(&mut self) -> Result<&mut Staging, ImportError> {
        self.staging.flush()?;
        Ok(self.staging)
    }

    /// Counts a row, and returns its place.
    fn place(&mut self) -> i64 {
        self.read += 1;
        (self.progress)("read", self.read);
        self.read as i64
    }

    fn report(
        &mut self,
        model: &str,
        place: i64,
        key: &str,
        shown: &str,
        problems: Problems,
    ) -> Result<(), ImportError> {
        for (outcome, code, text) in problems.0 {
            let row = [
                ("outcome", outcome.into()),
                ("model", model.into()),
                ("place", place.into()),
                ("key", key.into()),
                ("shown", shown.into()),
                ("code", code.into()),
                ("text", text.into()),
            ];
            self.staging.insert("reported", &row)?;
        }
        Ok(())
    }

    pub fn user(&mut self, raw: &RawUser) -> Result<(), ImportError> {
        let (place, mut problems) = (self.place(), Problems::default());
        // Without a username, the e-mail is the name that users sign in with.
        let name = Some(raw.cell("username")).filter(|cell| **cell != Cell::Missing).unwrap_or(raw.cell("email"));
        let username = rules::username(name, &mut problems);
        let is_normal = name.text() == Some(username.as_str());
        let email = rules::email(raw.cell("email"), &mut problems);
        let [first_name, last_name] =
            ["first_name", "last_name"].map(|field| rules::person_name(raw.cell(field), field, &mut problems));
        let [is_active, is_staff, is_superuser] = [("is_active", true), ("is_staff", false), ("is_superuser", false)]
            .map(|(field, default)| rules::flag(raw.cell(field), field, default, &mut problems));
        let password = self.password(raw.cell("password"), is_staff, &mut problems);
        let last_login = self.time(raw.cell("last_login"), "last_login", "the user has not signed in", &mut problems);
        let joined = raw.cell("date_joined");
        let date_joined = match joined {
            Cell::Missing => None,
            Cell::Null => rules::invalid_time("date_joined", "the time of the import takes its place", &mut problems),
            _ => self.time(joined, "date_joined", "the time of the import takes its place", &mut problems),
        };
        let key = rules::key(&raw.key, raw.natural.as_deref(), place, &mut problems);
        let row = [
            ("row", place.into()),
            ("key", key.clone().into()),
            ("natural", raw.natural.clone().into()),
            ("source_id", raw.key.id().into()),
            ("shown", name.shown().into()),
            ("username", username.into()),
            ("is_normal", is_normal.into()),
            ("email_key", email_key(&email).into()),
            ("email", email.into()),
            ("first_name", first_name.into()),
            ("last_name", last_name.into()),
            ("password", password.into()),
            ("is_active", is_active.into()),
            ("is_staff", is_staff.into()),
            ("is_superuser", is_superuser.into()),
            ("last_login", last_login.map(time::text).into()),
            ("date_joined", time::text(date_joined.unwrap_or(self.now)).into()),
            ("joined", date_joined.map(time::milliseconds).into()),
            ("state", problems.state().into()),
        ];
        self.staging.insert("users", &row)?;
        self.report("user", place, &key, &name.shown(), problems)
    }

    fn password(&self, cell: &Cell, is_staff: bool, problems: &mut Problems) -> Option<String> {
        let is_wanted = match self.passwords {
            Passwords::All => true,
            Passwords::Staff => is_staff,
            Passwords::None => false,
        };
        if !is_wanted || matches!(cell, Cell::Missing | Cell::Null) {
            return None;
        }
        match cell.text().map_or(Err(Unusable::Unknown), DjangoHash::parse) {
            Ok(_) => cell.text().map(str::to_owned),
            Err(Unusable::NoPassword) => None,
            Err(problem) => {
                problems.change("password_unusable", format!("the password cannot be used: {problem}"));
                None
            }
        }
    }

    fn time(&self, cell: &Cell, field: &str, instead: &str, problems: &mut Problems) -> Option<NaiveDateTime> {
        if matches!(cell, Cell::Missing | Cell::Null) {
            return None;
        }
        match cell.text().and_then(|text| time::parse(text, self.zone)) {
            Some(time) => Some(time),
            None => rules::invalid_time(field, instead, problems),
        }
    }

    pub fn group(&mut self, raw_key: &Cell, natural: Option<String>, cell: &Cell) -> Result<(), ImportError> {
        let (place, mut problems) = (self.place(), Problems::default());
        let name = rules::group_name(cell, &mut problems);
        let key = rules::key(raw_key, natural.as_deref(), place, &mut problems);
        let row = [
            ("row", place.into()),
            ("key", key.clone().into()),
            ("natural", natural.into()),
            ("source_id", raw_key.id().into()),
            ("shown", cell.shown().into()),
            ("name", name.into()),
            ("state", problems.state().into()),
        ];
        self.staging.insert("groups", &row)?;
        self.report("group", place, &key, &cell.shown(), problems)
    }

    pub fn article(&mut self, raw_key: &Cell, cell: &Cell) -> Result<(), ImportError> {
        let (place, mut problems) = (self.place(), Problems::default());
        let id = raw_key.integer().filter(|id| *id < i64::MAX);
        if id.is_none() {
            problems.refuse("id_invalid", "its id is not a 64-bit number that leaves room for others");
        }
        let name = rules::article_name(cell, &mut problems);
        let key = id.map_or_else(|| format!("row {place}"), |id| id.to_string());
        let row = [
            ("row", place.into()),
            ("key", key.clone().into()),
            ("source_id", id.into()),
            ("shown", cell.shown().into()),
            ("name", name.into()),
            ("state", problems.state().into()),
        ];
        self.staging.insert("articles", &row)?;
        self.report("article", place, &key, &cell.shown(), problems)
    }

    /// A membership or a permission: `kind` is `membership`, `user_permission` or `group_permission`.
    pub fn pair(&mut self, kind: &str, key: &Cell, owner: &Cell, other: &Cell) -> Result<(), ImportError> {
        let place = self.place();
        let text = |cell: &Cell| Value::Text(cell.key().unwrap_or_else(|| cell.shown()));
        let row = [
            ("row", place.into()),
            ("key", text(key)),
            ("kind", kind.into()),
            ("owner", text(owner)),
            ("other", text(other)),
        ];
        Ok(self.staging.insert("pairs", &row)?)
    }

    pub fn content_type(&mut self, key: &Cell, app: &Cell, model: &Cell) -> Result<(), ImportError> {
        let row = [("key", key.key().into()), ("app", app.shown().into()), ("model", model.shown().into())];
        Ok(self.staging.insert("content_types", &row)?)
    }

    pub fn permission(&mut self, key: &Cell, content_type: &Cell, codename: &Cell) -> Result<(), ImportError> {
        let row = [
            ("key", key.key().into()),
            ("content_type", content_type.key().into()),
            ("codename", codename.shown().into()),
        ];
        Ok(self.staging.insert("permissions", &row)?)
    }

    /// The largest id that the source ever gave to a `user`, `group` or `article`.
    pub fn last_id(&mut self, model: &str, id: i64) -> Result<(), ImportError> {
        Ok(self.staging.insert("last_ids", &[("model", model.into()), ("id", id.into())])?)
    }

    pub fn entry(&mut self, raw: &RawEntry) -> Result<(), ImportError> {
        let place = self.place();
        let at = raw.at.text().and_then(|text| time::parse(text, self.zone));
        let sound = |cell: &Cell| cell.text().filter(|text| !text.contains('\0')).map(str::to_owned);
        let row = [
            ("row", place.into()),
            ("key", raw.key.key().unwrap_or_else(|| format!("row {place}")).into()),
            ("at", at.map(time::text).into()),
            ("user", raw.user.key().into()),
            ("content_type", raw.content_type.key().into()),
            ("object_id", raw.object_id.integer().into()),
            ("object", sound(&raw.object).into()),
            ("action", raw.action.integer().into()),
            ("message", sound(&raw.message).into()),
            ("state", NEW.into()),
        ];
        Ok(self.staging.insert("log", &row)?)
    }
}
