//! Text in queries: [`lower`], which SQLite's own does for ASCII letters only.

use diesel::QueryResult;
use diesel::sql_types::Text;

use super::Connection;

diesel::define_sql_function! {
    /// SQL's `lower`, for the letters of all alphabets. What it is compared with has to come from [`fold`].
    fn lower(text: Text) -> Text;
}

/// Puts a connection's `lower` in the place of SQLite's own.
pub fn register(connection: &mut Connection) -> QueryResult<()> {
    lower_utils::register_impl(connection, |text: String| fold(&text))
}

/// The text in small letters. Letter by letter, so that a part of a text folds to a part of the folded
/// text; `str::to_lowercase` writes a sigma at a word's end in another way than within it.
pub fn fold(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_lowercase() } else { text.chars().flat_map(char::to_lowercase).collect() }
}
