//! The environment: what is refused and how, what holds when nothing is set, and what goes before what.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gatepost::aws::Environment;
use gatepost::cognito::pool_actions::PoolAction;
use gatepost::cognito::service_accounts::ResourceServer;
use gatepost::cognito::sync::MaxChanges;
use gatepost::cognito::user_pool::TokenUse;
use gatepost::config::{Config, ConfigError, Mode, Pool, SETTINGS};
use gatepost::crypto::Secret;
use gatepost::db::DatabaseUrl;
use gatepost::users::second_factor::{KeySource, Required};

use crate::harness::FACTOR_KEY;
use crate::harness::program::Program;

const POOL: [(&str, &str); 2] = [("AWS_USER_POOLS_ID", "eu-west-1_AbCdEfGhI"), ("AWS_APP_CLIENT_ID", "1client")];

fn read(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let owned: HashMap<_, _> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Config::from_variables(&owned)
}

#[track_caller]
fn good(variables: &[(&str, &str)]) -> Config {
    read(variables).unwrap_or_else(|error| panic!("{variables:?}: {error}"))
}

/// With a pool, in production mode.
#[track_caller]
fn with_pool(more: &[(&str, &str)]) -> Config {
    good(&[&POOL[..], &[("APP_ENV", "production")], more].concat())
}

/// In development mode, with the local pool.
#[track_caller]
fn local(more: &[(&str, &str)]) -> Config {
    good(&[&[("APP_ENV", "development")], more].concat())
}

#[track_caller]
fn pool(config: &Config) -> &gatepost::cognito::user_pool::UserPool {
    match &config.pool {
        Pool::Cognito(pool) => pool,
        Pool::Local => panic!("it is the local pool"),
    }
}

/// Every setting that can be malformed, with values that are.
const MALFORMED: &[(&str, &[&str])] = &[
    ("COGNITO_SYNC_SECONDS", &["0", "59", "1.5", "hourly", "-60", "31536001"]),
    ("COGNITO_ADMIN_ACTIONS", &["delete", "disable,Enable", "create;resend", "reset-password", "all"]),
    ("COGNITO_SYNC_MAX_CHANGES", &["ten", "0%", "101%", "-1", "1.5%", "10 %"]),
    (
        "POST_CONFIRMATION_SECRETS",
        &[
            "short",
            "this-one-is-one-character-short",
            "this-one-has-thirty-two-letters-,short",
            "this-one-has-thirty-two-letters- and-this-one-has-them-as-well---",
            "this-one-has-thirty-two-letters-;and-this-one-has-them-as-well---",
            "this-one-has-thirty-two-letters-,and-this-one-has-them-as-well---,and-a-third-one-has-them-too----",
        ],
    ),
    ("USER_MIGRATION_SECRETS", &["short", "this-one-has-thirty-two-letters-,short"]),
    ("USER_MIGRATION_EMAILS_VERIFIED", &["maybe", "TRUE", "yes"]),
    ("COGNITO_ADMIN_CLIENT_ID", &["a b", "<client>"]),
    // Without an app client of the admin's, they are refused whatever they say.
    ("COGNITO_ADMIN_CLIENT_SECRET", &["s"]),
    ("COGNITO_ADMIN_ACR", &["urn:cognito:loa:2"]),
    ("COGNITO_AUTHORIZATION_URL", &["https://example.com/oauth2/authorize"]),
    ("COGNITO_TOKEN_URL", &["https://example.com/oauth2/token"]),
    ("COGNITO_LOGOUT_URL", &["https://example.com/logout"]),
    ("ADMIN_PASSWORD_SIGN_IN", &["no", "false"]),
    (
        "SECOND_FACTOR_KEY",
        &[
            "secret",
            "c2hvcnQ=",
            "dGhpcyBpcyBub3QgYSBzZWNyZXQga2V5IGF0IGFsbA==",
            "dGhpcyBpcyBub3QgYSBzZWNyZXQga2V5IGF0IGFsbCEh",
            "7468697320697320746865206b65792074686174206973207365637265740a21",
        ],
    ),
    ("REQUIRE_SECOND_FACTOR", &["true", "all", "Staff", "superuser", "superusers,staff"]),
    ("APP_ENV", &["prod", "Production", "development,production", "1"]),
    (
        "AWS_USER_POOLS_ID",
        &[
            "eu-west-1",
            "_AbC",
            "eu-west-1_",
            "eu-west-1_Ab-C",
            "EU-WEST-1_AbC",
            "eu-west-1_Ab_C",
            "eu-west-1_a/../b",
            "eu west_a",
            "https://x_y",
        ],
    ),
    ("AWS_APP_CLIENT_ID", &["1client 2client", "1client;2client", "1client/", "'1client'", ",", "1client,\"2client\""]),
    (
        "COGNITO_ISSUER",
        &[
            "issuer",
            "http://example.com/pool",
            "https://example.com/pool/",
            "ftp://example.com/pool",
            "https://user:secret@example.com/pool",
            "https://example.com/a,example.com/b",
            "https://example.com/a;https://example.com/b",
            "https://example.com/a https://example.com/b",
            "https://Example.com/a",
            "HTTPS://example.com/a",
            "https://example.com:443/a",
            "https://example.com/a?b",
        ],
    ),
    (
        "COGNITO_JWKS_URL",
        &[
            "jwks.json",
            "http://example.com/jwks.json",
            "file:///etc/passwd",
            "https://user:secret@example.com/jwks.json",
            "https://example.com/jwks.json,x",
            "https://example.com/jwks.json https://example.com/keys.json",
            "https://example.com/jwks.json;https://example.com/keys.json",
            "http://127.0.0.1.example.com/",
        ],
    ),
    ("COGNITO_TOKEN_USE", &["ID", "id,access", "both"]),
    ("COGNITO_RESOURCE_SERVER", &["two words", "a\\b", "a\"b", "é", "a\u{a0}b"]),
    ("COGNITO_LEEWAY_SECONDS", &["-1", "121", "30s", "1.5", "abc", "99999999999999999999"]),
    ("COGNITO_LINK_UNVERIFIED_EMAIL", &["yes", "TRUE", "on", "2"]),
    ("COGNITO_CREATE_USERS", &["yes", "TRUE", "on", "2"]),
    ("COGNITO_STAFF_GROUP", &["two words", "a\tb", "staff, editors"]),
    ("COGNITO_JWKS_REFRESH_SECONDS", &["0", "-1", "5m", "31536001"]),
    ("COGNITO_JWKS_COOLDOWN_SECONDS", &["-1", "ten", "31536001"]),
    ("COGNITO_JWKS_MAX_STALE_SECONDS", &["-1", "1d", "31536001"]),
    (
        "DATABASE_URL",
        &[
            "gatepost.sqlite3",
            "sqlite:",
            "sqlite://",
            "sqlite::memory:",
            "sqlite:a.db?mode=ro",
            "mysql://root:secret@db/x",
            "postgres://u:sec/ret@db/x",
            "postgres://u:sec@ret@db/x",
            "postgresql://u:secret%@db/x",
            "postgres://u:secret@db:port/x",
        ],
    ),
    ("DATABASE_READ_URL", &["standby", "sqlite:standby.sqlite3", "postgres://u:secret@db:port/x", "postgres://db/x"]),
    (
        "BIND_ADDRESS",
        &["8000", "localhost:8000", "127.0.0.1", "127.0.0.1:65536", ":8000", "::1:8000x", "http://127.0.0.1:8000"],
    ),
    (
        "ALLOWED_HOSTS",
        &[
            "https://example.com",
            "example.com:8000",
            "*.example.com",
            "a b",
            "me@example.com",
            "example.com,/",
            ".",
            "example..com",
            "example.com.",
            "[::1",
            "::1",
            "münchen.example",
        ],
    ),
    (
        "PUBLIC_URL",
        &[
            "*",
            "admin.example.com",
            "admin.example.com:8443",
            "https://example.com?q",
            "ftp://admin.example.com",
            "https://admin.example.com/admin",
            "https://admin.example.com/?a",
            "https://*.example.com",
            "https://user:secret@admin.example.com",
            "https://a.example,https://b.example",
        ],
    ),
    (
        "CORS_ALLOWED_ORIGINS",
        &[
            "*",
            "null",
            "example.com",
            "https://example.com/",
            "https://example.com/app",
            "ftp://example.com",
            "https://EXAMPLE.com",
            "https://example.com:443",
            "https://*.example.com",
            "https://user:secret@example.com",
        ],
    ),
    ("CORS_ALLOWED_HEADERS", &["*", "x own", "x-own: 1", "x-own;x-other", "x-\u{e9}", "authorization,*"]),
    (
        "TRUSTED_PROXIES",
        &[
            "proxy.example.com",
            "10.0.0",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.1:80",
            "10.0.0.1 10.0.0.2",
            "10.0.0.1;10.0.0.2",
            "[10.0.0.1]",
            "[::1",
            "[::1]:80",
            "*",
        ],
    ),
    ("SESSION_IDLE_SECONDS", &["0", "-1", "8h", "31536001"]),
    ("SESSION_MAX_SECONDS", &["0", "-1", "14d", "31536001"]),
    ("LOGIN_MAX_FAILURES", &["0", "-1", "five", "1001"]),
    ("MAX_BODY_BYTES", &["0", "-1", "1MB", "1073741825"]),
    ("RATE_LIMIT_USER", &["100", "100/", "/s", "0/s", "-1/s", "1.5/s", "100/d", "100 / s", "100/sec", "1000001/s"]),
    ("RATE_LIMIT_ADDRESS", &["100", "ten/s", "100/S", "100/s,5/m"]),
    ("METRICS_ADDRESS", &["9100", ":9100", "localhost:9100", "127.0.0.1", "127.0.0.1:65536"]),
    (
        "METRICS_TOKEN",
        &[
            "short",
            "a-token-of-31-characters-------",
            "a token with blanks, of 40 characters ---",
            "a-tokén-of-40-characters------------------",
        ],
    ),
    ("LOG_FORMAT", &["JSON", "xml"]),
    (
        "RUST_LOG",
        &[
            "gatepost=loud",
            "a=b=c",
            "info/(",
            "a/b/c",
            "warning",
            "gatepost=warning",
            "1",
            "info;gatepost=debug",
            "gatepots=debug",
        ],
    ),
];

#[test]
fn a_malformed_value_is_refused_with_the_name_of_its_variable() {
    for (name, values) in MALFORMED {
        for value in *values {
            let others = POOL.iter().filter(|(other, _)| other != name);
            let variables: Vec<_> = others.copied().chain([(*name, *value)]).collect();
            let error = read(&variables).err().unwrap_or_else(|| panic!("{name}={value} is taken"));
            assert_eq!(error.name, *name, "{name}={value}: {error}");
            let line = error.to_string();
            assert!(line.starts_with(&format!("{name}: ")) && line.len() > name.len() + 10, "{name}={value}: {line}");
            assert!(!line.contains("secret") && !line.contains('\n'), "{name}={value}: {line}");
        }
    }
}

#[test]
fn quotation_marks_and_invisible_characters_are_refused_in_every_value() {
    for setting in SETTINGS {
        for stray in
            ["\"x\"", "'x'", "\"\"", "`x`", "\u{201c}x\u{201d}", "x\"", "\u{feff}x", "x\u{200b}", "x\ny", "x\0y"]
        {
            let error = read(&[(setting.name, stray)]).expect_err(setting.name);
            assert_eq!(error.name, setting.name, "{stray:?}: {error}");
            assert!(!error.problem.contains('x') || error.problem.contains("invisible"), "{stray:?}: {error}");
        }
    }
}

#[test]
fn a_refused_origin_names_the_part_that_is_wrong() {
    for (origin, part) in [
        ("app.example.com", "is not an origin such as `https://app.example.com`"),
        ("https://App.example.com", "has capital letters, which browsers never send; write `https://app.example.com`"),
        (
            "https://app.example.com:443",
            "has the default port, which browsers leave out; write `https://app.example.com`",
        ),
        ("http://app.example.com:80", "has the default port, which browsers leave out; write `http://app.example.com`"),
        ("https://app.example.com/", "ends with a slash, which an origin never does; write `https://app.example.com`"),
        ("https://app.example.com/app", "has a path, which an origin never has; write `https://app.example.com`"),
        ("https://app.example.com?a", "has a path, which an origin never has; write `https://app.example.com`"),
        ("https://*.example.com", "has a `*`; list every origin"),
        ("https://münchen.example", "is not written as browsers send it; write `https://xn--mnchen-3ya.example`"),
    ] {
        let error = read(&[("APP_ENV", "development"), ("CORS_ALLOWED_ORIGINS", origin)]).expect_err(origin);
        assert_eq!(error.to_string(), format!("CORS_ALLOWED_ORIGINS: `{origin}` {part}"));
    }
}

#[test]
fn no_variable_is_without_a_check() {
    for setting in SETTINGS {
        // Any path can be the right one; whether the file can be read is seen at start.
        let is_listed = MALFORMED.iter().any(|(name, _)| *name == setting.name) || setting.name == "COGNITO_CA_FILE";
        assert!(is_listed, "{} has no row in the table of malformed values", setting.name);
    }
}

#[test]
fn control_characters_in_a_value_are_not_printed() {
    let error = read(&[("APP_ENV", "\u{1b}[31mred\u{7}")]).expect_err("no mode").to_string();
    assert!(!error.chars().any(char::is_control), "{error:?}");
}

#[test]
fn defaults_hold_where_nothing_is_set() {
    for empty in [None, Some(""), Some("  ")] {
        let all: Vec<_> = SETTINGS.iter().filter(|setting| setting.name != "APP_ENV").collect();
        let variables: Vec<_> =
            empty.iter().flat_map(|value| all.iter().map(|setting| (setting.name, *value))).collect();
        let config = local(&variables);
        assert_eq!(config.pool, Pool::Local, "{empty:?}");
        assert_eq!(config.token_use, TokenUse::Id);
        assert_eq!(config.resource_server.as_ref().map(ResourceServer::identifier), Some("gatepost"));
        assert_eq!(config.leeway, Duration::from_secs(30));
        assert_eq!((config.link_unverified_email, config.create_users), (false, true), "the local pool creates users");
        assert_eq!(config.jwks.refresh, Duration::from_secs(300));
        assert_eq!(config.jwks.cooldown, Duration::from_secs(10));
        assert_eq!(config.jwks.max_stale, Duration::from_secs(86_400));
        assert_eq!(config.jwks.ca_file, None);
        assert_eq!(config.database, DatabaseUrl::Sqlite("gatepost.sqlite3".into()));
        assert_eq!(config.bind.to_string(), "127.0.0.1:8000");
        assert_eq!(config.allowed_hosts, ["localhost", ".localhost", "127.0.0.1", "[::1]"]);
        assert_eq!(config.cors_allowed_origins, ["http://localhost:3000"]);
        assert_eq!(config.trusted_proxies.0, []);
        assert_eq!(config.session_limits.idle, Duration::from_secs(28_800));
        assert_eq!(config.session_limits.max, Duration::from_secs(1_209_600));
        assert_eq!((config.login_max_failures, config.max_body_bytes), (5, 1_048_576));
        assert_eq!((config.sync_every, config.sync_max_changes), (None, MaxChanges::Percent(10)));
        assert_eq!(config.pool_actions, []);
        assert_eq!(config.aws, Environment::default());
        assert_eq!((config.rate_limit_user, config.rate_limit_address), (None, None));
        assert_eq!((config.metrics_address, config.metrics_token, config.public_origin), (None, None, None));
        assert!(
            matches!(&config.second_factor_key, KeySource::File(path) if path == Path::new("gatepost.second-factor.key"))
        );
        assert_eq!(config.second_factor_required, Required::Nobody);
        assert!(!config.log_json);
        assert_eq!(config.log_filter, "info,actix_server=warn");
    }
    let production = with_pool(&[]);
    assert_eq!(production.mode, Mode::Production);
    assert!(!production.create_users, "a genuine pool creates nobody");
    assert_eq!(production.resource_server, None);
    assert_eq!(production.cors_allowed_origins, [""; 0]);
    assert_eq!(production.log_filter, "info,actix_server=warn,gatepost::access=warn");
}

#[test]
fn the_mode_is_that_of_the_build_where_it_is_not_set() {
    let expected = if cfg!(debug_assertions) { Mode::Development } else { Mode::Production };
    assert_eq!(good(&POOL).mode, expected);
}

#[test]
fn a_regular_sync_and_actions_need_the_id_of_the_pool() {
    let by_issuer = [("COGNITO_ISSUER", "https://example.com/pool"), ("AWS_APP_CLIENT_ID", "1client")];
    for others in [&[("APP_ENV", "development")][..], &by_issuer] {
        for setting in [("COGNITO_SYNC_SECONDS", "60"), ("COGNITO_ADMIN_ACTIONS", "compare")] {
            let error = read(&[others, &[setting]].concat()).expect_err("there is no region");
            assert_eq!(error.name, setting.0, "{error}");
            assert!(error.problem.contains("AWS_USER_POOLS_ID is not"), "{error}");
        }
    }
}

#[test]
fn every_value_arrives() {
    let config = with_pool(&[
        ("COGNITO_TOKEN_USE", "any"),
        ("COGNITO_RESOURCE_SERVER", "https://api.example.com"),
        ("COGNITO_LEEWAY_SECONDS", "0"),
        ("COGNITO_LINK_UNVERIFIED_EMAIL", "true"),
        ("COGNITO_CREATE_USERS", "1"),
        ("COGNITO_SYNC_SECONDS", "60"),
        ("COGNITO_SYNC_MAX_CHANGES", "20"),
        ("COGNITO_ADMIN_ACTIONS", " disable, enable ,disable"),
        ("USER_MIGRATION_SECRETS", "one-secret-of-thirty-two-letters,another-one-of-thirty-two-letters"),
        ("USER_MIGRATION_EMAILS_VERIFIED", "true"),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "thirty-two letters are in a key"),
        ("COGNITO_CA_FILE", "ca.pem"),
        ("COGNITO_JWKS_REFRESH_SECONDS", "1"),
        ("COGNITO_JWKS_COOLDOWN_SECONDS", "0"),
        ("COGNITO_JWKS_MAX_STALE_SECONDS", "5"),
        ("DATABASE_URL", "sqlite:///var/lib/gatepost/db.sqlite3"),
        ("BIND_ADDRESS", " [::]:80 "),
        ("SESSION_IDLE_SECONDS", "1"),
        ("SESSION_MAX_SECONDS", "2"),
        ("LOGIN_MAX_FAILURES", "3"),
        ("MAX_BODY_BYTES", "1"),
        ("TRUSTED_PROXIES", "127.0.0.1, ::1 ,::ffff:10.0.0.1,2001:db8::/32,[2001:db9::1],[2001:dba::]/32"),
        ("PUBLIC_URL", "https://Admin.Example.com:443/"),
        ("RATE_LIMIT_USER", "100/s"),
        ("RATE_LIMIT_ADDRESS", "600/m"),
        ("METRICS_ADDRESS", "127.0.0.1:9100"),
        ("METRICS_TOKEN", "thirty-two_characters.of~a+tok/="),
        ("LOG_FORMAT", "json"),
        ("RUST_LOG", "debug"),
    ]);
    assert_eq!(config.token_use, TokenUse::Any);
    assert_eq!(
        config.resource_server.as_ref().map(ResourceServer::read_scope).as_deref(),
        Some("https://api.example.com/read")
    );
    assert_eq!(config.leeway, Duration::ZERO);
    assert!(config.link_unverified_email && config.create_users && config.log_json);
    assert_eq!(config.jwks.ca_file, Some(PathBuf::from("ca.pem")));
    assert_eq!((config.sync_every, config.sync_max_changes), (Some(Duration::from_secs(60)), MaxChanges::Users(20)));
    assert_eq!(config.pool_actions, [PoolAction::Disable, PoolAction::Enable]);
    assert_eq!((config.user_migration_secrets.len(), config.user_migration_trusts_emails), (2, true));
    assert_eq!(config.aws.get("AWS_ACCESS_KEY_ID"), Some("AKIDEXAMPLE"));
    let jwks = (config.jwks.refresh, config.jwks.cooldown, config.jwks.max_stale);
    assert_eq!(jwks, (Duration::from_secs(1), Duration::ZERO, Duration::from_secs(5)));
    assert_eq!(config.database, DatabaseUrl::Sqlite("/var/lib/gatepost/db.sqlite3".into()));
    assert_eq!(config.bind.to_string(), "[::]:80");
    let proxies: Vec<_> = config.trusted_proxies.0.iter().map(ToString::to_string).collect();
    assert_eq!(proxies, ["127.0.0.1", "::1", "10.0.0.1", "2001:db8::/32", "2001:db9::1", "2001:dba::/32"]);
    assert_eq!(config.public_origin.as_deref(), Some("https://admin.example.com"));
    assert!(config.allowed_hosts.contains(&"admin.example.com".to_owned()));
    let limits = (config.session_limits.idle, config.session_limits.max);
    assert_eq!(limits, (Duration::from_secs(1), Duration::from_secs(2)));
    assert_eq!((config.login_max_failures, config.max_body_bytes), (3, 1));
    assert_eq!(config.log_filter, "debug");
    assert_eq!(config.rate_limit_user, "100/s".parse().ok());
    assert_eq!(config.rate_limit_address, "600/m".parse().ok());
    assert_eq!(config.metrics_address.map(|address| address.to_string()).as_deref(), Some("127.0.0.1:9100"));
    assert_eq!(config.metrics_token, Some(Secret::new("thirty-two_characters.of~a+tok/=".to_owned())));
    assert!(!format!("{config:?}").contains("thirty-two"), "a secret is shown");
    assert!(
        !local(&[("COGNITO_CREATE_USERS", "false")]).create_users,
        "what is set goes before the local pool's default"
    );
}

#[test]
fn lists_are_separated_by_commas_and_blanks_around_them_do_not_count() {
    let config = with_pool(&[
        ("AWS_APP_CLIENT_ID", " 1a , 2b ,, 3c,"),
        ("ALLOWED_HOSTS", "Example.COM, .example.org ,[::1],[2001:DB8:0::1],*"),
        ("CORS_ALLOWED_ORIGINS", "https://a.example , http://b.example:8080"),
        ("CORS_ALLOWED_HEADERS", "Authorization , x-own"),
    ]);
    assert_eq!(config.cors_allowed_headers, ["authorization", "x-own"]);
    assert_eq!(pool(&config).client_ids, ["1a", "2b", "3c"]);
    assert_eq!(config.allowed_hosts, ["example.com", ".example.org", "[::1]", "[2001:db8::1]", "*"]);
    assert_eq!(config.cors_allowed_origins, ["https://a.example", "http://b.example:8080"]);
}

#[test]
fn an_address_to_listen_on_is_an_allowed_host_unless_it_stands_for_all() {
    let hosts = |bind| with_pool(&[("BIND_ADDRESS", bind)]).allowed_hosts;
    assert!(hosts("192.0.2.7:80").contains(&"192.0.2.7".to_owned()));
    assert!(hosts("[2001:db8::1]:80").contains(&"[2001:db8::1]".to_owned()));
    assert_eq!(hosts("0.0.0.0:80"), hosts("127.0.0.1:80"));
    assert_eq!(hosts("[::]:80"), hosts("127.0.0.1:80"));
}

#[test]
fn issuers_and_keys_follow_from_the_pool_id() {
    for (id, domain) in [
        ("eu-west-1_AbCdEfGhI", "eu-west-1.amazonaws.com"),
        ("us-gov-west-1_x9", "us-gov-west-1.amazonaws.com"),
        ("cn-north-1_Z", "cn-north-1.amazonaws.com.cn"),
        ("us-iso-east-1_Z", "us-iso-east-1.c2s.ic.gov"),
        ("eusc-de-east-1_Z", "eusc-de-east-1.amazonaws.eu"),
    ] {
        let config = with_pool(&[("AWS_USER_POOLS_ID", id)]);
        let pool = pool(&config);
        assert_eq!(pool.id, id);
        let issuers = ["cognito-idp", "issuer-cognito-idp"].map(|name| format!("https://{name}.{domain}/{id}"));
        assert_eq!(pool.issuers, issuers, "{id}");
        let urls: Vec<_> = pool.jwks_urls.iter().map(|url| url.as_str()).collect();
        assert_eq!(urls, [format!("{}/.well-known/jwks.json", issuers[0])], "{id}");
    }
}

#[test]
fn issuers_and_addresses_of_keys_can_be_given() {
    let urls = |config: &Config| pool(config).jwks_urls.iter().map(|url| url.to_string()).collect::<Vec<_>>();
    let issuers = "https://idp.example/p1,http://localhost:9229/p1";
    let config = with_pool(&[("COGNITO_ISSUER", issuers)]);
    assert_eq!(pool(&config).issuers, ["https://idp.example/p1", "http://localhost:9229/p1"]);
    assert_eq!(
        urls(&config),
        ["https://idp.example/p1/.well-known/jwks.json", "http://localhost:9229/p1/.well-known/jwks.json"]
    );
    let keys = "http://127.0.0.1:1/a,https://keys.example/b";
    let config = with_pool(&[("COGNITO_ISSUER", issuers), ("COGNITO_JWKS_URL", keys)]);
    assert_eq!(urls(&config), ["http://127.0.0.1:1/a", "https://keys.example/b"]);
    let config = with_pool(&[("COGNITO_JWKS_URL", "https://keys.example/b")]);
    assert_eq!((pool(&config).issuers.len(), urls(&config)), (2, vec!["https://keys.example/b".to_owned()]));
    // An issuer alone will do, and names the pool.
    let config = good(&[
        ("APP_ENV", "production"),
        ("COGNITO_ISSUER", "http://localhost:9229/local_x"),
        ("AWS_APP_CLIENT_ID", "c"),
    ]);
    assert_eq!(pool(&config).id, "local_x");
}

#[test]
fn the_local_pool_is_for_development_on_a_loopback_address_alone() {
    let refused = |variables: &[(&str, &str)]| {
        let error = read(variables).err().unwrap_or_else(|| panic!("{variables:?} is taken"));
        error.name
    };
    for bind in ["0.0.0.0:8000", "[::]:8000", "192.0.2.7:8000", "[2001:db8::1]:8000"] {
        assert_eq!(refused(&[("APP_ENV", "development"), ("BIND_ADDRESS", bind)]), "BIND_ADDRESS", "{bind}");
    }
    for bind in ["127.0.0.1:0", "127.9.9.9:8000", "[::1]:8000"] {
        assert_eq!(local(&[("BIND_ADDRESS", bind)]).pool, Pool::Local, "{bind}");
    }
    assert_eq!(refused(&[("APP_ENV", "production")]), "AWS_USER_POOLS_ID");
    // Half a pool is a mistake, and must not become the local one.
    let development = ("APP_ENV", "development");
    assert_eq!(refused(&[development, ("AWS_APP_CLIENT_ID", "c")]), "AWS_APP_CLIENT_ID");
    assert_eq!(refused(&[development, ("COGNITO_JWKS_URL", "https://keys.example/")]), "COGNITO_JWKS_URL");
    assert_eq!(refused(&[development, POOL[0]]), "AWS_APP_CLIENT_ID");
    assert_eq!(refused(&[development, ("COGNITO_ISSUER", "https://idp.example/p")]), "AWS_APP_CLIENT_ID");
    // With a genuine pool, development may listen anywhere.
    good(&[POOL[0], POOL[1], development, ("BIND_ADDRESS", "0.0.0.0:8000")]);
}

#[tokio::test]
async fn a_malformed_setting_stops_every_command_with_one_line() {
    for command in
        [&["serve"][..], &["check"], &["migrate"], &["createsuperuser", "--noinput"], &["token", "a@example.com"]]
    {
        let program = Program::new().set("DATABASE_URL", "mysql:x");
        program.run(command).await.assert_error("gatepost: DATABASE_URL: must begin with `sqlite:`");
    }
    Program::new()
        .set("MAX_BODY_BYTES", "much")
        .run(&["serve"])
        .await
        .assert_error("gatepost: MAX_BODY_BYTES: `much` is not");
    Program::new().set("PUBLIC_URL", "https://example.com/backend/").run(&["serve"]).await.assert_error(
        "PUBLIC_URL: `https://example.com/backend/` has a path, but Gatepost works only at the root of a host",
    );
}

#[tokio::test]
async fn what_env_file_says_holds_where_the_environment_says_nothing() {
    let file =
        "# a comment\nDATABASE_URL=sqlite:from-file.sqlite3\nMAX_BODY_BYTES=\n\nLOG_FORMAT=\"json\"\nCOGNITO_ISUER=x\n";
    let program = Program::new();
    std::fs::write(program.path(".env"), file).expect("a file");
    let outcome = program.run(&["migrate"]).await;
    assert!(outcome.success().ends_with("to sqlite:from-file.sqlite3.\n"), "{outcome:?}");
    assert!(program.path("from-file.sqlite3").exists() && !program.path("gatepost.sqlite3").exists());
    assert!(outcome.stderr.starts_with("{\"time\":") && outcome.stderr.contains("COGNITO_ISUER"), "{outcome:?}");

    let program = program.set("DATABASE_URL", "sqlite:from-environment.sqlite3");
    assert!(program.run(&["migrate"]).await.success().ends_with("to sqlite:from-environment.sqlite3.\n"));
    // The way to get a default back.
    let program = program.set("DATABASE_URL", "");
    assert!(program.run(&["migrate"]).await.success().ends_with("to sqlite:gatepost.sqlite3.\n"));
}

#[tokio::test]
async fn values_of_the_env_file_stand_for_themselves() {
    let program = Program::new();
    let file = "DATABASE_URL=sqlite:$HOME-${APP_ENV}-$x.sqlite3\nDJANGO_SUPERUSER_USERNAME=root\nDJANGO_SUPERUSER_PASSWORD=pa$word${PATH}\n";
    std::fs::write(program.path(".env"), file).expect("a file");
    program.run(&["createsuperuser", "--noinput"]).await.success();
    let path = program.path("$HOME-${APP_ENV}-$x.sqlite3");
    let mut database = crate::harness::program::connect(&path);
    let hash = crate::harness::rows::texts(&mut database, "SELECT password FROM users").remove(0);
    assert!(gatepost::users::password::verify("pa$word${PATH}", &hash), "the password is another one");
}

#[tokio::test]
async fn the_env_file_of_another_folder_does_not_count_and_a_broken_one_is_refused() {
    let parent = Program::new();
    std::fs::write(parent.path(".env"), "DATABASE_URL=sqlite:from-parent.sqlite3\n").expect("a file");
    std::fs::create_dir(parent.path("below")).expect("a folder");
    let below = Program::within(&parent.path("below"));
    assert!(below.run(&["migrate"]).await.success().ends_with("to sqlite:gatepost.sqlite3.\n"));

    std::fs::write(below.path(".env"), "APP_ENV=development\nthis is no setting\n").expect("a file");
    below.run(&["migrate"]).await.assert_error(".env: line 2: `=` is missing");
    std::fs::remove_file(below.path(".env")).and_then(|()| std::fs::create_dir(below.path(".env"))).expect("a folder");
    below.run(&["migrate"]).await.assert_error(".env: ");
}

#[tokio::test]
async fn a_variable_that_looks_like_a_setting_and_is_none_is_named() {
    let program = Program::new()
        .set("COGNITO_TOKEN_USES", "id")
        .set("cognito_issuer", "x")
        .set("AWS_USER_POOL_ID", "x")
        .set("AWS_APP_CLIENT_IDS", "x")
        .set("AWS_REGION", "x")
        .set("ALLOWED_HOST", "x")
        .set("BIND_ADRESS", "x")
        .set("PUBLIC_URI", "x")
        .set("LOGFORMAT", "x")
        .set("HOSTNAME", "x")
        .set("COGNITO_TOKEN_USE", "id");
    let outcome = program.run(&["migrate"]).await;
    outcome.success();
    let named = |name: &str| outcome.stderr.contains(&format!(" {name} is set, but there is no such setting"));
    for (name, is_unknown) in [
        ("COGNITO_TOKEN_USES", true),
        ("cognito_issuer", true),
        ("AWS_USER_POOL_ID", true),
        ("AWS_APP_CLIENT_IDS", true),
        ("ALLOWED_HOST", true),
        ("BIND_ADRESS", true),
        ("PUBLIC_URI", true),
        ("LOGFORMAT", true),
        ("AWS_REGION", false),
        ("HOSTNAME", false),
        ("COGNITO_TOKEN_USE", false),
    ] {
        assert_eq!(named(name), is_unknown, "{name}: {outcome:?}");
    }
}

#[test]
fn the_table_of_settings_has_a_line_for_each_and_no_other() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/settings.md");
    let document = std::fs::read_to_string(path).expect("docs/settings.md");
    let lines: Vec<&str> = document.lines().filter(|line| line.starts_with("| `")).collect();
    let table = table();
    assert!(lines == table.lines().collect::<Vec<_>>(), "docs/settings.md does not have this table:\n{table}");
}

/// The table as docs/settings.md must have it.
fn table() -> String {
    let line = |setting: &gatepost::config::Setting| {
        format!("| `{}` | {} | {} |", setting.name, setting.default, setting.meaning)
    };
    SETTINGS.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_setting_is_shown_to_the_staff_and_no_secret_is() {
    let secret = "a-secret-of-thirty-two-characters-at-least";
    let config =
        with_pool(&[("POST_CONFIRMATION_SECRETS", secret), ("METRICS_TOKEN", secret), ("RATE_LIMIT_USER", "600/m")]);
    let shown = config.shown();
    let names: Vec<_> = shown.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, SETTINGS.iter().map(|setting| setting.name).collect::<Vec<_>>());
    let value = |wanted: &str| shown.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.as_str());
    assert_eq!(value("AWS_USER_POOLS_ID"), Some("eu-west-1_AbCdEfGhI"));
    assert_eq!(value("RATE_LIMIT_USER"), Some("600/m"));
    assert_eq!(value("METRICS_TOKEN"), Some("set"));
    assert!(shown.iter().all(|(_, value)| !value.contains(secret)), "{shown:?}");
}

#[test]
fn the_key_of_second_factors_is_set_and_not_shown() {
    let key = ("SECOND_FACTOR_KEY", FACTOR_KEY);
    for (word, required) in [("superusers", Required::Superusers), ("staff", Required::Staff)] {
        let config = with_pool(&[key, ("REQUIRE_SECOND_FACTOR", word)]);
        assert!(matches!(config.second_factor_key, KeySource::Setting(_)));
        assert_eq!(config.second_factor_required, required);
        assert!(!format!("{config:?}{:?}", config.shown()).contains(&FACTOR_KEY[..20]), "the key is shown");
        assert!(config.shown().contains(&("SECOND_FACTOR_KEY", "set".to_owned())));
    }
    let malformed = read(&[("SECOND_FACTOR_KEY", "dGhpcyBpcyBub3Q=")]).expect_err("too short").to_string();
    assert!(!malformed.contains("dGhpcyB"), "{malformed}");
}

#[cfg(feature = "postgres")]
#[test]
fn where_no_key_can_be_kept_a_second_factor_cannot_be_required() {
    let database = ("DATABASE_URL", "postgres://db/gatepost");
    assert!(matches!(with_pool(&[database]).second_factor_key, KeySource::Missing));
    let required = ("REQUIRE_SECOND_FACTOR", "superusers");
    let error = read(&[&POOL[..], &[database, required]].concat()).expect_err("no key").to_string();
    assert_eq!(error, "REQUIRE_SECOND_FACTOR: would lock everybody out of the admin. Set SECOND_FACTOR_KEY");
    with_pool(&[database, required, ("SECOND_FACTOR_KEY", FACTOR_KEY)]);
}

#[cfg(not(feature = "postgres"))]
#[test]
fn without_postgresql_there_is_no_standby() {
    let error = read(&[("DATABASE_READ_URL", "postgres://u:secret@db/x")]).expect_err("there is none").to_string();
    assert!(error.starts_with("DATABASE_READ_URL: needs PostgreSQL support"), "{error}");
}

#[cfg(feature = "postgres")]
#[test]
fn a_standby_is_one_of_postgresql_and_its_password_is_not_shown() {
    let database = ("DATABASE_URL", "postgres://db/x");
    let refused = |settings: &[(&'static str, &'static str)]| {
        let error = read(&[&POOL[..], settings].concat()).expect_err("no standby").to_string();
        assert!(!error.contains("hidden"), "{error}");
        error
    };
    let error = refused(&[("DATABASE_READ_URL", "postgres://u:hidden@db/x")]);
    assert_eq!(error, "DATABASE_READ_URL: is set, but DATABASE_URL is SQLite's; only PostgreSQL has standbys");
    let error = refused(&[database, ("DATABASE_READ_URL", "sqlite:hidden.sqlite3")]);
    assert_eq!(error, "DATABASE_READ_URL: must begin with `postgres://`; only PostgreSQL has standbys");
    let error = refused(&[database, ("DATABASE_READ_URL", "postgres://u:hidden@db/x?pool_mode=transaction")]);
    assert!(error.starts_with("DATABASE_READ_URL: has `pool_mode=transaction`; connect"), "{error}");
    let config = with_pool(&[database, ("DATABASE_READ_URL", "postgres://u:hidden@standby/x?pool_mode=session")]);
    let shown = "postgres://u:***@standby/x?pool_mode=session".to_owned();
    assert!(config.shown().contains(&("DATABASE_READ_URL", shown)));
    assert!(!format!("{config:?}").contains("hidden"));
}
