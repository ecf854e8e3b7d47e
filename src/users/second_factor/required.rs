//! Who must have a second factor.

use std::fmt;

use crate::users::models::User;

/// Who cannot use the admin with a password alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Required {
    #[default]
    Nobody,
    Superusers,
    Staff,
}

impl Required {
    pub fn covers(self, user: &User) -> bool {
        match self {
            Required::Nobody => false,
            Required::Superusers => user.is_superuser,
            Required::Staff => user.is_superuser || user.is_staff,
        }
    }
}

impl fmt::Display for Required {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Required::Nobody => "nobody",
            Required::Superusers => "superusers",
            Required::Staff => "staff",
        })
    }
}
