//! `create`: a user of the pool for a local one, whose `sub` is pinned at once.

use super::PoolActions;
use super::problem::PoolError;
use super::run::{log_done, may_change, record};
use crate::admin::{AdminContext, Message, Site, Staff};
use crate::cognito::linking::{self, Identity, Match, Rules};
use crate::cognito::pool_api::PoolUser;
use crate::db::Connection;
use crate::error::{Error, Refusal};
use crate::history::Changes;
use crate::users::models::{self, User};

/// A user of the pool, and whether they were invited just now.
#[derive(Clone)]
struct Account {
    identity: Identity,
    is_new: bool,
}

impl PoolActions {
    pub(super) async fn create_account(&self, cx: &AdminContext, user: &User) -> Result<Message, Error> {
        let name = &user.username;
        let account = match self.find_or_create(user).await {
            Ok(account) => account,
            Err(problem) => return Ok(Message::error(format!("“{name}” was not created in Cognito. {problem}"))),
        };
        let (id, rules, is_new) = (user.id, self.rules.clone(), account.is_new);
        if is_new {
            let invited = Changes::default().field("cognito_invitation", None::<String>, "sent");
            record(cx, user, "create", invited).await?;
        }
        let pin = move |conn: &mut Connection, site: &Site, staff: &Staff| {
            may_change(conn, site, staff, id)?;
            pin(conn, id, &rules, &account, staff)
        };
        let pinned = cx.write(pin).await?;
        if pinned.is_ok() && !is_new {
            log_done(cx, "create", name);
        }
        Ok(match (pinned, is_new) {
            (Ok(()), true) => Message::success(format!(
                "“{name}” was created in Cognito and linked. Cognito sends the invitation to {}.",
                user.email
            )),
            (Ok(()), false) => Message::success(format!(
                "“{name}” had an account in Cognito already. It is linked now, and no invitation was sent."
            )),
            (Err(problem), true) => {
                Message::warning(format!("“{name}” was created in Cognito, but not linked. {problem}"))
            }
            (Err(problem), false) => Message::error(format!(
                "Cognito already has an account with this username or e-mail, which was not linked. {problem}"
            )),
        })
    }

    async fn find_or_create(&self, user: &User) -> Result<Account, String> {
        let same = self.list("email", &user.email).await?;
        let mut verified = same.into_iter().filter(|found| found.identity.email_verified);
        match (verified.next(), verified.next()) {
            (Some(_), Some(_)) => return Err("Several users of the pool have this verified e-mail.".to_owned()),
            (Some(found), None) => return known(found),
            _ => {}
        }
        let mut username = &user.username;
        let mut created = self.create(username, &user.email).await;
        if created.as_ref().is_err_and(PoolError::wants_email_as_username) {
            username = &user.email;
            created = self.create(username, &user.email).await;
        }
        match created {
            // The answer of some pools has no e-mail, but the call did.
            Ok(PoolUser { identity, .. }) => {
                let identity = Identity { email: Some(user.email.clone()), email_verified: true, ..identity };
                Ok(Account { identity, is_new: true })
            }
            Err(error) if error.is_user_there() => self.get(username).await?.map_or_else(|| Err(error.into()), known),
            Err(error) => Err(error.into()),
        }
    }
}

fn known(found: PoolUser) -> Result<Account, String> {
    match found.is_enabled {
        true => Ok(Account { identity: found.identity, is_new: false }),
        false => Err("Cognito already has an account with this username or e-mail, and it is disabled.".to_owned()),
    }
}

/// By the rules for tokens. The user may have been changed or linked since the account was asked for.
fn pin(
    conn: &mut Connection,
    id: i64,
    rules: &Rules,
    account: &Account,
    staff: &Staff,
) -> Result<Result<(), String>, Error> {
    let user = match linking::find(conn, rules, &account.identity)? {
        // Whoever changes an e-mail chooses the account, and what may be done with it then is theirs.
        Match::Linkable(user) if user.id == id && !account.is_new && !staff.rights.is_superuser => {
            return Ok(Err(
                "Only a superuser can link an account that Cognito already has. The user’s next sign-in links it as well."
                    .to_owned(),
            ));
        }
        Match::Linkable(user) if user.id == id => user,
        Match::Linked(user) if user.id == id => return Ok(Ok(())),
        Match::Linked(other) | Match::Linkable(other) => {
            return Ok(Err(format!("It belongs to the local user “{}”.", other.username)));
        }
        Match::Refused(Refusal::EmailMissing | Refusal::UserUnknown) | Match::Creatable(_) => {
            return Ok(Err("It has another e-mail.".to_owned()));
        }
        Match::Refused(refusal) => return Ok(Err(refusal.detail().to_owned())),
    };
    models::link(conn, &user, &rules.issuer, &account.identity.sub, &staff.actor())?;
    Ok(Ok(()))
}
