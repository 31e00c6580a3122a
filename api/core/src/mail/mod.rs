//! Letters: what waits to be sent, and sending it.
//!
//! Whoever wants something said puts a [`Letter`] into the queue by a [`Mailer`], and is done: the [`Courier`] sends
//! it in the background, as often as it takes. Knows neither HTTP nor an engine.

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
