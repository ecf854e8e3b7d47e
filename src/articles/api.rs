//! `/articles/` and `/articles/{id}/`.

use super::models::ARTICLE;
use crate::api::{ModelViewSet, Permission};

/// Any authenticated user may create articles; authors and staff may change and delete them.
pub static ARTICLES: ModelViewSet = ModelViewSet {
    fields: &["name"],
    create: Permission::IsAuthenticated,
    change: Permission::IsOwnerOrAdmin("created_by"),
    ..ModelViewSet::new(&ARTICLE)
};
