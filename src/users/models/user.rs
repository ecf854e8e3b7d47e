//! Rows of the `users` table, and queries for them.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::db::Connection;
use crate::db::rows::Sql;
use crate::history::{Actor, Object, Source};
use crate::models::Default;
use crate::models::email;
use crate::models::{Field, Model};
use crate::schema::{groups, users};
use crate::users::django_hashes::{DjangoHash, Work};
use crate::users::validators;

/// [`create`](super::create) and [`update`](super::update) check its rules.
pub static USER: Model = Model {
    name: "user",
    plural: "users",
    title: "username",
    fields: &[
        Field::char("username", validators::MAX_USERNAME_CHARS)
            .unique_by(|username| Some(validators::normalize_username(username)))
            .search()
            .order()
            .help_text("Letters, digits and @ . + - _ only."),
        Field::char("first_name", validators::MAX_NAME_CHARS).search().blank(),
        Field::char("last_name", validators::MAX_NAME_CHARS).search().blank(),
        Field::email("email")
            .unique_by(email_key)
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

/// `password` is an Argon2id hash or one that came from Django. `Debug` does not show it.
#[derive(Clone, Queryable, Selectable, Identifiable)]
pub struct User {
    pub id: i64,
    pub username: String,
    pub email: String,
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
    /// The `iat` of the last token whose groups were taken.
    pub cognito_groups_iat: Option<i64>,
    /// A group of the pool made the user staff.
    pub staff_by_cognito: bool,
    /// The pool sync deactivated the user, and so may re-activate them.
    pub deactivated_by_sync: bool,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("id", &self.id).field("username", &self.username).finish_non_exhaustive()
    }
}

impl User {
    /// Whether the row still has this name and these rights.
    pub fn is_unchanged(&self) -> Sql {
        let flags = [self.is_active, self.is_staff, self.is_superuser];
        let mut condition = Sql::new("EXISTS (SELECT 1 FROM users WHERE id = ? AND username = ?");
        condition.bind(self.id).bind(self.username.as_str());
        for (column, flag) in ["is_active", "is_staff", "is_superuser"].iter().zip(flags) {
            condition.push(&format!(" AND {column} = ?")).bind(flag);
        }
        condition.push(")");
        condition
    }

    pub(super) fn as_object(&self) -> Object<'_> {
        Object { model: "user", id: self.id, name: &self.username }
    }

    /// Whether this is certainly the user's e-mail.
    pub fn has_email(&self, email: &str) -> bool {
        email::is_same(&self.email, email)
    }

    pub fn actor(&self, source: Source) -> Actor {
        Actor::user(self.id, &self.username, source)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Admin,
    /// `createsuperuser`, or the first start in development mode.
    CommandLine,
    FirstToken,
    PostConfirmation,
    PoolSync,
}

impl From<Origin> for Source {
    fn from(origin: Origin) -> Source {
        match origin {
            Origin::Admin => Source::Admin,
            Origin::CommandLine => Source::CommandLine,
            Origin::FirstToken => Source::FirstToken,
            Origin::PostConfirmation => Source::PostConfirmation,
            Origin::PoolSync => Source::PoolSync,
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
            Origin::PoolSync => "pool_sync",
        }
    }
}

/// The e-mail in the form in which it is unique. Different mailboxes may have the same key, so the key alone never
/// identifies the user of a token.
pub fn email_key(email: &str) -> Option<String> {
    (!email.is_empty()).then(|| email::key(email))
}

pub fn is_empty(conn: &mut Connection) -> QueryResult<bool> {
    users::table.select(users::id).first::<i64>(conn).optional().map(|first| first.is_none())
}

/// Queries by unique columns do not use `first`: with a parameter in `LIMIT`, SQLite prepares them each time.
pub fn find(conn: &mut Connection, id: i64) -> QueryResult<Option<User>> {
    users::table.find(id).select(User::as_select()).get_result(conn).optional()
}

/// No stored text contains NUL, and PostgreSQL rejects it even in a comparison.
fn is_impossible(text: &str) -> bool {
    text.contains('\0')
}

pub fn find_by_username(conn: &mut Connection, username: &str) -> QueryResult<Option<User>> {
    if is_impossible(username) {
        return Ok(None);
    }
    users::table.filter(users::username.eq(username)).select(User::as_select()).get_result(conn).optional()
}

/// The caller must check whether the address is the same.
pub fn find_by_email(conn: &mut Connection, email: &str) -> QueryResult<Option<User>> {
    if is_impossible(email) {
        return Ok(None);
    }
    users::table.filter(users::email_key.eq(email_key(email))).select(User::as_select()).get_result(conn).optional()
}

/// Whether any active staff user is linked to a pool, or has an e-mail by which they can be. With `may_become`, a group of
/// the pool can make any active user staff.
pub fn has_linkable_staff(conn: &mut Connection, issuer: &str, may_become: bool) -> QueryResult<bool> {
    let linkable = users::cognito_sub.is_null().and(users::email.ne(""));
    let can_sign_in = users::cognito_issuer.eq(issuer).or(linkable.nullable());
    let staff = users::table
        .filter(users::is_active.and(users::is_staff.or(may_become.into_sql::<Bool>())))
        .filter(can_sign_in);
    diesel::select(diesel::dsl::exists(staff)).get_result(conn)
}

/// What checking the hashes takes that active staff have brought from Django.
pub fn django_works(conn: &mut Connection) -> QueryResult<Vec<Work>> {
    works_of(conn, true)
}

/// The same of the active users who are not staff, and who may be many.
pub fn django_works_of_others(conn: &mut Connection) -> QueryResult<Vec<Work>> {
    works_of(conn, false)
}

fn works_of(conn: &mut Connection, is_staff: bool) -> QueryResult<Vec<Work>> {
    let hashes = users::table
        .filter(users::is_active.and(users::is_staff.eq(is_staff)).and(users::password.not_like("$argon2id$%")))
        .select(users::password.assume_not_null());
    let mut works = Vec::new();
    for hash in hashes.load_iter::<String, diesel::connection::DefaultLoadingMode>(conn)? {
        if let Ok(hash) = DjangoHash::parse(&hash?) {
            hash.work().clone().add_to(&mut works);
        }
    }
    Ok(works)
}

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

/// Also whether any local group names a group of the pool. That is part of the statement, because each new token asks.
pub fn find_by_link_with_groups(conn: &mut Connection, issuer: &str, sub: &str) -> QueryResult<Option<(User, bool)>> {
    if is_impossible(sub) {
        return Ok(None);
    }
    let has_groups = diesel::dsl::exists(groups::table.filter(groups::cognito_group.is_not_null()));
    users::table
        .filter(users::cognito_issuer.eq(issuer).and(users::cognito_sub.eq(sub)))
        .select((User::as_select(), has_groups))
        .get_result(conn)
        .optional()
}

pub fn count_linked_elsewhere(conn: &mut Connection, issuer: &str) -> QueryResult<i64> {
    users::table.filter(users::cognito_issuer.ne(issuer)).count().get_result(conn)
}
