//! Gatepost: API and admin for teams that keep their users in AWS Cognito, with their own data, in one program.
//!
//! # The map
//!
//! Each folder of `src` is a room. Arrows between rooms point down: what a room may use stands in the last column, and
//! nowhere else. `tests/architecture.rs` holds the code to it. Where a lower room needs something from a higher one, it
//! gets it as an argument, a trait or a hook.
//!
//! | room | what it does | in the Django project | may use |
//! |---|---|---|---|
//! | `main` | the program | `manage.py` | `commands`, `server`, `config` |
//! | `commands` | the command line | management commands | `server`, `config`, `cognito`, `users`, `history`, `db`, `crypto`, `error` |
//! | `server` | puts the parts together: all URLs on one screen, OpenAPI, Swagger UI, probes, status, the log | `urls.py`, `wsgi.py` | `articles`, `users::api`, `users::admin`, `cognito::post_confirmation`, `cognito::inspector_page`, `config`, `admin`, `api`, `cognito`, `users`, `history`, `http`, `db`, `metrics`, `crypto`, `error`, `schema` |
//! | `articles` | a feature: its model, its API, its side of the admin | app `articles` | `admin`, `api`, `users`, `models` |
//! | `users::api` | `/me/` | | `users`, `api`, `cognito`, `http`, `error` |
//! | `users::admin` | users and groups in the admin | `django.contrib.auth.admin` | `users`, `admin`, `db`, `error` |
//! | `cognito::post_confirmation` | the pool's trigger | | `api`, `cognito`, `users`, `http`, `db`, `crypto`, `error` |
//! | `cognito::inspector_page` | the token inspector in the admin | | `admin`, `cognito`, `users`, `http`, `error` |
//! | `config` | every setting, read once | `settings.py` | `cognito`, `users`, `http`, `db`, `crypto` |
//! | `admin` | pages behind a session, on which the staff looks after every registered model | `django.contrib.admin` | `users`, `models`, `history`, `http`, `db`, `crypto`, `error`, `schema` |
//! | `api` | view sets, parsers, pages, metadata, the browsable API | Django REST framework | `cognito`, `users`, `models`, `history`, `http`, `db`, `error` |
//! | `cognito` | tokens, keys, whom a token stands for | app `cognito` | `users`, `history`, `http`, `db`, `metrics`, `error` |
//! | `users` | accounts, rights, passwords, sessions | `django.contrib.auth` | `models`, `history`, `db`, `error`, `schema` |
//! | `models` | what a model is: its fields, rows, lists, and how rows are created, changed and deleted | `django.db.models` | `history`, `db`, `error` |
//! | `history` | who changed what; deleted rows and how they come back; what is kept for a time only | `django_admin_log` | `db`, `crypto`, `error`, `schema` |
//! | `http` | what every request passes: request id, `Host`, headers, limits, compression, content negotiation | `MIDDLEWARE` | `metrics`, `error` |
//! | `db` | [`Db::read`](db::Db::read) and [`Db::write`](db::Db::write) on SQLite or PostgreSQL, migrations, copies, backups, searches | the ORM's connection | `metrics`, `crypto`, `error`, `schema` |
//! | `metrics` | counters and histograms | | |
//! | `crypto` | random tokens, comparisons, secrets | `django.utils.crypto` | `error` |
//! | `error` | one error type, with an answer for each caller | exceptions | |
//! | `schema` | the tables, as Diesel sees them | | |
//!
//! `api.rs` and `admin.rs` of a feature are its faces: they know the API and the admin, which know no feature.
//!
//! # A request's journey
//!
//! `POST /articles/` with a token:
//! 1. [`http::edge`] gives it an id and checks its `Host`.
//! 2. [`api::resource`] answers a CORS preflight, or chooses a renderer by `Accept` ([`http::negotiation`]).
//! 3. [`CognitoUser`](cognito::CognitoUser) is extracted: [`cognito::authentication`] takes the token from
//!    the header, [`cognito::verifier`] judges it (or remembers that it did), [`cognito::linking`] finds
//!    the local user. Any doubt is a [`Refusal`](cognito::Refusal), which becomes a 401.
//! 4. [`ModelViewSet`](api::ModelViewSet) reads the body ([`http::body`], [`api::parsers`]), cleans its fields
//!    ([`models::clean`]) and calls [`Model::create`](models::Model::create) within [`Db::write`](db::Db::write), which
//!    answers once article and history are on the disk. What an article is, stands in [`articles::models`].
//! 5. [`api`] adds `Allow` and the chosen rendering; [`http::edge`] adds the headers and logs.
#![forbid(unsafe_code)]
#![warn(missing_docs)]
// Everything here may meet a stranger's input: nothing may give up on it by a panic.
#![warn(clippy::expect_used, clippy::panic, clippy::unreachable, clippy::unwrap_used)]

pub mod admin;
pub mod api;
pub mod articles;
pub mod cognito;
pub mod commands;
pub mod config;
pub mod crypto;
pub mod db;
pub mod error;
pub mod history;
pub mod http;
pub mod metrics;
pub mod models;
#[allow(missing_docs)]
pub mod schema;
pub mod server;
pub mod users;
