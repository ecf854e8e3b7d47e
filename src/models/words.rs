//! Display names, derived from the names of fields and models.

use std::borrow::Cow;

/// Capitalizes each word.
pub fn capitalized_words(text: &str) -> String {
    text.split(' ').map(capitalized).collect::<Vec<_>>().join(" ")
}

/// Capitalizes the first letter.
pub fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Replaces underscores by spaces.
pub fn spaced(name: &'static str) -> Cow<'static, str> {
    if name.contains('_') { name.replace('_', " ").into() } else { name.into() }
}

/// A name with its indefinite article: `an article`, `a tag`.
pub fn with_article(name: &str) -> String {
    let article = if name.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {name}")
}
