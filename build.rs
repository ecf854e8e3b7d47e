//! Tells the program from which commit it is built.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=GATEPOST_COMMIT");
    println!("cargo:rustc-env=GATEPOST_COMMIT={}", commit().unwrap_or_default());
}

/// From the variable, for builds without a checkout, or from Git. Development builds have none: each commit would
/// compile everything again.
fn commit() -> Option<String> {
    if let Ok(commit) = std::env::var("GATEPOST_COMMIT")
        && !commit.is_empty()
    {
        return Some(commit);
    }
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "debug") {
        return None;
    }
    // Git writes a line here with each commit and each checkout.
    let log = Path::new(".git/logs/HEAD");
    if !log.exists() {
        return None;
    }
    println!("cargo:rerun-if-changed={}", log.display());
    let output = Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output().ok()?;
    let commit = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| commit.trim().to_owned())
}
