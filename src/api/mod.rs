//! Django REST framework's conventions around every view. A view returns compact JSON or an
//! [`Error`](crate::error::Error). [`resource`] adds the rest in Django REST framework's order: renderer,
//! authentication, method, view; then `Allow`, `Vary`, `ETag`, conditional requests and rendering.

mod browsable;
mod endpoint;
pub mod generics;
mod metadata;
pub mod openapi;
pub mod pagination;
pub mod parsers;
pub mod render;
mod resource;
mod tokens;
mod viewset;

pub use browsable::TokenCommand;
pub use endpoint::Endpoint;
pub use resource::{PageSignIn, resource};
pub use viewset::{ModelViewSet, Permission};
