//! Multipart forms (RFC 7578, and RFC 2046, section 5.1) that are in memory as a whole.

use actix_web::http::header::{ContentDisposition, DispositionType, HeaderValue};

/// One field of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// The field's name.
    pub name: String,
    /// Whether it is a file and not a text.
    pub is_file: bool,
    /// What was entered.
    pub content: &'a [u8],
}

/// Takes a body apart, or says what is wrong with it.
pub fn parse<'a>(boundary: &str, body: &'a [u8]) -> Result<Vec<Part<'a>>, &'static str> {
    let delimiter = format!("\r\n--{boundary}");
    let delimiter = delimiter.as_bytes();
    let mut parts = Vec::new();
    // What comes before the first delimiter says nothing. At the body's begin its line break may be missing.
    let mut rest = match body.strip_prefix(&delimiter[2..]) {
        Some(rest) => rest,
        None => split(body, delimiter).ok_or("the boundary does not occur")?.1,
    };
    // Two hyphens after a delimiter make it the last one; what comes behind says nothing.
    while !rest.starts_with(b"--") {
        let padding = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        // The line break of the delimiter's own line stays, so that a part without headers has its empty line.
        let line_end = &rest[padding..];
        if !line_end.starts_with(b"\r\n") {
            return Err("there is something else on a boundary's line");
        }
        let (head, content) = split(line_end, b"\r\n\r\n").ok_or("a part's headers do not end")?;
        // The line break before a delimiter is the delimiter's, not the content's.
        let (content, next) = split(content, delimiter).ok_or("the last boundary is missing")?;
        parts.push(part(head, content)?);
        rest = next;
    }
    Ok(parts)
}

/// What comes before and behind `separator`, which begins with a carriage return. A boundary holds none, so
/// whatever the bytes are, none of them is looked at more than a few times.
fn split<'a>(bytes: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let mut at = 0;
    while let Some(skip) = bytes[at..].iter().position(|byte| *byte == b'\r') {
        at += skip;
        if let Some(rest) = bytes[at..].strip_prefix(separator) {
            return Some((&bytes[..at], rest));
        }
        at += 1;
    }
    None
}

fn part<'a>(head: &[u8], content: &'a [u8]) -> Result<Part<'a>, &'static str> {
    const NO_NAME: &str = "a part has no name";
    let disposition = head.split(|byte| *byte == b'\n').find_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        line[..colon].eq_ignore_ascii_case(b"content-disposition").then(|| line[colon + 1..].trim_ascii())
    });
    let disposition = HeaderValue::from_bytes(disposition.ok_or(NO_NAME)?).map_err(|_| NO_NAME)?;
    let disposition = ContentDisposition::from_raw(&disposition).map_err(|_| NO_NAME)?;
    if disposition.disposition != DispositionType::FormData {
        return Err(NO_NAME);
    }
    let name = disposition.get_name().ok_or(NO_NAME)?.to_owned();
    let is_file = disposition.get_filename().is_some() || disposition.get_filename_ext().is_some();
    Ok(Part { name, is_file, content })
}
