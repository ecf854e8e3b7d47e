//! The URLs of a model's pages. Forms pass on the filters of the list in `?_changelist_filters=`, as in Django.

use super::context::AdminContext;
use super::form_data::FormData;
use super::model_admin::Options;
use super::pages::Frame;
use crate::users::permissions::{Rights, Verb};

const FILTERS: &str = "_changelist_filters";

pub struct Addresses {
    options: &'static Options,
    id: Option<i64>,
    /// The query of the list that the user came from.
    filters: String,
}

impl Addresses {
    pub fn new(cx: &AdminContext, options: &'static Options, id: Option<i64>) -> Addresses {
        let query = FormData::of_query(&cx.request);
        Addresses { options, id, filters: encode(&FormData::parse(query.get(FILTERS).unwrap_or_default().as_bytes())) }
    }

    /// For a page opened from the list itself.
    pub fn of_list(cx: &AdminContext, options: &'static Options) -> Addresses {
        Addresses { options, id: None, filters: encode(&FormData::of_query(&cx.request)) }
    }

    pub fn options(&self) -> &'static Options {
        self.options
    }

    pub fn filters(&self) -> &str {
        &self.filters
    }

    pub fn list(&self) -> String {
        let query = if self.filters.is_empty() { String::new() } else { format!("?{}", self.filters) };
        format!("/admin/{}/{query}", self.options.slug())
    }

    pub fn add(&self) -> String {
        self.keep(format!("/admin/{}/add/", self.options.slug()))
    }

    /// The list if there is no row.
    pub fn change(&self) -> String {
        self.tab("change")
    }

    pub fn delete(&self) -> String {
        self.tab("delete")
    }

    pub fn history(&self) -> String {
        self.tab("history")
    }

    /// A page of the row, by the last part of its URL.
    pub fn tab(&self, name: &str) -> String {
        match self.id {
            Some(id) => self.keep(format!("/admin/{}/{id}/{name}/", self.options.slug())),
            None => self.list(),
        }
    }

    /// A URL that leads back to the same list.
    pub fn keep(&self, address: String) -> String {
        if self.filters.is_empty() {
            return address;
        }
        let separator = if address.contains('?') { '&' } else { '?' };
        format!("{address}{separator}{}", encode(&FormData(vec![(FILTERS.to_owned(), self.filters.clone())])))
    }

    /// The page that the pressed button leads to, or the nearest one that the user may see.
    pub fn after(&self, form: &FormData, rights: &Rights) -> String {
        let has = |verb| self.options.has_permission(rights, verb);
        if form.has("_addanother") && has(Verb::Add) {
            self.add()
        } else if form.has("_continue") && has(Verb::View) {
            self.change()
        } else if has(Verb::View) {
            self.list()
        } else {
            "/admin/".to_owned()
        }
    }

    pub fn frame(&self, cx: &AdminContext, title: impl Into<String>) -> Frame {
        let frame = Frame::new(cx, title, self.options.slug());
        frame.under(self.list(), self.options.heading())
    }
}

fn encode(fields: &FormData) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields.0).finish()
}
