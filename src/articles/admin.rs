//! Articles in the admin.

use super::models::ARTICLE;
use crate::admin::model_admin::{Choices, Filter, Options};

/// The list and the form of articles.
pub static ARTICLES: Options = Options {
    list_display: &["name", "created_by", "created_at", "updated_at", "id"],
    list_filter: &[
        Filter { name: "created", label: "Created", choices: Choices::Field("created_at") },
        Filter {
            name: "author",
            label: "Author",
            choices: Choices::ForeignKey("created_by", ["With an author", "Without an author"]),
        },
    ],
    importable: true,
    ..Options::new(&ARTICLE)
};
