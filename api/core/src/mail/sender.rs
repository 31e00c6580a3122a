//! Sends queued mail in the background, until the server stops.
//!
//! A mail is claimed for longer than sending it can take. If the node dies or loses the connection at the very end, the
//! mail is sent again: a mail may arrive twice but is never lost. The sender connects first and then claims a mail, so
//! that a mail server that is down does not cost attempts. Every node may have a sender.

use std::sync::Arc;
use std::time::Duration;

use password_auth_model::{QueuedEmail, SharedClock};
use password_auth_store::{Store, StoreError};
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use super::compose::{ComposeError, Composer};
use super::delivery::{Closed, Open, Refused, Transport};
use super::retry::{pause, worth_sending};
use super::{LinkLifetimes, MailMeasures, Mailer, Site};

/// Time limits and pauses of the sender.
#[derive(Clone, Copy, Debug)]
pub struct Pacing {
    /// How often to check for mail from other nodes and mail that is due.
    pub look: Duration,
    /// How long connecting to the mail server may take.
    pub opening: Duration,
    /// How long sending one mail may take. RFC 5321 §4.5.3.2 asks for long limits: giving up too early sends a mail
    /// twice.
    pub sending: Duration,
    /// How long a mail is claimed: longer than sending it can take.
    pub claim: Duration,
    /// The first pause after the mail server failed. It doubles each time.
    pub first_rest: Duration,
    /// The longest pause.
    pub longest_rest: Duration,
}

impl Pacing {
    /// The values for a server.
    pub const DEFAULT: Self = Self {
        look: Duration::from_secs(5),
        opening: Duration::from_secs(30),
        sending: Duration::from_secs(300),
        claim: Duration::from_secs(600),
        first_rest: Duration::from_secs(2),
        longest_rest: Duration::from_secs(120),
    };
}

/// The sender of queued mails.
pub struct MailSender {
    store: Arc<dyn Store>,
    clock: SharedClock,
    news: Arc<Notify>,
    measures: Arc<MailMeasures>,
    transport: Transport,
    composer: Composer,
    pacing: Pacing,
    /// How often in a row the mail server failed.
    failures: u32,
}

/// What to do after a mail.
enum Next {
    /// Send the next one.
    QueuedEmail,
    /// Use a new connection for the next mail: after a refusal, some servers close the connection.
    Connection,
}

/// Why sending stops for now.
enum Halt {
    /// The mail server failed.
    Closed(Closed),
    /// The queue cannot be read.
    Store(StoreError),
}

impl MailSender {
    /// A sender for the queue of `mailer`. Links lead to `site`.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        clock: SharedClock,
        mailer: &Mailer,
        transport: Transport,
        site: Site,
        lifetimes: LinkLifetimes,
        pacing: Pacing,
    ) -> Self {
        let mut from = transport.from();
        from.name.get_or_insert_with(|| site.name.clone());
        let composer = Composer {
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            site,
            from,
            lifetimes,
        };
        Self {
            store,
            clock,
            news: Arc::clone(&mailer.news),
            measures: Arc::clone(&mailer.measures),
            transport,
            composer,
            pacing,
            failures: 0,
        }
    }

    /// Sends until `stop` is true, then finishes the current mail.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        tracing::info!(to = %self.transport, "sending mail");
        while !*stop.borrow() {
            match self.send_what_is_due(&stop).await {
                Ok(rest) => tokio::select! {
                    _ = stop.wait_for(|stop| *stop) => {}
                    () = self.news.notified() => {}
                    () = tokio::time::sleep(rest) => {}
                },
                // New mail does not shorten this pause: a mail server that is down is not tried for each mail.
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
                self.measures.failed.add_one();
                tracing::warn!(cause, to = %self.transport, next_try_in = ?rest, "mail cannot be sent; it stays in the queue");
            }
            Halt::Store(error) => tracing::warn!(%error, "cannot read the mail queue"),
        }
        rest
    }

    /// Sends all mail that is due. Returns how long to pause.
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
            Err(_) => return Err(Closed("it responds too slowly".to_owned()).into()),
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
                tracing::info!(to = %self.transport, "sending mail again");
            }
            self.failures = 0;
            // Closing has a time limit.
            timeout(self.pacing.first_rest, open.close()).await.ok();
        }
        outcome.map(|_| Duration::ZERO)
    }

    /// Sends a mail, or decides what to do with it.
    async fn handle(&self, queued_email: &QueuedEmail, open: &mut Open<'_>) -> Result<Next, Halt> {
        let id = queued_email.id;
        let now = self.clock.now();
        if now.since(queued_email.created) > worth_sending(queued_email.kind) {
            tracing::warn!(mail.id = %id, about = ?queued_email.kind, tries = queued_email.tries, "a mail was dropped: it is too old");
            self.measures.dropped.add_one();
            self.store.remove_email(id).await?;
            return Ok(Next::QueuedEmail);
        }
        let mail = match self.composer.compose(queued_email).await {
            Ok(Some(mail)) => mail,
            Ok(None) => {
                tracing::debug!(mail.id = %id, "a mail was dropped: it is no longer needed");
                self.store.remove_email(id).await?;
                return Ok(Next::QueuedEmail);
            }
            Err(ComposeError::Build(error)) => {
                tracing::warn!(mail.id = %id, about = ?queued_email.kind, %error, "a mail was dropped");
                self.measures.dropped.add_one();
                self.store.remove_email(id).await?;
                return Ok(Next::QueuedEmail);
            }
            Err(error) => {
                tracing::error!(mail.id = %id, %error, "a mail could not be built; it stays in the queue");
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
                tracing::info!(mail.id = %id, about = ?queued_email.kind, "a mail was sent");
                self.measures.sent.add_one();
                self.store.remove_email(id).await?;
                Ok(Next::QueuedEmail)
            }
            Err(Refused::ForGood(reply)) => {
                tracing::warn!(mail.id = %id, about = ?queued_email.kind, %reply, "a mail was dropped: its address was refused");
                self.measures.dropped.add_one();
                self.store.remove_email(id).await?;
                Ok(Next::Connection)
            }
            Err(Refused::ForNow(reply)) => {
                let wait = pause(queued_email.tries);
                tracing::warn!(mail.id = %id, %reply, next_try_in = ?wait, "a mail was refused for now");
                self.measures.postponed.add_one();
                self.store.postpone_email(id, now.plus(wait)).await?;
                Ok(Next::Connection)
            }
            Err(Refused::Closed(closed)) => {
                // Another node may succeed, or this one later. A mail at which the connection breaks each time must not
                // block all others.
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
