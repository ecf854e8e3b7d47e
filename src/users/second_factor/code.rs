//! What people type.

use super::recovery;

/// Without blanks and hyphens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Code {
    OneTime(String),
    Recovery(String),
}

impl Code {
    pub fn parse(typed: &str) -> Option<Code> {
        // Longer than any code with its blanks.
        if typed.len() > 100 {
            return None;
        }
        let code: String = typed.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
        if code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(Code::OneTime(code));
        }
        let code = code.to_ascii_uppercase();
        recovery::is_code(&code).then_some(Code::Recovery(code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_and_hyphens_do_not_count() {
        for typed in ["123456", " 123 456 ", "123-456", "1 2 3 4 5 6", "123\u{a0}456", "123456\r\n"] {
            assert_eq!(Code::parse(typed), Some(Code::OneTime("123456".to_owned())), "{typed:?}");
        }
        for typed in ["ABCD-EFGH-2345-67AB", "abcd efgh 2345 67ab", "AbcdEfgh234567aB"] {
            assert_eq!(Code::parse(typed), Some(Code::Recovery("ABCDEFGH234567AB".to_owned())), "{typed:?}");
        }
    }

    #[test]
    fn nothing_else_is_a_code() {
        let long = " ".repeat(95) + "123456";
        let other_digits = ["１２３４５６", "١٢٣٤٥٦", "१२३४५६", "12345６", "²²²²²²"];
        let others = ["", "12345", "1234567", "12345x", "+12345", "0x1234", "1e1000", "-12345", "123.456", "123_456"];
        let recovery = ["ABCD-EFGH-2345-67A", "ABCD-EFGH-2345-67ABC", "ABCD-EFGH-2345-6701", "ÄBCD-EFGH-2345-67AB"];
        for typed in others.into_iter().chain(other_digits).chain(recovery).chain([long.as_str(), "123\u{0}456"]) {
            assert_eq!(Code::parse(typed), None, "{typed:?}");
        }
    }
}
