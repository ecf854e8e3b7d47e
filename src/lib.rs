//! Gatepost: a REST API and an admin site in one program, for teams whose users are in AWS Cognito.
//!
//! # The map
//!
//! Each row is a room: a folder, a file, or a part of one. Dependencies point down: the last column lists what a room may
//! use, and `tests/architecture.rs` enforces it. If a lower room needs something from a higher one, it gets it as an
//! argument, a trait or a hook.
//!
//! | room | what it does | in the Django project | may use |
//! |---|---|---|---|
//! | `main` | the program | `manage.py` | `commands`, `server`, `config` |
//! | `commands` | the command line | management commands | `django`, `server`, `config`, `admin`, `cognito::sync`, `cognito`, `aws`, `users`, `history`, `http`, `db`, `crypto`, `error` |
//! | `django` | moving in from a Django project | `dumpdata`, `loaddata` | `articles`, `users`, `models`, `history`, `db`, `error` |
//! | `server` | assembles the application: all URLs, OpenAPI, Swagger UI, health checks, status, logging | `urls.py`, `wsgi.py` | `articles`, `users::api`, `users::admin`, `aws`, `cognito::post_confirmation`, `cognito::user_migration`, `cognito::sign_in`, `cognito::inspector_page`, `cognito::sample_tokens`, `cognito::pool_actions`, `cognito::sync`, `config`, `admin`, `api`, `cognito`, `users`, `history`, `http`, `db`, `metrics`, `crypto`, `error`, `schema` |
//! | `articles` | a feature: its model, API and admin | app `articles` | `admin`, `api`, `users`, `models` |
//! | `users::api` | `/me/` | | `users`, `api`, `cognito`, `http`, `error` |
//! | `users::admin` | users, groups, service accounts and refusals in the admin | `django.contrib.auth.admin` | `users`, `admin`, `http`, `db`, `error` |
//! | `cognito::post_confirmation` | the pool's trigger | | `api`, `cognito`, `users`, `http`, `db`, `crypto`, `error` |
//! | `cognito::user_migration` | the pool's trigger for users who move there with their password | | `admin`, `api`, `cognito`, `users`, `history`, `http`, `db`, `crypto`, `error` |
//! | `cognito::sign_in` | staff sign in to the admin with Cognito; the local pool's sign-in page | | `admin`, `cognito`, `users`, `http`, `aws`, `db`, `crypto`, `error` |
//! | `cognito::sample_tokens` | in development, tokens to try the API with | | `admin`, `cognito`, `users`, `http`, `db`, `error` |
//! | `cognito::inspector_page` | the token inspector in the admin | | `cognito::sample_tokens`, `admin`, `cognito`, `users`, `http`, `error` |
//! | `cognito::pool_actions` | what staff do in the pool | | `admin`, `cognito`, `users::admin`, `users`, `history`, `http`, `aws`, `db`, `error` |
//! | `cognito::sync` | keeping local users in step with the pool | | `cognito`, `users`, `history`, `aws`, `db`, `metrics`, `error` |
//! | `config` | every setting, read once | `settings.py` | `cognito::pool_actions`, `cognito::sync`, `cognito`, `users`, `http`, `aws`, `db`, `crypto` |
//! | `admin` | pages where signed-in staff manage every registered model | `django.contrib.admin` | `users`, `models`, `history`, `http`, `db`, `crypto`, `error`, `schema` |
//! | `api` | view sets, parsers, pages, metadata, the browsable API | Django REST framework | `cognito`, `users`, `models`, `history`, `http`, `db`, `error` |
//! | `cognito` | tokens, keys, linking tokens to users, the pool's sign-in endpoints and API, signed calls of triggers | app `cognito` | `users`, `history`, `http`, `aws`, `db`, `metrics`, `crypto`, `error` |
//! | `users` | accounts of people and machines, rights, passwords, second factors, sessions, refusals | `django.contrib.auth` | `models`, `history`, `db`, `metrics`, `crypto`, `error`, `schema` |
//! | `models` | models: fields, rows and lists; creating, changing and deleting rows | `django.db.models` | `history`, `db`, `error` |
//! | `history` | the change history, restoring deleted rows, retention periods | `django_admin_log` | `db`, `crypto`, `error`, `schema` |
//! | `http` | handling of every request: request id, `Host`, headers, limits, compression, content negotiation | `MIDDLEWARE` | `metrics`, `error` |
//! | `db` | [`Db::read`](db::Db::read) and [`Db::write`](db::Db::write) on SQLite or PostgreSQL, migrations, copies, backups, searches | the ORM's connection | `metrics`, `crypto`, `error`, `schema` |
//! | `aws` | calls of AWS's APIs: credentials, signatures, the HTTP client | | `crypto` |
//! | `metrics` | counters and histograms | | |
//! | `crypto` | random tokens, constant-time comparison, encryption, one-time passwords, secrets | `django.utils.crypto` | `error` |
//! | `error` | one error type with its HTTP responses | exceptions | |
//! | `schema` | Diesel's table definitions | | |
//!
//! A feature is a room that has a model. Its `api.rs` and `admin.rs` use the API and the admin, which know no feature but
//! `users`; a small feature is one `mod.rs`.
//!
//! # Life of a request
//!
//! `POST /articles/` with a token:
//! 1. [`server::build_with`] has opened the socket, and [`http::idle`] watches each connection. [`http::edge`] assigns an
//!    id, checks `Host`, and answers a preflight ([`http::cors`]).
//! 2. [`api::resource`] finds the handler and chooses a renderer by `Accept` ([`http::negotiation`]).
//! 3. [`CognitoCaller`](cognito::CognitoCaller) is extracted: [`cognito::authentication`] takes the token from the header,
//!    [`cognito::verifier`] verifies it (or finds it in its cache), [`cognito::linking`] finds the local user or
//!    [`cognito::service_accounts`] the service account, and [`http::rate_limit`] counts the request. A bad token is a
//!    [`Refusal`](cognito::Refusal), which becomes a 401.
//! 4. [`api::generics`] has the handlers of a [`ModelViewSet`](api::ModelViewSet). It checks the
//!    [`Permission`](api::Permission), reads the body ([`http::body`], [`api::parsers`]) and validates its fields
//!    ([`models::clean`]). [`articles::models`] defines an article.
//! 5. [`Db::insert`](db::Db::insert) puts the change into a queue. [`Model::insertion`](models::Model::insertion) is the
//!    statement that inserts article and history if the user's rights are still the same. A writer thread runs it and
//!    commits it together with what else was queued. Only then is the request answered.
//! 6. [`api::resource`] adds `Allow` and renders the response; [`http::edge`] adds headers and logs.
#![forbid(unsafe_code)]
// All code may process untrusted input, so nothing may panic on it.
#![warn(clippy::expect_used, clippy::panic, clippy::unreachable, clippy::unwrap_used)]

pub mod admin;
pub mod api;
pub mod articles;
pub mod aws;
pub mod cognito;
pub mod commands;
pub mod config;
pub mod crypto;
pub mod db;
pub mod django;
pub mod error;
pub mod history;
pub mod http;
pub mod metrics;
pub mod models;
pub mod schema;
pub mod server;
pub mod users;
