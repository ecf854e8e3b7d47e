//! `/articles/` and `/articles/{id}/`.

use super::models::ARTICLE;
use crate::api::{ModelViewSet, Permission};

/// Anyone with a token creates articles, their authors and staff change and delete them.
pub static ARTICLES: ModelViewSet = ModelViewSet {
    fields: &["name"],
    create: Permission::IsAuthenticated,
    change: Permission::IsOwnerOrAdmin("created_by"),
    ..ModelViewSet::new(&ARTICLE)
};
