//! Accounts with the same address: where mail about one of them goes. Pure rules.

use std::cmp::Reverse;

use super::{EmailAddress, User};

/// The address that a mail for `typed` is sent to, and the accounts that it is about, the most recently used first.
///
/// A mail about an account goes to the account's own address. Some mail servers distinguish addresses that differ only
/// in case, so accounts with such addresses are never in one mail: it is about the accounts whose spelling is the typed
/// one, if there are any.
#[must_use]
pub fn in_one_letter(
    mut users: Vec<User>,
    typed: &EmailAddress,
) -> Option<(EmailAddress, Vec<User>)> {
    users.retain(|user| user.is_active);
    users.sort_by_key(|user| (Reverse(user.last_login), user.id));
    let mailbox = |user: &User| user.email.as_ref().and_then(EmailAddress::mailbox);
    let as_typed = typed.mailbox();
    let first = users
        .iter()
        .find(|user| as_typed.is_some() && mailbox(user) == as_typed)
        .or_else(|| users.first())?;
    let to = first.email.clone()?;
    let here = mailbox(first);
    users.retain(|user| mailbox(user) == here);
    Some((to, users))
}

#[cfg(test)]
mod tests {
    use super::in_one_letter;
    use crate::clock::Timestamp;
    use crate::{EmailAddress, PasswordHash, User, Username};

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

    #[test]
    fn accounts_that_spell_the_address_in_another_way_are_in_no_letter_with_these() {
        let users = vec![
            user("upper", "ALICE@example.org", Some(9)),
            user("old", "alice@example.org", None),
            user("used", "alice@Example.org", Some(5)),
        ];
        let typed = address("alice@EXAMPLE.org");
        let (to, about) = in_one_letter(users.clone(), &typed).expect("a letter");
        assert_eq!(
            (to.as_str(), names(&about)),
            ("alice@Example.org", vec!["used", "old"])
        );
        let typed = address("aLICE@example.org");
        let (to, about) = in_one_letter(users, &typed).expect("a letter");
        assert_eq!(
            (to.as_str(), names(&about)),
            ("ALICE@example.org", vec!["upper"])
        );
    }

    #[test]
    fn of_nobody_who_may_sign_in_there_is_no_letter() {
        let disabled = User {
            is_active: false,
            ..user("alice", "alice@example.org", None)
        };
        assert_eq!(
            in_one_letter(vec![disabled], &address("alice@example.org")),
            None
        );
    }
}
