//! Case-insensitive text search for all alphabets. SQLite's own functions only know ASCII case, so its connections get
//! a custom function; on PostgreSQL a migration creates it.

use diesel::sql_types::Text;
use diesel::{QueryResult, SqliteConnection};

diesel::define_sql_function! {
    /// Whether `text` contains all of `words`, which [`join`] has joined. One call folds the text only once.
    fn contains_all(text: Text, words: Text) -> Bool;
}

/// No search word contains it. The migrations use it too.
const SEPARATOR: char = '\u{1f}';

pub fn register(connection: &mut SqliteConnection) -> QueryResult<()> {
    contains_all_utils::register_impl(connection, |text: String, words: String| {
        let text = fold(&text);
        words.split(SEPARATOR).all(|word| text.contains(word))
    })
}

/// No word matches across two texts.
pub fn concatenated(texts: &[&str]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| format!("coalesce({text}, '')")).collect();
    texts.join(&format!(" || '{SEPARATOR}' || "))
}

/// The longest word comes first: PostgreSQL finds rows by an index on its first one.
pub fn join(words: &[String]) -> String {
    let mut folded: Vec<String> = words.iter().map(|word| fold(&word.replace([SEPARATOR, '\0'], ""))).collect();
    folded.sort_by_key(|word| std::cmp::Reverse(word.len()));
    folded.join(&SEPARATOR.to_string())
}

/// By character, so that a substring folds to a substring: `str::to_lowercase` treats a final sigma differently.
fn fold(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_lowercase() } else { text.chars().flat_map(char::to_lowercase).collect() }
}
