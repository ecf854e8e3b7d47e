//! The OpenAPI document of the API (<https://spec.openapis.org/oas/v3.1.0>). [`viewset`] describes the URLs of a
//! [`ModelViewSet`](super::ModelViewSet); other views describe themselves with `#[utoipa::path]`. [`operations`] adds what
//! [`resource`](super::resource()) does around every view, with the [`responses`] that all have in common.

pub mod operations;
pub mod responses;
pub mod viewset;
