//! The file `.env`. docs/settings.md describes its grammar: values stand for themselves, and nothing is substituted.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::Path;

use super::SETTINGS;
use super::variables::{ConfigError, fail};

const NAME: &str = ".env";

/// Adds the variables of the file, if there is one, to the process's environment, where it lacks them.
pub fn load(path: &Path) -> Result<(), ConfigError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return fail(NAME, error.to_string()),
    };
    let lines: String = parse(&bytes)?.into_iter().map(|(key, value)| quoted(&key, &value)).collect();
    // dotenvy only sets the variables: without unsafe code, nothing else can.
    dotenvy::from_read(lines.as_bytes()).or_else(|error| fail(NAME, error.to_string()))
}

/// A line in which dotenvy finds nothing to substitute.
fn quoted(key: &str, value: &str) -> String {
    let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$");
    format!("{key}=\"{value}\"\n")
}

fn parse(bytes: &[u8]) -> Result<Vec<(String, String)>, ConfigError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut seen = HashMap::new();
    let mut variables = Vec::new();
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let Ok(line) = std::str::from_utf8(line) else {
            return fail(NAME, format!("line {number} is not UTF-8; save the file as UTF-8"));
        };
        let Some((key, value)) = parse_line(line).or_else(|problem| fail(NAME, format!("line {number}{problem}")))?
        else {
            continue;
        };
        if let Some(first) = seen.insert(key.clone(), number) {
            return fail(NAME, format!("line {number}, {key}: line {first} has set it already"));
        }
        variables.push((key, value));
    }
    Ok(variables)
}

/// The variable of a line; `None` for a comment or an empty line. The error does not repeat the value, which may be
/// secret.
fn parse_line(line: &str) -> Result<Option<(String, String)>, String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let line = line.strip_prefix("export ").map_or(line, str::trim_start);
    let Some((key, value)) = line.split_once('=') else {
        let word = line.split_whitespace().next().unwrap_or_default();
        let key = SETTINGS.iter().find(|setting| setting.name == word).map_or("", |setting| setting.name);
        return Err(problem(key, "`=` is missing; write `NAME=value`"));
    };
    let key = key.trim_end();
    let is_key = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte));
    if !is_key {
        return Err(problem("", "what stands before `=` is not a name of letters, digits and `_`"));
    }
    let value = parse_value(value.trim()).map_err(|text| problem(key, text))?;
    if value.contains(|c: char| c.is_control() && c != '\t') {
        return Err(problem(key, "the value has a control character"));
    }
    Ok(Some((key.to_owned(), value)))
}

fn problem(key: &str, text: &str) -> String {
    if key.is_empty() { format!(": {text}") } else { format!(", {key}: {text}") }
}

fn parse_value(text: &str) -> Result<String, &'static str> {
    const END: &str = "text follows the closing quotation mark; only a comment may";
    let (value, rest) = match text.chars().next() {
        Some('\'') => text[1..].split_once('\'').map(|(value, rest)| (value.to_owned(), rest)).ok_or(OPEN)?,
        Some('"') => unquote(&text[1..])?,
        _ => return Ok(without_comment(text).to_owned()),
    };
    if without_comment(rest).is_empty() { Ok(value) } else { Err(END) }
}

const OPEN: &str = "the quotation mark is not closed";

/// A comment begins with `#` after a blank, so that a `#` within a password stays.
fn without_comment(text: &str) -> &str {
    let is_start = |(at, _): &(usize, &str)| *at == 0 || text[..*at].ends_with([' ', '\t']);
    let end = text.match_indices('#').find(is_start).map_or(text.len(), |(at, _)| at);
    text[..end].trim_end()
}

/// What stands before the closing quotation mark, and what follows it. As in a shell, a backslash counts only before
/// the characters that it can escape.
fn unquote(text: &str) -> Result<(String, &str), &'static str> {
    let mut value = String::new();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' => match chars.next_if(|(_, next)| matches!(next, '"' | '\\' | '$' | '`')) {
                Some((_, escaped)) => value.push(escaped),
                None => value.push('\\'),
            },
            c => value.push(c),
        }
    }
    Err(OPEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value_of(line: &str) -> String {
        let parsed = parse(format!("KEY={line}\n").as_bytes()).unwrap_or_else(|error| panic!("{line}: {error}"));
        parsed.into_iter().map(|(_, value)| value).collect()
    }

    #[test]
    fn values_stand_for_themselves() {
        for (line, value) in [
            ("", ""),
            ("plain", "plain"),
            ("  blanks around  \r", "blanks around"),
            ("pa$word", "pa$word"),
            ("${HOME}-$HOME-$", "${HOME}-$HOME-$"),
            ("a\\b\\n$", "a\\b\\n$"),
            ("it's \"so\"", "it's \"so\""),
            ("a=b=c", "a=b=c"),
            ("a#b", "a#b"),
            ("a # a comment", "a"),
            ("# a comment", ""),
            ("'single $HOME \\n \" # '", "single $HOME \\n \" # "),
            ("'single' # a comment", "single"),
            ("\"double $HOME \\n ' # \"", "double $HOME \\n ' # "),
            ("\"\\\"quoted\\\" \\\\ \\$ \\`\"", "\"quoted\" \\ $ `"),
            ("\"\"", ""),
        ] {
            assert_eq!(value_of(line), value, "{line}");
        }
    }

    #[test]
    fn dotenvy_reads_back_what_is_handed_to_it() {
        for value in ["", " a ", "pa$word ${HOME}", "'\"'\"", "a\\", "\\$\\\\\"", "# no comment", "zażółć 🦀"] {
            let line = quoted("KEY", value);
            let read: Vec<_> = dotenvy::from_read_iter(line.as_bytes()).collect::<Result<_, _>>().expect("a line");
            assert_eq!(read, [("KEY".to_owned(), value.to_owned())], "{line}");
        }
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named_by_its_number_and_key_and_not_by_its_value() {
        for (file, expected) in [
            (&b"A=1\nsecret\n"[..], ".env: line 2: `=` is missing; write `NAME=value`"),
            (b"APP_ENV secret\n", ".env: line 1, APP_ENV: `=` is missing; write `NAME=value`"),
            (b"se cret=x\n", ".env: line 1: what stands before `=` is not a name of letters, digits and `_`"),
            (b"\n\nKEY=\"secret\n", ".env: line 3, KEY: the quotation mark is not closed"),
            (b"KEY='secret\n", ".env: line 1, KEY: the quotation mark is not closed"),
            (b"KEY=\"secret\"x\n", ".env: line 1, KEY: text follows the closing quotation mark; only a comment may"),
            (b"KEY=sec\0ret\n", ".env: line 1, KEY: the value has a control character"),
            (b"KEY=a\n#\nexport KEY=secret\n", ".env: line 3, KEY: line 1 has set it already"),
            (b"KEY=a\nOTHER=\xfcsecret\n", ".env: line 2 is not UTF-8; save the file as UTF-8"),
            (b"\xff\xfeK\0E\0Y\0=\0a\0", ".env: line 1 is not UTF-8; save the file as UTF-8"),
        ] {
            assert_eq!(parse(file).expect_err("a broken line").to_string(), expected);
        }
    }

    #[test]
    fn a_byte_order_mark_and_windows_line_ends_do_not_count() {
        let parsed = parse(b"\xef\xbb\xbfA=1\r\n\r\n  export B = 2\r\n").expect("a file");
        assert_eq!(parsed, [("A".to_owned(), "1".to_owned()), ("B".to_owned(), "2".to_owned())]);
    }
}
