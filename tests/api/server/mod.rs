//! What the server offers apart from its features.

mod health;
mod listening;
mod logging;
mod openapi;
mod shutdown;
mod status;
