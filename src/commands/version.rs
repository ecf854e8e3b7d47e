//! What `--version` says: the version, the commit and the features.

use std::sync::LazyLock;

const DATABASES: &str = if cfg!(feature = "postgres") { "SQLite and PostgreSQL" } else { "SQLite" };

/// For example `0.1.0 (3f2a1b4c5d6e, SQLite)`. A development build names no commit.
pub static VERSION: LazyLock<String> = LazyLock::new(|| {
    let commit = match env!("GATEPOST_COMMIT") {
        "" if cfg!(debug_assertions) => "development build",
        "" => "unknown commit",
        commit => commit,
    };
    format!("{} ({commit}, {DATABASES})", env!("CARGO_PKG_VERSION"))
});
