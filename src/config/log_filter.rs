//! `RUST_LOG`. env_logger takes every unknown word for the name of a crate, and logs nothing else.

use std::str::FromStr;

use log::LevelFilter;

/// Checks the filter, and returns it in env_logger's notation. The error continues a sentence that begins with the
/// value.
pub fn parse(text: &str) -> Result<String, String> {
    let (directives, pattern) = text.find('/').map_or((text, ""), |at| text.split_at(at));
    let directives: Vec<&str> = directives.split(',').map(str::trim).filter(|text| !text.is_empty()).collect();
    let mut names_gatepost = false;
    for directive in &directives {
        names_gatepost |= check(directive)?;
    }
    if !names_gatepost {
        return Err("has no level for `gatepost`, so its errors would not be logged; add a level such as `info`".into());
    }
    let filter = directives.join(",") + pattern;
    match env_filter::Builder::new().try_parse(&filter) {
        Ok(_) => Ok(filter),
        // The error for an invalid pattern has several lines.
        Err(error) => {
            Err(format!("is invalid: {}", error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")))
        }
    }
}

/// Checks `level`, `target=level` or `gatepost`. Returns whether it says what of Gatepost's own is logged.
fn check(directive: &str) -> Result<bool, String> {
    let shown = directive.escape_debug();
    let is_target = |c: char| c.is_ascii_alphanumeric() || "_-:".contains(c);
    match directive.split_once('=') {
        None if is_level(directive) || directive == "gatepost" => Ok(true),
        None if directive.starts_with("gatepost::") && directive.chars().all(is_target) => Ok(false),
        None => Err(format!("has `{shown}`, which is not a level: off, error, warn, info, debug or trace")),
        Some((target, level)) if is_level(level) && !target.is_empty() && target.chars().all(is_target) => {
            Ok(target == "gatepost")
        }
        Some(_) => Err(format!("has `{shown}`; write `target=level`, with off, error, warn, info, debug or trace")),
    }
}

fn is_level(word: &str) -> bool {
    LevelFilter::from_str(word).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_targets_are_used_as_meant() {
        for (text, filter) in [
            ("info", "info"),
            ("WARN", "WARN"),
            ("off", "off"),
            ("gatepost", "gatepost"),
            ("gatepost=debug", "gatepost=debug"),
            (" info , gatepost::access=off, ", "info,gatepost::access=off"),
            ("info,actix_http=trace/refused", "info,actix_http=trace/refused"),
        ] {
            assert_eq!(parse(text), Ok(filter.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_would_turn_off_the_log_by_mistake_is_refused() {
        for text in [
            "warning",
            "fatal",
            "yes",
            "1",
            "all",
            "inof",
            "info;gatepost=debug",
            "info gatepost=debug",
            "info:debug",
            "gatepost=warning",
            "gatepost=",
            "=info",
            "info,gatepost = debug",
            "gatepots=debug",
            "hyper=debug",
            "gatepost::access=info",
            "a=b=c",
            "a/b/c",
            "info/(",
            "info/a/b",
            ",",
            "/x",
        ] {
            parse(text).expect_err(text);
        }
    }
}
