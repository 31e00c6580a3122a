//! What the one-time tokens that mails carry change about a user. The engines read, ask here, and write.

use super::email_address::EmailAddress;
use super::one_time_token::Purpose;
use super::password_hash::PasswordHash;
use super::user::User;

/// The address that a password reset by this token verifies, unless another user has verified it. `None` if the token
/// does not reset `user`'s password: it is for something else, or the user no longer has the address.
#[must_use]
pub fn resets_password<'a>(purpose: &'a Purpose, user: &User) -> Option<&'a EmailAddress> {
    match purpose {
        Purpose::ResetPassword(address) if user.has_email(address) => Some(address),
        _ => None,
    }
}

/// The user after a reset. Reading the mail verifies the address, if it `may_be_verified`.
#[must_use]
pub fn with_reset_password(user: User, password: PasswordHash, may_be_verified: bool) -> User {
    let user = user.with_password(password);
    User {
        is_verified: user.is_verified || may_be_verified,
        ..user
    }
}

/// What pressing the button of a mailed link means for an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confirmation {
    /// The user gets the address, verified, unless another user has verified it.
    Confirms(Confirmed),
    /// The token did that before.
    AlreadyDone,
    /// Nothing: the token is for something else, or the user no longer has the address.
    Invalid,
}

/// A token that verifies or changes an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmed {
    /// The address.
    pub address: EmailAddress,
    /// Whether the user had another address before. Their other tokens were mailed to that one, and become void.
    pub voids_others: bool,
}

impl Confirmed {
    /// The user after it.
    #[must_use]
    pub fn user(&self, before: &User) -> User {
        User {
            email: Some(self.address.clone()),
            is_verified: true,
            ..before.clone()
        }
    }

    /// What remains of the token: a second press of the button gets the same success.
    #[must_use]
    pub fn used(self) -> Purpose {
        Purpose::ConfirmedEmail(self.address)
    }
}

/// What a token with this purpose means for the address of its user.
#[must_use]
pub fn confirms_email(purpose: &Purpose, user: &User) -> Confirmation {
    let confirms = |address: &EmailAddress, voids_others| {
        Confirmation::Confirms(Confirmed {
            address: address.clone(),
            voids_others,
        })
    };
    match purpose {
        Purpose::ChangeEmail(address) => confirms(address, true),
        Purpose::VerifyEmail(address) if user.has_email(address) => confirms(address, false),
        Purpose::ConfirmedEmail(address) if user.has_verified(address) => Confirmation::AlreadyDone,
        _ => Confirmation::Invalid,
    }
}

#[cfg(test)]
mod tests {
    use super::{Confirmation, confirms_email, resets_password, with_reset_password};
    use crate::{EmailAddress, PasswordHash, Purpose, Timestamp, User, Username};

    fn address(text: &str) -> EmailAddress {
        EmailAddress::parse(text).expect("an address")
    }

    fn alice(email: &str) -> User {
        let mut user = User::new(
            Username::parse("alice").expect("a name"),
            PasswordHash::from_text("old".to_owned()),
            Timestamp::from_millis(1),
        );
        user.email = Some(address(email));
        user
    }

    #[test]
    fn a_token_does_what_it_was_mailed_for_and_nothing_else() {
        let (user, own) = (alice("a@x.example"), address("A@x.example"));
        for purpose in [
            Purpose::VerifyEmail(own.clone()),
            Purpose::ChangeEmail(own.clone()),
            Purpose::ConfirmedEmail(own.clone()),
        ] {
            assert_eq!(resets_password(&purpose, &user), None, "{purpose:?}");
        }
        let reset = Purpose::ResetPassword(own.clone());
        assert_eq!(resets_password(&reset, &user), Some(&own));
        assert_eq!(confirms_email(&reset, &user), Confirmation::Invalid);
    }

    #[test]
    fn a_token_for_an_address_that_the_user_no_longer_has_is_void_unless_it_changes_the_address() {
        let (user, other) = (alice("new@x.example"), address("old@x.example"));
        let reset = Purpose::ResetPassword(other.clone());
        assert_eq!(resets_password(&reset, &user), None);
        for purpose in [
            Purpose::VerifyEmail(other.clone()),
            Purpose::ConfirmedEmail(other.clone()),
        ] {
            assert_eq!(confirms_email(&purpose, &user), Confirmation::Invalid);
        }
        let Confirmation::Confirms(change) =
            confirms_email(&Purpose::ChangeEmail(other.clone()), &user)
        else {
            panic!("it changes the address");
        };
        assert!(change.voids_others);
        let after = change.user(&user);
        assert!(after.has_verified(&other));
        let again = confirms_email(&change.used(), &after);
        assert_eq!(again, Confirmation::AlreadyDone);
    }

    #[test]
    fn a_reset_verifies_the_address_only_if_nobody_else_has_verified_it() {
        let new = PasswordHash::from_text("new".to_owned());
        let before = alice("a@x.example");
        let taken = with_reset_password(before.clone(), new.clone(), false);
        assert!(!taken.is_verified && taken.password_version == 1);
        assert!(with_reset_password(before, new.clone(), true).is_verified);
        assert!(with_reset_password(taken_by_them(), new, false).is_verified);
    }

    fn taken_by_them() -> User {
        User {
            is_verified: true,
            ..alice("a@x.example")
        }
    }
}
