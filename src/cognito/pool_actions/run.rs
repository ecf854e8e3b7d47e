//! Carries out what was confirmed. What the pool refuses is a message, and is tried again with the same button.

use super::PoolActions;
use super::action::PoolAction;
use crate::admin::model_admin::Staff;
use crate::admin::{AdminContext, Message, Site};
use crate::cognito::pool_api::PoolUser;
use crate::db::Connection;
use crate::error::Error;
use crate::history::Changes;
use crate::users::admin::{activate, deactivate};
use crate::users::models::{self, User};
use crate::users::permissions::Verb;

pub const SLUG: &str = "users";

/// The user, if `staff` may change them.
pub(super) fn may_change(conn: &mut Connection, site: &Site, staff: &Staff, id: i64) -> Result<User, Error> {
    let model = site.get(SLUG)?;
    staff.check_permission(model.options(), Verb::Change)?;
    let user = models::find(conn, id)?.ok_or(Error::NoSuchObject(model.options().name()))?;
    if !staff.has_object_permission(conn, model, Verb::Change, id)? {
        return Err(Error::PermissionDenied);
    }
    Ok(user)
}

pub(super) fn log_done(cx: &AdminContext, what: &str, username: &str) {
    let staff = cx.staff.staff.user.as_ref().map_or("", |user| &user.username);
    log::info!("pool action {what}: `{}` by `{}`", username.escape_debug(), staff.escape_debug());
}

impl PoolActions {
    pub(super) async fn run(&self, cx: &AdminContext, action: PoolAction, user: &User) -> Result<Message, Error> {
        match action {
            PoolAction::Compare => Err(Error::NotFound),
            PoolAction::Create => self.create_account(cx, user).await,
            PoolAction::Resend => self.invite_again(cx, user).await,
            PoolAction::Disable => self.disable_everywhere(cx, user).await,
            PoolAction::Enable => self.enable_everywhere(cx, user).await,
            PoolAction::ResetPassword => self.reset(cx, user).await,
        }
    }

    /// The linked user of the pool, or a sentence.
    pub(super) async fn linked(&self, user: &User) -> Result<PoolUser, String> {
        let found = self.find(user.cognito_sub.as_deref().unwrap_or_default()).await?;
        found.ok_or_else(|| "The user pool no longer has this user.".to_owned())
    }

    /// The same, if the action suits their status there.
    async fn suited(&self, action: PoolAction, user: &User) -> Result<PoolUser, String> {
        let in_pool = self.linked(user).await?;
        action.refusal(&in_pool).map_or(Ok(in_pool), |refusal| Err(refusal.to_owned()))
    }

    async fn invite_again(&self, cx: &AdminContext, user: &User) -> Result<Message, Error> {
        let sent = async { Ok::<_, String>(self.resend(&self.suited(PoolAction::Resend, user).await?).await?) };
        if let Err(problem) = sent.await {
            return Ok(Message::error(format!("The invitation of “{}” was not sent again. {problem}", user.username)));
        }
        record(cx, user, "resend", Changes::default().field("cognito_invitation", None::<String>, "sent again"))
            .await?;
        Ok(Message::success(format!("Cognito sends “{}” another invitation.", user.username)))
    }

    async fn reset(&self, cx: &AdminContext, user: &User) -> Result<Message, Error> {
        let reset = async {
            let in_pool = self.suited(PoolAction::ResetPassword, user).await?;
            Ok::<_, String>(self.change("AdminResetUserPassword", &in_pool).await?)
        };
        if let Err(problem) = reset.await {
            return Ok(Message::error(format!("The password of “{}” was not reset. {problem}", user.username)));
        }
        record(cx, user, "reset_password", Changes::default().field("cognito_password", None::<String>, "reset"))
            .await?;
        Ok(Message::success(format!(
            "The Cognito password of “{}” was reset. Cognito sends a code for a new one.",
            user.username
        )))
    }

    /// Here first: tokens that were issued outlive what happens in the pool.
    async fn disable_everywhere(&self, cx: &AdminContext, user: &User) -> Result<Message, Error> {
        let (id, name) = (user.id, &user.username);
        let deactivate = move |conn: &mut Connection, site: &Site, staff: &Staff| {
            may_change(conn, site, staff, id)?;
            deactivate(conn, id, staff)
        };
        match cx.write(deactivate).await {
            Err(Error::Invalid(errors)) => return Ok(Message::error(errors.messages().join(" "))),
            done => done?,
        };
        let disabled = async {
            let in_pool = self.linked(user).await?;
            self.change("AdminDisableUser", &in_pool).await?;
            Ok::<_, String>(in_pool)
        };
        let in_pool = match disabled.await {
            Ok(in_pool) => in_pool,
            Err(problem) => {
                return Ok(Message::warning(format!(
                    "“{name}” is deactivated here, but not disabled in Cognito. {problem}"
                )));
            }
        };
        let signed_out = self.change("AdminUserGlobalSignOut", &in_pool).await;
        let changes = Changes::default().field("cognito_enabled", in_pool.is_enabled, false);
        let ended = signed_out.is_ok().then_some("ended");
        record(cx, user, "disable", changes.field("cognito_sessions", None::<String>, ended)).await?;
        Ok(match signed_out {
            Ok(()) => Message::success(format!("“{name}” is disabled here and in Cognito, and signed out of both.")),
            Err(error) => Message::warning(format!(
                "“{name}” is disabled here and in Cognito, but not signed out of the other apps of the pool. {}",
                error.sentence()
            )),
        })
    }

    /// In the pool first, so that nobody is let in here whom the pool keeps out.
    async fn enable_everywhere(&self, cx: &AdminContext, user: &User) -> Result<Message, Error> {
        let (id, name) = (user.id, &user.username);
        let enabled = async {
            let in_pool = self.linked(user).await?;
            self.change("AdminEnableUser", &in_pool).await?;
            Ok::<_, String>(in_pool.is_enabled)
        };
        let was_enabled = match enabled.await {
            Ok(was_enabled) => was_enabled,
            Err(problem) => return Ok(Message::error(format!("“{name}” was not enabled. {problem}"))),
        };
        record(cx, user, "enable", Changes::default().field("cognito_enabled", was_enabled, true)).await?;
        let activate = move |conn: &mut Connection, site: &Site, staff: &Staff| {
            may_change(conn, site, staff, id)?;
            activate(conn, id, staff)
        };
        match cx.write(activate).await {
            Err(Error::Invalid(errors)) => Ok(Message::warning(format!(
                "“{name}” is enabled in Cognito, but still deactivated here. {}",
                errors.messages().join(" ")
            ))),
            done => done.map(|_| Message::success(format!("“{name}” is enabled here and in Cognito."))),
        }
    }
}

/// What was done in the pool, which is so whatever has become of the user or the rights here meanwhile.
pub(super) async fn record(cx: &AdminContext, user: &User, what: &str, changes: Changes) -> Result<(), Error> {
    log_done(cx, what, &user.username);
    if changes.is_empty() {
        return Ok(());
    }
    let (user, actor) = (user.clone(), cx.staff.staff.actor());
    cx.db.write(move |conn| Ok(models::record_change(conn, &user, &actor, changes.clone())?)).await
}
