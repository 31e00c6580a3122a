//! Records as earlier versions of the program wrote them. They are read where they stand, and stand in today's
//! form once something changes them.

use serde::Deserialize;

use super::codec::Kept;
use crate::accounts::{Role, Username, UsernameKey};
use crate::clock::Timestamp;
use crate::id::UserId;
use crate::passwords::PasswordHash;
use crate::store::User;

impl Kept for User {
    const VERSION: u8 = 2;

    fn older(version: u8, record: &[u8]) -> Option<postcard::Result<Self>> {
        (version == 1).then(|| postcard::from_bytes::<UserV1>(record).map(Self::from))
    }
}

/// A name and a password.
#[derive(Deserialize)]
struct UserV1 {
    id: UserId,
    username: Username,
    username_key: UsernameKey,
    password: PasswordHash,
    is_active: bool,
    created_at: Timestamp,
}

impl From<UserV1> for User {
    fn from(user: UserV1) -> Self {
        Self {
            id: user.id,
            username: user.username,
            username_key: user.username_key,
            password: user.password,
            password_version: 0,
            email: None,
            is_verified: false,
            full_name: None,
            role: Role::default(),
            is_active: user.is_active,
            created_at: user.created_at,
            last_login: None,
        }
    }
}
