//! The `users` table: its rows, and how they are found.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::db::Connection;
use crate::history::{Actor, Object, Source};
use crate::models::Default;
use crate::models::{Field, Model};
use crate::schema::users;
use crate::users::validators;

/// A user, as forms and lists describe one. What a user may hold is checked by [`create`](super::create) and [`update`](super::update).
pub static USER: Model = Model {
    name: "user",
    plural: "users",
    title: "username",
    fields: &[
        Field::char("username", validators::MAX_USERNAME_CHARS)
            .search()
            .order()
            .help_text("Letters, digits and @ . + - _ only."),
        Field::char("first_name", validators::MAX_NAME_CHARS).search().blank(),
        Field::char("last_name", validators::MAX_NAME_CHARS).search().blank(),
        Field::email("email")
            .search()
            .order()
            .label("E-mail")
            .help_text("Must match Cognito. The first token with this verified address links the account."),
        Field::password("password").help_text("Only for signing in to the admin. The API accepts Cognito tokens."),
        Field::boolean("is_active")
            .order()
            .label("Active")
            .default(Default::Boolean(true))
            .help_text("Can sign in and use the API. Turn this off instead of deleting the user."),
        Field::boolean("is_staff")
            .order()
            .label("Staff")
            .help_text("Can sign in to the admin, and change and delete all articles through the API."),
        Field::boolean("is_superuser")
            .order()
            .label("Superuser")
            .help_text("Has all permissions, even those that are not assigned."),
        Field::many_to_many("groups").help_text("The user gets all permissions of these groups."),
        Field::many_to_many("user_permissions").label("Permissions").help_text("In addition to group permissions."),
    ],
};

/// One row. `password` is an Argon2id hash, and not shown by `Debug`.
#[derive(Clone, Queryable, Selectable, Identifiable)]
#[allow(missing_docs)]
pub struct User {
    pub id: i64,
    pub username: String,
    pub email: String,
    /// [`email_key`] of it.
    pub email_key: Option<String>,
    pub first_name: String,
    pub last_name: String,
    pub password: Option<String>,
    pub is_active: bool,
    pub is_staff: bool,
    pub is_superuser: bool,
    pub last_login: Option<NaiveDateTime>,
    pub date_joined: NaiveDateTime,
    pub cognito_issuer: Option<String>,
    pub cognito_sub: Option<String>,
    pub linked_at: Option<NaiveDateTime>,
    pub last_seen_at: Option<NaiveDateTime>,
    pub origin: String,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("id", &self.id).field("username", &self.username).finish_non_exhaustive()
    }
}

impl User {
    pub(super) fn as_object(&self) -> Object<'_> {
        Object { model: "user", id: self.id, name: &self.username }
    }

    /// The user as who makes a change.
    pub fn actor(&self, source: Source) -> Actor {
        Actor::user(self.id, &self.username, source)
    }
}

/// Where a user came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Created in the admin.
    Admin,
    /// `createsuperuser`, or the first start in development mode.
    CommandLine,
    /// Created by the first valid token.
    FirstToken,
    /// Created by the pool's trigger, after a sign-up.
    PostConfirmation,
}

impl From<Origin> for Source {
    fn from(origin: Origin) -> Source {
        match origin {
            Origin::Admin => Source::Admin,
            Origin::CommandLine => Source::CommandLine,
            Origin::FirstToken => Source::FirstToken,
            Origin::PostConfirmation => Source::PostConfirmation,
        }
    }
}

impl Origin {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Origin::Admin => "admin",
            Origin::CommandLine => "command_line",
            Origin::FirstToken => "first_token",
            Origin::PostConfirmation => "post_confirmation",
        }
    }
}

/// The form in which an e-mail is unique: without regard to case. Folding is done here, since SQLite's
/// `lower` knows ASCII only; it may join more than one mailbox, so it never decides alone whom a token stands for.
pub fn email_key(email: &str) -> Option<String> {
    (!email.is_empty()).then(|| email.to_lowercase())
}

/// Whether there is no user at all.
pub fn is_empty(conn: &mut Connection) -> QueryResult<bool> {
    users::table.select(users::id).first::<i64>(conn).optional().map(|first| first.is_none())
}

/// The user with this id. As in every search by what is unique, without `first`: SQLite prepares a statement anew
/// whenever it gets a value for its `LIMIT`.
pub fn find(conn: &mut Connection, id: i64) -> QueryResult<Option<User>> {
    users::table.find(id).select(User::as_select()).get_result(conn).optional()
}

/// No user has a text with a NUL in it, and PostgreSQL refuses even to look for one.
fn is_impossible(text: &str) -> bool {
    text.contains('\0')
}

/// The user with this name, letter by letter.
pub fn find_by_username(conn: &mut Connection, username: &str) -> QueryResult<Option<User>> {
    if is_impossible(username) {
        return Ok(None);
    }
    users::table.filter(users::username.eq(username)).select(User::as_select()).get_result(conn).optional()
}

/// The user whose e-mail folds to the same key. The caller decides whether that is the same address.
pub fn find_by_email(conn: &mut Connection, email: &str) -> QueryResult<Option<User>> {
    if is_impossible(email) {
        return Ok(None);
    }
    users::table.filter(users::email_key.eq(email_key(email))).select(User::as_select()).get_result(conn).optional()
}

/// The user who is linked to this Cognito user.
pub fn find_by_link(conn: &mut Connection, issuer: &str, sub: &str) -> QueryResult<Option<User>> {
    if is_impossible(sub) {
        return Ok(None);
    }
    users::table
        .filter(users::cognito_issuer.eq(issuer).and(users::cognito_sub.eq(sub)))
        .select(User::as_select())
        .get_result(conn)
        .optional()
}

/// How many users are linked to another pool than the one of this issuer.
pub fn count_linked_elsewhere(conn: &mut Connection, issuer: &str) -> QueryResult<i64> {
    users::table.filter(users::cognito_issuer.ne(issuer)).count().get_result(conn)
}
