//! A model and its fields, by the names that Django gives them.

use std::borrow::Cow;

use super::words::{capitalized, spaced};

/// A model: what its rows are called and what they hold. The table has an integer `id` and a column for each field.
pub struct Model {
    /// One row: `article`. The history and permissions know it by this name.
    pub name: &'static str,
    /// All rows: `articles`. The table, the admin's URLs and permissions have this name.
    pub plural: &'static str,
    /// The column that names a row for people.
    pub title: &'static str,
    /// The fields, in the order in which they are shown.
    pub fields: &'static [Field],
}

impl Model {
    /// The field with this name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The fields that people and programs set.
    pub fn editable(&self) -> impl Iterator<Item = &'static Field> + use<> {
        self.fields.iter().filter(|field| field.is_editable)
    }

    /// The fields that are columns of the table.
    pub fn concrete(&self) -> impl Iterator<Item = &'static Field> + use<> {
        self.fields.iter().filter(|field| field.is_column())
    }

    /// The name of one row for people: `article`.
    pub fn verbose_name(&self) -> Cow<'static, str> {
        spaced(self.name)
    }

    /// The name of several rows for people: `articles`.
    pub fn verbose_name_plural(&self) -> Cow<'static, str> {
        spaced(self.plural)
    }

    /// The columns of a row, the id first.
    pub(super) fn columns(&self) -> Vec<&'static str> {
        ["id"].into_iter().chain(self.fields.iter().map(|field| field.name)).collect()
    }

    /// What is wrong with the description, for who wrote it; see `Site` and `Router`, which ask at the start.
    pub fn check(&self) -> Result<(), String> {
        let fail = |problem: String| Err(format!("model {}: {problem}", self.name));
        if self.title != "id" && self.field(self.title).is_none() {
            return fail(format!("there is no field {}, which is to name rows", self.title));
        }
        for (at, field) in self.fields.iter().enumerate() {
            if self.fields[..at].iter().any(|other| other.name == field.name) || field.name == "id" {
                return fail(format!("the field {} is there twice", field.name));
            }
            if field.is_ordering && field.is_null {
                return fail(format!("{} may hold nothing, so lists cannot be ordered by it", field.name));
            }
            if !field.is_editable && field.default.is_none() {
                return fail(format!("nobody sets {}, and it has no default", field.name));
            }
        }
        Ok(())
    }
}

/// A field: a column of the table, a member of the API's objects, an input of the admin's form and a column of its files.
#[derive(Clone, Copy)]
pub struct Field {
    /// Its name, everywhere.
    pub name: &'static str,
    /// Its name for people; empty: made from [`Field::name`].
    label: &'static str,
    /// One sentence for people who fill it in.
    pub help_text: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// What it holds when nothing is said; `None`: something has to be said.
    pub default: Option<Default>,
    /// Whether people and programs set it. The others are set by the model's functions.
    pub is_editable: bool,
    /// Whether it may hold nothing.
    pub is_null: bool,
    /// Whether no two rows may hold the same. The table needs a `UNIQUE` column.
    pub is_unique: bool,
    /// Whether searches look into it.
    pub is_searched: bool,
    /// Whether lists can be ordered by it. The table needs an index on the column and `id`.
    pub is_ordering: bool,
}

/// What a field holds.
#[derive(Clone, Copy)]
pub enum Kind {
    /// One line of text, of at most so many characters.
    Char(usize),
    /// An e-mail address.
    Email,
    /// A whole number of 64 bits.
    Integer,
    /// Yes or no.
    Boolean,
    /// A time in UTC, to the microsecond.
    DateTime,
    /// One of these: the value, and its name for people.
    Choice(&'static [(&'static str, &'static str)]),
    /// A row of another model, or none where the field may hold nothing.
    ForeignKey(&'static Model),
    /// Several texts, which the model's own admin offers.
    ManyToMany,
    /// A password, of which the database has a hash.
    Password,
}

/// What a field holds when nothing is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Default {
    /// Nothing.
    Null,
    /// This text.
    Text(&'static str),
    /// This number.
    Integer(i64),
    /// Yes or no.
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
            is_unique: false,
            is_searched: false,
            is_ordering: false,
        }
    }

    /// One line of text, of at most `max_length` characters.
    pub const fn char(name: &'static str, max_length: usize) -> Field {
        Field::new(name, Kind::Char(max_length))
    }

    /// An e-mail address, which may be left empty.
    pub const fn email(name: &'static str) -> Field {
        Field::new(name, Kind::Email).blank()
    }

    /// A whole number.
    pub const fn integer(name: &'static str) -> Field {
        Field::new(name, Kind::Integer)
    }

    /// Yes or no; no, where nothing is said.
    pub const fn boolean(name: &'static str) -> Field {
        Field::new(name, Kind::Boolean).default(Default::Boolean(false))
    }

    /// A time in UTC.
    pub const fn datetime(name: &'static str) -> Field {
        Field::new(name, Kind::DateTime)
    }

    /// One of several values, each with its name for people.
    pub const fn choice(name: &'static str, choices: &'static [(&'static str, &'static str)]) -> Field {
        Field::new(name, Kind::Choice(choices))
    }

    /// A row of another model. The column refers to that table's `id`.
    pub const fn foreign_key(name: &'static str, to: &'static Model) -> Field {
        Field::new(name, Kind::ForeignKey(to))
    }

    /// Several of what the model's own admin offers.
    pub const fn many_to_many(name: &'static str) -> Field {
        Field::new(name, Kind::ManyToMany)
    }

    /// A password.
    pub const fn password(name: &'static str) -> Field {
        Field::new(name, Kind::Password)
    }

    /// Gives it another name for people.
    pub const fn label(self, label: &'static str) -> Field {
        Field { label, ..self }
    }

    /// Adds a sentence for people who fill it in.
    pub const fn help_text(self, help_text: &'static str) -> Field {
        Field { help_text, ..self }
    }

    /// What it holds when nothing is said.
    pub const fn default(self, default: Default) -> Field {
        Field { default: Some(default), ..self }
    }

    /// It may be an empty text.
    pub const fn blank(self) -> Field {
        self.default(Default::Text(""))
    }

    /// It may hold nothing.
    pub const fn null(self) -> Field {
        Field { is_null: true, ..self }.default(Default::Null)
    }

    /// No two rows hold the same.
    pub const fn unique(self) -> Field {
        Field { is_unique: true, ..self }
    }

    /// Searches look into it.
    pub const fn search(self) -> Field {
        Field { is_searched: true, ..self }
    }

    /// Lists can be ordered by it.
    pub const fn order(self) -> Field {
        Field { is_ordering: true, ..self }
    }

    /// Nobody sets it but the model's functions.
    pub const fn read_only(self) -> Field {
        Field { is_editable: false, ..self }
    }

    /// The time of creation. Nobody sets it.
    pub const fn auto_now_add(self) -> Field {
        self.default(Default::Now).read_only()
    }

    /// The time of the last change. Nobody sets it.
    pub const fn auto_now(self) -> Field {
        self.default(Default::NowAtEachChange).read_only()
    }

    /// The user who creates the row, and nothing once that user is deleted. Nobody sets it.
    pub const fn set_to_caller(self) -> Field {
        self.null().default(Default::Caller).read_only()
    }

    /// Its name for people, with a capital letter: `Starts at`.
    pub fn verbose_name(&self) -> Cow<'static, str> {
        if !self.label.is_empty() {
            return self.label.into();
        }
        capitalized(&self.name.replace('_', " ")).into()
    }

    /// Whether something has to be said of it when a row is created.
    pub fn is_required(&self) -> bool {
        self.is_editable && self.default.is_none()
    }

    /// Whether it may be an empty text.
    pub fn is_blank(&self) -> bool {
        self.default == Some(Default::Text(""))
    }

    /// Whether it is a column of the model's own table.
    pub fn is_column(&self) -> bool {
        !matches!(self.kind, Kind::ManyToMany | Kind::Password)
    }
}
