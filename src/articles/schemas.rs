//! What the OpenAPI document says of the requests for articles. It comes from the field and the fields to order
//! by, so that their limits are said once.

use std::borrow::Cow;

use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{RefOr, Required};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::models::{NAME, ORDER_FIELDS};
use crate::api::fields::body_schema;
use crate::api::pagination;

/// The body of POST and PUT.
pub(super) struct ArticleFields;

impl PartialSchema for ArticleFields {
    fn schema() -> RefOr<Schema> {
        body_schema(&[NAME], true).into()
    }
}

impl ToSchema for ArticleFields {
    fn name() -> Cow<'static, str> {
        "ArticleFields".into()
    }
}

/// The body of PATCH.
pub(super) struct PatchedArticleFields;

impl PartialSchema for PatchedArticleFields {
    fn schema() -> RefOr<Schema> {
        body_schema(&[NAME], false).into()
    }
}

impl ToSchema for PatchedArticleFields {
    fn name() -> Cow<'static, str> {
        "PatchedArticleFields".into()
    }
}

/// The parameters of the list.
pub(super) struct ListParameters;

impl IntoParams for ListParameters {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        pagination::parameters(ORDER_FIELDS)
    }
}

/// The parameter in an article's address.
pub(super) struct ArticleId;

impl IntoParams for ArticleId {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let schema = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0));
        let id = ParameterBuilder::new().name("id").parameter_in(ParameterIn::Path).required(Required::True);
        vec![id.description(Some("The article's id.")).schema(Some(schema)).build()]
    }
}
