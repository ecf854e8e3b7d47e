//! What a feature tells the admin about its model: [`Options`] describes the list and the form, [`ModelAdmin`] loads,
//! saves and deletes with the feature's own model functions.

use std::borrow::Cow;

use diesel::QueryResult;

pub use super::columns::{Cell, Column, Display, Show};
pub use super::filters::{Choice, Choices, Filter, FixedChoice};
pub use super::header::{Header, HeaderAction, Tab};
pub use super::values::Values;
use crate::crypto::random_token;
use crate::db::Connection;
use crate::db::references::Catalog;
use crate::db::rows::Sql;
use crate::error::{Error, FieldErrors};
use crate::history::{Actor, Source};
use crate::models::words::capitalized;
use crate::models::{Field, Model};
use crate::users::models::{self, User};
use crate::users::permissions::{Rights, Verb, permission};

/// Lists, forms, confirmations, history, export and import follow from it.
pub trait ModelAdmin: Send + Sync {
    fn options(&self) -> &'static Options;

    /// `None` if the row does not exist.
    fn load(&self, conn: &mut Connection, id: i64) -> QueryResult<Option<Values>>;

    /// Creates a row (without an `id`) or changes one, and returns its id. `values` has all fields, also those that stay
    /// as they are. Runs in the transaction with the current rights of `staff`, so it checks what the form alone must not
    /// decide. [`Error::Invalid`] names the wrong fields.
    fn save(&self, conn: &mut Connection, id: Option<i64>, values: &Values, staff: &Staff) -> Result<i64, Error>;

    /// `catalog` serves all rows that are deleted in one transaction.
    fn delete(&self, conn: &mut Connection, catalog: &mut Catalog, id: i64, staff: &Staff) -> Result<(), Error>;

    fn choices(&self, _conn: &mut Connection, _models: &[&Options], _field: &str) -> QueryResult<Vec<Choice>> {
        Ok(Vec::new())
    }

    /// Read-only facts that a form shows in addition to its fields. `models` are all registered models.
    fn panels(
        &self,
        _conn: &mut Connection,
        _models: &[&Options],
        _id: i64,
        _staff: &Staff,
    ) -> QueryResult<Vec<Panel>> {
        Ok(Vec::new())
    }

    /// What stands above all pages of a row.
    fn header(&self, _conn: &mut Connection, _id: i64, _staff: &Staff) -> QueryResult<Header> {
        Ok(Header::default())
    }

    /// The rows that a user with these rights may see; `None`: all. `models` are all registered models.
    fn visible(&self, _models: &[&Options], _rights: &Rights) -> Option<Sql> {
        None
    }

    /// Whether `staff` may grant this choice (without choices: this new value). If not, the value stays as it is.
    fn is_grantable(&self, _conn: &mut Connection, _field: &str, _value: &str, _staff: &Staff) -> QueryResult<bool> {
        Ok(true)
    }

    /// Whether an import may give or take this choice; `Err` with a sentence if something else decides.
    fn check_import(&self, _conn: &mut Connection, _field: &str, _value: &str) -> QueryResult<Result<(), String>> {
        Ok(Ok(()))
    }

    /// A sentence: why `staff`, who may change or delete rows of the model, may not do so with this one.
    fn refusal(&self, _conn: &mut Connection, _verb: Verb, _id: i64, _staff: &Staff) -> QueryResult<Option<String>> {
        Ok(None)
    }
}

/// Field names are those of [`Options::model`].
pub struct Options {
    pub model: &'static Model,
    /// Overrides the model's name, if not empty.
    pub verbose_name: &'static str,
    pub verbose_name_plural: &'static str,
    /// The name of the list; empty: the plural name.
    pub heading: &'static str,
    pub section: &'static str,
    /// Its id in `static/icons.svg`.
    pub icon: &'static str,
    /// What the admin offers, to users with the permission.
    pub verbs: &'static [Verb],
    /// Fields, `id`, or [`Options::displays`]. The first column links to the form.
    pub list_display: &'static [&'static str],
    /// The columns that a list shows until the user chooses others; empty: those of `list_display`.
    pub summary: &'static [&'static str],
    /// Whether a list shows the initials of each title: the rows are people.
    pub has_initials: bool,
    pub displays: &'static [Display],
    /// CSV columns in addition to the list's and the form's.
    pub export: &'static [&'static str],
    pub list_filter: &'static [Filter],
    /// Columns that a search finds by their whole value, in addition to the searched fields.
    pub identifiers: &'static [&'static str],
    /// Column names, with `-` for descending.
    pub ordering: &'static [&'static str],
    /// Empty: all editable fields.
    pub fieldsets: &'static [Fieldset],
    /// In addition to deleting.
    pub actions: &'static [Action],
    pub importable: bool,
    /// Several choices in one cell of a CSV file: the field, and SQL of their labels as [`lines`](super::import::lines)
    /// reads them.
    pub import_lists: &'static [(&'static str, &'static str)],
    /// On the home page: labels, and queries of the list whose rows are counted. Each needs an index.
    pub figures: &'static [(&'static str, &'static str)],
    /// On the home page, a line of rows per day: its label, and the column of the time, which needs an index.
    pub per_day: Option<(&'static str, &'static str)>,
    /// Pages of a row in addition to its form.
    pub tabs: &'static [&'static Tab],
    /// Tables that refer to it and have no model of their own, with labels for their rows.
    pub related: &'static [(&'static str, &'static str)],
}

impl Options {
    pub const fn new(model: &'static Model) -> Options {
        Options {
            model,
            verbose_name: "",
            verbose_name_plural: "",
            heading: "",
            section: "Content",
            icon: "article",
            verbs: Verb::ALL,
            list_display: &[],
            summary: &[],
            has_initials: false,
            displays: &[],
            export: &[],
            list_filter: &[],
            identifiers: &[],
            ordering: &["-id"],
            fieldsets: &[],
            actions: &[],
            importable: false,
            import_lists: &[],
            figures: &[],
            per_day: None,
            tabs: &[],
            related: &[],
        }
    }

    /// In the history and in permissions: `article`.
    pub fn name(&self) -> &'static str {
        self.model.name
    }

    /// In URLs and permissions: `articles`.
    pub fn slug(&self) -> &'static str {
        self.model.plural
    }

    pub fn label(&self) -> Cow<'static, str> {
        if self.verbose_name.is_empty() { self.model.verbose_name() } else { self.verbose_name.into() }
    }

    pub fn label_plural(&self) -> Cow<'static, str> {
        match self.verbose_name_plural {
            "" => self.model.verbose_name_plural(),
            name => name.into(),
        }
    }

    pub fn heading(&self) -> String {
        if self.heading.is_empty() { capitalized(&self.label_plural()) } else { capitalized(self.heading) }
    }

    pub fn permission(&self, verb: Verb) -> String {
        permission(self.model, verb)
    }

    /// False if the admin does not offer it. Users who may change may also view.
    pub fn has_permission(&self, rights: &Rights, verb: Verb) -> bool {
        let has = |verb| self.verbs.contains(&verb) && rights.has(&self.permission(verb));
        has(verb) || (verb == Verb::View && has(Verb::Change))
    }

    /// An id that is not a number belongs to no row.
    pub fn parse_id(&self, text: &str) -> Result<i64, Error> {
        text.parse().map_err(|_| Error::NoSuchObject(self.name()))
    }

    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields().find(|field| field.name == name)
    }

    pub fn fields(&self) -> impl Iterator<Item = &'static Field> + use<> {
        let model = self.model;
        let chosen = self.fieldsets.iter().flat_map(|fieldset| fieldset.fields);
        let chosen = chosen.filter_map(|name| model.field(name));
        let all = model.editable().filter({
            let is_all = self.fieldsets.is_empty();
            move |_| is_all
        });
        chosen.chain(all)
    }

    pub fn form(&self) -> Vec<(&'static Fieldset, Vec<&'static Field>)> {
        const WHOLE: &Fieldset = &Fieldset { label: "", fields: &[], collapse: false };
        if self.fieldsets.is_empty() {
            return vec![(WHOLE, self.fields().collect())];
        }
        let fields = |fieldset: &Fieldset| fieldset.fields.iter().filter_map(|name| self.model.field(name)).collect();
        self.fieldsets.iter().map(|fieldset| (fieldset, fields(fieldset))).collect()
    }

    /// All that a list can show.
    pub fn columns(&self) -> Vec<Column> {
        let mut names: Vec<&'static str> = Vec::new();
        for name in [self.summary, self.list_display, self.export].concat() {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names.into_iter().filter_map(|name| self.column(name)).collect()
    }

    pub fn summary_names(&self) -> &'static [&'static str] {
        if self.summary.is_empty() { self.list_display } else { self.summary }
    }

    pub fn summary(&self) -> Vec<Column> {
        self.summary_names().iter().filter_map(|name| self.column(name)).collect()
    }

    pub fn column(&self, name: &'static str) -> Option<Column> {
        let display = self.displays.iter().find(|display| display.name == name).map(Column::from);
        display
            .or_else(|| (name == "id").then(Column::id))
            .or_else(|| Some(Column::of(self.model, self.model.field(name)?)))
    }

    pub fn searched(&self) -> Vec<&'static str> {
        self.model.fields.iter().filter(|field| field.is_searched).map(|field| field.name).collect()
    }

    pub fn check(&self) -> Result<(), String> {
        if self.verbs.contains(&Verb::Add) {
            self.model.check_creatable()?;
        } else {
            self.model.check()?;
        }
        let columns =
            self.list_display.iter().chain(self.summary).chain(self.export).find(|name| self.column(name).is_none());
        let in_form = self.fieldsets.iter().flat_map(|fieldset| fieldset.fields);
        let field = in_form.copied().find(|name| self.model.field(name).is_none());
        let fail = |problem: String| Err(format!("the admin of {}: {problem}", self.model.plural));
        if let Some(name) = columns.copied().or(field) {
            return fail(format!("the model has no field {name}"));
        }
        let is_ordering =
            |name: &str| name == "id" || self.columns().iter().any(|c| c.name == name && c.order.is_some());
        let ordering = self.ordering.iter().map(|name| name.trim_start_matches('-'));
        if let Some(name) = ordering.clone().find(|name| !is_ordering(name)) {
            return fail(format!("the list has no column {name} that it can be ordered by"));
        }
        match self.list_filter.iter().find_map(|filter| filter.problem(self.model)) {
            Some(problem) => fail(problem),
            None => Ok(()),
        }
    }
}

pub struct Fieldset {
    /// Empty: no heading.
    pub label: &'static str,
    pub fields: &'static [&'static str],
    /// Folded away, unless a field has errors.
    pub collapse: bool,
}

/// An action asks before it changes several rows, and can be undone.
pub struct Action {
    pub name: &'static str,
    /// On the button of a list: `Deactivate selected users`.
    pub label: &'static str,
    /// On the button of a row's header; `None`: not offered there.
    pub form_label: Option<&'static str>,
    /// Follows a number of rows: `deactivated`.
    pub done: &'static str,
    /// An SQL condition for rows that the action would leave as they are, and what they are: `already inactive`.
    pub already: (&'static str, &'static str),
    /// Whether only superusers may do it and undo it. `run` checks it, too.
    pub superusers_only: bool,
    /// Whether it takes something away: a red button.
    pub is_danger: bool,
    pub run: Run,
}

/// Changes a row, in a transaction; `false` if there was nothing to do.
pub enum Run {
    Plain(fn(&mut Connection, i64, &Staff) -> Result<bool, Error>),
    /// With what the user chooses on the page that asks: its label, what it offers, and the action with the value.
    Chosen {
        label: &'static str,
        choices: fn(&mut Connection, &Staff) -> QueryResult<Vec<Choice>>,
        run: fn(&mut Connection, i64, &str, &Staff) -> Result<bool, Error>,
    },
}

impl Action {
    /// The label for certain rows: `Deactivate 3 users`.
    pub fn title(&self, options: &Options, what: &str) -> String {
        self.label.replace(&format!("selected {}", options.label_plural()), what)
    }
}

/// Facts about a row that nobody enters, such as its Cognito link.
pub struct Panel {
    pub label: &'static str,
    pub facts: Vec<(Cow<'static, str>, Cell)>,
}

pub fn permissions(models: &[&Options]) -> Vec<Choice> {
    let of = |options: &&Options| {
        let choice = |verb: &Verb| Choice {
            value: options.permission(*verb),
            label: format!("Can {} {}", verb.as_str(), options.label_plural()),
            group: options.label_plural().into_owned(),
        };
        options.verbs.iter().map(choice).collect::<Vec<_>>()
    };
    models.iter().flat_map(of).collect()
}

/// A user of the admin, with the rights at one moment.
#[derive(Clone, Debug)]
pub struct Staff {
    /// Active and staff; `None` on the command line.
    pub user: Option<User>,
    pub rights: Rights,
    pub batch: Option<String>,
}

/// What the batch of an import or of an undo begins with, for the history. That of an action begins with its name.
pub const IMPORT: &str = "import-";
pub const UNDO: &str = "undo-";

pub fn new_batch(start: &str) -> Result<String, Error> {
    Ok(format!("{start}{}", random_token()?))
}

impl Staff {
    pub fn new(user: User, rights: Rights) -> Staff {
        Staff { user: Some(user), rights, batch: None }
    }

    /// Whoever runs a command: all rights, and no user.
    pub fn command_line() -> Staff {
        Staff { user: None, rights: Rights::all(), batch: None }
    }

    /// An error on the command line.
    pub fn user(&self) -> Result<&User, Error> {
        self.user.as_ref().ok_or(Error::PermissionDenied)
    }

    /// The same user, whose changes belong together.
    pub fn in_batch(&self, batch: String) -> Staff {
        Staff { batch: Some(batch), ..self.clone() }
    }

    pub fn user_id(&self) -> Option<i64> {
        self.user.as_ref().map(|user| user.id)
    }

    /// Call in the transaction of a change: rights may be gone. [`Error::PermissionDenied`] without access to the
    /// admin.
    pub fn find(conn: &mut Connection, id: i64) -> Result<Staff, Error> {
        let user = models::find(conn, id)?.filter(|user| user.is_active && user.is_staff);
        let user = user.ok_or(Error::PermissionDenied)?;
        let rights = Rights::of(conn, &user)?;
        Ok(Staff::new(user, rights))
    }

    pub fn actor(&self) -> Actor {
        let actor = self.user.as_ref().map(|user| user.actor(Source::Admin));
        actor.unwrap_or_else(|| Actor::system(Source::CommandLine)).in_batch(self.batch.clone())
    }

    pub fn check_permission(&self, options: &Options, verb: Verb) -> Result<(), Error> {
        if options.has_permission(&self.rights, verb) { Ok(()) } else { Err(Error::PermissionDenied) }
    }

    pub fn has_object_permission(
        &self,
        conn: &mut Connection,
        model: &dyn ModelAdmin,
        verb: Verb,
        id: i64,
    ) -> QueryResult<bool> {
        Ok(model.options().has_permission(&self.rights, verb) && model.refusal(conn, verb, id, self)?.is_none())
    }
}

pub fn field_error<T>(field: &'static str, message: impl Into<String>) -> Result<T, Error> {
    Err(FieldErrors::one(field, message).into())
}
