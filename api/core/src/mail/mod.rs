//! Mail: the queue and sending it.
//!
//! A use case puts a [`QueuedEmail`](password_auth_model::QueuedEmail) into the queue with a [`Mailer`]; the
//! [`MailSender`] sends it in the background and retries as needed. Knows neither HTTP nor an engine.

mod compose;
mod delivery;
mod mailer;
mod message;
mod name;
mod retry;
mod sender;
mod settings;
mod text;

pub use delivery::{MailError, Transport};
pub use mailer::{Asked, MailMeasures, Mailer};
pub use sender::{MailSender, Pacing};
pub use settings::{Delivery, LinkLifetimes, Site, SmtpSettings, SmtpTls, invitation_link};
