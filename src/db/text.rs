//! Searching texts in queries, without regard to the case of the letters of any alphabet. SQLite's own
//! functions know the case of ASCII only, so its connections get one of ours; PostgreSQL has it from a
//! migration.

use diesel::sql_types::Text;
use diesel::{QueryResult, SqliteConnection};

diesel::define_sql_function! {
    /// Whether every one of the words, which [`join`] has put together, occurs in a text. One call for all
    /// words folds the text only once.
    fn contains_all(text: Text, words: Text) -> Bool;
}

/// Between words; no word of a search holds it. The migrations know it, too.
const SEPARATOR: char = '\u{1f}';

/// Gives a connection the function.
pub fn register(connection: &mut SqliteConnection) -> QueryResult<()> {
    contains_all_utils::register_impl(connection, |text: String, words: String| {
        let text = fold(&text);
        words.split(SEPARATOR).all(|word| text.contains(word))
    })
}

/// The SQL of several texts as one, in which no word is found across two of them.
pub fn concatenated(texts: &[&str]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| format!("coalesce({text}, '')")).collect();
    texts.join(&format!(" || '{SEPARATOR}' || "))
}

/// The words of a search as one argument, without what no text has.
pub fn join(words: &[String]) -> String {
    let folded: Vec<String> = words.iter().map(|word| fold(&word.replace([SEPARATOR, '\0'], ""))).collect();
    folded.join(&SEPARATOR.to_string())
}

/// The text in small letters. Letter by letter, so that a part of a text folds to a part of the folded
/// text; `str::to_lowercase` writes a sigma at a word's end in another way than within it.
fn fold(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_lowercase() } else { text.chars().flat_map(char::to_lowercase).collect() }
}
