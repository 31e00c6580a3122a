//! Checks of a single record: a file could have been changed by somebody who also corrects counts and checksum. Old
//! records only have to follow the rules of their time.

use password_auth_core::passwords::is_usable;
use password_auth_model::{
    EmailAddress, Factors, MAX_INVITE_TOKENS, MAX_PASSKEYS, Passkey, RECOVERY_CODES, User,
    Username, acts_on_display,
};
use password_auth_store::Record;
use password_auth_wire::rules::{Violation, check_full_name};

/// The rule that a record breaks, in a sentence that does not quote it.
pub(super) fn broken_by(record: &Record) -> Option<String> {
    match record {
        Record::User(user) => {
            broken_by_user(user).map(|rule| format!("the user {}: {rule}", user.id))
        }
        Record::OneTimeToken(token) => {
            let address = token.purpose.address();
            (!is_address(address))
                .then(|| "a one-time token for an invalid e-mail address".to_owned())
        }
        Record::QueuedEmail(queued_email) => (!is_address(&queued_email.to))
            .then(|| "a mail to an invalid e-mail address".to_owned()),
        Record::Session(session) => {
            (!is_plain(&session.device)).then(|| "a device with control characters".to_owned())
        }
        Record::Event(event) => {
            let mut texts = [&event.address, &event.device].into_iter().flatten();
            (!texts.all(|text| is_plain(text)))
                .then(|| "an event with control characters".to_owned())
        }
        Record::Factors(factors) => broken_by_factors(factors).map(str::to_owned),
        Record::Invite(invite) => {
            let mut to = invite.email.iter();
            if invite.hashes.len() > MAX_INVITE_TOKENS {
                return Some("an invitation with too many tokens".to_owned());
            }
            (!to.all(is_address)).then(|| "an invitation to an invalid e-mail address".to_owned())
        }
        // A key that was not made with the server's secret is not used.
        Record::Attempt { .. } | Record::TokenKey(_) => None,
    }
}

fn broken_by_user(user: &User) -> Option<String> {
    let name = user.username.as_str();
    if name != name.trim() {
        return Some("the name starts or ends with a blank".to_owned());
    }
    if let Some(violation) = told(Username::parse(name), name) {
        return Some(violation.message().to_owned());
    }
    if let Some(full_name) = &user.full_name
        && let Some(violation) = told(check_full_name(full_name.as_str()), full_name.as_str())
    {
        return Some(violation.message().to_owned());
    }
    if user.email.as_ref().is_some_and(|email| !is_address(email)) {
        return Some("the e-mail address is not valid".to_owned());
    }
    if user.is_verified && user.email.is_none() {
        return Some("there is no e-mail address to be verified".to_owned());
    }
    (!is_usable(&user.password)).then(|| "the password's hash cannot be used".to_owned())
}

/// The rule that a name breaks. Each version of Unicode knows more invisible characters: a name that was registered
/// before one was known is valid.
fn told<T>(checked: Result<T, Violation>, name: &str) -> Option<Violation> {
    match checked {
        Ok(_) => None,
        Err(Violation::UsernameInvisible | Violation::FullNameInvisible) if is_plain(name) => None,
        Err(violation) => Some(violation),
    }
}

/// An address that is valid now, or was by older rules: it contains nothing that could inject a header into a mail.
fn is_address(address: &EmailAddress) -> bool {
    let text = address.as_str();
    EmailAddress::parse(text).is_ok()
        || text.split_once('@').is_some_and(|(local, domain)| {
            let is_word = |part: &str| {
                !part.is_empty() && is_plain(part) && !part.contains(char::is_whitespace)
            };
            is_word(local) && is_word(domain) && !domain.contains('@')
        })
}

/// A restored set is held to what enrolment makes: a name of a passkey is shown, and recovery codes are few.
fn broken_by_factors(factors: &Factors) -> Option<&'static str> {
    let mut names = factors.passkeys.iter().map(|passkey| passkey.name.as_str());
    if !names.all(is_plain) {
        return Some("a passkey's name with control characters");
    }
    let mut passkeys = factors.passkeys.iter();
    if !passkeys.all(Passkey::has_a_size_of_one) {
        return Some("a passkey that is too large");
    }
    if factors.passkeys.len() > MAX_PASSKEYS || factors.recovery_codes.len() > RECOVERY_CODES {
        return Some("more second factors than a user can have");
    }
    None
}

fn is_plain(text: &str) -> bool {
    !text.contains(acts_on_display)
}
