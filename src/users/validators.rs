//! Django's rules for usernames and passwords. Each function returns the messages of what is wrong.

use unicode_normalization::UnicodeNormalization;
use zxcvbn::matching::patterns::MatchPattern;

/// The longest username, in characters.
pub const MAX_USERNAME_CHARS: usize = 150;
/// The longest e-mail address (RFC 5321 allows no longer one in a path).
const MAX_EMAIL_CHARS: usize = 254;
/// The shortest password, in characters.
const MIN_PASSWORD_CHARS: usize = 8;
/// The longest password that is hashed, in bytes: hashing must stay bounded.
const MAX_PASSWORD_BYTES: usize = 4096;

/// One form for characters that can be written in several ways: NFKC, as Django does.
pub fn normalize_username(username: &str) -> String {
    username.nfkc().collect()
}

/// Letters, digits and @/./+/-/_, of any script; at most 150 characters.
pub fn username(username: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if username.is_empty() {
        errors.push("This field may not be blank.".to_owned());
    } else if !username.chars().all(|c| c.is_alphanumeric() || "_@.+-".contains(c)) {
        errors.push("Enter a valid username. It may have letters, digits and @/./+/-/_ only.".to_owned());
    }
    if username.chars().count() > MAX_USERNAME_CHARS {
        errors.push(format!("Ensure this field has no more than {MAX_USERNAME_CHARS} characters."));
    }
    errors
}

/// Something before and after one @, without blanks or control characters. Whether mail arrives there is
/// for Cognito to verify.
pub fn email(email: &str) -> Vec<String> {
    let mut errors = Vec::new();
    let has_form = match email.rsplit_once('@') {
        Some((local, domain)) => {
            !local.is_empty() && !domain.is_empty() && !local.contains('@') && !domain.starts_with('.')
        }
        None => false,
    };
    if !has_form || email.chars().any(|c| c.is_whitespace() || c.is_control()) {
        errors.push("Enter a valid e-mail address.".to_owned());
    }
    if email.chars().count() > MAX_EMAIL_CHARS {
        errors.push(format!("Ensure this field has no more than {MAX_EMAIL_CHARS} characters."));
    }
    errors
}

/// Django's four: not like the user's own data, at least 8 characters, not common, not all digits.
/// `attributes` are the user's data, each with its name for people.
pub fn password(password: &str, attributes: &[(&str, &str)]) -> Vec<String> {
    let mut errors = Vec::new();
    if let Some((name, _)) = attributes.iter().find(|(_, value)| is_similar(password, value)) {
        errors.push(format!("The password is too similar to the {name}."));
    }
    if password.chars().count() < MIN_PASSWORD_CHARS {
        errors.push(format!("This password is too short. It must contain at least {MIN_PASSWORD_CHARS} characters."));
    }
    if password.len() > MAX_PASSWORD_BYTES {
        errors.push(format!("This password is too long. It must have at most {MAX_PASSWORD_BYTES} bytes."));
    } else if is_common(password) {
        errors.push("This password is too common.".to_owned());
    }
    if !password.is_empty() && password.chars().all(char::is_numeric) {
        errors.push("This password is entirely numeric.".to_owned());
    }
    errors
}

/// Whether the password as a whole is one entry of the lists of leaked passwords, words and names.
fn is_common(password: &str) -> bool {
    // A longer one is in no list, and looking it up would take long.
    if password.is_empty() || password.chars().count() > 40 {
        return false;
    }
    match zxcvbn::zxcvbn(&password.to_lowercase(), &[]).sequence() {
        [whole] => matches!(whole.pattern, MatchPattern::Dictionary(_)),
        _ => false,
    }
}

/// Whether the password is like a value or one of its words.
fn is_similar(password: &str, value: &str) -> bool {
    let (password, value) = (password.to_lowercase(), value.to_lowercase());
    // With values of one or two letters every password would be similar to something.
    let parts = value.split(|c: char| !c.is_alphanumeric()).chain([value.as_str()]);
    parts.filter(|part| part.chars().count() > 2).any(|part| similarity(&password, part) >= 0.7)
}

/// How much two texts have in common, from 0 to 1: twice the letters they share, in any order, over all
/// their letters. Python calls it `quick_ratio`.
fn similarity(a: &str, b: &str) -> f64 {
    let mut rest: Vec<char> = b.chars().collect();
    let (a_len, b_len) = (a.chars().count(), rest.len());
    let shared =
        a.chars().filter(|c| rest.iter().position(|other| other == c).map(|at| rest.swap_remove(at)).is_some());
    2.0 * shared.count() as f64 / (a_len + b_len) as f64
}
