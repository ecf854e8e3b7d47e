//! Tags: words for articles.

use gatepost::admin::model_admin::Options;
use gatepost::api::ModelViewSet;
use gatepost::models::{Field, Model};

/// A tag.
pub static TAG: Model = Model {
    name: "tag",
    plural: "tags",
    title: "name",
    fields: &[Field::char("name", 30).unique().search().order().help_text("One word is best.")],
};

/// `/tags/` and `/tags/{id}/`: anyone with a token reads, staff write.
pub static API: ModelViewSet = ModelViewSet::new(&TAG);

/// The admin's list and form.
pub static ADMIN: Options =
    Options { list_display: &["name", "id"], ordering: &["name"], importable: true, ..Options::new(&TAG) };
