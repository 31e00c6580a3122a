//! Accounts with the same address: how their passwords are salted, and where mail about them goes. Pure rules.

use std::cmp::Reverse;

use sha2::{Digest as _, Sha256};

use super::{EmailAddress, EmailKey, User};

/// The most accounts in one mail.
const IN_ONE_EMAIL: usize = 64;

/// The most other spellings of an address that get a mail.
const OTHER_SPELLINGS: usize = 3;

/// The salt for passwords of users with this unverified address.
///
/// All of them share the salt, so that a single hash of the typed password finds its account among any number:
/// strangers who register with somebody's address change neither whether nor at what cost the owner is found. Two users
/// with the same password and the same unverified address have the same hash. An account that has verified its address
/// has a random salt.
#[must_use]
pub fn shared_salt(email: &EmailKey) -> [u8; 16] {
    let mut digest = Sha256::new_with_prefix(b"the salt of an address that nobody verified\0");
    digest.update(email.as_str().as_bytes());
    let mut salt = [0; 16];
    salt.copy_from_slice(&digest.finalize()[..16]);
    salt
}

/// The salt for the account's password: the shared one, or `None` for a random one.
#[must_use]
pub fn salt_for(user: &User) -> Option<[u8; 16]> {
    let unverified = user.email.as_ref().filter(|_| !user.is_verified);
    unverified.map(|email| shared_salt(&email.key()))
}

/// Mails for the reader of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResetEmails {
    /// The recipient of the first mail.
    pub to: EmailAddress,
    /// The accounts that it is about, the most recently used first.
    pub about: Vec<User>,
    /// Accounts with another spelling of the address. Each gets its own mail, to the address in its spelling.
    pub elsewhere: Vec<User>,
}

/// The password reset mails for the reader of `typed`.
///
/// A mail about an account goes to the account's own address. Some mail servers distinguish addresses that differ only
/// in case, so accounts with such addresses are never in one mail: the first is about the accounts whose spelling is
/// the typed one, if there are any. Mail is counted by mailbox, whatever the spelling, so every request must also reach
/// accounts with other spellings: the oldest ones. If there are too many accounts for one mail, it has the most
/// recently used and the oldest ones, so that later accounts cannot push those out.
#[must_use]
pub fn reset_emails(mut users: Vec<User>, typed: &EmailAddress) -> Option<ResetEmails> {
    users.retain(User::may_choose_password);
    users.sort_by_key(|user| (Reverse(user.last_login), user.id));
    let mailbox = |user: &User| user.email.as_ref().and_then(EmailAddress::mailbox);
    let as_typed = typed.mailbox();
    let first = users
        .iter()
        .find(|user| as_typed.is_some() && mailbox(user) == as_typed)
        .or_else(|| users.first())?;
    let to = first.email.clone()?;
    let here = mailbox(first);
    let (mut about, mut elsewhere): (Vec<_>, Vec<_>) =
        users.into_iter().partition(|user| mailbox(user) == here);
    let mut rest = about.split_off(about.len().min(IN_ONE_EMAIL / 2));
    rest.sort_by_key(|user| user.id);
    about.extend(rest.into_iter().take(IN_ONE_EMAIL / 2));
    elsewhere.sort_by_key(|user| user.id);
    elsewhere.truncate(OTHER_SPELLINGS);
    Some(ResetEmails {
        to,
        about,
        elsewhere,
    })
}

#[cfg(test)]
mod tests {
    use super::{IN_ONE_EMAIL, ResetEmails, reset_emails, salt_for, shared_salt};
    use crate::clock::Timestamp;
    use crate::{EmailAddress, PasswordHash, User, UserId, Username};

    fn address(text: &str) -> EmailAddress {
        EmailAddress::parse(text).expect("an address")
    }

    fn user(name: &str, email: &str, last_login: Option<u64>) -> User {
        let name = Username::parse(name).expect("a name");
        User {
            email: Some(address(email)),
            last_login: last_login.map(Timestamp::from_millis),
            ..User::new(name, PasswordHash::none(), Timestamp::from_millis(1))
        }
    }

    fn names(users: &[User]) -> Vec<&str> {
        users.iter().map(|user| user.username.as_str()).collect()
    }

    /// With ids that tell in which order they came.
    fn in_order(mut users: Vec<User>) -> Vec<User> {
        for (user, moment) in users.iter_mut().zip(1000..) {
            user.id = UserId::new(Timestamp::from_millis(moment));
        }
        users
    }

    fn mails(users: &[User], typed: &str) -> ResetEmails {
        reset_emails(users.to_vec(), &address(typed)).expect("a mail")
    }

    #[test]
    fn accounts_that_spell_the_address_in_another_way_have_mails_of_their_own() {
        let users = in_order(vec![
            user("upper", "ALICE@example.org", Some(9)),
            user("old", "alice@example.org", None),
            user("used", "alice@Example.org", Some(5)),
        ]);
        let told = mails(&users, "alice@EXAMPLE.org");
        assert_eq!(
            (told.to.as_str(), names(&told.about), names(&told.elsewhere)),
            ("alice@Example.org", vec!["used", "old"], vec!["upper"])
        );
        // No account has this spelling: take the one that was used last, and the others too.
        let told = mails(&users, "aLICE@example.org");
        assert_eq!(
            (told.to.as_str(), names(&told.about), names(&told.elsewhere)),
            ("ALICE@example.org", vec!["upper"], vec!["old", "used"])
        );
    }

    #[test]
    fn whoever_comes_later_or_signs_in_more_pushes_nobody_out_of_the_mail() {
        let mut users = vec![user("alice", "alice@example.org", None)];
        users.extend((0..500_u64).map(|number| {
            user(
                &format!("stranger {number}"),
                "alice@example.org",
                Some(number),
            )
        }));
        let told = mails(&in_order(users.clone()), "alice@example.org");
        assert_eq!(told.about.len(), IN_ONE_EMAIL);
        assert!(names(&told.about).contains(&"alice"));
        let spellings = [
            "ALICE@example.org",
            "Alice@example.org",
            "aLice@example.org",
            "alIce@example.org",
        ];
        for (number, spelling) in spellings.into_iter().enumerate() {
            users.push(user(&format!("other {number}"), spelling, Some(9999)));
        }
        let users = in_order(users);
        for typed in spellings {
            assert!(
                names(&mails(&users, typed).elsewhere).contains(&"alice"),
                "{typed}"
            );
        }
    }

    /// What `SECURITY.md` says of whoever gives no name: a mail is bounded, so strangers who were first and who sign in
    /// more often win.
    #[test]
    fn without_a_name_enough_strangers_push_an_account_out_of_the_mail() {
        let strangers = |number, email, last_login| {
            let user = move |n| user(&format!("stranger {n}"), email, Some(last_login));
            (0..number).map(user).collect::<Vec<_>>()
        };
        let alice = user("alice", "alice@example.org", Some(1));
        let of_first = |before: usize, behind: usize| {
            let mut users = strangers(before, "alice@example.org", 0);
            users.push(alice.clone());
            users.extend(strangers(behind, "alice@example.org", 9));
            mails(&in_order(users), "alice@example.org").about
        };
        assert!(names(&of_first(31, 500)).contains(&"alice"));
        assert!(names(&of_first(500, 31)).contains(&"alice"));
        assert!(!names(&of_first(500, 500)).contains(&"alice"));
        let typed_otherwise = |before: usize| {
            let mut users = strangers(before, "Alice@example.org", 0);
            users.push(alice.clone());
            users.push(user("other", "ALICE@example.org", Some(0)));
            mails(&in_order(users), "ALICE@example.org").elsewhere
        };
        assert!(names(&typed_otherwise(2)).contains(&"alice"));
        assert!(!names(&typed_otherwise(3)).contains(&"alice"));
    }

    #[test]
    fn who_may_not_come_back_has_no_mail_and_who_deactivated_the_account_themselves_has_one() {
        let mut alice = User {
            is_active: false,
            ..user("alice", "alice@example.org", None)
        };
        assert_eq!(
            reset_emails(vec![alice.clone()], &address("alice@example.org")),
            None
        );
        alice.deactivated_by_self = true;
        assert_eq!(
            names(&mails(&[alice], "alice@example.org").about),
            ["alice"]
        );
    }

    #[test]
    fn all_who_gave_an_address_share_a_salt_until_it_is_verified() {
        let alice = user("alice", "alice@example.org", None);
        let shared = shared_salt(&address("Alice@Example.ORG").key());
        assert_eq!(salt_for(&alice), Some(shared));
        assert_eq!(
            salt_for(&user("mallory", "ALICE@example.org", None)),
            Some(shared)
        );
        assert_ne!(
            salt_for(&user("bob", "bob@example.org", None)),
            Some(shared)
        );
        let verified = User {
            is_verified: true,
            ..alice
        };
        assert_eq!(salt_for(&verified), None);
    }
}
