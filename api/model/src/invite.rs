//! Invitations: whoever has the token may register, once.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use password_auth_wire::Secret;
use serde::{Deserialize, Serialize};

use super::clock::Timestamp;
use super::email_address::EmailAddress;
use super::id::{InviteId, UserId};
use super::one_time_token::{TokenHash, random_token};
use super::role::Role;
use super::user::User;

/// The most tokens of one invitation: the one that was shown, and those of mails that were sent again.
pub const MAX_INVITE_TOKENS: usize = 8;

/// An invitation, as it is stored. It is removed when it is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invite {
    /// Never changes.
    pub id: InviteId,
    /// The hashes of its tokens: each is good, and with the first that is used all are gone.
    pub hashes: Vec<TokenHash>,
    /// Where it was mailed. The account gets this address unless its user gives another.
    pub email: Option<EmailAddress>,
    /// The role of the account.
    pub role: Role,
    /// The admin who made it: it counts while they are one. `None` for the operator's.
    pub by: Option<UserId>,
    /// When it was made.
    pub created: Timestamp,
    /// When it expires.
    pub expires: Timestamp,
}

impl Invite {
    /// A new invitation, with its token.
    ///
    /// # Errors
    /// If the system provides no random bytes.
    pub fn new(
        email: Option<EmailAddress>,
        role: Role,
        by: Option<UserId>,
        created: Timestamp,
        lifetime: InviteLifetime,
    ) -> Result<(Secret, Self), getrandom::Error> {
        let (token, hash) = random_token()?;
        let invite = Self {
            id: InviteId::new(created),
            hashes: vec![hash],
            email,
            role,
            by,
            created,
            expires: created.plus(lifetime.0),
        };
        Ok((token, invite))
    }

    /// A further token, for a mail.
    ///
    /// # Errors
    /// If the system provides no random bytes.
    pub fn another_token() -> Result<(Secret, TokenHash), getrandom::Error> {
        random_token()
    }

    /// Whether it may be used. `inviter` is the user who made it, as they are now.
    #[must_use]
    pub fn is_valid(&self, inviter: Option<&User>, now: Timestamp) -> bool {
        let is_backed = match self.by {
            None => true,
            Some(by) => inviter.is_some_and(|user| user.id == by && user.is_active_admin()),
        };
        is_backed && !self.has_expired(now)
    }

    /// Whether it is over.
    #[must_use]
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expires <= now
    }

    /// The invitation with one token more. The one that was shown stays; of too many others the oldest goes.
    #[must_use]
    pub fn with_token(mut self, hash: TokenHash) -> Self {
        if self.hashes.len() >= MAX_INVITE_TOKENS {
            self.hashes.remove(1);
        }
        self.hashes.push(hash);
        self
    }
}

/// How long an invitation is valid: `30m`, `12h` or `7d`; at most 90 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteLifetime(Duration);

impl InviteLifetime {
    /// A week.
    pub const DEFAULT: Self = Self(Duration::from_secs(7 * 86_400));

    /// The longest.
    pub const MAX: Self = Self(Duration::from_secs(90 * 86_400));
}

/// Not a lifetime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a number of minutes, hours or days, such as 30m, 12h or 7d, and 90 days at most")]
pub struct InvalidInviteLifetime;

impl FromStr for InviteLifetime {
    type Err = InvalidInviteLifetime;

    fn from_str(text: &str) -> Result<Self, InvalidInviteLifetime> {
        let (number, unit) = text
            .char_indices()
            .next_back()
            .map(|(at, unit)| (&text[..at], unit))
            .ok_or(InvalidInviteLifetime)?;
        let seconds = match unit {
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            _ => return Err(InvalidInviteLifetime),
        };
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let number: u64 = number.parse().map_err(|_| InvalidInviteLifetime)?;
        let lifetime = Duration::from_secs(number.saturating_mul(seconds));
        (is_number && number > 0 && lifetime <= Self::MAX.0)
            .then_some(Self(lifetime))
            .ok_or(InvalidInviteLifetime)
    }
}

impl fmt::Display for InviteLifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_secs() / 60 {
            minutes if minutes % 1440 == 0 => write!(f, "{}d", minutes / 1440),
            minutes if minutes % 60 == 0 => write!(f, "{}h", minutes / 60),
            minutes => write!(f, "{minutes}m"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Invite, InviteLifetime, MAX_INVITE_TOKENS};
    use crate::{PasswordHash, Role, Timestamp, User, UserId, Username};

    #[test]
    fn a_lifetime_is_a_number_with_a_unit_and_not_too_long() {
        for text in ["1m", "30m", "12h", "7d", "90d"] {
            let lifetime: InviteLifetime = text.parse().expect("a lifetime");
            assert_eq!(lifetime.to_string(), text);
        }
        for text in [
            "",
            "d",
            "7",
            "0d",
            "-1d",
            "+1d",
            "1.5d",
            "7 d",
            "91d",
            "7w",
            "7D",
            "1é",
            "99999999999999999999d",
            "999999999999999999d",
        ] {
            assert!(text.parse::<InviteLifetime>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_invitation_is_valid_until_it_expires_and_keeps_the_token_that_was_shown() {
        let now = Timestamp::from_millis(1_700_000_000_000);
        let lifetime = "1m".parse().expect("a lifetime");
        let (token, mut invite) = Invite::new(None, Role::User, None, now, lifetime).expect("made");
        let last = Timestamp::from_millis(invite.expires.as_millis() - 1);
        assert!(invite.is_valid(None, last) && !invite.is_valid(None, invite.expires));
        for _ in 0..20 {
            let (_, hash) = Invite::another_token().expect("made");
            invite = invite.with_token(hash);
            assert!(invite.hashes.contains(&hash));
        }
        assert_eq!(invite.hashes.len(), MAX_INVITE_TOKENS);
        assert!(
            invite
                .hashes
                .contains(&crate::TokenHash::of(token.expose()))
        );
    }

    #[test]
    fn an_admins_invitation_counts_while_they_are_an_active_admin_and_the_operators_always() {
        let now = Timestamp::from_millis(1_700_000_000_000);
        let name = Username::parse("root").expect("a name");
        let admin = User {
            role: Role::Admin,
            ..User::new(name, PasswordHash::none(), now)
        };
        let made = |by| {
            let made = Invite::new(None, Role::User, by, now, InviteLifetime::DEFAULT);
            made.expect("made").1
        };
        let (hers, operators) = (made(Some(admin.id)), made(None));
        let demoted = User {
            role: Role::User,
            ..admin.clone()
        };
        let deactivated = User {
            is_active: false,
            ..admin.clone()
        };
        let another = User {
            id: UserId::from_bytes([7; 16]),
            ..admin.clone()
        };
        for (inviter, counts) in [
            (Some(&admin), true),
            (Some(&demoted), false),
            (Some(&deactivated), false),
            (Some(&another), false),
            (None, false),
        ] {
            assert_eq!(hers.is_valid(inviter, now), counts);
            assert!(operators.is_valid(inviter, now));
        }
        assert!(!hers.is_valid(Some(&admin), hers.expires));
    }
}
