//! The addresses of a model's pages. What a list was filtered by is kept on the way through its forms, as in
//! Django: `?_changelist_filters=`.

use super::context::AdminContext;
use super::form_data::FormData;
use super::model_admin::Options;
use super::pages::Frame;
use crate::users::permissions::{Rights, Verb};

const FILTERS: &str = "_changelist_filters";

/// The addresses of a model, and of one row of it.
pub struct Addresses {
    options: &'static Options,
    id: Option<i64>,
    /// The query of the list that the user came from.
    filters: String,
}

impl Addresses {
    /// For a page about a row, or a new one.
    pub fn new(cx: &AdminContext, options: &'static Options, id: Option<i64>) -> Addresses {
        let query = FormData::parse(cx.request.query_string().as_bytes());
        Addresses { options, id, filters: encode(&FormData::parse(query.get(FILTERS).unwrap_or_default().as_bytes())) }
    }

    /// For a page that a list itself has led to.
    pub fn of_list(cx: &AdminContext, options: &'static Options) -> Addresses {
        Addresses { options, id: None, filters: encode(&FormData::parse(cx.request.query_string().as_bytes())) }
    }

    /// The model.
    pub fn options(&self) -> &'static Options {
        self.options
    }

    /// The list as it was filtered.
    pub fn list(&self) -> String {
        let query = if self.filters.is_empty() { String::new() } else { format!("?{}", self.filters) };
        format!("/admin/{}/{query}", self.options.slug())
    }

    /// The form of a new row.
    pub fn add(&self) -> String {
        self.keep(format!("/admin/{}/add/", self.options.slug()))
    }

    /// The row's form; the list where there is no row.
    pub fn change(&self) -> String {
        self.of_row("change/")
    }

    /// Where the row is deleted.
    pub fn delete(&self) -> String {
        self.of_row("delete/")
    }

    /// The row's history.
    pub fn history(&self) -> String {
        self.of_row("history/")
    }

    /// Where something is done to the row.
    pub fn action(&self) -> String {
        self.of_row("action/")
    }

    fn of_row(&self, page: &str) -> String {
        match self.id {
            Some(id) => self.keep(format!("/admin/{}/{id}/{page}", self.options.slug())),
            None => self.list(),
        }
    }

    fn keep(&self, address: String) -> String {
        if self.filters.is_empty() {
            return address;
        }
        format!("{address}?{}", encode(&FormData(vec![(FILTERS.to_owned(), self.filters.clone())])))
    }

    /// The frame of a page of the model.
    pub fn frame(&self, cx: &AdminContext, title: impl Into<String>) -> Frame {
        let frame = Frame::new(cx, title, self.options.slug());
        frame.under(self.list(), self.options.heading())
    }
}

fn encode(fields: &FormData) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields.0).finish()
}

/// Where the button that was pressed leads, as far as that may be seen.
pub fn redirect_after(addresses: &Addresses, options: &Options, rights: &Rights, form: &FormData) -> String {
    let has = |verb| options.has_permission(rights, verb);
    if form.has("_addanother") && has(Verb::Add) {
        addresses.add()
    } else if form.has("_continue") && has(Verb::View) {
        addresses.change()
    } else if has(Verb::View) {
        addresses.list()
    } else {
        "/admin/".to_owned()
    }
}
