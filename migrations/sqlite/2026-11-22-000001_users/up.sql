-- Django's fields, the link to a Cognito user, and where the row came from.
-- Lengths are checked in Rust, in characters; the CHECKs are the second wall.
CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, -- AUTOINCREMENT: an id is never given twice
    username TEXT NOT NULL UNIQUE CHECK (length(username) BETWEEN 1 AND 150),
    email TEXT NOT NULL CHECK (length(email) <= 254),
    -- The e-mail with its case folded by the program: databases disagree on what lower() does beyond
    -- ASCII. NULL where there is no e-mail.
    email_key TEXT UNIQUE,
    first_name TEXT NOT NULL CHECK (length(first_name) <= 150),
    last_name TEXT NOT NULL CHECK (length(last_name) <= 150),
    password TEXT, -- Argon2id in PHC notation; NULL: signs in with Cognito only
    is_active BOOLEAN NOT NULL,
    is_staff BOOLEAN NOT NULL,
    is_superuser BOOLEAN NOT NULL,
    last_login TIMESTAMP,
    date_joined TIMESTAMP NOT NULL,
    cognito_issuer TEXT,
    cognito_sub TEXT,
    linked_at TIMESTAMP,
    last_seen_at TIMESTAMP,
    origin TEXT NOT NULL CHECK (origin IN ('admin', 'command_line', 'post_confirmation', 'first_token')),
    CHECK ((cognito_issuer IS NULL) = (cognito_sub IS NULL)),
    UNIQUE (cognito_issuer, cognito_sub)
);
