//! How pages write text: characters that nobody sees, or that turn the text around them, are shown as marks. Otherwise a
//! name could look like another one. Every template uses it, see `askama.toml`; the values of inputs do not.

use std::fmt::{self, Write};

use askama::filters::{Escaper, Html};

#[derive(Clone, Copy, Debug, Default)]
pub struct Visible;

impl Escaper for Visible {
    fn write_escaped_str<W: Write>(&self, mut dest: W, text: &str) -> fmt::Result {
        // Nearly all texts of a page. Without a branch for each byte, several are looked at together.
        if text.bytes().fold(true, |is_plain, byte| is_plain & is_plain_byte(byte)) {
            return dest.write_str(text);
        }
        let (mut rest, mut before) = (0, None);
        for (at, sign) in text.char_indices() {
            let end = at + sign.len_utf8();
            if is_hidden(sign) && !joins(sign, before, text[end..].chars().next()) {
                Html.write_escaped_str(&mut dest, &text[rest..at])?;
                write!(dest, "[U+{:04X}]", u32::from(sign))?;
                rest = end;
            }
            before = Some(sign);
        }
        Html.write_escaped_str(dest, &text[rest..])
    }
}

/// Neither hidden nor part of a longer character, and nothing that HTML escapes.
fn is_plain_byte(byte: u8) -> bool {
    let is_printable = byte.wrapping_sub(b' ') <= b'~' - b' ';
    is_printable & (byte != b'"') & (byte != b'&') & (byte != b'\'') & (byte != b'<') & (byte != b'>')
}

/// Control characters except line breaks and tabs, and characters without width or that change the direction.
fn is_hidden(sign: char) -> bool {
    match sign {
        '\t' | '\n' | '\r' => false,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => true,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' => true,
        '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{e0100}'..='\u{e01ef}' => true,
        '\u{200b}'..='\u{200f}' | '\u{feff}' => true,
        '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}' => true,
        '\u{e0000}'..='\u{e007f}' => true,
        _ => false,
    }
}

/// Scripts such as Persian and Devanagari, and emoji, need joiners between their signs.
fn joins(sign: char, before: Option<char>, after: Option<char>) -> bool {
    let is_letter = |sign: Option<char>| sign.is_some_and(|sign| u32::from(sign) >= 0x600 && !is_hidden(sign));
    matches!(sign, '\u{200c}' | '\u{200d}') && is_letter(before) && is_letter(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let mut shown = String::new();
        Visible.write_escaped_str(&mut shown, text).expect("a text");
        shown
    }

    #[test]
    fn what_nobody_sees_is_shown_as_a_mark() {
        for (text, expected) in [
            ("jane", "jane"),
            ("Zoë “x” – 日本 naïve…", "Zoë “x” – 日本 naïve…"),
            ("<b>&\"'", "&#60;b&#62;&#38;&#34;&#39;"),
            ("a\u{202e}nimda", "a[U+202E]nimda"),
            ("\u{2066}<\u{2069}", "[U+2066]&#60;[U+2069]"),
            ("\u{200e}\u{200f}\u{61c}", "[U+200E][U+200F][U+061C]"),
            ("ad\u{200b}min\u{feff}", "ad[U+200B]min[U+FEFF]"),
            ("ad\u{200d}min", "ad[U+200D]min"),
            ("\0\u{1b}[1m\u{7f}\u{85}", "[U+0000][U+001B][1m[U+007F][U+0085]"),
            ("\u{e0061}", "[U+E0061]"),
            ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ] {
            assert_eq!(shown(text), expected, "{}", text.escape_unicode());
        }
    }

    #[test]
    fn joiners_stay_where_a_script_or_an_emoji_needs_them() {
        for text in ["👨\u{200d}👩\u{200d}👧", "می\u{200c}خواهم", "क\u{94d}\u{200d}ष"] {
            assert_eq!(shown(text), text);
        }
        assert_eq!(shown("👨\u{200d}"), "👨[U+200D]");
    }
}
