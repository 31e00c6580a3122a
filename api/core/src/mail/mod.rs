//! Mail: the queue and sending it.
//!
//! A use case puts a [`Letter`] into the queue with a [`Mailer`]; the [`Courier`] sends it in the background and
//! retries as needed. Knows neither HTTP nor an engine.

mod compose;
mod courier;
mod delivery;
mod mailer;
mod message;
mod name;
mod patience;
mod settings;
mod text;

pub use courier::{Courier, Pacing};
pub use delivery::{MailError, Route};
pub use mailer::{Asked, Mailer};
pub use settings::{Delivery, LinkLifetimes, SmtpSettings, SmtpTls};
