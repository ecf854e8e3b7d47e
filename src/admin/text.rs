//! Numbers and names for people.

/// `12,345`
pub fn thousands(number: i64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `AL` for `ada.lovelace`.
pub fn initials(name: &str) -> String {
    let name = name.split('@').next().unwrap_or_default();
    let words = name.split(|sign: char| !sign.is_alphanumeric()).filter_map(|word| word.chars().next());
    words.take(2).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::initials;

    #[test]
    fn initials_are_of_the_first_two_words() {
        for (name, expected) in
            [("ada.lovelace", "AL"), ("admin", "A"), ("élise de-la@tour.org", "ÉD"), ("__", ""), ("", ""), ("7up", "7")]
        {
            assert_eq!(initials(name), expected, "{name}");
        }
    }
}
