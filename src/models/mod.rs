//! What a model is: its fields, said once, and everything that follows from them alone. The API, the admin, imports and
//! exports read the same description, and call the same functions to create, change and delete rows.
//!
//! | file | what it does | in Django |
//! |---|---|---|
//! | [`model`] | a model and its fields | `models.Model`, `models.CharField`, ... |
//! | [`value`] | what a field holds, as text and as JSON | `Field.value_to_string` |
//! | [`clean`] | what callers send, and what is wrong with it | `Field.clean`, serializer fields |
//! | [`row`] | a row | an instance of the model |
//! | [`list`] | pages of rows, in an order | `QuerySet` |
//! | [`save`] | creates, changes and deletes rows, with their history | `Model.save`, `Model.delete` |

pub mod clean;
pub mod list;
pub mod model;
pub mod row;
pub mod save;
pub mod value;
pub mod words;

pub use clean::{CleanedData, Data, Input};
pub use model::{Default, Field, Kind, Model};
pub use row::Row;
