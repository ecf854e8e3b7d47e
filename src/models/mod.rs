//! Models: one description of the fields, and everything that follows from it. The API, the admin, imports and exports
//! use the same description and the same functions to create, change and delete rows.

mod bulk;
pub mod clean;
pub mod email;
pub mod list;
pub mod model;
pub mod row;
pub mod save;
pub mod value;
pub mod words;

pub use clean::{CleanedData, Data, Input};
pub use model::{Default, Field, Kind, Model};
pub use row::Row;
