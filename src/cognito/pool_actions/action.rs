//! The actions, and whom they suit.

use std::str::FromStr;

use crate::cognito::pool_api::{PoolUser, UserStatus};
use crate::users::models::User;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolAction {
    Compare,
    Create,
    Resend,
    Disable,
    Enable,
    ResetPassword,
}

impl PoolAction {
    pub const ALL: [PoolAction; 6] = [
        PoolAction::Compare,
        PoolAction::Create,
        PoolAction::Resend,
        PoolAction::Disable,
        PoolAction::Enable,
        PoolAction::ResetPassword,
    ];

    /// In the setting and in forms.
    pub fn as_str(self) -> &'static str {
        match self {
            PoolAction::Compare => "compare",
            PoolAction::Create => "create",
            PoolAction::Resend => "resend",
            PoolAction::Disable => "disable",
            PoolAction::Enable => "enable",
            PoolAction::ResetPassword => "reset_password",
        }
    }

    /// On its button.
    pub fn label(self) -> &'static str {
        match self {
            PoolAction::Compare => "Compare with the pool",
            PoolAction::Create => "Create in Cognito",
            PoolAction::Resend => "Send the invitation again",
            PoolAction::Disable => "Disable here and in Cognito",
            PoolAction::Enable => "Enable here and in Cognito",
            PoolAction::ResetPassword => "Reset the Cognito password",
        }
    }

    pub fn is_harmful(self) -> bool {
        matches!(self, PoolAction::Disable | PoolAction::ResetPassword)
    }

    /// What the confirmation page says.
    pub fn warning(self) -> &'static str {
        match self {
            PoolAction::Compare => "",
            PoolAction::Create => {
                "Cognito creates the account and sends an invitation with a temporary password to the user’s e-mail. If it has an account with this verified e-mail already, that one is linked and no invitation is sent."
            }
            PoolAction::Resend => {
                "Cognito sends another invitation with a new temporary password. The one before it stops working."
            }
            PoolAction::Disable => {
                "The user is deactivated here at once, and all sessions here end. Then the account is disabled in Cognito and signed out of every app of the pool."
            }
            PoolAction::Enable => "The account is enabled in Cognito. Then the user is activated here.",
            PoolAction::ResetPassword => {
                "The user cannot sign in to any app of the pool with the current password any more. Cognito sends a code with which they choose a new one."
            }
        }
    }

    /// Why it does not suit a user with this link: a sentence.
    pub fn obstacle(self, user: &User, issuer: &str) -> Option<&'static str> {
        let is_linked = user.cognito_sub.is_some();
        match self {
            PoolAction::Create if is_linked => Some("The user is linked to Cognito already."),
            PoolAction::Create if user.email.is_empty() => Some("The user has no e-mail to send an invitation to."),
            PoolAction::Create if !user.is_active => Some("The user is deactivated. Activate the user first."),
            PoolAction::Create => None,
            _ if !is_linked => Some("The user is not linked to Cognito."),
            _ if user.cognito_issuer.as_deref() != Some(issuer) => Some("The user is linked to another user pool."),
            _ => None,
        }
    }

    /// Why Cognito would refuse it: a sentence.
    pub fn refusal(self, in_pool: &PoolUser) -> Option<&'static str> {
        let status = in_pool.status;
        match self {
            PoolAction::Resend if status != UserStatus::ForceChangePassword => {
                Some("Only users who have not signed in to Cognito yet can be invited again.")
            }
            PoolAction::ResetPassword if !in_pool.is_enabled => Some("The account is disabled in Cognito."),
            PoolAction::ResetPassword if status == UserStatus::ForceChangePassword => {
                Some("The user has not used the invitation yet. Send it again instead.")
            }
            PoolAction::ResetPassword if status == UserStatus::ExternalProvider => {
                Some("The user signs in with another identity provider, so Cognito has no password.")
            }
            PoolAction::ResetPassword if status == UserStatus::Unconfirmed => {
                Some("The user has not confirmed the sign-up yet.")
            }
            _ => None,
        }
    }

    /// Whether its button is of use. Without an answer of the pool, all that the link allows are.
    pub fn is_useful(self, user: &User, in_pool: Option<&PoolUser>) -> bool {
        match (self, in_pool) {
            (PoolAction::Compare, _) => false,
            (PoolAction::Disable, Some(in_pool)) => user.is_active || in_pool.is_enabled,
            (PoolAction::Enable, Some(in_pool)) => !user.is_active || !in_pool.is_enabled,
            (action, Some(in_pool)) => action.refusal(in_pool).is_none(),
            (_, None) => true,
        }
    }
}

impl FromStr for PoolAction {
    type Err = String;

    fn from_str(word: &str) -> Result<PoolAction, String> {
        PoolAction::ALL.into_iter().find(|action| action.as_str() == word).ok_or_else(|| {
            let words = PoolAction::ALL.map(|action| format!("`{}`", action.as_str()));
            format!("`{}` is not one of {}", word.escape_debug(), words.join(", "))
        })
    }
}
