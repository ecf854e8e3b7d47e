//! The list of all settings.

pub struct Setting {
    pub name: &'static str,
    pub default: &'static str,
    pub meaning: &'static str,
}

macro_rules! settings {
    ($($name:literal, $default:literal, $meaning:literal;)*) => {
        /// In the order of the table in docs/settings.md.
        pub const SETTINGS: &[Setting] = &[
            $(Setting { name: $name, default: $default, meaning: $meaning }),*
        ];
    };
}

settings! {
    "APP_ENV", "`development` in a debug build, `production` in a release build", "The mode. Only `development` has a local user pool and creates a first superuser.";
    "AWS_USER_POOLS_ID", "none (development: the local user pool)", "The Cognito user pool whose tokens are accepted, such as `eu-west-1_AbCdEfGhI`. The part before the underscore is the region.";
    "AWS_APP_CLIENT_ID", "none (development: the local pool's client)", "The app clients whose tokens are accepted, separated by commas.";
    "COGNITO_ISSUER", "both issuer forms of the pool", "The accepted `iss` values, separated by commas, instead of those derived from the pool id: for an emulator or a replicated region. They all count as one pool: the keys of each may sign for all of them, and users are linked under the first.";
    "COGNITO_JWKS_URL", "`/.well-known/jwks.json` below the issuer", "The URLs of the pool's public keys, separated by commas. Only `https`, unless the host is a loopback address.";
    "COGNITO_ADMIN_CLIENT_ID", "none: no sign-in with Cognito (development: the local pool's)", "The app client with which staff sign in to the admin, with the authorization code grant and the scopes `openid`, `email` and `profile`.";
    "COGNITO_ADMIN_CLIENT_SECRET", "none: a public client", "The secret of that app client.";
    "COGNITO_ADMIN_ACR", "none", "The accepted values of `acr`, separated by commas, such as `urn:cognito:loa:2` for a second factor. An ID token without one of them is refused.";
    "COGNITO_AUTHORIZATION_URL", "from discovery", "Where staff sign in, instead of what the issuer's discovery says.";
    "COGNITO_TOKEN_URL", "from discovery", "Where codes are exchanged, instead of what the issuer's discovery says.";
    "COGNITO_LOGOUT_URL", "from discovery", "Where staff sign out of Cognito, instead of what the issuer's discovery says.";
    "ADMIN_PASSWORD_SIGN_IN", "`true`", "`false` closes the sign-in with a password. Sign-in with Cognito must be set up.";
    "SECOND_FACTOR_KEY", "SQLite: a key file next to the database, created when it is first needed; PostgreSQL: none", "The key that encrypts the secrets of second factors: 32 random bytes in base64, for example from `openssl rand -base64 32`. Back it up: without it, no authenticator app works any more.";
    "REQUIRE_SECOND_FACTOR", "nobody", "Who cannot use the admin with a password alone: `superusers` or `staff`. After the sign-in, they can only set up a second factor until they have one. A sign-in with Cognito is not affected.";
    "PUBLIC_URL", "none", "The origin that browsers see, such as `https://admin.example.com`. Set it if a proxy changes `Host` or its port: forms of the admin must come from here. A host that a trusted proxy sends in `X-Forwarded-Host` or `Forwarded` counts as well. Cognito leads back to `/admin/login/cognito/callback/` below it.";
    "COGNITO_TOKEN_USE", "`id`", "Which tokens of users are accepted: `id`, `access` or `any`. An access token carries no e-mail, so it works only for users who are already linked.";
    "COGNITO_RESOURCE_SERVER", "none: machine clients are refused (development: `gatepost` for the local user pool)", "The identifier of the API's resource server in the pool, such as `articles`. A service account needs the scope `articles/read` for GET, HEAD and OPTIONS, and `articles/write` for the other methods.";
    "COGNITO_LEEWAY_SECONDS", "`30`", "How far the clocks of Cognito and this machine may differ, 0 to 120.";
    "COGNITO_LINK_UNVERIFIED_EMAIL", "`false`", "`true` lets an e-mail that Cognito has not verified link or create a user. Anyone who can set an e-mail in the pool then becomes the user who has it, even a superuser: only for emulators that never mark an e-mail as verified.";
    "COGNITO_CREATE_USERS", "`false` (`true` with the local user pool)", "`true` creates the local user when the first valid token of an unknown, verified user arrives.";
    "COGNITO_STAFF_GROUP", "none", "The group of the user pool whose members are staff. Someone who leaves it stops being staff with their next token or sign-in, unless they were made staff by hand. No group makes a superuser.";
    "POST_CONFIRMATION_SECRETS", "none: the trigger is refused", "The secret that the Post Confirmation trigger signs its events with: at least 32 characters, for example from `openssl rand -hex 32`. Two secrets, separated by a comma, are both valid while one replaces the other.";
    "USER_MIGRATION_SECRETS", "none: the trigger is refused", "The secret that the User Migration trigger signs its events with, like the one above, but another one: this trigger checks passwords (see `docs/user-migration.md`). Unset it when everybody has moved.";
    "USER_MIGRATION_EMAILS_VERIFIED", "`false`", "`true` tells the pool that the e-mail of a user who moves there with the password is verified. Set it only if your Django project verified e-mails. Otherwise the user verifies it in Cognito before the first token can be linked.";
    "COGNITO_SYNC_SECONDS", "none: no regular sync", "How often the server compares its users with those of the pool, at least 60. It needs AWS credentials (see `docs/sync.md`).";
    "COGNITO_SYNC_MAX_CHANGES", "`10%`", "How many users who are linked to the pool a sync may change, as a number or a percentage of those who are active. A percentage always allows 5. If it would change more, it changes nothing.";
    "COGNITO_ADMIN_ACTIONS", "none", "What staff who may change a user can do in the pool from the user's page, separated by commas: `compare`, `create`, `resend`, `disable`, `enable`, `reset_password`. Each needs rights in AWS (see `docs/pool-actions.md`).";
    "COGNITO_CA_FILE", "none", "A PEM file with certificate authorities to trust for the keys, the sign-in and the APIs of AWS, in addition to the system's.";
    "COGNITO_JWKS_REFRESH_SECONDS", "`300`", "How often the keys are fetched, at least 1. A key that the pool has withdrawn is refused after the next fetch.";
    "COGNITO_JWKS_COOLDOWN_SECONDS", "`10`", "The minimum time between two fetches that are caused by a token with an unknown key.";
    "COGNITO_JWKS_MAX_STALE_SECONDS", "`86400`", "How long known keys stay trusted while they cannot be fetched.";
    "DATABASE_URL", "`sqlite:gatepost.sqlite3`", "The database: `sqlite:` and a path, where the file is created if it is missing, or `postgres://user:password@host/database` (see `docs/scaling.md`).";
    "DATABASE_READ_URL", "none: the database in `DATABASE_URL` answers everything", "A PostgreSQL standby of the database in `DATABASE_URL`, which then answers lists and searches of the API as soon as it has what they must show (see `docs/scaling.md`).";
    "BIND_ADDRESS", "`127.0.0.1:8000`", "The IP address and port to listen on, or a Unix socket such as `unix:/run/gatepost/gatepost.sock`. With the local user pool, it must be a loopback address. A socket from systemd replaces it (see `docs/operation.md`).";
    "ALLOWED_HOSTS", "the loopback names, and the hosts of `BIND_ADDRESS` and `PUBLIC_URL`", "The accepted `Host` values, separated by commas. `.example.com` stands for the domain and everything below it, `*` for any host.";
    "CORS_ALLOWED_ORIGINS", "development: `http://localhost:3000`; production: none", "The web origins whose pages may call the API, separated by commas.";
    "CORS_ALLOWED_HEADERS", "`accept,authorization,content-type,if-match,if-none-match,traceparent,tracestate,user-agent,x-csrftoken,x-requested-with`", "The request headers that these pages may send, separated by commas. A list replaces the default, so name `authorization` and `content-type`, too.";
    "MAX_BODY_BYTES", "`1048576`", "The largest request body that is read, in bytes.";
    "SESSION_IDLE_SECONDS", "`28800`", "How long an admin session lasts without a request, at least 1.";
    "SESSION_MAX_SECONDS", "`1209600`", "How long an admin session lasts in any case, at least 1.";
    "LOGIN_MAX_FAILURES", "`5`", "How many sign-ins to one account may fail at once, 1 to 1000. After that, one attempt is allowed every 30 seconds. One IP address may fail four times as often; after that, it has one attempt every 15 seconds.";
    "TRUSTED_PROXIES", "none", "The IP addresses of reverse proxies whose `X-Forwarded-For` names the client and whose `X-Forwarded-Host` or `Forwarded` names the host, separated by commas. `10.0.0.0/8` stands for a network, and `unix:` for whoever connects to the Unix socket.";
    "RATE_LIMIT_USER", "no limit", "How many API requests one user or service account may make: a number and a period, such as `100/s`, `600/m` or `5000/h`. They may all come at once. Each process counts separately.";
    "RATE_LIMIT_ADDRESS", "no limit", "The same for callers without a valid token or signature, by IP address. An IPv6 address counts by its `/64`.";
    "METRICS_ADDRESS", "none", "A separate IP address and port for the metrics, such as `127.0.0.1:9100`. Anyone who can reach it may read them.";
    "METRICS_TOKEN", "none", "Also serves the metrics at `BIND_ADDRESS`, to clients that send this token as `Authorization: Bearer`: at least 32 characters, for example from `openssl rand -hex 32`.";
    "LOG_FORMAT", "`text`", "`json` writes one JSON object per line. The log goes to standard error, the start-up text to standard output.";
    "RUST_LOG", "development: `info,actix_server=warn`; production: `info,actix_server=warn,gatepost::access=warn`", "What is logged, in env_logger's notation. `gatepost::access` writes a line for every request.";
}
