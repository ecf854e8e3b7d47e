//! What the server offers apart from its features.

mod openapi;
mod status;
