//! Creating accounts.

use std::time::Duration;

use password_auth_model::{
    Client, EmailAddress, EmailKind, EventKind, FullName, PasswordHash, Role, TokenHash, User,
    Username, salt_for,
};
use password_auth_store::{CreateInvited, CreateUser, StoreError};
use password_auth_wire::Secret;
use password_auth_wire::rules::Violation;

use super::{Accounts, Invalid, Registration};
use crate::audit::EventContext;
use crate::mail::Asked;
use crate::passwords::{HashingError, check_new_password};
use crate::rate_limit::Counted;
use crate::sessions::Caller;

/// The data for a new account.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// The name.
    pub username: String,
    /// The password.
    pub password: Secret,
    /// The e-mail address.
    pub email: Option<String>,
    /// The full name.
    pub full_name: Option<String>,
}

/// Why an account was not created.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// It is for an admin, and the session did not prove lately who uses it.
    #[error("the session must prove who uses it")]
    Unproved,
    /// Registration is closed or needs an invitation.
    #[error("registration needs an invitation")]
    Closed,
    /// The invitation was used, was removed or has expired.
    #[error("the invitation is not valid")]
    Uninvited,
    /// The name or the password is empty.
    #[error("the name or the password is empty")]
    Empty,
    /// Something breaks a rule.
    #[error("the name or the password breaks a rule")]
    Invalid(Invalid),
    /// Another user has the name.
    #[error("the name is taken")]
    NameTaken,
    /// Another user has verified the address.
    #[error("the address is taken")]
    EmailTaken,
    /// Too many registrations from this address. The next one is allowed after this time.
    #[error("too many registrations")]
    TooMany(Duration),
    /// Hashing failed.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Accounts {
    /// Registers a user. If there is an e-mail address, a verification link is sent there. An invitation is used up, and
    /// gives the account its role, and its address if there is no other; it counts whoever may register.
    ///
    /// # Errors
    /// As [`RegisterError`] lists. Then nothing was stored.
    pub async fn register(
        &self,
        account: NewAccount,
        invite: Option<&Secret>,
        client: &Client,
    ) -> Result<User, RegisterError> {
        if invite.is_none() && self.registration != Registration::Open {
            return Err(RegisterError::Closed);
        }
        let mut checked = Checked::parse(account)?;
        // Count the attempt before it costs anything.
        let counted = self.count_registration(client)?;
        let mut place = Place::default();
        if let Some(token) = invite {
            let token = TokenHash::of(token.expose());
            let invite = self.store.invite(&token, self.clock.now()).await?;
            let invite = invite.ok_or(RegisterError::Uninvited)?;
            checked.email = checked.email.or(invite.email);
            place = Place {
                role: invite.role,
                invite: Some(token),
            };
        }
        let user = self.add(&counted, Some(client), checked, place).await?;
        self.note(&user, EventKind::Registered, client).await;
        Ok(user)
    }

    /// Creates an account, for an admin or the operator (`None`). One of an admin needs a [proof](Self::prove).
    ///
    /// # Errors
    /// As [`RegisterError`] lists. Then nothing was stored.
    pub async fn create(
        &self,
        account: NewAccount,
        role: Role,
        by: Option<&Caller>,
        client: Option<&Client>,
    ) -> Result<User, RegisterError> {
        let checked = Checked::parse(account)?;
        if !self.may_make(role, by).await? {
            return Err(RegisterError::Unproved);
        }
        let counted = match client {
            Some(client) => self.count_registration(client)?,
            None => Counted::by_operator(),
        };
        let place = Place { role, invite: None };
        let user = self.add(&counted, None, checked, place).await?;
        let context = EventContext {
            by: by.map(|by| by.user.id),
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
        place: Place,
    ) -> Result<User, RegisterError> {
        // Avoids hashing for a name that is taken. `create_user` decides whether the name is unique.
        if self.store.name_is_taken(&account.username.key()).await? {
            return Err(RegisterError::NameTaken);
        }
        self.check_strength(counted, &account.password, account.called())
            .await?
            .map_err(RegisterError::Invalid)?;
        let user = User {
            email: account.email,
            full_name: account.full_name,
            role: place.role,
            ..User::new(account.username, PasswordHash::none(), self.clock.now())
        };
        let salt = salt_for(&user);
        let user = User {
            password: self
                .hasher
                .hash_salted(counted, account.password, salt)
                .await?,
            ..user
        };
        let created = match &place.invite {
            None => self.store.create_user(user.clone()).await?,
            Some(token) => {
                let now = self.clock.now();
                let created = self.store.create_invited_user(user.clone(), token, now);
                match created.await? {
                    CreateInvited::Invited(created) => created,
                    CreateInvited::Uninvited => return Err(RegisterError::Uninvited),
                }
            }
        };
        match created {
            CreateUser::Created => {}
            CreateUser::NameTaken => return Err(RegisterError::NameTaken),
            CreateUser::EmailTaken => return Err(RegisterError::EmailTaken),
        }
        if let Some(address) = user.email.clone() {
            // A mail over the limit is not sent. The account is created anyway, and its user can request the mail
            // later.
            let about = EmailKind::VerifyEmail;
            let asked = self
                .mailer
                .send_later(stranger, address, Some(user.id), about);
            if let Asked::TooMany(_) = asked.await? {
                tracing::info!(user.id = %user.id, "a mail was not sent: over the limit");
            }
        }
        Ok(user)
    }
}

/// What a new account is given.
#[derive(Default)]
struct Place {
    role: Role,
    /// The token of the invitation that it uses up.
    invite: Option<TokenHash>,
}

/// Valid data for a new account.
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
        // A blank address is none.
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
