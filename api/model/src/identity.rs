//! What every authenticated request reads of a session and its user.

use std::fmt;
use std::sync::Arc;

use super::clock::Timestamp;
use super::elsewhere::Elsewhere;
use super::generation::Generation;
use super::id::UserId;
use super::role::Role;
use super::session::Session;
use super::user::User;
use super::username::Username;

/// Whose a session is, and what decides whether an access token of it counts. Small, so that an engine can keep those of
/// a million sessions in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user.
    pub user: UserId,
    /// The user's name.
    pub username: CompactName,
    /// What the user may do.
    pub role: Role,
    is_active: bool,
    ended: bool,
    confirmed: bool,
    is_watched: bool,
    generation: Generation,
    epoch: u32,
    expires: Timestamp,
}

/// What an [`Identity`] takes of the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its user.
    pub user: UserId,
    /// The generation of the current refresh token.
    pub generation: Generation,
    /// Access tokens of a lower epoch are refused.
    pub epoch: u32,
    /// Its absolute end.
    pub expires: Timestamp,
    /// Whether it has ended.
    pub ended: bool,
    /// Whether an access token of the current generation was accepted.
    pub confirmed: bool,
    /// Whether any replay from elsewhere [is watched](Elsewhere::is_watched).
    pub is_watched: bool,
}

impl From<&Session> for Standing {
    fn from(session: &Session) -> Self {
        Self {
            user: session.user,
            generation: session.generation,
            epoch: session.epoch,
            expires: session.expires,
            ended: session.ended.is_some(),
            confirmed: session.confirmed,
            is_watched: session.trail.elsewhere.iter().any(Elsewhere::is_watched),
        }
    }
}

/// What an [`Identity`] takes of the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The name.
    pub username: CompactName,
    /// What the user may do.
    pub role: Role,
    /// Whether the user may use the service.
    pub is_active: bool,
}

impl From<&User> for Owner {
    fn from(user: &User) -> Self {
        Self {
            username: CompactName::from(&user.username),
            role: user.role,
            is_active: user.is_active,
        }
    }
}

impl Identity {
    /// Of a session and its user.
    #[must_use]
    pub fn of(session: impl Into<Standing>, owner: Owner) -> Self {
        let session = session.into();
        Self {
            user: session.user,
            username: owner.username,
            role: owner.role,
            is_active: owner.is_active,
            ended: session.ended,
            confirmed: session.confirmed,
            is_watched: session.is_watched,
            generation: session.generation,
            epoch: session.epoch,
            expires: session.expires,
        }
    }

    /// What it has taken of the user.
    #[must_use]
    pub fn owner(&self) -> Owner {
        Owner {
            username: self.username.clone(),
            role: self.role,
            is_active: self.is_active,
        }
    }

    /// Whether an access token of this epoch, issued to this user, counts at `now`.
    #[must_use]
    pub fn admits(&self, user: UserId, epoch: u32, now: Timestamp) -> bool {
        let is_live = !self.ended && now < self.expires;
        is_live && epoch >= self.epoch && user == self.user && self.is_active
    }

    /// Whether the use of an access token of `generation` may change the session. If not,
    /// [`Session::after_use`] returns `None`.
    #[must_use]
    pub fn may_change_after_use(&self, generation: Generation) -> bool {
        self.is_watched || self.is_confirmed_by(generation)
    }

    /// Whether the use of an access token of `generation` changes the session, whoever uses it.
    #[must_use]
    pub fn is_confirmed_by(&self, generation: Generation) -> bool {
        generation == self.generation && !self.confirmed
    }

    /// Whether `user` is as it says.
    #[must_use]
    pub fn is_of(&self, user: &User) -> bool {
        user.id == self.user
            && user.role == self.role
            && user.is_active == self.is_active
            && user.username.as_str() == self.username.as_str()
    }
}

/// How long a name may be to be kept in place. Most are shorter.
const IN_PLACE: usize = 22;

/// A user's name in the user's spelling, in place if it is short.
#[derive(Clone, PartialEq, Eq)]
pub struct CompactName(Repr);

#[derive(Clone, PartialEq, Eq)]
enum Repr {
    InPlace(u8, [u8; IN_PLACE]),
    Shared(Arc<str>),
}

impl CompactName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Repr::InPlace(length, bytes) => {
                // It was copied from a text.
                std::str::from_utf8(&bytes[..usize::from(*length)]).unwrap_or_default()
            }
            Repr::Shared(text) => text,
        }
    }

    /// How many bytes it takes besides its own.
    #[must_use]
    pub fn bytes_elsewhere(&self) -> usize {
        match &self.0 {
            Repr::InPlace(..) => 0,
            Repr::Shared(text) => text.len(),
        }
    }
}

impl From<&Username> for CompactName {
    fn from(name: &Username) -> Self {
        Self::from_store(name.as_str())
    }
}

impl CompactName {
    /// A name as it was stored, which is not checked again.
    #[must_use]
    pub fn from_store(text: &str) -> Self {
        let mut bytes = [0; IN_PLACE];
        let short = bytes.get_mut(..text.len());
        Self(match (short, u8::try_from(text.len())) {
            (Some(short), Ok(length)) => {
                short.copy_from_slice(text.as_bytes());
                Repr::InPlace(length, bytes)
            }
            _ => Repr::Shared(text.into()),
        })
    }
}

impl fmt::Display for CompactName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for CompactName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::{CompactName, IN_PLACE, Identity, Owner};
    use crate::{
        Elsewhere, End, Generation, Party, PasswordHash, Session, Timestamp, User, UserId, Username,
    };

    const PARTIES: [Party; 2] = [
        Party {
            network: 1,
            device: 1,
        },
        Party {
            network: 2,
            device: 2,
        },
    ];

    fn user() -> User {
        let name = Username::parse("alice").expect("a name");
        User::new(name, PasswordHash::none(), Timestamp::from_millis(0))
    }

    fn session(user: &User) -> Session {
        let now = Timestamp::from_millis(0);
        Session {
            generation: Generation(2),
            confirmed: true,
            epoch: 3,
            ..Session::new(
                user.id,
                String::new(),
                now,
                now.plus(Duration::from_secs(1)),
            )
        }
    }

    #[test]
    fn a_token_counts_only_if_all_of_session_and_user_agree() {
        let (alice, now) = (user(), Timestamp::from_millis(999));
        let admits = |change: fn(&mut Session, &mut User)| {
            let (mut session, mut user) = (session(&alice), alice.clone());
            change(&mut session, &mut user);
            Identity::of(&session, Owner::from(&user)).admits(alice.id, 3, now)
        };
        assert!(admits(|_, _| {}));
        assert!(admits(|session, _| session.epoch = 2));
        assert!(!admits(|session, _| session.epoch = 4));
        assert!(!admits(|session, _| session.ended = Some(End::Theft)));
        assert!(!admits(
            |session, _| session.expires = Timestamp::from_millis(999)
        ));
        assert!(!admits(
            |session, _| session.user = UserId::from_bytes([0; 16])
        ));
        assert!(!admits(|_, user| user.is_active = false));
    }

    proptest! {
        #[test]
        fn a_use_that_changes_the_session_is_never_overlooked(
            confirmed: bool,
            after_use: bool,
            used: bool,
            replayed in 0_u32..4,
            presented in 0_u32..4,
            party in prop::option::of(0_usize..2),
        ) {
            let mut session = session(&user());
            session.confirmed = confirmed;
            session.trail.elsewhere.push(Elsewhere {
                generation: Generation(replayed),
                at: session.created,
                rotated_by: PARTIES[0],
                replayed_by: PARTIES[1],
                after_use,
                used,
            });
            let identity = Identity::of(&session, Owner::from(&user()));
            let changes = session.after_use(Generation(presented), party.map(|number| PARTIES[number]));
            prop_assert!(changes.is_none() || identity.may_change_after_use(Generation(presented)));
            prop_assert!(changes.is_some() || !identity.is_confirmed_by(Generation(presented)));
        }

        #[test]
        fn a_name_of_any_length_is_kept_as_it_is(text in "\\PC{0,40}") {
            let name = CompactName::from(&Username::from_store(text.clone()));
            prop_assert_eq!(name.as_str(), &text);
            let is_elsewhere = name.bytes_elsewhere() > 0;
            prop_assert_eq!(is_elsewhere, text.len() > IN_PLACE);
        }
    }

    #[test]
    fn it_stays_small() {
        assert!(size_of::<Identity>() <= 64, "{}", size_of::<Identity>());
    }
}
