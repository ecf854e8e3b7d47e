//! The data of a form's page.

use askama::Template;

use super::conflict::Basis;
use super::field_views::{Input, Section, View};
use super::model_form::ModelForm;
use crate::admin::addresses::Addresses;
use crate::admin::model_admin::{Cell, Options, Panel, Staff};
use crate::admin::pages::Frame;
use crate::admin::row_head::RowHead;
use crate::admin::site::Site;
use crate::db::Connection;
use crate::error::Error;
use crate::users::permissions::Verb;

#[derive(Template)]
#[template(path = "admin/change_form.html")]
pub struct ChangeFormPage {
    pub frame: Frame,
    pub options: &'static Options,
    pub addresses: Addresses,
    pub form: FormContent,
}

pub struct FormContent {
    pub title: String,
    /// `None` for a new row.
    head: Option<RowHead>,
    is_new: bool,
    is_editable: bool,
    /// See [`kept_form`](super::kept_form).
    is_restored: bool,
    /// Why this row is read-only although the user may change others.
    refusal: Option<String>,
    sections: Vec<Section>,
    summary: Vec<(Option<String>, String, String)>,
    basis: Option<Basis>,
    panels: Vec<Panel>,
    has_add_permission: bool,
    has_delete_permission: bool,
}

impl FormContent {
    pub fn of(conn: &mut Connection, site: &Site, staff: &Staff, form: ModelForm) -> Result<FormContent, Error> {
        let (options, model, id) = (form.options, site.get(form.options.slug())?, form.id);
        let has = |verb| options.has_permission(&staff.rights, verb);
        let refusal = match id {
            Some(id) if has(Verb::Change) => model.refusal(conn, Verb::Change, id, staff)?,
            _ => None,
        };
        let is_editable = id.is_none() || (has(Verb::Change) && refusal.is_none());
        let (head, panels) = match id {
            Some(id) => (
                Some(RowHead::of(conn, site, staff, (options, id), "change")?),
                model.panels(conn, &site.options(), id, staff)?,
            ),
            None => (None, Vec::new()),
        };
        let title = head.as_ref().map_or_else(|| format!("Add {}", options.label()), |head| head.title.clone());
        let (values, errors) = (&form.values, &form.errors);
        let view = View { model, site, staff, is_new: id.is_none(), is_editable, values, errors };
        Ok(FormContent {
            title,
            head,
            is_new: id.is_none(),
            is_editable,
            is_restored: form.is_restored,
            refusal,
            sections: view.sections(conn)?,
            summary: view.summary(),
            panels,
            has_add_permission: has(Verb::Add),
            has_delete_permission: id.is_some() && has(Verb::Delete),
            basis: form.basis,
        })
    }

    /// What was typed as a password is never kept.
    fn asks_password(&self) -> bool {
        let inputs = self.sections.iter().flat_map(|section| &section.fields).map(|field| &field.input);
        self.is_restored && inputs.into_iter().any(|input| matches!(input, Input::NewPassword { is_wanted: true, .. }))
    }
}
