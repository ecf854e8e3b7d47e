//! A form and its row: values, loading and saving.

use std::borrow::Cow;

use diesel::QueryResult;

use super::conflict::{Basis, Conflict, hidden};
use super::field_views::shown;
use super::fields;
use crate::admin::model_admin::{ModelAdmin, Options, Staff, Values};
use crate::admin::site::Site;
use crate::db::Connection;
use crate::error::{Error, FieldErrors};
use crate::history;
use crate::history::deleted_rows;
use crate::users::permissions::Verb;

#[derive(Clone)]
pub struct ModelForm {
    pub options: &'static Options,
    pub id: Option<i64>,
    pub values: Values,
    pub errors: FieldErrors,
    pub basis: Option<Basis>,
    /// The session ended before it could be saved.
    pub is_restored: bool,
}

/// A deleted row, perhaps deleted while its form was open.
pub(super) struct Gone {
    /// The values typed, by label.
    pub(super) typed: Vec<(Cow<'static, str>, String)>,
    /// The same, for a form that adds a row.
    pub(super) hidden: Vec<(String, String)>,
    pub(super) batch: Option<String>,
    pub(super) has_add_permission: bool,
}

pub(super) enum Outcome {
    Saved(i64, String),
    Conflict(Conflict),
    Gone(Gone),
}

impl ModelForm {
    pub(super) fn new(options: &'static Options, id: Option<i64>) -> ModelForm {
        ModelForm {
            options,
            id,
            values: Values::default(),
            errors: FieldErrors::default(),
            basis: None,
            is_restored: false,
        }
    }

    /// [`Gone`] if the row existed.
    pub(super) fn load(
        mut self,
        conn: &mut Connection,
        site: &Site,
        staff: &Staff,
    ) -> Result<Result<ModelForm, Gone>, Error> {
        let (id, options) = (self.id.unwrap_or(0), self.options);
        let model = site.get(options.slug())?;
        let Some(values) = model.load(conn, id)? else {
            return match history::version(conn, options.name(), id)? > 0 {
                true => Ok(Err(gone(conn, model, site, id, staff, &Values::default())?)),
                false => Err(Error::NoSuchObject(options.name())),
            };
        };
        self.values = values;
        self.basis = Some(Basis::of(conn, options, id, self.values.clone())?);
        Ok(Ok(self))
    }

    /// With its own values. [`Gone`] if the row existed.
    pub(super) fn restore(
        self,
        conn: &mut Connection,
        site: &Site,
        staff: &Staff,
    ) -> Result<Result<ModelForm, Gone>, Error> {
        let (Some(id), model) = (self.id, site.get(self.options.slug())?) else { return Ok(Ok(self)) };
        match model.load(conn, id)? {
            Some(_) => Ok(Ok(self)),
            None => Ok(Err(gone(conn, model, site, id, staff, &self.values)?)),
        }
    }

    /// Returns the id and the name. Earlier errors of the form undo this, but only after all other errors are known.
    pub(super) fn create(
        self,
        conn: &mut Connection,
        site: &Site,
        staff: &Staff,
        hash: Option<String>,
    ) -> Result<(i64, String), Error> {
        let model = site.get(self.options.slug())?;
        staff.check_permission(self.options, Verb::Add)?;
        let values = fields::restrict(conn, model, site, staff, &Values::default(), self.values);
        let created = values.and_then(|values| {
            let values = if let Some(hash) = hash { values.with("password", hash) } else { values };
            model.save(conn, None, &values, staff)
        });
        let mut errors = match created {
            Ok(id) if self.errors.0.is_empty() => {
                return Ok((id, self.options.model.title_of(conn, id)?.unwrap_or_default()));
            }
            Ok(_) => FieldErrors::default(),
            Err(Error::Invalid(errors)) => errors,
            Err(error) => return Err(error),
        };
        errors.0.extend(self.errors.0);
        Err(errors.into())
    }

    /// Saves nothing if the row's values differ from the form's basis.
    pub(super) fn update(self, conn: &mut Connection, site: &Site, staff: &Staff) -> Result<Outcome, Error> {
        let ModelForm { options, values, basis, .. } = self;
        let (model, id) = (site.get(options.slug())?, self.id.unwrap_or(0));
        staff.check_permission(options, Verb::Change)?;
        let Some(current) = model.load(conn, id)? else {
            return Ok(Outcome::Gone(gone(conn, model, site, id, staff, &values)?));
        };
        if !staff.has_object_permission(conn, model, Verb::Change, id)? {
            return Err(Error::PermissionDenied);
        }
        let values = fields::restrict(conn, model, site, staff, &current, values)?;
        if let Some(basis) = basis.filter(|basis| basis.is_stale(options, &current)) {
            return Ok(Outcome::Conflict(Conflict::new(conn, model, site, id, &basis, &values, &current)?));
        }
        let id = model.save(conn, Some(id), &values, staff)?;
        Ok(Outcome::Saved(id, options.model.title_of(conn, id)?.unwrap_or_default()))
    }
}

fn gone(
    conn: &mut Connection,
    model: &dyn ModelAdmin,
    site: &Site,
    id: i64,
    staff: &Staff,
    values: &Values,
) -> QueryResult<Gone> {
    let options = model.options();
    let mut typed = Vec::new();
    for field in options.fields().filter(|field| values.has(field.name)) {
        typed.push((field.verbose_name(), shown(conn, model, site, field, values)?.join(", ")));
    }
    let has_add_permission = options.has_permission(&staff.rights, Verb::Add);
    let batch = if has_add_permission { deleted_rows::batch_of(conn, options.name(), id)? } else { None };
    Ok(Gone { typed, hidden: hidden(options, values), batch, has_add_permission })
}
