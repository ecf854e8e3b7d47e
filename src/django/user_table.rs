//! Which table has the users, and which columns.

use super::error::ImportError;

/// Django's names of the columns.
pub const FIELDS: [&str; 10] = [
    "username",
    "email",
    "first_name",
    "last_name",
    "password",
    "is_active",
    "is_staff",
    "is_superuser",
    "last_login",
    "date_joined",
];

/// What the command line says about the table.
#[derive(Clone, Debug, Default)]
pub struct UserTable {
    /// `None`: to be found.
    pub table: Option<String>,
    /// Columns with other names than Django's: the name in Django, then the column.
    pub columns: Vec<(String, String)>,
}

impl UserTable {
    /// The columns in the order of [`FIELDS`]; `None` for those that the table does not have.
    pub fn columns(&self, existing: &[String]) -> Result<[Option<String>; 10], ImportError> {
        let named = |field: &str| self.columns.iter().find(|(name, _)| name == field).map(|(_, column)| column);
        if let Some((_, column)) = self.columns.iter().find(|(_, column)| !existing.contains(column)) {
            let problem =
                format!("the users have no column {}; they have {}", column.escape_debug(), existing.join(", "));
            return Err(ImportError::source(problem));
        }
        let columns = FIELDS.map(|field| match named(field) {
            Some(column) => Some(column.clone()),
            None => existing.iter().find(|column| *column == field).cloned(),
        });
        match (&columns[0], &columns[1]) {
            (None, None) => {
                Err(ImportError::source("the users have neither a username nor an e-mail; see --user-field"))
            }
            _ => Ok(columns),
        }
    }
}
