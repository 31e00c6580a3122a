//! Identifiers: UUIDs of version 7 (RFC 9562), one type for each thing that has one.

use serde::{Deserialize, Serialize};
use uuid::{NoContext, Uuid};

use super::clock::Timestamp;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(Uuid);

        impl $name {
            /// A new identifier: 48 bits of `now` and 74 random bits.
            #[must_use]
            pub fn new(now: Timestamp) -> Self {
                Self(new_v7(now))
            }

            /// The identifier with these bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// Its bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(text).map(Self)
            }
        }
    };
}

id! {
    /// A user.
    UserId
}
id! {
    /// A session.
    SessionId
}
id! {
    /// An invitation.
    InviteId
}
id! {
    /// An access token: its `jti`.
    TokenId
}
id! {
    /// An event. Ids are in the order of time.
    EventId
}
id! {
    /// A passkey.
    PasskeyId
}
id! {
    /// A queued mail.
    QueuedEmailId
}
id! {
    /// A request, in the log and in the `X-Request-Id` of its response.
    RequestId
}

fn new_v7(now: Timestamp) -> Uuid {
    let nanos = u32::try_from(now.as_millis() % 1000).unwrap_or_default() * 1_000_000;
    Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, now.as_secs(), nanos))
}
