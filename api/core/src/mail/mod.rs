//! Letters: what waits to be sent, and sending it.
//!
//! Whoever wants something said puts a [`QueuedEmail`] into the queue by a [`Mailer`], and is done: the [`MailSender`] sends
//! it in the background, as often as it takes. Knows neither HTTP nor an engine.

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
pub use mailer::{Asked, Mailer};
pub use sender::{MailSender, Pacing};
pub use settings::{Delivery, LinkLifetimes, SmtpSettings, SmtpTls};
