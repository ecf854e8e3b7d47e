//! [`Charset`]: how the text of a body is encoded. One rule for every body: what cannot be decoded is refused.

use std::borrow::Cow;

use encoding_rs::{Encoding, REPLACEMENT, UTF_8};

use super::media_type::MediaType;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    /// ASCII. The WHATWG takes the name for windows-1252, so it is not left to its list.
    Ascii,
    Other(&'static Encoding),
}

impl Charset {
    /// UTF-8, which counts where a media type names no charset.
    pub const UTF_8: Charset = Charset::Other(UTF_8);

    /// The charset that a media type names; `None` if it is unknown.
    pub fn of(media_type: &MediaType) -> Option<Charset> {
        let Some(label) = media_type.parameter("charset") else { return Some(Charset::UTF_8) };
        if ["us-ascii", "ascii"].iter().any(|ascii| label.eq_ignore_ascii_case(ascii)) {
            return Some(Charset::Ascii);
        }
        // Python also accepts names such as `latin-1`, which the WHATWG list writes without the hyphen.
        let bare = label.replace(['-', '_'], "");
        let encoding = Encoding::for_label(label.as_bytes()).or_else(|| Encoding::for_label(bare.as_bytes()));
        encoding.filter(|encoding| *encoding != REPLACEMENT).map(Charset::Other)
    }

    /// Whether ASCII bytes are ASCII characters, as a form's separators must be.
    pub fn is_ascii_compatible(self) -> bool {
        match self {
            Charset::Ascii => true,
            Charset::Other(encoding) => encoding.is_ascii_compatible(),
        }
    }

    /// The text of these bytes, or what is wrong with them. A byte order mark stays.
    pub fn decode(self, bytes: &[u8]) -> Result<Cow<'_, str>, String> {
        match self {
            Charset::Ascii => match bytes.iter().position(|byte| !byte.is_ascii()) {
                Some(at) => Err(format!("invalid US-ASCII at byte {at}")),
                None => Charset::UTF_8.decode(bytes),
            },
            Charset::Other(encoding) if encoding == UTF_8 => str::from_utf8(bytes)
                .map(Cow::Borrowed)
                .map_err(|error| format!("invalid UTF-8 at byte {}", error.valid_up_to())),
            Charset::Other(encoding) => encoding
                .decode_without_bom_handling_and_without_replacement(bytes)
                .ok_or_else(|| format!("invalid {}", encoding.name())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn charset(label: &str) -> Option<Charset> {
        MediaType::parse(&format!("text/plain; charset=\"{label}\"")).and_then(|media_type| Charset::of(&media_type))
    }

    #[test]
    fn a_charset_is_known_by_the_names_in_use() {
        for (label, bytes, text) in [
            ("utf-8", "\u{e9}".as_bytes(), "\u{e9}"),
            ("UTF8", "\u{e9}".as_bytes(), "\u{e9}"),
            ("US-ASCII", b"e", "e"),
            ("latin-1", b"\xe9", "\u{e9}"),
            ("ISO-8859-1", b"\xe9", "\u{e9}"),
            ("utf-16le", b"\xe9\0", "\u{e9}"),
        ] {
            let decoded = charset(label).expect(label).decode(bytes).expect(label);
            assert_eq!(decoded, text, "{label}");
        }
        for unknown in ["", "klingon", "utf-7", "hz-gb-2312"] {
            assert_eq!(charset(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn what_cannot_be_decoded_is_refused() {
        for (label, bytes) in
            [("utf-8", &b"\xff"[..]), ("us-ascii", b"\xe9"), ("us-ascii", "\u{e9}".as_bytes()), ("utf-16le", b"\0\xd8")]
        {
            assert!(charset(label).expect(label).decode(bytes).is_err(), "{label}");
        }
    }
}
