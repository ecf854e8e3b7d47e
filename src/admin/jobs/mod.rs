//! Jobs: work that outlives its request. An import is one, and so is an action or an undo on many rows.

pub mod job;
pub mod page;
pub mod parts;
