//! How the program was started, for hints that name another command.

use std::borrow::Cow;

/// How to run a command of this program in the same way: by its path, or by cargo. For a shell.
pub fn invocation() -> String {
    // cargo sets it for the programs that it runs.
    if std::env::var_os("CARGO_MANIFEST_DIR").is_some() {
        let features = if cfg!(feature = "postgres") { "--features postgres " } else { "" };
        return format!("cargo run --quiet {features}--");
    }
    let path = std::env::args_os().next().unwrap_or_default();
    let path = path.to_string_lossy();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    let quoted =
        if path.chars().all(is_plain) { path } else { Cow::from(format!("'{}'", path.replace('\'', r"'\''"))) };
    if quoted.is_empty() { "gatepost".to_owned() } else { quoted.into_owned() }
}
