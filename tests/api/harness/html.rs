//! What a page shows.

/// The parts of a page between two texts, however often they come.
pub fn between<'a>(html: &'a str, begin: &str, end: &str) -> Vec<&'a str> {
    html.split(begin).skip(1).map(|rest| rest.split(end).next().unwrap_or_default()).collect()
}

/// The names of a list's rows, which their first cells are.
pub fn names(html: &str) -> Vec<String> {
    let rows = between(html, "\n<th><a href=\"", "</a>");
    rows.iter().map(|row| row.split_once('>').expect("a link").1.to_owned()).collect()
}

/// The address of the link with this text in it.
#[track_caller]
pub fn link(html: &str, text: &str) -> String {
    let links = between(html, "<a ", "</a>");
    let found = links.iter().find(|link| link.split_once('>').is_some_and(|(_, shown)| shown.contains(text)));
    let found = found.unwrap_or_else(|| panic!("no link {text}: {links:?}"));
    unescape(between(found, "href=\"", "\"")[0])
}

/// The choices of a filter: label and count.
#[track_caller]
pub fn facet(html: &str, label: &str) -> Vec<String> {
    let sections = between(html, "<section aria-labelledby=\"filter-", "</section>");
    let section = sections.iter().find(|section| section.contains(&format!(">{label}</h2>")));
    let choices = between(section.unwrap_or_else(|| panic!("no filter {label}")), "<li>", "</li>");
    choices.iter().map(|choice| between(choice, "<span>", "</span>").join(" ")).collect()
}

/// The count above a list.
pub fn count(html: &str) -> &str {
    between(html, "data-result-count>", "<")[0]
}

/// A text of a page as it is read.
pub fn unescape(text: &str) -> String {
    let signs = [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")];
    signs.iter().fold(text.to_owned(), |text, (written, sign)| text.replace(written, sign))
}
