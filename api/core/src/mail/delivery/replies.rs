//! What a reply means at its step: to go on, that this mail is refused, or that all mail is.

use super::dialogue::{Broken, ServerReply};
use super::{Closed, Refused, Reply};

/// Why a step failed.
pub(super) enum Fault {
    Broken(Broken),
    /// The server refused.
    Refused(ServerReply),
}

impl From<Broken> for Fault {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

pub(super) fn agreed(answer: Result<ServerReply, Broken>) -> Result<ServerReply, Fault> {
    expected(answer, ServerReply::is_positive)
}

pub(super) fn asked_for_more(answer: Result<ServerReply, Broken>) -> Result<ServerReply, Fault> {
    expected(answer, ServerReply::is_intermediate)
}

fn expected(
    answer: Result<ServerReply, Broken>,
    fits: impl Fn(&ServerReply) -> bool,
) -> Result<ServerReply, Fault> {
    match answer? {
        answer if fits(&answer) => Ok(answer),
        // A positive reply that does not fit the command.
        answer if answer.code() < 400 => Err(Broken::NoReply.into()),
        answer => Err(Fault::Refused(answer)),
    }
}

/// The connection broke, or the server refuses all mail. Does not quote the server, which may have quoted an address.
pub(super) fn closed(step: &'static str, fault: &Fault) -> Closed {
    Closed(match fault {
        Fault::Refused(answer) => format!("it refused: {}", reply(step, answer)),
        Fault::Broken(Broken::NoReply) => {
            format!("{step}: it closed the connection or does not speak SMTP")
        }
        // A network or TLS error. It contains no secrets.
        Fault::Broken(Broken::Io(error)) => format!("{step}: {error}"),
    })
}

/// One mail was refused, or the connection broke.
pub(super) fn refused(step: &'static str, fault: &Fault) -> Refused {
    match fault {
        // RFC 5321 §3.8: with 421, the server closes the connection.
        Fault::Refused(answer) if answer.code() != 421 => {
            let reply = reply(step, answer);
            if step == "RCPT TO" && is_about_the_address(answer) {
                Refused::ForGood(reply)
            } else {
                Refused::ForNow(reply)
            }
        }
        _ => Refused::Closed(closed(step, fault)),
    }
}

/// RFC 5321 §4.2.3: there is no such mailbox. With an enhanced status of class 7 (RFC 3463 §3.8), the same codes mean
/// that this server may not send there. The operator can fix that, and then the mail is sent.
fn is_about_the_address(answer: &ServerReply) -> bool {
    let is_policy = answer
        .longer_code()
        .is_some_and(|code| code.starts_with("5.7."));
    matches!(answer.code(), 550 | 551 | 553) && !is_policy
}

pub(super) fn reply(step: &'static str, answer: &ServerReply) -> Reply {
    Reply {
        step,
        code: match answer.longer_code() {
            Some(longer) => format!("{} {longer}", answer.code()),
            None => answer.code().to_string(),
        },
    }
}
