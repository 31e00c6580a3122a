//! Sends what is in the queue, beside the requests, until the server stops.
//!
//! A letter is claimed for longer than sending it can take. Who claimed it and died, or lost the connection at the
//! very end, leaves it to be sent again: a letter may arrive twice, and is never lost. The way out is opened first,
//! and a letter claimed after, so that a mail server that is down costs no letter a try. Any number of nodes may
//! have a courier each.

use std::sync::Arc;
use std::time::Duration;

use password_auth_model::{QueuedEmail, SharedClock};
use password_auth_store::{Store, StoreError};
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use super::compose::{ComposeError, Composer};
use super::delivery::{Closed, Open, Refused, Transport};
use super::retry::{pause, worth_sending};
use super::{LinkLifetimes, Mailer};

/// How long things may take, and how long the courier rests between them.
#[derive(Clone, Copy, Debug)]
pub struct Pacing {
    /// When to look again for what other nodes put in, or for what is due.
    pub look: Duration,
    /// How long the mail server may take until it is ready for mail.
    pub opening: Duration,
    /// How long it may take for one mail. RFC 5321 §4.5.3.2 is patient, since who gives up early sends twice.
    pub sending: Duration,
    /// How long a letter is claimed for: longer than sending it can take.
    pub claim: Duration,
    /// The first rest after the mail server could not be used; doubled each time.
    pub first_rest: Duration,
    /// The longest.
    pub longest_rest: Duration,
}

impl Pacing {
    /// What a server runs with.
    pub const DEFAULT: Self = Self {
        look: Duration::from_secs(5),
        opening: Duration::from_secs(30),
        sending: Duration::from_secs(300),
        claim: Duration::from_secs(600),
        first_rest: Duration::from_secs(2),
        longest_rest: Duration::from_secs(120),
    };
}

/// The courier.
pub struct MailSender {
    store: Arc<dyn Store>,
    clock: SharedClock,
    news: Arc<Notify>,
    transport: Transport,
    composer: Composer,
    pacing: Pacing,
    /// How often in a row the mail server could not be used.
    failures: u32,
}

/// What follows a letter.
enum Next {
    /// Another one.
    QueuedEmail,
    /// Another connection, if there is another letter: after a refusal some servers end this one.
    Connection,
}

/// Why no more letters are sent for now.
enum Halt {
    /// The mail server can not be used.
    Closed(Closed),
    /// The queue can not be read.
    Store(StoreError),
}

impl MailSender {
    /// A courier for the letters that `mailer` takes. Links lead to `public_url`.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        clock: SharedClock,
        mailer: &Mailer,
        transport: Transport,
        public_url: &str,
        lifetimes: LinkLifetimes,
        pacing: Pacing,
    ) -> Self {
        let composer = Composer {
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            public_url: public_url.to_owned(),
            from: transport.from(),
            lifetimes,
        };
        Self {
            store,
            clock,
            news: Arc::clone(&mailer.news),
            transport,
            composer,
            pacing,
            failures: 0,
        }
    }

    /// Sends until `stop` turns true; then the letter under way is finished.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        tracing::info!(to = %self.transport, "mail goes out");
        while !*stop.borrow() {
            match self.send_what_is_due(&stop).await {
                Ok(rest) => tokio::select! {
                    _ = stop.wait_for(|stop| *stop) => {}
                    () = self.news.notified() => {}
                    () = tokio::time::sleep(rest) => {}
                },
                // New letters do not shorten this rest: a server that is down is not asked for each of them.
                Err(halt) => {
                    let rest = self.rest_after(halt);
                    tokio::select! {
                        _ = stop.wait_for(|stop| *stop) => {}
                        () = tokio::time::sleep(rest) => {}
                    }
                }
            }
        }
    }

    fn rest_after(&mut self, halt: Halt) -> Duration {
        let Pacing {
            first_rest,
            longest_rest,
            ..
        } = self.pacing;
        let rest = (first_rest * 2_u32.pow(self.failures.min(16))).min(longest_rest);
        self.failures = self.failures.saturating_add(1);
        match halt {
            Halt::Closed(Closed(cause)) => {
                tracing::warn!(cause, to = %self.transport, next_try_in = ?rest, "mail does not go out; it is kept");
            }
            Halt::Store(error) => tracing::warn!(%error, "the queue of letters can not be read"),
        }
        rest
    }

    /// Sends all that is due; how long to rest then.
    async fn send_what_is_due(&mut self, stop: &watch::Receiver<bool>) -> Result<Duration, Halt> {
        let rest = match self.store.next_email_due().await? {
            None => return Ok(self.pacing.look),
            Some(due) => due.since(self.clock.now()),
        };
        if !rest.is_zero() {
            return Ok(rest.min(self.pacing.look));
        }
        let mut open = match timeout(self.pacing.opening, self.transport.open()).await {
            Ok(open) => open?,
            Err(_) => return Err(Closed("it is too slow to answer".to_owned()).into()),
        };
        let mut outcome = Ok(Next::QueuedEmail);
        while !*stop.borrow() && matches!(outcome, Ok(Next::QueuedEmail)) {
            let now = self.clock.now();
            let until = now.plus(self.pacing.claim);
            outcome = match self.store.claim_email(now, until).await {
                Ok(Some(queued_email)) => self.handle(&queued_email, &mut open).await,
                Ok(None) => Ok(Next::Connection),
                Err(error) => Err(error.into()),
            };
        }
        if outcome.is_ok() {
            if self.failures > 0 {
                tracing::info!(to = %self.transport, "mail goes out again");
            }
            self.failures = 0;
            // It has its time to say good-bye, and no more.
            timeout(self.pacing.first_rest, open.close()).await.ok();
        }
        outcome.map(|_| Duration::ZERO)
    }

    /// Sends a letter, or decides what becomes of it.
    async fn handle(&self, queued_email: &QueuedEmail, open: &mut Open<'_>) -> Result<Next, Halt> {
        let id = queued_email.id;
        let now = self.clock.now();
        if now.since(queued_email.created) > worth_sending(queued_email.kind) {
            tracing::warn!(letter.id = %id, about = ?queued_email.kind, tries = queued_email.tries, "a letter was given up: it is too old");
            self.store.remove_email(id).await?;
            return Ok(Next::QueuedEmail);
        }
        let mail = match self.composer.compose(queued_email).await {
            Ok(Some(mail)) => mail,
            Ok(None) => {
                tracing::debug!(letter.id = %id, "a letter has nothing to say any more");
                self.store.remove_email(id).await?;
                return Ok(Next::QueuedEmail);
            }
            Err(ComposeError::Build(error)) => {
                tracing::warn!(letter.id = %id, about = ?queued_email.kind, %error, "a letter was given up");
                self.store.remove_email(id).await?;
                return Ok(Next::QueuedEmail);
            }
            Err(error) => {
                tracing::error!(letter.id = %id, %error, "a letter could not be written; it is kept");
                self.store
                    .postpone_email(id, now.plus(pause(queued_email.tries)))
                    .await?;
                return Ok(Next::QueuedEmail);
            }
        };
        let sent = timeout(self.pacing.sending, open.deliver(&mail))
            .await
            .unwrap_or_else(|_| Err(Refused::Closed(Closed("it is too slow".to_owned()))));
        match sent {
            Ok(()) => {
                tracing::info!(letter.id = %id, about = ?queued_email.kind, "a letter was sent");
                self.store.remove_email(id).await?;
                Ok(Next::QueuedEmail)
            }
            Err(Refused::ForGood(reply)) => {
                tracing::warn!(letter.id = %id, about = ?queued_email.kind, %reply, "a letter was given up: its address was refused");
                self.store.remove_email(id).await?;
                Ok(Next::Connection)
            }
            Err(Refused::ForNow(reply)) => {
                let wait = pause(queued_email.tries);
                tracing::warn!(letter.id = %id, %reply, next_try_in = ?wait, "a letter was refused for now");
                self.store.postpone_email(id, now.plus(wait)).await?;
                Ok(Next::Connection)
            }
            Err(Refused::Closed(closed)) => {
                // Others may be luckier with it, or this one after its rest; but a letter at which the connection
                // breaks each time must not stand before all others.
                let wait = pause(queued_email.tries).min(self.pacing.longest_rest);
                self.store.postpone_email(id, now.plus(wait)).await?;
                Err(closed.into())
            }
        }
    }
}

impl From<Closed> for Halt {
    fn from(closed: Closed) -> Self {
        Self::Closed(closed)
    }
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
