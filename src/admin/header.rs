//! What the pages of a row share: a header, and tabs with URLs of their own.

use actix_web::Route;

use super::columns::Cell;
use crate::users::permissions::Rights;

/// What stands above the pages of a row, next to its name.
#[derive(Default)]
pub struct Header {
    /// A line below the name; empty: none.
    pub lead: String,
    /// The state of the row.
    pub badges: Vec<Cell>,
    pub actions: Vec<HeaderAction>,
}

/// A button that leads to the page of an action.
pub struct HeaderAction {
    pub label: &'static str,
    pub url: String,
    /// Its id in `static/icons.svg`.
    pub icon: &'static str,
    /// The class of the button: empty or `danger`.
    pub kind: &'static str,
}

/// A page of a row in addition to its form. Models that refer to the row have tabs without being declared.
pub struct Tab {
    /// In the URL: `/admin/<slug>/<id>/<name>/`
    pub name: &'static str,
    pub label: &'static str,
    /// In addition to viewing the model. Without both, the handlers are not called.
    pub has_permission: fn(&Rights) -> bool,
    pub allow: &'static str,
    pub routes: fn() -> Vec<Route>,
}
