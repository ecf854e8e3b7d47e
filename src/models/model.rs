//! A model and its fields, with Django's names.

use std::borrow::Cow;

use super::words::{capitalized, spaced};

/// A model. Its table has an integer `id` and a column for each field.
pub struct Model {
    /// The singular name, such as `article`, used in the history and in permissions.
    pub name: &'static str,
    /// The plural name, such as `articles`, used for the table, the admin's URLs and permissions.
    pub plural: &'static str,
    /// The field whose value is a row's title.
    pub title: &'static str,
    /// The fields in display order.
    pub fields: &'static [Field],
}

impl Model {
    /// The field with this name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The fields that users and API clients can set.
    pub fn editable(&self) -> impl Iterator<Item = &'static Field> + use<> {
        self.fields.iter().filter(|field| field.is_editable)
    }

    /// The fields that are columns of the table.
    pub fn concrete(&self) -> impl Iterator<Item = &'static Field> + use<> {
        self.fields.iter().filter(|field| field.is_column())
    }

    /// The singular display name, such as `article`.
    pub fn verbose_name(&self) -> Cow<'static, str> {
        spaced(self.name)
    }

    /// The plural display name, such as `articles`.
    pub fn verbose_name_plural(&self) -> Cow<'static, str> {
        spaced(self.plural)
    }

    /// The columns of a row, the id first.
    pub(super) fn columns(&self) -> Vec<&'static str> {
        ["id"].into_iter().chain(self.fields.iter().map(|field| field.name)).collect()
    }

    /// Checks the description for mistakes. `Site` and `Router` call this at start.
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
            if !field.is_editable && field.default.is_none() {
                return fail(format!("{} is read-only and has no default", field.name));
            }
        }
        Ok(())
    }
}

/// A field: a table column, a member of the API's JSON objects, an input of the admin's form and a CSV column.
#[derive(Clone, Copy)]
pub struct Field {
    /// The name of the column, JSON member, input and CSV column.
    pub name: &'static str,
    /// The display name; if empty, it is derived from [`Field::name`].
    label: &'static str,
    /// One sentence that explains what to enter.
    pub help_text: &'static str,
    /// The type.
    pub kind: Kind,
    /// The default value; `None`: the field is required.
    pub default: Option<Default>,
    /// Whether users and API clients can set it. The model's functions set the other fields.
    pub is_editable: bool,
    /// Whether it may be NULL.
    pub is_null: bool,
    /// Whether it may be an empty text.
    pub is_blank: bool,
    /// For unique values, the form in which they are compared; `None` if there is nothing to compare. The database needs
    /// a `UNIQUE` constraint.
    pub unique_key: Option<fn(&str) -> Option<String>>,
    /// Whether searches include it.
    pub is_searched: bool,
    /// Whether lists can be ordered by it. The table needs an index on the column and `id`.
    pub is_ordering: bool,
}

/// The type of a field.
#[derive(Clone, Copy)]
pub enum Kind {
    /// One line of text with this maximum number of characters.
    Char(usize),
    /// An e-mail address.
    Email,
    /// A 64-bit integer.
    Integer,
    /// A boolean.
    Boolean,
    /// A time in UTC, to the microsecond.
    DateTime,
    /// One of these values, each with its display name.
    Choice(&'static [(&'static str, &'static str)]),
    /// A reference to a row of another model.
    ForeignKey(&'static Model),
    /// Several values out of those that the model's admin offers.
    ManyToMany,
    /// A password, stored as a hash.
    Password,
}

/// A field's default value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Default {
    /// NULL.
    Null,
    /// This text.
    Text(&'static str),
    /// This number.
    Integer(i64),
    /// A boolean.
    Boolean(bool),
    /// The time of creation.
    Now,
    /// The time of the last change.
    NowAtEachChange,
    /// The user who creates the row.
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
        }
    }

    /// One line of text with at most `max_length` characters.
    pub const fn char(name: &'static str, max_length: usize) -> Field {
        Field::new(name, Kind::Char(max_length))
    }

    /// An e-mail address, which may be left empty.
    pub const fn email(name: &'static str) -> Field {
        Field::new(name, Kind::Email).blank()
    }

    /// A 64-bit integer.
    pub const fn integer(name: &'static str) -> Field {
        Field::new(name, Kind::Integer)
    }

    /// A boolean, false by default.
    pub const fn boolean(name: &'static str) -> Field {
        Field::new(name, Kind::Boolean).default(Default::Boolean(false))
    }

    /// A time in UTC.
    pub const fn datetime(name: &'static str) -> Field {
        Field::new(name, Kind::DateTime)
    }

    /// One of several values, each with its display name.
    pub const fn choice(name: &'static str, choices: &'static [(&'static str, &'static str)]) -> Field {
        Field::new(name, Kind::Choice(choices))
    }

    /// A reference to the `id` of another model's table.
    pub const fn foreign_key(name: &'static str, to: &'static Model) -> Field {
        Field::new(name, Kind::ForeignKey(to))
    }

    /// Several values out of those that the model's admin offers.
    pub const fn many_to_many(name: &'static str) -> Field {
        Field::new(name, Kind::ManyToMany)
    }

    /// A password.
    pub const fn password(name: &'static str) -> Field {
        Field::new(name, Kind::Password)
    }

    /// Sets the display name.
    pub const fn label(self, label: &'static str) -> Field {
        Field { label, ..self }
    }

    /// Sets the sentence that explains what to enter.
    pub const fn help_text(self, help_text: &'static str) -> Field {
        Field { help_text, ..self }
    }

    /// Sets the default value.
    pub const fn default(self, default: Default) -> Field {
        Field { default: Some(default), ..self }
    }

    /// Allows empty text, which is the default where there is no other.
    pub const fn blank(self) -> Field {
        Field { is_blank: true, ..self }.or_default(Default::Text(""))
    }

    /// Allows NULL, which is the default where there is no other.
    pub const fn null(self) -> Field {
        Field { is_null: true, ..self }.or_default(Default::Null)
    }

    const fn or_default(self, default: Default) -> Field {
        match self.default {
            Some(_) => self,
            None => self.default(default),
        }
    }

    /// Requires unique values.
    pub const fn unique(self) -> Field {
        self.unique_by(|value| Some(value.to_owned()))
    }

    /// Requires unique values, compared in this form.
    pub const fn unique_by(self, key: fn(&str) -> Option<String>) -> Field {
        Field { unique_key: Some(key), ..self }
    }

    /// Includes the field in searches.
    pub const fn search(self) -> Field {
        Field { is_searched: true, ..self }
    }

    /// Allows ordering lists by the field.
    pub const fn order(self) -> Field {
        Field { is_ordering: true, ..self }
    }

    /// Makes the field read-only: only the model's functions set it.
    pub const fn read_only(self) -> Field {
        Field { is_editable: false, ..self }
    }

    /// Makes the field read-only and sets it to the time of creation.
    pub const fn auto_now_add(self) -> Field {
        self.default(Default::Now).read_only()
    }

    /// Makes the field read-only and sets it to the time of the last change.
    pub const fn auto_now(self) -> Field {
        self.default(Default::NowAtEachChange).read_only()
    }

    /// Makes the field read-only and sets it to the user who creates the row; NULL once that user is deleted.
    pub const fn set_to_caller(self) -> Field {
        self.null().default(Default::Caller).read_only()
    }

    /// The display name with a capital letter, such as `Starts at`.
    pub fn verbose_name(&self) -> Cow<'static, str> {
        if !self.label.is_empty() {
            return self.label.into();
        }
        capitalized(&self.name.replace('_', " ")).into()
    }

    /// Whether a value is required to create a row.
    pub fn is_required(&self) -> bool {
        self.is_editable && self.default.is_none()
    }

    /// Whether its values are texts that people type.
    pub fn is_text(&self) -> bool {
        matches!(self.kind, Kind::Char(_) | Kind::Email)
    }

    /// Whether it is a column of the model's own table.
    pub fn is_column(&self) -> bool {
        !matches!(self.kind, Kind::ManyToMany | Kind::Password)
    }
}
