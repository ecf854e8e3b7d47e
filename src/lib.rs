//! Gatepost: API and admin for teams that keep their users in AWS Cognito, with their own data, in one program.
//!
//! # The map
//!
//! | module | what it does | in the Django project |
//! |---|---|---|
//! | [`config`] | every setting, read once | `settings.py` |
//! | [`server`] | builds the server; all addresses on one screen | `urls.py`, `wsgi.py` |
//! | [`middleware`] | request id, `Host`, security headers, log | `MIDDLEWARE` |
//! | [`connection`] | cuts off clients that dawdle between requests | |
//! | [`api`] | negotiation, parsers, fields, pages, metadata, the browsable API | Django REST framework |
//! | [`openapi`], [`docs`] | the OpenAPI document, and Swagger UI to try it | |
//! | [`cognito`] | tokens, keys, who a token stands for | app `cognito` |
//! | [`articles`] | the model and its addresses | app `articles` |
//! | [`users`] | the model, passwords, `/me/` | `django.contrib.auth` |
//! | [`admin`] | pages behind a session, on which the staff looks after every registered model | `django.contrib.admin` |
//! | [`history`] | who changed what, with old and new values | `django_admin_log` |
//! | [`search`] | the words of a search, and its turn | |
//! | [`deleted_rows`], [`expiry`] | bring deleted rows back; delete for good what is kept for a time only | |
//! | [`db`] | [`Db::read`](db::Db::read) and [`Db::write`](db::Db::write) on SQLite or PostgreSQL, migrations, copies, backups | the ORM's connection |
//! | [`commands`] | the command line | `manage.py` |
//! | [`assets`] | style sheets, scripts and icons, embedded | `staticfiles` |
//! | [`client_address`], [`crypto`], [`secret`] | who a request comes from; random tokens and kept keys | |
//! | [`rate_limit`], [`compression`] | limits on callers; smaller answers | |
//! | [`metrics`], [`trace_context`], [`status`] | what operators watch | |
//! | [`error`], [`pages`], [`health`], [`logging`] | errors, error pages, probes, the log | |
//!
//! Features ([`articles`], [`users`], [`cognito`]) know [`api`], [`admin`], [`db`] and [`error`]; none of these
//! knows a feature, but for who a caller is: [`api`] asks [`cognito`] for strangers and [`admin`] for signed-in
//! staff, and [`admin`] asks [`users`]. [`config`] knows the settings that each part takes; it is known by those
//! that put parts together: [`server`], [`admin::urls`], [`commands`] and [`logging`].
//!
//! # A request's journey
//!
//! `POST /articles/` with a token:
//! 1. [`middleware::edge`] gives it an id and checks its `Host`.
//! 2. [`api::resource`] answers a CORS preflight, or chooses a renderer by `Accept`.
//! 3. [`CognitoUser`](cognito::CognitoUser) is extracted: [`cognito::authentication`] takes the token from
//!    the header, [`cognito::verifier`] judges it (or remembers that it did), [`cognito::linking`] finds
//!    the local user. Any doubt is a [`Refusal`](cognito::Refusal), which becomes a 401.
//! 4. The handler in [`articles::api`] reads the body ([`api::parsers`]), cleans its fields
//!    ([`api::fields`]) and calls [`articles::models`] within [`Db::write`](db::Db::write), which answers
//!    once article and history are on the disk.
//! 5. [`api`] adds `Allow` and the chosen rendering; [`middleware::edge`] adds the headers and logs.
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
#[allow(missing_docs)]
pub mod schema;
pub mod server;
pub mod users;
