//! [`Actor`]: who changes something, and by what.

/// A new one needs a migration on SQLite, which checks the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Admin,
    Api,
    CommandLine,
    /// Authentication with a user's first token.
    FirstToken,
    /// The user pool's post-confirmation trigger.
    PostConfirmation,
    /// The groups of the user pool.
    Cognito,
    PoolSync,
}

impl Source {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Source::Admin => "admin",
            Source::Api => "api",
            Source::CommandLine => "command_line",
            Source::FirstToken => "first_token",
            Source::PostConfirmation => "post_confirmation",
            Source::Cognito => "cognito",
            Source::PoolSync => "pool_sync",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Actor {
    pub(super) user_id: Option<i64>,
    pub(super) name: String,
    pub(super) source: Source,
    /// Rows changed in one batch are undone together; `None`: each row is a batch of its own.
    pub(super) batch: Option<String>,
}

impl Actor {
    pub fn user(id: i64, name: &str, source: Source) -> Actor {
        Actor { user_id: Some(id), name: name.to_owned(), source, batch: None }
    }

    /// For an actor who is not a user.
    pub fn named(name: &str, source: Source) -> Actor {
        Actor { user_id: None, name: name.to_owned(), source, batch: None }
    }

    /// For a command, or for a first token whose user does not exist yet.
    pub fn system(source: Source) -> Actor {
        Actor::named("", source)
    }

    pub fn user_id(&self) -> Option<i64> {
        self.user_id
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn in_batch(self, batch: Option<String>) -> Actor {
        Actor { batch, ..self }
    }

    pub fn batch(&self) -> Option<&str> {
        self.batch.as_deref()
    }
}
