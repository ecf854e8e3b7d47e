//! What a feature tells the admin about its model: [`Options`] describes the list and the form, [`ModelAdmin`] loads,
//! saves and deletes with the feature's own model functions.

use std::borrow::Cow;

use diesel::QueryResult;

pub use super::action::{Action, Run};
pub use super::columns::{Cell, Column, Display, Show};
pub use super::filters::{Choice, Choices, Filter, FixedChoice};
pub use super::header::{Header, HeaderAction, Tab};
pub use super::options::{Fieldset, Options, permissions};
pub use super::staff::{IMPORT, Staff, UNDO, new_batch};
pub use super::values::Values;
use crate::db::Connection;
use crate::db::references::Catalog;
use crate::db::rows::Sql;
use crate::error::{Error, FieldErrors};
use crate::users::permissions::{Rights, Verb};

/// Lists, forms, confirmations, history, export and import follow from it.
pub trait ModelAdmin: Restrictions + Send + Sync {
    fn options(&self) -> &'static Options;

    /// `None` if the row does not exist.
    fn load(&self, conn: &mut Connection, id: i64) -> QueryResult<Option<Values>>;

    /// Creates a row (without an `id`) or changes one, and returns its id. `values` has all fields of a row that is
    /// changed, also those that stay as they are; what a new row lacks is empty. Runs in the transaction with the current
    /// rights of `staff`, so it checks what the form alone must not decide. [`Error::Invalid`] names the wrong fields.
    fn save(&self, conn: &mut Connection, id: Option<i64>, values: &Values, staff: &Staff) -> Result<i64, Error>;

    /// `catalog` serves all rows that are deleted in one transaction.
    fn delete(&self, conn: &mut Connection, catalog: &mut Catalog, id: i64, staff: &Staff) -> Result<(), Error>;

    fn choices(&self, _conn: &mut Connection, _models: &[&Options], _field: &str) -> QueryResult<Vec<Choice>> {
        Ok(Vec::new())
    }

    /// Read-only facts that a form shows in addition to its fields. `models` are all registered models.
    fn panels(
        &self,
        _conn: &mut Connection,
        _models: &[&Options],
        _id: i64,
        _staff: &Staff,
    ) -> QueryResult<Vec<Panel>> {
        Ok(Vec::new())
    }

    /// What stands above all pages of a row.
    fn header(&self, _conn: &mut Connection, _id: i64, _staff: &Staff) -> QueryResult<Header> {
        Ok(Header::default())
    }
}

/// What not everybody with the rights of the model may do. Most models restrict nothing more.
pub trait Restrictions {
    /// The rows that a user with these rights may see; `None`: all. `models` are all registered models.
    fn visible(&self, _models: &[&Options], _rights: &Rights) -> Option<Sql> {
        None
    }

    /// Whether `staff` may grant this choice (without choices: this new value). If not, the value stays as it is.
    fn is_grantable(&self, _conn: &mut Connection, _field: &str, _value: &str, _staff: &Staff) -> QueryResult<bool> {
        Ok(true)
    }

    /// Whether an import may give or take this choice; `Err` with a sentence if something else decides.
    fn check_import(&self, _conn: &mut Connection, _field: &str, _value: &str) -> QueryResult<Result<(), String>> {
        Ok(Ok(()))
    }

    /// A sentence: why `staff`, who may change or delete rows of the model, may not do so with this one.
    fn refusal(&self, _conn: &mut Connection, _verb: Verb, _id: i64, _staff: &Staff) -> QueryResult<Option<String>> {
        Ok(None)
    }
}

impl Staff {
    pub fn has_object_permission(
        &self,
        conn: &mut Connection,
        model: &dyn ModelAdmin,
        verb: Verb,
        id: i64,
    ) -> QueryResult<bool> {
        Ok(model.options().has_permission(&self.rights, verb) && model.refusal(conn, verb, id, self)?.is_none())
    }
}

/// Facts about a row that nobody enters, such as its Cognito link.
pub struct Panel {
    pub label: &'static str,
    pub facts: Vec<(Cow<'static, str>, Cell)>,
}

pub fn field_error<T>(field: &'static str, message: impl Into<String>) -> Result<T, Error> {
    Err(FieldErrors::one(field, message).into())
}
