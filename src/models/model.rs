//! A model and its fields, with Django's names.

use std::borrow::Cow;
use std::fmt::Display;

use super::words::{capitalized, spaced};
use crate::db::Connection;
use crate::db::references;
use crate::db::rows::{self, Sql};

/// A model. Its table has an integer `id` and a column for each field.
pub struct Model {
    /// Singular, such as `article`. Used in the history and in permissions.
    pub name: &'static str,
    /// Plural, such as `articles`. Used for the table, the admin's URLs and permissions.
    pub plural: &'static str,
    /// The field whose value is a row's title.
    pub title: &'static str,
    pub fields: &'static [Field],
}

impl Model {
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    pub fn editable(&self) -> impl Iterator<Item = &'static Field> + use<> {
        self.fields.iter().filter(|field| field.is_editable)
    }

    /// The fields that are columns of the table.
    pub fn concrete(&self) -> impl Iterator<Item = &'static Field> + use<> {
        self.fields.iter().filter(|field| field.is_column())
    }

    pub fn verbose_name(&self) -> Cow<'static, str> {
        spaced(self.name)
    }

    pub fn verbose_name_plural(&self) -> Cow<'static, str> {
        spaced(self.plural)
    }

    pub(super) fn columns(&self) -> Vec<&'static str> {
        ["id"].into_iter().chain(self.fields.iter().map(|field| field.name)).collect()
    }

    /// The server calls this at start.
    pub fn check(&self) -> Result<(), String> {
        let fail = |problem: String| Err(format!("model {}: {problem}", self.name));
        if self.title != "id" && self.field(self.title).is_none() {
            return fail(format!("the title field {} does not exist", self.title));
        }
        for (at, field) in self.fields.iter().enumerate() {
            if self.fields[..at].iter().any(|other| other.name == field.name) || field.name == "id" {
                return fail(format!("the field {} is defined twice", field.name));
            }
            if field.is_ordering && field.is_null {
                return fail(format!("{} may be null, so lists cannot be ordered by it", field.name));
            }
        }
        Ok(())
    }

    /// Fails if the table, or the column or the constraint of a field, is missing.
    pub fn check_table(&self, conn: &mut Connection) -> Result<(), String> {
        let fail = |problem: &dyn Display| format!("model {}: {problem}", self.name);
        let columns = self.concrete().map(|field| field.name);
        let columns: Vec<&str> = ["id"].into_iter().chain(columns).collect();
        let read = rows::select(conn, &columns, Sql::new(format!("FROM {} WHERE 1 = 0", self.plural)));
        read.map_err(|error| fail(&error))?;
        for Check { constraint, .. } in self.fields.iter().filter_map(|field| field.check) {
            if !references::has_check(conn, self.plural, constraint).map_err(|error| fail(&error))? {
                return Err(fail(&format!("the table has no CHECK {constraint}")));
            }
        }
        Ok(())
    }

    /// [`Model::check`] for a model whose rows [`Model::create`] makes.
    pub fn check_creatable(&self) -> Result<(), String> {
        self.check()?;
        match self.fields.iter().find(|field| !field.is_editable && field.default.is_none()) {
            Some(field) => Err(format!("model {}: {} is read-only and has no default", self.name, field.name)),
            None => Ok(()),
        }
    }
}

/// A field: a table column, a member of the API's JSON objects, an input of the admin's form and a CSV column.
#[derive(Clone, Copy)]
pub struct Field {
    pub name: &'static str,
    /// If empty, the display name is derived from [`Field::name`].
    label: &'static str,
    /// One sentence that explains what to enter.
    pub help_text: &'static str,
    pub kind: Kind,
    /// `None`: the field is required.
    pub default: Option<Default>,
    /// Only the model's functions set fields that are not editable.
    pub is_editable: bool,
    pub is_null: bool,
    pub is_blank: bool,
    /// For unique values, the form in which they are compared; `None` if there is nothing to compare. The database needs
    /// a `UNIQUE` constraint.
    pub unique_key: Option<fn(&str) -> Option<String>>,
    pub is_searched: bool,
    /// For the API, the table needs an index on the column and `id`.
    pub is_ordering: bool,
    pub check: Option<Check>,
}

/// A rule that concerns several fields. The database enforces it, whoever writes the row.
#[derive(Clone, Copy)]
pub struct Check {
    /// The name of the `CHECK` of the table.
    pub constraint: &'static str,
    /// The error of the field, one sentence.
    pub message: &'static str,
}

#[derive(Clone, Copy)]
pub enum Kind {
    /// One line of text with this maximum length in characters.
    Char(usize),
    Email,
    /// 64 bits.
    Integer,
    Boolean,
    /// UTC, to the microsecond.
    DateTime,
    /// Values with their display names.
    Choice(&'static [(&'static str, &'static str)]),
    ForeignKey(&'static Model),
    /// Several values out of those that the model's admin offers.
    ManyToMany,
    Password,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Default {
    Null,
    Text(&'static str),
    Integer(i64),
    Boolean(bool),
    Now,
    NowAtEachChange,
    Caller,
}

impl Field {
    const fn new(name: &'static str, kind: Kind) -> Field {
        Field {
            name,
            label: "",
            help_text: "",
            kind,
            default: None,
            is_editable: true,
            is_null: false,
            is_blank: false,
            unique_key: None,
            is_searched: false,
            is_ordering: false,
            check: None,
        }
    }

    pub const fn char(name: &'static str, max_length: usize) -> Field {
        Field::new(name, Kind::Char(max_length))
    }

    /// May be left empty.
    pub const fn email(name: &'static str) -> Field {
        Field::new(name, Kind::Email).blank()
    }

    pub const fn integer(name: &'static str) -> Field {
        Field::new(name, Kind::Integer)
    }

    /// False by default.
    pub const fn boolean(name: &'static str) -> Field {
        Field::new(name, Kind::Boolean).default(Default::Boolean(false))
    }

    pub const fn datetime(name: &'static str) -> Field {
        Field::new(name, Kind::DateTime)
    }

    pub const fn choice(name: &'static str, choices: &'static [(&'static str, &'static str)]) -> Field {
        Field::new(name, Kind::Choice(choices))
    }

    pub const fn foreign_key(name: &'static str, to: &'static Model) -> Field {
        Field::new(name, Kind::ForeignKey(to))
    }

    pub const fn many_to_many(name: &'static str) -> Field {
        Field::new(name, Kind::ManyToMany)
    }

    pub const fn password(name: &'static str) -> Field {
        Field::new(name, Kind::Password)
    }

    pub const fn label(self, label: &'static str) -> Field {
        Field { label, ..self }
    }

    pub const fn help_text(self, help_text: &'static str) -> Field {
        Field { help_text, ..self }
    }

    pub const fn default(self, default: Default) -> Field {
        Field { default: Some(default), ..self }
    }

    /// Empty text becomes the default unless another is set.
    pub const fn blank(self) -> Field {
        Field { is_blank: true, ..self }.or_default(Default::Text(""))
    }

    /// NULL becomes the default unless another is set.
    pub const fn null(self) -> Field {
        Field { is_null: true, ..self }.or_default(Default::Null)
    }

    const fn or_default(self, default: Default) -> Field {
        match self.default {
            Some(_) => self,
            None => self.default(default),
        }
    }

    /// A [`Check`].
    pub const fn check(self, constraint: &'static str, message: &'static str) -> Field {
        Field { check: Some(Check { constraint, message }), ..self }
    }

    pub const fn unique(self) -> Field {
        self.unique_by(|value| Some(value.to_owned()))
    }

    /// Requires unique values, compared in this form.
    pub const fn unique_by(self, key: fn(&str) -> Option<String>) -> Field {
        Field { unique_key: Some(key), ..self }
    }

    pub const fn search(self) -> Field {
        Field { is_searched: true, ..self }
    }

    pub const fn order(self) -> Field {
        Field { is_ordering: true, ..self }
    }

    pub const fn read_only(self) -> Field {
        Field { is_editable: false, ..self }
    }

    pub const fn auto_now_add(self) -> Field {
        self.default(Default::Now).read_only()
    }

    pub const fn auto_now(self) -> Field {
        self.default(Default::NowAtEachChange).read_only()
    }

    /// Read-only: the user who creates the row; NULL once that user is deleted.
    pub const fn set_to_caller(self) -> Field {
        self.null().default(Default::Caller).read_only()
    }

    /// Starts with a capital letter, such as `Starts at`.
    pub fn verbose_name(&self) -> Cow<'static, str> {
        if !self.label.is_empty() {
            return self.label.into();
        }
        capitalized(&self.name.replace('_', " ")).into()
    }

    pub fn is_required(&self) -> bool {
        self.is_editable && self.default.is_none()
    }

    /// Whether its values are texts that people type.
    pub fn is_text(&self) -> bool {
        matches!(self.kind, Kind::Char(_) | Kind::Email)
    }

    pub fn is_column(&self) -> bool {
        !matches!(self.kind, Kind::ManyToMany | Kind::Password)
    }
}
