//! Refused tokens and sign-ins, so that staff can say why somebody does not get in: a [`queue`] that one task writes to
//! the [`table`].

pub mod queue;
pub mod table;

pub use queue::Refusals;
pub use table::{Kind, Who};
