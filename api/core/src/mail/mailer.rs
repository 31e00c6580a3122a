//! The door to the queue: what passes is counted, whatever asked for it.

use std::sync::Arc;
use std::time::Duration;

use password_auth_model::{
    Attempt, Client, EmailAddress, EmailKind, QueuedEmail, QueuedEmailId, Rate, SharedClock, User,
    UserId, Verdict,
};
use password_auth_store::{Store, StoreError};
use tokio::sync::Notify;

use super::Delivery;
use crate::rate_limit::IpLimiter;

/// Takes letters. Nobody waits for a mail server here.
pub struct Mailer {
    store: Arc<dyn Store>,
    clock: SharedClock,
    /// Wakes the courier.
    pub(super) news: Arc<Notify>,
    configured: bool,
    rate: Rate,
    by_client: IpLimiter,
}

/// What became of a letter that somebody asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It is in the queue.
    Kept,
    /// One too many, for the one who asks or for the mailbox: it is not sent. The next may be after this long.
    TooMany(Duration),
    /// No mail is configured.
    Nowhere,
}

impl Mailer {
    /// A door to the queue in `store`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, clock: SharedClock, delivery: &Delivery, rate: Rate) -> Self {
        Self {
            store,
            clock,
            news: Arc::new(Notify::new()),
            configured: !matches!(delivery, Delivery::Nowhere),
            rate,
            by_client: IpLimiter::new(rate),
        }
    }

    /// Puts a letter into the queue, unless it is one too many: it is counted by whoever asks for it, if that is a client
    /// (and neither an admin nor the server itself), and by the mailbox that it goes to, whoever has that. It is on disk
    /// then, and goes out in the background. `user` is whose account it is about; `None` for [`EmailKind::ResetPassword`], where
    /// only the courier looks whose the address is, so that asking takes the same time whoever it is.
    ///
    /// # Errors
    /// If the store did not keep it.
    pub async fn send_later(
        &self,
        client: Option<&Client>,
        to: EmailAddress,
        user: Option<UserId>,
        kind: EmailKind,
    ) -> Result<Asked, StoreError> {
        if !self.configured {
            return Ok(Asked::Nowhere);
        }
        if let Verdict::Refused(wait) = self.count(client, &to, kind).await? {
            return Ok(Asked::TooMany(wait));
        }
        let now = self.clock.now();
        let queued_email = QueuedEmail {
            id: QueuedEmailId::new(now),
            created: now,
            due: now,
            tries: 0,
            to,
            user,
            kind,
        };
        self.store.enqueue_email(queued_email).await?;
        self.news.notify_one();
        Ok(Asked::Kept)
    }

    async fn count(
        &self,
        client: Option<&Client>,
        to: &EmailAddress,
        kind: EmailKind,
    ) -> Result<Verdict, StoreError> {
        let (rate, now, to) = (self.rate, self.clock.now(), to.key());
        if rate.is_off() {
            return Ok(Verdict::Allowed);
        }
        if let Some(client) = client
            && let Err(wait) = self.by_client.count(client.address, now)
        {
            return Ok(Verdict::Refused(wait));
        }
        let count = async |attempt| self.store.count(attempt, rate, now).await;
        match kind {
            EmailKind::VerifyEmail | EmailKind::ChangeEmail => count(Attempt::mail_to(&to)).await,
            EmailKind::ResetPassword => {
                let verdict = count(Attempt::reset_mail_to(&to)).await?;
                if verdict == Verdict::Allowed {
                    // The others give way to it, and not the other way about.
                    count(Attempt::mail_to(&to)).await?;
                }
                Ok(verdict)
            }
            // It takes the password, and nothing else that could be used up.
            EmailKind::EmailChangeRequested => count(Attempt::notice_to(&to)).await,
            // Each follows on something that cannot be done at will, and must be known.
            EmailKind::EmailChanged | EmailKind::PasswordChanged | EmailKind::TokenReused => {
                Ok(Verdict::Allowed)
            }
        }
    }

    /// Tells the person of something about his account, if he has shown that he reads his address; what could not
    /// be put into the queue is logged.
    pub async fn tell(&self, user: &User, kind: EmailKind) {
        let Some(to) = user.email.clone().filter(|_| user.is_verified) else {
            return;
        };
        if let Err(error) = self.send_later(None, to, Some(user.id), kind).await {
            tracing::warn!(user.id = %user.id, %error, "a letter was not kept");
        }
    }
}
