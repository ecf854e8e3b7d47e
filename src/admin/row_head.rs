//! The header and the tabs of a row's pages, as the user may see them.

use std::borrow::Cow;

use super::header::Header;
use super::list::matches::Count;
use super::model_admin::{Options, Staff};
use super::site::{Site, is_reference};
use crate::db::Connection;
use crate::db::rows::Sql;
use crate::error::Error;
use crate::models::Model;
use crate::users::permissions::Verb;

/// Rows that a tab counts.
const CAP: i64 = 1_000;

/// `templates/admin/row.html`
pub struct RowHead {
    pub title: String,
    pub header: Header,
    /// Empty if the form is the only page.
    pub tabs: Vec<TabLink>,
}

pub struct TabLink {
    /// In the URL.
    pub name: &'static str,
    pub label: Cow<'static, str>,
    pub count: Option<Count>,
    pub is_current: bool,
}

impl RowHead {
    /// `current` is the name of a tab; `change` for the form.
    pub fn of(
        conn: &mut Connection,
        site: &Site,
        staff: &Staff,
        (options, id): (&'static Options, i64),
        current: &str,
    ) -> Result<RowHead, Error> {
        let title = options.model.title_of(conn, id)?.ok_or(Error::NoSuchObject(options.name()))?;
        let link = |name: &'static str, label: Cow<'static, str>, count| TabLink {
            name,
            label,
            count,
            is_current: name == current,
        };
        let mut tabs = vec![link("change", "Details".into(), None)];
        for related in site.related(options).filter(|related| related.has_permission(&staff.rights, Verb::View)) {
            let model = site.get(related.slug())?;
            let visible = model.visible(&site.options(), &staff.rights);
            let within = Sql::all([refers_to(related, options.model, id)].into_iter().chain(visible));
            let count = Count::up_to(CAP, conn, related, within)?;
            tabs.push(link(related.slug(), related.heading().into(), Some(count)));
        }
        let declared = options.tabs.iter().filter(|tab| (tab.has_permission)(&staff.rights));
        tabs.extend(declared.map(|tab| link(tab.name, tab.label.into(), None)));
        let mut registered = site.registered_tabs(options).filter(|tab| (tab.has_permission)(&staff.rights)).peekable();
        if registered.peek().is_some()
            && staff.has_object_permission(conn, site.get(options.slug())?, Verb::Change, id)?
        {
            tabs.extend(registered.map(|tab| link(tab.name, tab.label.into(), None)));
        }
        if tabs.len() == 1 {
            tabs.clear();
        }
        Ok(RowHead { title, header: site.get(options.slug())?.header(conn, id, staff)?, tabs })
    }
}

/// The rows of a model that refer to a row of another one.
pub fn refers_to(options: &Options, to: &'static Model, id: i64) -> Sql {
    let mut condition = Sql::new("(1 = 0");
    for field in options.model.fields.iter().filter(|field| is_reference(field.kind, to)) {
        condition.push(&format!(" OR {} = ?", field.name)).bind(id);
    }
    condition.push(")");
    condition
}
