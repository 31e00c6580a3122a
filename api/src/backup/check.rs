//! Checks of all records of a file: their order, unique names and verified addresses, and that every reference to a
//! user is valid. In bounded memory: at most 56 bytes per user.

use password_auth_model::{EmailAddress, User, UserId};
use password_auth_store::{Loaded, Record};
use sha2::{Digest as _, Sha256};

use super::rules::broken_by;

/// The line of the first record, after the header.
const FIRST_LINE: u64 = 2;

#[derive(Default)]
pub(super) struct Checker {
    pub(super) counts: Loaded,
    last: Option<(Kind, [u8; 32])>,
    /// Sorted, since they come in order.
    users: Vec<[u8; 16]>,
    /// Names and verified addresses are unique.
    names: Unique,
    addresses: Unique,
}

/// Digests of unique values, each with its user.
#[derive(Default)]
struct Unique(Vec<([u8; 16], u32)>);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    User,
    Session,
    Attempt,
    OneTimeToken,
    Event,
    QueuedEmail,
    Factors,
    TokenKey,
    Invite,
}

/// What is wrong, and the line, if it is not the current record.
pub(super) struct Fault {
    pub(super) line: Option<u64>,
    pub(super) what: String,
}

impl Checker {
    pub(super) fn look_at(&mut self, record: &Record) -> Result<(), Fault> {
        let position = match record {
            Record::User(user) => (Kind::User, padded(user.id.as_bytes())),
            Record::Session(session) => (Kind::Session, padded(session.id.as_bytes())),
            Record::Attempt { key, .. } => (Kind::Attempt, padded(key)),
            Record::OneTimeToken(token) => (Kind::OneTimeToken, *token.hash.as_bytes()),
            Record::Event(event) => (Kind::Event, padded(event.id.as_bytes())),
            Record::QueuedEmail(queued_email) => {
                (Kind::QueuedEmail, padded(queued_email.id.as_bytes()))
            }
            Record::Factors(factors) => (Kind::Factors, padded(factors.user.as_bytes())),
            Record::TokenKey(key) => (Kind::TokenKey, padded(&key.salt)),
            Record::Invite(invite) => (Kind::Invite, padded(invite.id.as_bytes())),
        };
        if self.last >= Some(position) {
            return Err(fault("a record is not in the order of ids"));
        }
        self.last = Some(position);
        if let Some(rule) = broken_by(record) {
            return Err(fault(&rule));
        }
        self.counts.count(record);
        if position.0 > Kind::User {
            self.compare_users()?;
        }
        match record {
            Record::User(user) => self.keep(user),
            Record::Session(session) => self.expect(session.user, "a session of an unknown user"),
            Record::OneTimeToken(token) => {
                self.expect(token.user, "a one-time token of an unknown user")
            }
            Record::QueuedEmail(queued_email) => match queued_email.user {
                Some(user) => self.expect(user, "a mail about an unknown user"),
                None => Ok(()),
            },
            Record::Factors(factors) => {
                self.expect(factors.user, "second factors of an unknown user")
            }
            Record::Invite(invite) => match invite.by {
                Some(by) => self.expect(by, "an invitation of an unknown user"),
                None => Ok(()),
            },
            // The event of a deletion outlives its user.
            Record::Event(_) | Record::Attempt { .. } | Record::TokenKey(_) => Ok(()),
        }
    }

    /// Checks after the last record.
    pub(super) fn finish(&mut self) -> Result<Loaded, Fault> {
        self.compare_users()?;
        Ok(self.counts)
    }

    fn keep(&mut self, user: &User) -> Result<(), Fault> {
        let number = u32::try_from(self.users.len())
            .map_err(|_| fault("more users than this program can restore"))?;
        self.users.push(*user.id.as_bytes());
        self.names.keep(user.username_key.as_str(), number);
        let address = user.email.as_ref().filter(|_| user.is_verified);
        if let Some(address) = address.map(EmailAddress::key) {
            self.addresses.keep(address.as_str(), number);
        }
        Ok(())
    }

    fn expect(&self, user: UserId, otherwise: &str) -> Result<(), Fault> {
        match self.users.binary_search(user.as_bytes()) {
            Ok(_) => Ok(()),
            Err(_) => Err(fault(otherwise)),
        }
    }

    /// Compares all users, once.
    fn compare_users(&mut self) -> Result<(), Fault> {
        std::mem::take(&mut self.names).compare("a user with the same name as another")?;
        std::mem::take(&mut self.addresses)
            .compare("a user with a verified e-mail address that another user has verified")
    }
}

impl Unique {
    fn keep(&mut self, key: &str, number: u32) {
        self.0.push((digest(key), number));
    }

    fn compare(mut self, otherwise: &str) -> Result<(), Fault> {
        self.0.sort_unstable();
        let second = self
            .0
            .windows(2)
            .find_map(|pair| (pair[0].0 == pair[1].0).then_some(pair[1].1));
        match second {
            None => Ok(()),
            Some(number) => Err(Fault {
                line: Some(FIRST_LINE + u64::from(number)),
                what: otherwise.to_owned(),
            }),
        }
    }
}

fn padded(id: &[u8; 16]) -> [u8; 32] {
    let mut padded = [0; 32];
    padded[..16].copy_from_slice(id);
    padded
}

fn fault(what: &str) -> Fault {
    Fault {
        line: None,
        what: what.to_owned(),
    }
}

pub(super) fn digest(key: &str) -> [u8; 16] {
    let mut start = [0; 16];
    start.copy_from_slice(&Sha256::digest(key)[..16]);
    start
}
