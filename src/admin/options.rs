//! [`Options`]: how a feature describes the list and the form of its model.

use std::borrow::Cow;

use super::action::Action;
use super::columns::{Column, Display};
use super::filters::{Choice, Filter};
use super::header::Tab;
use super::staff::Staff;
use crate::error::Error;
use crate::models::words::capitalized;
use crate::models::{Field, Model};
use crate::users::permissions::{Rights, Verb, permission};

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
        let all = self.fieldsets.is_empty().then(|| model.editable());
        chosen.chain(all.into_iter().flatten())
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

impl Staff {
    pub fn check_permission(&self, options: &Options, verb: Verb) -> Result<(), Error> {
        if options.has_permission(&self.rights, verb) { Ok(()) } else { Err(Error::PermissionDenied) }
    }
}

pub struct Fieldset {
    /// Empty: no heading.
    pub label: &'static str,
    pub fields: &'static [&'static str],
    /// Folded away, unless a field has errors.
    pub collapse: bool,
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
