//! What the operator can do with users: everything. One method per command.
//!
//! Runs in the process that has the store open: a running server, or the command itself. Knows neither terminals nor
//! sockets nor engines.

mod command;
mod error;
mod views;

use std::sync::Arc;
use std::time::Duration;

use password_auth_core::accounts::{Accounts, NewAccount, NewInvite};
use password_auth_core::app::App;
use password_auth_core::audit::EventContext;
use password_auth_core::mail::invitation_link;
use password_auth_core::sessions::Sessions;
use password_auth_core::token_keys::TokenKeys;
use password_auth_model::{EmailKey, NotAKeyId, Role, SessionId, User, UserId, UsernameKey};
use password_auth_store::{Store, UserChange, UserFilter};
use password_auth_wire::Secret;

pub use command::{Command, InviteUser, NewUser, UserRef};
pub use error::OperatorError;
pub use views::{FactorsView, InviteView, KeyView, Reply, SessionView, UserView};

/// Runs the operator's commands.
#[derive(Clone)]
pub struct Operator {
    accounts: Arc<Accounts>,
    sessions: Arc<Sessions>,
    token_keys: Arc<TokenKeys>,
    public_url: String,
    store: Arc<dyn Store>,
}

impl Operator {
    /// An operator on `store`, with the use cases on the same store.
    #[must_use]
    pub fn new(app: &App, store: Arc<dyn Store>) -> Self {
        Self {
            accounts: Arc::clone(&app.accounts),
            sessions: Arc::clone(&app.sessions),
            token_keys: Arc::clone(&app.token_keys),
            public_url: app.public_url.clone(),
            store,
        }
    }

    /// Runs a command.
    ///
    /// # Errors
    /// As [`OperatorError`] lists. Then nothing was changed.
    pub async fn carry_out(&self, command: Command) -> Result<Reply, OperatorError> {
        match command {
            Command::Create(user) => self.create(user).await,
            Command::List { role, after, limit } => self.list(role, after, limit).await,
            Command::Show(user_ref) => self.show(&user_ref).await,
            Command::SetRole(user_ref, role) => self.set_role(&user_ref, role).await,
            Command::SetPassword(user_ref, password) => {
                self.set_password(&user_ref, password).await
            }
            Command::SetActive(user_ref, is_active) => self.set_active(&user_ref, is_active).await,
            Command::Delete(user_ref) => self.delete(&user_ref).await,
            Command::Sessions(user_ref) => self.sessions(&user_ref).await,
            Command::Factors(user_ref) => self.factors(&user_ref).await,
            Command::ResetFactors(user_ref) => self.reset_factors(&user_ref).await,
            Command::Revoke(user_ref, session) => self.revoke(&user_ref, session).await,
            Command::Invite(invite) => self.invite(invite).await,
            Command::Keys => self.keys().await,
            Command::RotateKeys(minutes) => {
                let after = Duration::from_secs(60 * u64::from(minutes));
                self.token_keys.rotate(after).await?;
                self.keys().await
            }
            Command::RetireKey(id) => {
                let id = id
                    .parse()
                    .map_err(|error: NotAKeyId| OperatorError::Failed(error.to_string()))?;
                self.token_keys.retire(id).await?;
                self.keys().await
            }
        }
    }

    async fn create(&self, user: NewUser) -> Result<Reply, OperatorError> {
        let NewUser {
            username,
            password,
            email,
            full_name,
            role,
        } = user;
        let account = NewAccount {
            username,
            password,
            email,
            full_name,
        };
        let user = self.accounts.create(account, role, None, None).await?;
        Ok(Reply::User(UserView::of(&user)))
    }

    async fn list(
        &self,
        role: Option<Role>,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Reply, OperatorError> {
        let filter = UserFilter { role, after };
        let users = self.store.users(filter, 0, limit).await?;
        Ok(Reply::Users(users.iter().map(UserView::of).collect()))
    }

    async fn show(&self, user_ref: &UserRef) -> Result<Reply, OperatorError> {
        let user = self.find(user_ref).await?;
        Ok(Reply::User(UserView::of(&user)))
    }

    async fn set_role(&self, user_ref: &UserRef, role: Role) -> Result<Reply, OperatorError> {
        let change = UserChange {
            role: Some(role),
            ..UserChange::default()
        };
        self.change(user_ref, change).await
    }

    async fn set_active(
        &self,
        user_ref: &UserRef,
        is_active: bool,
    ) -> Result<Reply, OperatorError> {
        let change = UserChange {
            is_active: Some(is_active),
            ..UserChange::default()
        };
        self.change(user_ref, change).await
    }

    async fn change(&self, user_ref: &UserRef, change: UserChange) -> Result<Reply, OperatorError> {
        let user = self.find(user_ref).await?;
        let changed = self
            .accounts
            .change(user.id, change, EventContext::default())
            .await
            .map_err(|error| OperatorError::of_change(error, user_ref))?;
        Ok(Reply::User(UserView::of(&changed)))
    }

    async fn set_password(
        &self,
        user_ref: &UserRef,
        password: Secret,
    ) -> Result<Reply, OperatorError> {
        let user = self.find(user_ref).await?;
        match self.accounts.set_password(user.id, password).await? {
            Some(()) => Ok(Reply::User(UserView::of(&user))),
            None => Err(OperatorError::Unknown(user_ref.clone())),
        }
    }

    async fn delete(&self, user_ref: &UserRef) -> Result<Reply, OperatorError> {
        let user = self.find(user_ref).await?;
        self.accounts
            .remove(user.id, EventContext::default())
            .await
            .map_err(|error| OperatorError::of_change(error, user_ref))?;
        Ok(Reply::User(UserView::of(&user)))
    }

    async fn sessions(&self, user_ref: &UserRef) -> Result<Reply, OperatorError> {
        let user = self.find(user_ref).await?;
        let sessions = self.sessions.of(user.id).await?;
        Ok(Reply::Sessions(
            sessions.iter().map(SessionView::of).collect(),
        ))
    }

    async fn factors(&self, user_ref: &UserRef) -> Result<Reply, OperatorError> {
        let user = self.find(user_ref).await?;
        let factors = self.accounts.factors(user.id).await?;
        Ok(Reply::Factors(FactorsView::of(&user, &factors)))
    }

    async fn reset_factors(&self, user_ref: &UserRef) -> Result<Reply, OperatorError> {
        let user = self.find(user_ref).await?;
        match self.accounts.reset_factors(user.id).await? {
            Some(before) => Ok(Reply::Factors(FactorsView::of(&user, &before))),
            None => Err(OperatorError::Unknown(user_ref.clone())),
        }
    }

    /// Ends one of the user's sessions, or all.
    async fn revoke(
        &self,
        user_ref: &UserRef,
        session: Option<SessionId>,
    ) -> Result<Reply, OperatorError> {
        let user = self.find(user_ref).await?;
        let ended = match session {
            None => self.sessions.end_all_of(user.id).await?,
            Some(id) if self.sessions.end_one_of(user.id, id).await? => 1,
            Some(id) => return Err(OperatorError::UnknownSession(user_ref.clone(), id)),
        };
        Ok(Reply::Ended(ended))
    }

    async fn invite(&self, invite: InviteUser) -> Result<Reply, OperatorError> {
        let InviteUser {
            email,
            role,
            lifetime,
        } = invite;
        let new = NewInvite {
            email,
            role,
            lifetime,
        };
        let (invite, token) = self.accounts.invite(new, None).await?;
        Ok(Reply::Invite(InviteView {
            id: invite.id,
            url: Secret::new(invitation_link(&self.public_url, &token)),
            token,
            email: invite.email.map(|email| email.as_str().to_owned()),
            expires_at: invite.expires.to_rfc3339(),
        }))
    }

    async fn keys(&self) -> Result<Reply, OperatorError> {
        let keys = self.token_keys.list().await?;
        Ok(Reply::Keys(keys.iter().map(KeyView::of).collect()))
    }

    /// A text that looks like an id is an id, and a text with an `@` is an address: no name contains one. So a user
    /// name that looks like an id is never taken for the user with that id, or the other way round.
    async fn find(&self, user_ref: &UserRef) -> Result<User, OperatorError> {
        let text = user_ref.as_str().trim();
        let found = if let Some(id) = user_ref.id() {
            self.store.user(id).await?
        } else if text.contains('@') {
            let mut found = self.store.users_by_email(&EmailKey::of(text)).await?;
            if found.len() > 1 {
                let ids = found.iter().map(|user| user.id).collect();
                return Err(OperatorError::Several {
                    user_ref: user_ref.clone(),
                    ids,
                });
            }
            found.pop()
        } else {
            self.store.user_by_name(&UsernameKey::of(text)).await?
        };
        found.ok_or_else(|| OperatorError::Unknown(user_ref.clone()))
    }
}
