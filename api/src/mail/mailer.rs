//! The door to the queue.

use std::sync::Arc;

use tokio::sync::Notify;

use super::{About, Delivery, Letter};
use crate::accounts::EmailAddress;
use crate::clock::SharedClock;
use crate::id::{LetterId, UserId};
use crate::store::{Store, StoreError, User};

/// Takes letters. Nobody waits for a mail server here.
pub struct Mailer {
    store: Arc<dyn Store>,
    clock: SharedClock,
    /// Wakes the courier.
    pub(super) news: Arc<Notify>,
    configured: bool,
}

impl Mailer {
    /// A door to the queue in `store`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, clock: SharedClock, delivery: &Delivery) -> Self {
        Self {
            store,
            clock,
            news: Arc::new(Notify::new()),
            configured: !matches!(delivery, Delivery::Nowhere),
        }
    }

    /// Whether letters go anywhere. What is of no use without them is refused then.
    #[must_use]
    pub const fn is_configured(&self) -> bool {
        self.configured
    }

    /// Puts a letter into the queue; it is on disk then, and goes out in the background. Where no mail is
    /// configured, nothing happens. `user` is whose account it is about; `None` for [`About::ResetPassword`], where
    /// only the courier looks whose the address is, so that asking takes the same time whoever it is.
    ///
    /// # Errors
    /// If the store did not keep it.
    pub async fn send_later(
        &self,
        to: EmailAddress,
        user: Option<UserId>,
        about: About,
    ) -> Result<(), StoreError> {
        if !self.configured {
            return Ok(());
        }
        let now = self.clock.now();
        let letter = Letter {
            id: LetterId::new(now),
            created: now,
            due: now,
            tries: 0,
            to,
            user,
            about,
        };
        self.store.add_letter(letter).await?;
        self.news.notify_one();
        Ok(())
    }

    /// Tells the person of something about his account, if he has shown that he reads his address; what could not
    /// be put into the queue is logged.
    pub async fn tell(&self, user: &User, about: About) {
        let Some(to) = user.email.clone().filter(|_| user.is_verified) else {
            return;
        };
        if let Err(error) = self.send_later(to, Some(user.id), about).await {
            tracing::warn!(user.id = %user.id, %error, "a letter was not kept");
        }
    }
}
