//! [`Staff`]: who changes something, and with which rights.

use crate::crypto::random_token;
use crate::db::Connection;
use crate::error::Error;
use crate::history::{Actor, Source};
use crate::users::models::{self, User};
use crate::users::permissions::Rights;

/// A user of the admin, with the rights at one moment.
#[derive(Clone, Debug)]
pub struct Staff {
    /// Active and staff; `None` on the command line.
    pub user: Option<User>,
    pub rights: Rights,
    pub batch: Option<String>,
}

/// What the batch of an import or of an undo begins with, for the history. That of an action begins with its name.
pub const IMPORT: &str = "import-";
pub const UNDO: &str = "undo-";

pub fn new_batch(start: &str) -> Result<String, Error> {
    Ok(format!("{start}{}", random_token()?))
}

impl Staff {
    pub fn new(user: User, rights: Rights) -> Staff {
        Staff { user: Some(user), rights, batch: None }
    }

    /// Whoever runs a command: all rights, and no user.
    pub fn command_line() -> Staff {
        Staff { user: None, rights: Rights::all(), batch: None }
    }

    /// An error on the command line.
    pub fn user(&self) -> Result<&User, Error> {
        self.user.as_ref().ok_or(Error::PermissionDenied)
    }

    /// The same user, whose changes belong together.
    pub fn in_batch(&self, batch: String) -> Staff {
        Staff { batch: Some(batch), ..self.clone() }
    }

    pub fn user_id(&self) -> Option<i64> {
        self.user.as_ref().map(|user| user.id)
    }

    /// Call in the transaction of a change: rights may be gone. [`Error::PermissionDenied`] without access to the
    /// admin.
    pub fn find(conn: &mut Connection, id: i64) -> Result<Staff, Error> {
        let user = models::find(conn, id)?.filter(|user| user.is_active && user.is_staff);
        let user = user.ok_or(Error::PermissionDenied)?;
        let rights = Rights::of(conn, &user)?;
        Ok(Staff::new(user, rights))
    }

    pub fn actor(&self) -> Actor {
        let actor = self.user.as_ref().map(|user| user.actor(Source::Admin));
        actor.unwrap_or_else(|| Actor::system(Source::CommandLine)).in_batch(self.batch.clone())
    }
}
