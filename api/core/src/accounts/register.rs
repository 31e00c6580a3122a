//! Making an account.

use std::time::Duration;

use password_auth_model::{
    Client, EmailAddress, EmailKind, EventKind, FullName, Role, User, UserId, Username,
};
use password_auth_store::{CreateUser, StoreError};
use password_auth_wire::Secret;
use password_auth_wire::rules::Violation;

use super::{Accounts, Invalid};
use crate::audit::EventContext;
use crate::mail::Asked;
use crate::passwords::{HashingError, check_new_password};
use crate::rate_limit::Counted;

/// What somebody registers with.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// The name.
    pub username: String,
    /// The password.
    pub password: Secret,
    /// Where mail goes.
    pub email: Option<String>,
    /// What the person is called.
    pub full_name: Option<String>,
}

/// Why somebody was not registered.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// The name or the password is empty.
    #[error("the name or the password is empty")]
    Empty,
    /// Something breaks a rule.
    #[error("the name or the password breaks a rule")]
    Invalid(Invalid),
    /// Somebody has the name.
    #[error("the name is taken")]
    NameTaken,
    /// Somebody has verified the address.
    #[error("the address is taken")]
    EmailTaken,
    /// Too many registrations from this address; the next may come after this long.
    #[error("too many registrations")]
    TooMany(Duration),
    /// Hashing did not work.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// The store did not work.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Accounts {
    /// Makes an account for somebody who asks for one. An address that he gives is sent a link.
    ///
    /// # Errors
    /// As [`RegisterError`] lists; then nothing was kept.
    pub async fn register(
        &self,
        account: NewAccount,
        client: &Client,
    ) -> Result<User, RegisterError> {
        let checked = Checked::parse(account)?;
        // A try is counted before it costs anything.
        let counted = self.count_registration(client)?;
        let user = self
            .add(&counted, Some(client), checked, Role::User)
            .await?;
        self.note(&user, EventKind::Registered, client).await;
        Ok(user)
    }

    /// Makes an account for somebody else: for an admin, or for the operator, who is nobody's user.
    ///
    /// # Errors
    /// As [`RegisterError`] lists; then nothing was kept.
    pub async fn create(
        &self,
        account: NewAccount,
        role: Role,
        by: Option<UserId>,
        client: Option<&Client>,
    ) -> Result<User, RegisterError> {
        let checked = Checked::parse(account)?;
        let counted = match client {
            Some(client) => self.count_registration(client)?,
            None => Counted::by_operator(),
        };
        let user = self.add(&counted, None, checked, role).await?;
        let context = EventContext {
            by,
            client,
            session: None,
        };
        self.audit_log
            .record(user.id, EventKind::Registered, context)
            .await;
        Ok(user)
    }

    fn count_registration(&self, client: &Client) -> Result<Counted, RegisterError> {
        self.registrations
            .count(client.address, self.clock.now())
            .map_err(RegisterError::TooMany)
    }

    async fn add(
        &self,
        counted: &Counted,
        stranger: Option<&Client>,
        account: Checked,
        role: Role,
    ) -> Result<User, RegisterError> {
        // Saves a hash; that the name is unique, `create_user` decides.
        if self.store.name_is_taken(&account.username.key()).await? {
            return Err(RegisterError::NameTaken);
        }
        self.check_strength(counted, &account.password, account.called())
            .await?
            .map_err(RegisterError::Invalid)?;
        let password = self.hasher.hash(counted, account.password).await?;
        let user = User {
            email: account.email,
            full_name: account.full_name,
            role,
            ..User::new(account.username, password, self.clock.now())
        };
        match self.store.create_user(user.clone()).await? {
            CreateUser::Created => {}
            CreateUser::NameTaken => return Err(RegisterError::NameTaken),
            CreateUser::EmailTaken => return Err(RegisterError::EmailTaken),
        }
        if let Some(address) = user.email.clone() {
            // One too many is not sent. The account is there all the same, and can ask for its letter later.
            let about = EmailKind::VerifyEmail;
            let asked = self
                .mailer
                .send_later(stranger, address, Some(user.id), about);
            if let Asked::TooMany(_) = asked.await? {
                tracing::info!(user.id = %user.id, "a letter was not sent: one too many");
            }
        }
        Ok(user)
    }
}

/// What can be registered.
struct Checked {
    username: Username,
    password: Secret,
    email: Option<EmailAddress>,
    full_name: Option<FullName>,
}

impl Checked {
    fn called(&self) -> [Option<&str>; 3] {
        [
            Some(self.username.as_str()),
            self.email.as_ref().map(EmailAddress::as_str),
            self.full_name.as_ref().map(FullName::as_str),
        ]
    }

    fn parse(account: NewAccount) -> Result<Self, RegisterError> {
        let NewAccount {
            username,
            password,
            email,
            full_name,
        } = account;
        let username = Username::parse(&username);
        let strong = check_new_password(&password);
        if username == Err(Violation::Empty) || strong == Err(Violation::Empty) {
            return Err(RegisterError::Empty);
        }
        // Blank is none.
        let email = email.filter(|email| !email.trim().is_empty());
        let email = email.as_deref().map(EmailAddress::parse).transpose();
        let full_name = FullName::parse(full_name.as_deref().unwrap_or_default());
        let invalid = Invalid {
            username: username.as_ref().err().copied(),
            password: strong.err(),
            weak: None,
            email: email.as_ref().err().map(|_| Violation::EmailInvalid),
            full_name: full_name.as_ref().err().copied(),
        };
        match (username, email, full_name) {
            (Ok(username), Ok(email), Ok(full_name)) if invalid.is_nothing() => Ok(Self {
                username,
                password,
                email,
                full_name,
            }),
            _ => Err(RegisterError::Invalid(invalid)),
        }
    }
}
