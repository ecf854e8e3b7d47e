//! [`DatabaseUrl`]: the setting `DATABASE_URL`.

use std::fmt;
use std::path::{Path, PathBuf};

#[cfg(feature = "postgres")]
use super::postgres;

/// `Display` and `Debug` mask passwords.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    Sqlite(PathBuf),
    /// As libpq reads it (<https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS>), with two
    /// additional parameters: `connection_limit`, the maximum connections of a process, and `pool_mode`.
    #[cfg(feature = "postgres")]
    Postgres(String),
}

impl DatabaseUrl {
    /// The error does not repeat the value, which may contain a password.
    pub fn parse(value: &str) -> Result<DatabaseUrl, &'static str> {
        if value.starts_with("postgres://") || value.starts_with("postgresql://") {
            return postgres(value);
        }
        let Some(path) = value.strip_prefix("sqlite:") else {
            return Err(
                "must begin with `sqlite:`, such as `sqlite:gatepost.sqlite3` or `sqlite:///var/lib/gatepost/db.sqlite3`, or with `postgres://`",
            );
        };
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path.starts_with("file:") || path.contains(":memory:") || path.contains('?') {
            return Err("needs a file path after `sqlite:`; in-memory databases and options are not supported");
        }
        Ok(DatabaseUrl::Sqlite(PathBuf::from(path)))
    }

    /// The error does not repeat the value.
    #[cfg(not(feature = "postgres"))]
    pub fn parse_standby(_: &str, _: &DatabaseUrl) -> Result<DatabaseUrl, &'static str> {
        Err("needs PostgreSQL support, which this build does not have; build with `--features postgres`")
    }

    #[cfg(feature = "postgres")]
    pub fn parse_standby(value: &str, primary: &DatabaseUrl) -> Result<DatabaseUrl, &'static str> {
        match (DatabaseUrl::parse(value)?, primary) {
            (DatabaseUrl::Sqlite(_), _) => Err("must begin with `postgres://`; only PostgreSQL has standbys"),
            (_, DatabaseUrl::Sqlite(_)) => Err("is set, but DATABASE_URL is SQLite's; only PostgreSQL has standbys"),
            (DatabaseUrl::Postgres(url), _)
                if postgres::PoolMode::of(&url) == Some(postgres::PoolMode::Transaction) =>
            {
                Err("has `pool_mode=transaction`; connect to the standby directly, or through a pooler of sessions")
            }
            (url, _) => Ok(url),
        }
    }

    pub fn kind(&self) -> &'static str {
        match self {
            DatabaseUrl::Sqlite(_) => "SQLite",
            #[cfg(feature = "postgres")]
            DatabaseUrl::Postgres(_) => "PostgreSQL",
        }
    }

    pub fn missing_folder(&self) -> Option<&Path> {
        match self {
            DatabaseUrl::Sqlite(path) => {
                path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir())
            }
            #[cfg(feature = "postgres")]
            DatabaseUrl::Postgres(_) => None,
        }
    }

    pub fn is_missing(&self) -> bool {
        match self {
            DatabaseUrl::Sqlite(path) => !path.exists(),
            #[cfg(feature = "postgres")]
            DatabaseUrl::Postgres(_) => false,
        }
    }
}

#[cfg(not(feature = "postgres"))]
fn postgres(_: &str) -> Result<DatabaseUrl, &'static str> {
    Err(
        "needs PostgreSQL support, which this build does not have; build with `--features postgres`, or use `sqlite:` and a path",
    )
}

/// Rejects what libpq cannot parse: its error quotes that part, which may be half a password.
#[cfg(feature = "postgres")]
fn postgres(value: &str) -> Result<DatabaseUrl, &'static str> {
    let (_, rest) = value.split_once("://").unwrap_or_default();
    let authority = postgres::authority(value);
    let is_host = |host: &str| {
        let after_address = host.rsplit(']').next().unwrap_or_default();
        let port = after_address.split_once(':').map_or("", |(_, port)| port);
        port.bytes().all(|byte| byte.is_ascii_digit())
    };
    let is_encoded = |text: &str| {
        text.split('%').skip(1).all(|code| code.len() >= 2 && code.bytes().take(2).all(|byte| byte.is_ascii_hexdigit()))
    };
    // libpq also looks for an `@` after the `?`.
    let is_beyond = rest.split_at(authority.len()).1.contains('@');
    if !postgres::hosts(value).all(is_host) || authority.matches('@').count() > 1 || is_beyond {
        return Err(
            "has no valid host and port, as in `postgres://user:password@host:5432/database`; write `%40` for `@`, `%2F` for `/`, `%3A` for `:`, `%3F` for `?` and `%25` for `%` in names and passwords",
        );
    }
    if !is_encoded(rest) {
        return Err("has a `%` without two hexadecimal digits after it; write `%25` for `%`");
    }
    if postgres::ConnectionLimit::of(value).is_none() {
        return Err("has a `connection_limit` that is not a number from 3 to 1000");
    }
    if postgres::PoolMode::of(value).is_none() {
        return Err("has a `pool_mode` that is neither `session` nor `transaction`");
    }
    Ok(DatabaseUrl::Postgres(value.to_owned()))
}

#[cfg(feature = "postgres")]
fn masked(url: &str) -> String {
    const MASK: &str = "***";
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let (place, query) = rest.split_once('?').map_or((rest, None), |(place, query)| (place, Some(query)));
    let place = match place.split_once('@') {
        Some((user, host)) => match user.split_once(':') {
            Some((user, _)) => format!("{user}:{MASK}@{host}"),
            None => format!("{user}@{host}"),
        },
        None => place.to_owned(),
    };
    let parameter = |parameter: &str| match parameter.split_once('=') {
        Some((name, _)) if name.contains("password") || name.contains("secret") => format!("{name}={MASK}"),
        _ => parameter.to_owned(),
    };
    let query = query.map(|query| query.split('&').map(parameter).collect::<Vec<_>>().join("&"));
    format!("{scheme}://{place}{}", query.map(|query| format!("?{query}")).unwrap_or_default())
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DatabaseUrl::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            #[cfg(feature = "postgres")]
            DatabaseUrl::Postgres(url) => f.write_str(&masked(url)),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(all(test, feature = "postgres"))]
mod tests {
    use super::DatabaseUrl;

    #[test]
    fn passwords_are_not_shown() {
        for (url, shown) in [
            ("postgres://db/x", "postgres://db/x"),
            ("postgres://u:secret@db:5432/x?sslmode=require", "postgres://u:***@db:5432/x?sslmode=require"),
            (
                "postgresql://u@a:1,b:2/x?password=secret&application_name=y",
                "postgresql://u@a:1,b:2/x?password=***&application_name=y",
            ),
            (
                "postgres:///x?host=/run/postgresql&sslpassword=secret",
                "postgres:///x?host=/run/postgresql&sslpassword=***",
            ),
            (
                "postgres://u:s%40cret@[::1]:5432/x?connection_limit=30",
                "postgres://u:***@[::1]:5432/x?connection_limit=30",
            ),
        ] {
            let parsed = DatabaseUrl::parse(url).unwrap_or_else(|problem| panic!("{url} {problem}"));
            assert_eq!((parsed.to_string().as_str(), format!("{parsed:?}").as_str()), (shown, shown));
        }
    }

    #[test]
    fn what_libpq_would_quote_in_an_error_is_refused_before() {
        for url in [
            "postgres://u:sec/ret@db/x",
            "postgres://u:sec@ret@db/x",
            "postgres://u:12?sec@db/x",
            "postgres://u:se:cret/@db/x",
            "postgres://u:secret%@db/x",
            "postgres://u:secret%zz@db/x",
            "postgres://u:secret@db:port/x",
            "postgres://db/x?connection_limit=2",
            "postgres://db/x?connection_limit=many",
            "postgres://db/x?pool_mode=statement",
        ] {
            let problem = DatabaseUrl::parse(url).expect_err(url);
            assert!(!problem.contains("sec") && !problem.contains("ret@"), "{problem}");
        }
    }
}
