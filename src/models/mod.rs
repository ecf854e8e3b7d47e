//! Models: one description of the fields, and everything that follows from it. The API, the admin, imports and exports
//! use the same description and the same functions to create, change and delete rows.
//!
//! | file | what it does | in Django |
//! |---|---|---|
//! | [`model`] | a model and its fields | `models.Model`, `models.CharField`, ... |
//! | [`value`] | field values as text and JSON | `Field.value_to_string` |
//! | [`clean`] | validates input | `Field.clean`, serializer fields |
//! | [`email`] | e-mail addresses | `EmailValidator` |
//! | [`row`] | a row | an instance of the model |
//! | [`list`] | ordered pages of rows | `QuerySet` |
//! | [`save`] | creates, changes and deletes rows, with their history | `Model.save`, `Model.delete` |

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
