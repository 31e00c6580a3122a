//! How long and how often sending a mail is tried. Pure rules.

use std::time::Duration;

use password_auth_model::{EmailClass, EmailKind};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(4 * 3600);

/// The pause after a temporary refusal at attempt `tries`: one minute, doubled each time (RFC 5321 §4.5.4.1 asks for
/// growing pauses), at most four hours.
pub(super) fn pause(tries: u32) -> Duration {
    let doublings = tries.saturating_sub(1).min(16);
    (MINUTE * 2_u32.pow(doublings)).min(LONGEST_PAUSE)
}

/// How long after it was queued a mail is still sent. The lifetime of a link begins when the mail is sent, so a late
/// link works, but users do not wait for more than a day.
pub(super) const fn worth_sending(kind: EmailKind) -> Duration {
    match kind.class() {
        EmailClass::ResetPassword | EmailClass::VerifyEmail | EmailClass::ChangeEmail => DAY,
        // Before it expires, at least; then there is none to send.
        EmailClass::Invitation => Duration::from_secs(7 * DAY.as_secs()),
        EmailClass::Notice => Duration::from_secs(3 * DAY.as_secs()),
    }
}

#[cfg(test)]
mod tests {
    use super::pause;

    #[test]
    fn pauses_grow_from_a_minute_to_four_hours() {
        let minutes: Vec<u64> = (0..12).map(|tries| pause(tries).as_secs() / 60).collect();
        assert_eq!(minutes, [1, 1, 2, 4, 8, 16, 32, 64, 128, 240, 240, 240]);
        assert_eq!(pause(u32::MAX), pause(11));
    }
}
