//! Adds mail to the queue and applies the rate limits to all of it.

use std::sync::Arc;
use std::time::Duration;

use password_auth_model::measure::Count;
use password_auth_model::{
    Attempt, Client, EmailAddress, EmailKind, QueuedEmail, QueuedEmailId, Rate, SharedClock, User,
    UserId, Verdict,
};
use password_auth_store::{Store, StoreError};
use tokio::sync::Notify;

use super::Delivery;
use crate::rate_limit::IpLimiter;

/// How many times the limit of one account all signed-in users together may have sent to one mailbox.
const ACCOUNTS: u32 = 8;

/// What happened to mail on this node. Mail that one node queues, another may send.
#[derive(Debug, Default)]
pub struct MailMeasures {
    pub(super) queued: Count,
    pub(super) sent: Count,
    pub(super) postponed: Count,
    pub(super) dropped: Count,
    pub(super) failed: Count,
    refused: Count,
}

impl MailMeasures {
    /// Each event with its count. `failed` counts how often the mail server could not be used.
    #[must_use]
    pub fn counts(&self) -> [(&'static str, u64); 5] {
        [
            ("queued", self.queued.total()),
            ("sent", self.sent.total()),
            ("postponed", self.postponed.total()),
            ("dropped", self.dropped.total()),
            ("failed", self.failed.total()),
        ]
    }

    /// How many mails were over a limit.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused.total()
    }
}

/// Queues mail. Never waits for a mail server.
pub struct Mailer {
    pub(super) measures: Arc<MailMeasures>,
    store: Arc<dyn Store>,
    clock: SharedClock,
    /// Wakes the sender.
    pub(super) news: Arc<Notify>,
    configured: bool,
    rate: Rate,
    by_client: IpLimiter,
}

/// The result of queueing a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It is in the queue.
    Kept,
    /// Over the limit of the client or the mailbox: it is not sent. The next one is allowed after this time.
    TooMany(Duration),
    /// Mail is not configured.
    Nowhere,
}

impl Mailer {
    /// Queues mail in `store`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, clock: SharedClock, delivery: &Delivery, rate: Rate) -> Self {
        Self {
            measures: Arc::default(),
            store,
            clock,
            news: Arc::new(Notify::new()),
            configured: !matches!(delivery, Delivery::Nowhere),
            rate,
            by_client: IpLimiter::new(rate),
        }
    }

    /// What happened to mail on this node.
    #[must_use]
    pub fn measures(&self) -> &MailMeasures {
        &self.measures
    }

    /// How long the mail that has been due longest waits. Zero if none is due.
    ///
    /// # Errors
    /// If the store failed.
    pub async fn overdue(&self) -> Result<Duration, StoreError> {
        let due = self.store.next_email_due().await?;
        Ok(due.map_or(Duration::ZERO, |due| self.clock.now().since(due)))
    }

    /// Puts a mail into the queue, unless it is over a limit: per client (not for admins or the server itself) and per
    /// mailbox. When this returns, the mail is on disk; it is sent in the background. `user` is the user that it is
    /// about. It is `None` for [`EmailKind::ResetPassword`]: the sender looks the user up, so that the request takes the
    /// same time whether or not there is a user.
    ///
    /// # Errors
    /// If the store failed.
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
            self.measures.refused.add_one();
            return Ok(Asked::TooMany(wait));
        }
        self.add(to, user, kind).await
    }

    /// Like [`send_later`](Self::send_later), for a user who is signed in to the account that the link is about. It is
    /// counted by account, so that strangers who cause mail to the address cannot block it, and by mailbox over all
    /// accounts, with a higher limit.
    ///
    /// # Errors
    /// If the store failed.
    pub(crate) async fn send_for_account(
        &self,
        client: &Client,
        to: EmailAddress,
        user: &User,
        kind: EmailKind,
    ) -> Result<Asked, StoreError> {
        if !self.configured {
            return Ok(Asked::Nowhere);
        }
        if let Verdict::Refused(wait) = self.count_for_account(client, &to, user).await? {
            self.measures.refused.add_one();
            return Ok(Asked::TooMany(wait));
        }
        self.add(to, Some(user.id), kind).await
    }

    async fn add(
        &self,
        to: EmailAddress,
        user: Option<UserId>,
        kind: EmailKind,
    ) -> Result<Asked, StoreError> {
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
        self.measures.queued.add_one();
        self.news.notify_one();
        Ok(Asked::Kept)
    }

    async fn count_for_account(
        &self,
        client: &Client,
        to: &EmailAddress,
        user: &User,
    ) -> Result<Verdict, StoreError> {
        let (rate, now, to) = (self.rate, self.clock.now(), to.key());
        if rate.is_off() {
            return Ok(Verdict::Allowed);
        }
        if let Err(wait) = self.by_client.count(client.address, now) {
            return Ok(Verdict::Refused(wait));
        }
        let attempt = Attempt::mail_by(&user.username_key, &to);
        let verdict = self.store.count(attempt, rate, now).await?;
        if verdict != Verdict::Allowed {
            return Ok(verdict);
        }
        let attempt = Attempt::mail_by_accounts(&to);
        self.store.count(attempt, rate.times(ACCOUNTS), now).await
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
            EmailKind::VerifyEmail | EmailKind::ChangeEmail | EmailKind::Invitation => {
                count(Attempt::mail_to(&to)).await
            }
            EmailKind::ResetPassword => {
                let verdict = count(Attempt::reset_mail_to(&to)).await?;
                if verdict == Verdict::Allowed {
                    // Other mail does not use up this limit, but this mail counts against the others.
                    count(Attempt::mail_to(&to)).await?;
                }
                Ok(verdict)
            }
            // It requires the password, so a stranger cannot trigger it.
            EmailKind::EmailChangeRequested => count(Attempt::notice_to(&to)).await,
            // A stranger cannot trigger these at will, and the user must know about them.
            EmailKind::EmailChanged
            | EmailKind::PasswordChanged
            | EmailKind::Deactivated
            | EmailKind::TokenReused
            | EmailKind::FactorAdded
            | EmailKind::FactorRemoved
            | EmailKind::RecoveryCodesReplaced
            | EmailKind::RecoveryCodeUsed => Ok(Verdict::Allowed),
        }
    }

    /// Sends a notice about the account, if the user has verified their address. Failures to queue it are logged.
    pub(crate) async fn tell(&self, user: &User, kind: EmailKind) {
        let Some(to) = user.email.clone().filter(|_| user.is_verified) else {
            return;
        };
        if let Err(error) = self.send_later(None, to, Some(user.id), kind).await {
            tracing::warn!(user.id = %user.id, %error, "a mail could not be queued");
        }
    }
}
