//! What a feature says of its model so that the admin can look after it: [`Options`] describes the list and
//! the form, [`ModelAdmin`] loads, saves and deletes by the feature's own model functions.

use std::borrow::Cow;

use diesel::QueryResult;

pub use super::columns::{Cell, Column, Display, Show};
pub use super::filters::{Choice, Choices, Filter, FixedChoice};
pub use super::values::Values;
use crate::db::Connection;
use crate::db::rows::Sql;
use crate::error::{Error, FieldErrors};
use crate::history::{Actor, Source};
use crate::models::words::capitalized;
use crate::models::{Field, Model};
use crate::users::models::{self, User};
use crate::users::permissions::{Rights, Verb, permission};

/// A model's side of the admin. Lists, forms, confirmations, history, export and import follow from it.
pub trait ModelAdmin: Send + Sync {
    /// How the model is called and shown.
    fn options(&self) -> &'static Options;

    /// The values of a row's form fields; `None` where there is no such row.
    fn load(&self, conn: &mut Connection, id: i64) -> QueryResult<Option<Values>>;

    /// Creates a row (without an `id`) or changes one, and returns its id. Whatever the form must not decide
    /// alone is checked here, within the transaction: `staff` are the rights of now. [`Error::Invalid`] names
    /// the fields that are wrong.
    fn save(&self, conn: &mut Connection, id: Option<i64>, values: &Values, staff: &Staff) -> Result<i64, Error>;

    /// Deletes a row.
    fn delete(&self, conn: &mut Connection, id: i64, staff: &Staff) -> Result<(), Error>;

    /// What may be chosen in a field of several choices.
    fn choices(&self, _conn: &mut Connection, _models: &[&Options], _field: &str) -> QueryResult<Vec<Choice>> {
        Ok(Vec::new())
    }

    /// What a form shows of a row beside its fields, in panels.
    fn panels(&self, _conn: &mut Connection, _id: i64, _staff: &Staff) -> QueryResult<Vec<Panel>> {
        Ok(Vec::new())
    }

    /// What holds for some rows and not for others.
    fn restrictions(&self) -> Option<&dyn Restrictions> {
        None
    }
}

/// What holds for some rows of a model and not for others.
pub trait Restrictions {
    /// The rows that somebody with these rights may see; `None`: all. `models` are all that are registered.
    fn visible(&self, _models: &[&Options], _rights: &Rights) -> Option<Sql> {
        None
    }

    /// Whether `staff` may give this: one of the choices of a field, or, where it has none, the field's other
    /// value. What they may not give stays as it is.
    fn is_grantable(&self, _conn: &mut Connection, _field: &str, _value: &str, _staff: &Staff) -> QueryResult<bool> {
        Ok(true)
    }

    /// Why `staff`, who may change or delete rows of the model, may not do it to this one: a sentence.
    fn refusal(&self, _conn: &mut Connection, _verb: Verb, _id: i64, _staff: &Staff) -> QueryResult<Option<String>> {
        Ok(None)
    }
}

/// [`Restrictions`], where there are any.
impl dyn ModelAdmin + '_ {
    /// [`Restrictions::visible`]
    pub fn visible(&self, models: &[&Options], rights: &Rights) -> Option<Sql> {
        self.restrictions()?.visible(models, rights)
    }

    /// [`Restrictions::is_grantable`]
    pub fn is_grantable(&self, conn: &mut Connection, field: &str, value: &str, staff: &Staff) -> QueryResult<bool> {
        self.restrictions().map_or(Ok(true), |restrictions| restrictions.is_grantable(conn, field, value, staff))
    }

    /// [`Restrictions::refusal`]
    pub fn refusal(&self, conn: &mut Connection, verb: Verb, id: i64, staff: &Staff) -> QueryResult<Option<String>> {
        self.restrictions().map_or(Ok(None), |restrictions| restrictions.refusal(conn, verb, id, staff))
    }
}

/// How a model is shown. Names of fields are those of [`Options::model`].
pub struct Options {
    /// The model.
    pub model: &'static Model,
    /// Another name for one row than the model's: `change`; empty: none.
    pub verbose_name: &'static str,
    /// The same for several rows.
    pub verbose_name_plural: &'static str,
    /// The name of its list; empty: that of several rows.
    pub heading: &'static str,
    /// The heading it stands under in the navigation.
    pub section: &'static str,
    /// The icon's name: `static/icons/<icon>.svg`.
    pub icon: &'static str,
    /// What can be done here.
    pub verbs: &'static [Verb],
    /// The columns of the list: fields, `id`, or [`Options::displays`]. The first leads to the form.
    pub list_display: &'static [&'static str],
    /// Columns that are no fields.
    pub displays: &'static [Display],
    /// Columns of a CSV file beside those of the list and the fields of the form.
    pub export: &'static [&'static str],
    /// Filters of the list.
    pub list_filter: &'static [Filter],
    /// The order of the list: names of columns, `-` before those that descend.
    pub ordering: &'static [&'static str],
    /// The form; empty: all fields that can be edited.
    pub fieldsets: &'static [Fieldset],
    /// What can be done to rows beside deleting them.
    pub actions: &'static [Action],
    /// Whether rows come from CSV files, too.
    pub importable: bool,
    /// Tables that refer to it and have no model of their own, and what their rows are called.
    pub related: &'static [(&'static str, &'static str)],
}

impl Options {
    /// What holds where nothing else is said.
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
            displays: &[],
            export: &[],
            list_filter: &[],
            ordering: &["-id"],
            fieldsets: &[],
            actions: &[],
            importable: false,
            related: &[],
        }
    }

    /// Its name in the history and in permissions: `article`.
    pub fn name(&self) -> &'static str {
        self.model.name
    }

    /// Its name in URLs and permissions: `articles`.
    pub fn slug(&self) -> &'static str {
        self.model.plural
    }

    /// One row, for people: `article`.
    pub fn label(&self) -> Cow<'static, str> {
        if self.verbose_name.is_empty() { self.model.verbose_name() } else { self.verbose_name.into() }
    }

    /// Several rows, for people: `articles`.
    pub fn label_plural(&self) -> Cow<'static, str> {
        match self.verbose_name_plural {
            "" => self.model.verbose_name_plural(),
            name => name.into(),
        }
    }

    /// The name of its list, with a capital letter.
    pub fn heading(&self) -> String {
        if self.heading.is_empty() { capitalized(&self.label_plural()) } else { capitalized(self.heading) }
    }

    /// The name of a permission on this model, as Django names it.
    pub fn permission(&self, verb: Verb) -> String {
        permission(self.model, verb)
    }

    /// Whether `rights` allow this, where the admin offers it at all. Whoever may change may view.
    pub fn has_permission(&self, rights: &Rights, verb: Verb) -> bool {
        let has = |verb| self.verbs.contains(&verb) && rights.has(&self.permission(verb));
        has(verb) || (verb == Verb::View && has(Verb::Change))
    }

    /// The id in an address, or the error that there is no such row.
    pub fn parse_id(&self, text: &str) -> Result<i64, Error> {
        text.parse().map_err(|_| Error::NoSuchObject(self.name()))
    }

    /// The field of the form with this name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields().find(|field| field.name == name)
    }

    /// All fields of the form.
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

    /// The form in its parts: each heading, and its fields.
    pub fn form(&self) -> Vec<(&'static str, Vec<&'static Field>)> {
        if self.fieldsets.is_empty() {
            return vec![("", self.fields().collect())];
        }
        let part = |fieldset: &Fieldset| {
            (fieldset.label, fieldset.fields.iter().filter_map(|name| self.model.field(name)).collect())
        };
        self.fieldsets.iter().map(part).collect()
    }

    /// The columns of the list.
    pub fn columns(&self) -> Vec<Column> {
        self.list_display.iter().filter_map(|name| self.column(name)).collect()
    }

    /// The column with this name.
    pub fn column(&self, name: &'static str) -> Option<Column> {
        let display = self.displays.iter().find(|display| display.name == name).map(Column::from);
        display
            .or_else(|| (name == "id").then(Column::id))
            .or_else(|| Some(Column::of(self.model, self.model.field(name)?)))
    }

    /// The columns of the texts that a search looks into.
    pub fn searched(&self) -> Vec<&'static str> {
        self.model.fields.iter().filter(|field| field.is_searched).map(|field| field.name).collect()
    }

    /// What is wrong with the description, for who wrote it.
    pub fn check(&self) -> Result<(), String> {
        self.model.check()?;
        let columns = self.list_display.iter().chain(self.export).find(|name| self.column(name).is_none());
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

/// A part of a form.
pub struct Fieldset {
    /// Its heading; empty: none.
    pub label: &'static str,
    /// The names of its fields.
    pub fields: &'static [&'static str],
}

/// Something to do to rows.
pub struct Action {
    /// What is sent.
    pub name: &'static str,
    /// On the button, for rows of a list: `Deactivate selected users`.
    pub label: &'static str,
    /// On the button of one row's form, where it is offered there, too.
    pub form_label: Option<&'static str>,
    /// What has been done, after a number of rows: `deactivated`.
    pub done: &'static str,
    /// Does it to a row; `false` where there was nothing to do.
    pub run: fn(&mut Connection, i64, &Staff) -> Result<bool, Error>,
}

/// Facts of a row that are not entered, such as its Cognito link.
pub struct Panel {
    /// Its heading.
    pub label: &'static str,
    /// The facts by name.
    pub facts: Vec<(Cow<'static, str>, Cell)>,
    /// Names of the [`Options::actions`] that belong to them.
    pub actions: Vec<&'static str>,
}

/// Every permission that there is on these models.
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

/// Who works in the admin, with the rights of a moment.
#[derive(Clone, Debug)]
pub struct Staff {
    /// The user, active and staff; `None` on the command line.
    pub user: Option<User>,
    /// What they may do.
    pub rights: Rights,
    /// What all that they delete comes back as, if together.
    pub batch: Option<String>,
}

impl Staff {
    /// A user who has signed in.
    pub fn new(user: User, rights: Rights) -> Staff {
        Staff { user: Some(user), rights, batch: None }
    }

    /// Whoever runs a command: all rights, and no user.
    pub fn command_line() -> Staff {
        Staff { user: None, rights: Rights::all(), batch: None }
    }

    /// The user. The command line is none.
    pub fn user(&self) -> Result<&User, Error> {
        self.user.as_ref().ok_or(Error::PermissionDenied)
    }

    /// The user's id, if there is a user.
    pub fn user_id(&self) -> Option<i64> {
        self.user.as_ref().map(|user| user.id)
    }

    /// Reads a user anew; who may not enter the admin is [`Error::PermissionDenied`]. To be called in the
    /// transaction of a change: rights may be gone since the request came.
    pub fn find(conn: &mut Connection, id: i64) -> Result<Staff, Error> {
        let user = models::find(conn, id)?.filter(|user| user.is_active && user.is_staff);
        let user = user.ok_or(Error::PermissionDenied)?;
        let rights = Rights::of(conn, &user)?;
        Ok(Staff::new(user, rights))
    }

    /// For the history.
    pub fn actor(&self) -> Actor {
        let actor = self.user.as_ref().map(|user| user.actor(Source::Admin));
        actor.unwrap_or_else(|| Actor::system(Source::CommandLine)).in_batch(self.batch.clone())
    }

    /// Fails unless the rights allow this.
    pub fn check_permission(&self, options: &Options, verb: Verb) -> Result<(), Error> {
        if options.has_permission(&self.rights, verb) { Ok(()) } else { Err(Error::PermissionDenied) }
    }

    /// Whether the rights allow this for one row.
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

/// An error of one field of a form.
pub fn field_error<T>(field: &'static str, message: impl Into<String>) -> Result<T, Error> {
    Err(FieldErrors::one(field, message).into())
}
