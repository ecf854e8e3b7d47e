//! The list of all settings.

/// One environment variable: its name, what holds when it is unset, and what it does.
pub struct Setting {
    /// The variable's name.
    pub name: &'static str,
    /// What holds when the variable is unset or empty.
    pub default: &'static str,
    /// What the variable does, in one or two sentences.
    pub meaning: &'static str,
}

macro_rules! settings {
    ($($name:literal, $default:literal, $meaning:literal;)*) => {
        /// Every environment variable that is read, in the order of the README's table.
        pub const SETTINGS: &[Setting] = &[
            $(Setting { name: $name, default: $default, meaning: $meaning }),*
        ];
    };
}

settings! {
    "APP_ENV", "`development` in a debug build, `production` in a release build", "The mode. Only `development` has a local user pool and makes a first superuser.";
    "AWS_USER_POOLS_ID", "none (development: the local user pool)", "The Cognito user pool whose tokens are accepted, such as `eu-west-1_AbCdEfGhI`. The region is the part before the underscore.";
    "AWS_APP_CLIENT_ID", "none (development: the local pool's client)", "The app clients whose tokens are accepted; several are separated by commas.";
    "COGNITO_ISSUER", "both issuer forms of the pool", "Accepted `iss` values in place of those derived from the pool id, separated by commas: an emulator, another AWS partition, a replicated region. All of them are taken for one pool: the keys of each may sign for all, and users are linked under the first.";
    "COGNITO_JWKS_URL", "`/.well-known/jwks.json` below the issuer", "Where the pool's public keys are; several are separated by commas. `https` only, unless the host is a loopback address.";
    "COGNITO_TOKEN_USE", "`id`", "Which tokens are accepted: `id`, `access` or `any`. An access token carries no e-mail, so it can only stand for a user who is linked already.";
    "COGNITO_LEEWAY_SECONDS", "`30`", "How far the clocks of Cognito and this machine may differ, 0 to 120.";
    "COGNITO_LINK_UNVERIFIED_EMAIL", "`false`", "`true` lets an e-mail that Cognito has not verified link or create a user. Only for emulators that never mark an e-mail as verified.";
    "COGNITO_CREATE_USERS", "`false` (`true` with the local user pool)", "`true` creates the local user when the first valid token of an unknown, verified user arrives.";
    "POST_CONFIRMATION_SECRETS", "none: the trigger is refused", "What the Post Confirmation trigger signs its events with: at least 32 characters, such as `openssl rand -hex 32` makes. Two, separated by a comma, are valid side by side while one replaces the other.";
    "COGNITO_CA_FILE", "none", "A PEM file with certificate authorities to trust beside the system's when the keys are fetched.";
    "COGNITO_JWKS_REFRESH_SECONDS", "`300`", "How often the keys are fetched anew; a withdrawn key is refused from then on. At least 1.";
    "COGNITO_JWKS_COOLDOWN_SECONDS", "`10`", "The least time between two fetches caused by a token that names an unknown key.";
    "COGNITO_JWKS_MAX_STALE_SECONDS", "`86400`", "How long known keys are trusted while they cannot be fetched anew.";
    "DATABASE_URL", "`sqlite:gatepost.sqlite3`", "The database: `sqlite:` and a path, where the file is created when it is missing, or `postgres://user:password@host/database` ([Scaling](docs/scaling.md)).";
    "BIND_ADDRESS", "`127.0.0.1:8000`", "The IP address and port to listen on; with the local user pool, a loopback address.";
    "ALLOWED_HOSTS", "the loopback names, and the host of `BIND_ADDRESS`", "The `Host` values that are answered, separated by commas; `.example.com` stands for the domain and all below it, `*` for any.";
    "CORS_ALLOWED_ORIGINS", "development: `http://localhost:3000`; production: none", "The web origins whose pages may call the API, separated by commas.";
    "MAX_BODY_BYTES", "`1048576`", "The largest request body that is read, in bytes.";
    "SESSION_IDLE_SECONDS", "`28800`", "How long a session of the admin lasts without a request, at least 1.";
    "SESSION_MAX_SECONDS", "`1209600`", "How long a session of the admin lasts in any case, at least 1.";
    "LOGIN_MAX_FAILURES", "`5`", "How many times signing in to one account may fail at once, 1 to 1000; then it may be tried once in 30 seconds. From one address it is four times as many, then once in 15 seconds.";
    "TRUSTED_PROXIES", "none", "The IP addresses of reverse proxies whose `X-Forwarded-For` tells the client's address, separated by commas; `10.0.0.0/8` stands for a network.";
    "RATE_LIMIT_USER", "no limit", "How many requests of the API one user may make: a number and a period, such as `100/s`, `600/m` or `5000/h`. As many may come at once. Each process counts for itself.";
    "RATE_LIMIT_ADDRESS", "no limit", "The same for callers without a valid token or signature, by address; an IPv6 address counts by its `/64`.";
    "METRICS_ADDRESS", "none", "An IP address and port of their own for the metrics, such as `127.0.0.1:9100`. Whoever reaches it may read them.";
    "METRICS_TOKEN", "none", "Offers the metrics at `BIND_ADDRESS` as well, to whoever sends this token as `Authorization: Bearer`: at least 32 characters, such as `openssl rand -hex 32` makes.";
    "LOG_FORMAT", "`text`", "`json` writes one JSON object a line. The log goes to standard error, the start-up text to standard output.";
    "RUST_LOG", "development: `info,actix_server=warn`; production: `info,actix_server=warn,gatepost::access=warn`", "What is logged, in env_logger's notation. `gatepost::access` has a line for every request.";
}
