//! Django's validators for usernames and passwords. Each function returns error messages; none if the value is valid.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use zxcvbn::matching::patterns::MatchPattern;

use crate::models::email::is_valid;

pub const MAX_USERNAME_CHARS: usize = 150;
pub const MAX_NAME_CHARS: usize = 150;
/// RFC 5321.
pub const MAX_EMAIL_CHARS: usize = 254;
/// Cognito's limit.
pub const MAX_COGNITO_GROUP_CHARS: usize = 128;
pub const BLANK: &str = "This field may not be blank.";
const MIN_PASSWORD_CHARS: usize = 8;
/// Bounds the time of hashing.
pub const MAX_PASSWORD_BYTES: usize = 4096;

pub fn normalize_username(username: &str) -> String {
    username.nfkc().collect()
}

/// Letters, digits and @/./+/-/_, of any script.
pub fn username(username: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if username.is_empty() {
        errors.push(BLANK.to_owned());
    } else if !has_username_characters(username) {
        errors.push("Enter a valid username. It may have letters, digits and @/./+/-/_ only.".to_owned());
    }
    errors.extend(too_long(username, MAX_USERNAME_CHARS));
    errors
}

pub fn has_username_characters(username: &str) -> bool {
    username.chars().all(|c| is_word_character(c) || "@.+-".contains(c))
}

/// Python's `\w`. Rust also counts vowel signs and letters in circles as alphabetic.
fn is_word_character(c: char) -> bool {
    let is_circled = matches!(c, '\u{24b6}'..='\u{24e9}' | '\u{1f130}'..='\u{1f189}');
    c == '_' || (c.is_alphanumeric() && !is_combining_mark(c) && !is_circled)
}

pub fn too_long(text: &str, most: usize) -> Option<String> {
    (text.chars().count() > most).then(|| format!("Ensure this field has no more than {most} characters."))
}

pub fn name(name: &str) -> Vec<String> {
    too_long(name, MAX_NAME_CHARS).into_iter().collect()
}

/// The name of a group or a service account.
pub fn required_name(text: &str) -> Vec<String> {
    if text.is_empty() { vec![BLANK.to_owned()] } else { name(text) }
}

/// The name of a group of the pool: letters, marks, symbols, digits and punctuation, in Cognito's words.
pub fn cognito_group(name: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if name.chars().any(|c| c.is_whitespace() || c.is_control()) {
        errors.push("A Cognito group has no spaces in its name.".to_owned());
    }
    errors.extend(too_long(name, MAX_COGNITO_GROUP_CHARS));
    errors
}

/// See [`is_valid`](crate::models::email::is_valid); at most 254 characters.
pub fn email(email: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if !is_valid(email) {
        errors.push("Enter a valid e-mail address.".to_owned());
    }
    errors.extend(too_long(email, MAX_EMAIL_CHARS));
    errors
}

/// A password in the form in which it is hashed: a Mac may send other code points than another keyboard for the same
/// characters. Fails if it is too long.
pub fn normalized_password(password: &str) -> Result<String, String> {
    let password: String = password.nfkc().collect();
    match password.len() <= MAX_PASSWORD_BYTES {
        true => Ok(password),
        false => Err(format!("This password is too long. It must have at most {MAX_PASSWORD_BYTES} bytes.")),
    }
}

/// Django's four rules: not similar to `attributes` (display names and values of the user), at least 8 characters, not
/// common, not all digits.
pub fn password(password: &str, attributes: &[(&str, &str)]) -> Vec<String> {
    let password = match normalized_password(password) {
        Ok(password) => password,
        // Checked first, because the other checks are slow for very long texts.
        Err(problem) => return vec![problem],
    };
    let password = password.as_str();
    let mut errors = Vec::new();
    // Longer values are errors of their own fields.
    let mut attributes = attributes.iter().filter(|(_, value)| value.len() <= MAX_PASSWORD_BYTES);
    if let Some((name, _)) = attributes.find(|(_, value)| is_similar(password, value)) {
        errors.push(format!("The password is too similar to the {name}."));
    }
    if password.chars().count() < MIN_PASSWORD_CHARS {
        errors.push(format!("This password is too short. It must contain at least {MIN_PASSWORD_CHARS} characters."));
    }
    if is_common(password) {
        errors.push("This password is too common.".to_owned());
    }
    if !password.is_empty() && password.chars().all(char::is_numeric) {
        errors.push("This password is entirely numeric.".to_owned());
    }
    errors
}

fn is_common(password: &str) -> bool {
    let password = password.trim();
    // The lists have no longer entries, and the lookup would be slow.
    if password.is_empty() || password.chars().count() > 40 {
        return false;
    }
    match zxcvbn::zxcvbn(&password.to_lowercase(), &[]).sequence() {
        [whole] => matches!(whole.pattern, MatchPattern::Dictionary(_)),
        _ => false,
    }
}

fn is_similar(password: &str, value: &str) -> bool {
    let (password, value) = (password.to_lowercase(), value.to_lowercase());
    // Parts of one or two letters would be similar to almost any password.
    let parts = value.split(|c: char| !c.is_alphanumeric()).chain([value.as_str()]);
    parts.filter(|part| part.chars().count() > 2).any(|part| similarity(&password, part) >= 0.7)
}

/// Python's `quick_ratio`: twice the number of shared letters, in any order, divided by all letters.
fn similarity(a: &str, b: &str) -> f64 {
    let mut rest: Vec<char> = b.chars().collect();
    let (a_len, b_len) = (a.chars().count(), rest.len());
    let shared =
        a.chars().filter(|c| rest.iter().position(|other| other == c).map(|at| rest.swap_remove(at)).is_some());
    2.0 * shared.count() as f64 / (a_len + b_len) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const BAD_NAME: &str = "Enter a valid username. It may have letters, digits and @/./+/-/_ only.";
    const BAD_EMAIL: &str = "Enter a valid e-mail address.";
    const SHORT: &str = "This password is too short. It must contain at least 8 characters.";
    const COMMON: &str = "This password is too common.";
    const NUMERIC: &str = "This password is entirely numeric.";

    #[test]
    fn a_username_has_letters_digits_and_five_signs() {
        let longest = "ł".repeat(150);
        for good in [
            "a",
            "alice",
            "Alice_1",
            "a@b.c+d-e_f",
            "@",
            ".",
            "-",
            "42",
            "Łukasz",
            "用户名",
            "имя",
            "علي",
            "مستخدم٣",
            &longest,
        ] {
            assert_eq!(username(good), Vec::<String>::new(), "{good:?}");
        }
        for bad in [
            " ",
            "a b",
            " alice",
            "alice ",
            "alice\n",
            "\talice",
            "a\0",
            "a/b",
            "a\\b",
            "a:b",
            "a,b",
            "a;b",
            "a'b",
            "a\"b",
            "<b>",
            "a&b",
            "a|b",
            "a=b",
            "a?b",
            "a#b",
            "a%b",
            "a*b",
            "a(b",
            "a!b",
            "a$b",
            "a`b",
            "a~b",
            "a^b",
            "{a}",
            "[a]",
            "🦀",
            "a\u{200b}b",
            "a\u{202e}b",
            "a\u{a0}b",
            "\u{feff}a",
            "a\u{2028}",
            "\u{301}",
        ] {
            assert_eq!(username(bad), [BAD_NAME], "{bad:?}");
        }
        assert_eq!(username(""), ["This field may not be blank."]);
        assert_eq!(username(&"n".repeat(151)), ["Ensure this field has no more than 150 characters."]);
        assert_eq!(username(&"ł".repeat(151)), ["Ensure this field has no more than 150 characters."]);
        assert_eq!(username(&" ".repeat(151)), [BAD_NAME, "Ensure this field has no more than 150 characters."]);
    }

    #[test]
    fn a_username_is_normalized_to_one_way_of_writing_it() {
        for (written, normal) in [
            ("alice", "alice"),
            ("Alice", "Alice"),
            ("Zoe\u{308}", "Zo\u{eb}"),
            ("\u{ff21}lice", "Alice"),
            ("\u{fb01}ona", "fiona"),
            ("\u{2168}", "IX"),
            ("\u{212a}", "K"),
            ("x\u{b2}", "x2"),
            // Django's form keeps letters that only look alike.
            ("\u{430}lice", "\u{430}lice"),
        ] {
            assert_eq!(normalize_username(written), normal, "{written:?}");
            assert_eq!(normalize_username(normal), normal, "{normal:?} is normal already");
        }
    }

    #[test]
    fn an_email_is_one_as_in_django() {
        let longest = format!("{}@example.com", "a".repeat(242));
        for good in [
            "a@localhost",
            "alice@example.com",
            "\"quoted.\\\"local\"@example.com",
            "a@[::1]",
            "a@xn--bcher-kva.xn--p1ai",
            "Alice.Smith+news@Example.co.uk",
            "o'brien@example.com",
            "żółć@example.com",
            "用户@例子.公司",
            "a@[127.0.0.1]",
            "%@example.com",
            &longest,
        ] {
            assert_eq!(email(good), Vec::<String>::new(), "{good:?}");
        }
        let long_label = format!("a@{}.com", "b".repeat(64));
        // 63 letters, and more in the form that DNS has.
        let long_in_ascii = format!("a@{}.com", "\u{fc}".repeat(63));
        for bad in [
            "a@b",
            "a@example..com",
            "a@example.com.",
            "a@-example.com",
            "a@example-.com",
            "a@example.-com",
            "a@example.c",
            "a@example.c1",
            "a@1.2.3.4",
            "a@exam_ple.com",
            "a@exam\u{ad}ple.com",
            "a@[1.2.3]",
            ".a@example.com",
            "a.@example.com",
            "a..b@example.com",
            "a(b)@example.com",
            "\"a\"b\"@example.com",
            &long_label,
            &long_in_ascii,
            "",
            "alice",
            "@",
            "alice@",
            "@example.com",
            "alice@@example.com",
            "a@b@c",
            "alice@.com",
            " alice@example.com",
            "alice@example.com ",
            "al ice@example.com",
            "alice@exam ple.com",
            "alice@example.com\n",
            "alice@example.com\r\nBcc: x",
            "alice\t@example.com",
            "alice\0@example.com",
            "alice\u{a0}@example.com",
            "alice\u{2003}@example.com",
            "alice\u{7f}@example.com",
        ] {
            assert_eq!(email(bad), [BAD_EMAIL], "{bad:?}");
        }
        assert_eq!(email(&format!("a{longest}")), ["Ensure this field has no more than 254 characters."]);
    }

    fn alice(password_text: &str) -> Vec<String> {
        password(
            password_text,
            &[("username", "alice.smith"), ("e-mail", "asmith@mail.example.com"), ("last name", "Kowalczyk")],
        )
    }

    #[test]
    fn a_password_that_meets_all_four_rules_is_good() {
        let longest = "k7#Pq".repeat(819);
        for good in [
            "vX9#kw2pLm",
            "correct horse battery staple",
            "zaq!2wsxCde3vfr",
            "ŻółtaŁódka!",
            "🦀🦀🦀🦀rust🦀🦀",
            &longest,
        ] {
            assert_eq!(alice(good), Vec::<String>::new(), "{good:?}");
        }
    }

    #[test]
    fn a_password_has_at_least_eight_characters_not_bytes() {
        for short in ["", "x", "vX9#kw2", "żółćłąę"] {
            assert_eq!(alice(short), [SHORT], "{short:?}");
        }
        assert_eq!(alice("vX9#kw2p"), Vec::<String>::new());
    }

    #[test]
    fn a_password_that_would_take_long_to_hash_is_refused() {
        assert_eq!(alice(&"k7#Pq".repeat(820)), ["This password is too long. It must have at most 4096 bytes."]);
        assert_eq!(alice(&"ż".repeat(2049)), ["This password is too long. It must have at most 4096 bytes."]);
    }

    #[test]
    fn a_common_password_is_refused_in_any_case_and_with_blanks_around() {
        for common in [
            "password",
            "PassWord",
            "iloveyou",
            "sunshine",
            "football",
            "qwertyuiop",
            "letmein1",
            "password1",
            " password ",
            "trustno1\n",
        ] {
            assert!(alice(common).contains(&COMMON.to_owned()), "{common:?}: {:?}", alice(common));
        }
    }

    #[test]
    fn a_password_of_digits_only_is_refused() {
        for numeric in ["71930284615", "0000000000918273", "\u{661}\u{662}\u{669}\u{667}\u{661}\u{662}\u{664}\u{668}"] {
            assert_eq!(alice(numeric), [NUMERIC], "{numeric:?}");
        }
        assert_eq!(alice("12345678"), [COMMON, NUMERIC]);
        assert_eq!(alice("1234"), [SHORT, COMMON, NUMERIC]);
        assert_eq!(alice("7193028461x"), Vec::<String>::new());
    }

    #[test]
    fn a_password_like_the_users_own_data_is_refused() {
        for (similar, attribute) in [
            ("alice.smith", "username"),
            ("ALICE.SMITH", "username"),
            ("alice.smith1", "username"),
            ("1alicesmith", "username"),
            ("htims.ecila", "username"),
            ("asmith@mail.example.com", "e-mail"),
            ("examplexx", "e-mail"),
            ("kowalczyk!", "last name"),
            ("KoWaLcZyK12", "last name"),
        ] {
            assert_eq!(alice(similar), [format!("The password is too similar to the {attribute}.")], "{similar:?}");
        }
        // The bound is 0.7, as in Django: 2 * 7 / 20 is on it, 2 * 7 / 21 is not.
        let bound = |password_text: &str| password(password_text, &[("username", "qzxjkvw")]);
        assert_eq!(bound("qzxjkvw#####8"), ["The password is too similar to the username."]);
        assert_eq!(bound("qzxjkvw#####8#"), Vec::<String>::new());
        // Nothing resembles an empty value, or one of one or two letters.
        assert_eq!(
            password("vX9#kw2pLm", &[("username", ""), ("first name", "v"), ("e-mail", "@")]),
            Vec::<String>::new()
        );
    }
}
