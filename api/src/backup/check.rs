//! What must hold of a file's records, and between them: their order, one user to a name and to a verified address, a user to
//! what is somebody's. In bounded memory: 56 bytes a user at most.

use password_auth_model::{EmailAddress, User, UserId};
use password_auth_store::{Loaded, Record};
use sha2::{Digest as _, Sha256};

use super::rules::broken_by;

/// Of the first record. The header stands before it.
const FIRST_LINE: u64 = 2;

#[derive(Default)]
pub(super) struct Checker {
    pub(super) counts: Loaded,
    last: Option<(Kind, [u8; 32])>,
    /// Ordered, since they come so.
    users: Vec<[u8; 16]>,
    /// Nobody has the name of another, nor an address that another has verified.
    names: Unique,
    addresses: Unique,
}

/// Digests of what only one may have, and which user's each is.
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
}

/// What is wrong, and where, if that is not the record that was just looked at.
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
        };
        if self.last >= Some(position) {
            return Err(fault("a record is not where its id belongs"));
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
            Record::Session(session) => {
                self.expect(session.user, "a session of a user who is not there")
            }
            Record::OneTimeToken(token) => {
                self.expect(token.user, "a one-time token of a user who is not there")
            }
            Record::QueuedEmail(queued_email) => match queued_email.user {
                Some(user) => self.expect(user, "a letter about a user who is not there"),
                None => Ok(()),
            },
            // That somebody was deleted outlives him.
            Record::Event(_) | Record::Attempt { .. } => Ok(()),
        }
    }

    /// After the last record.
    pub(super) fn finish(&mut self) -> Result<Loaded, Fault> {
        self.compare_users()?;
        Ok(self.counts)
    }

    fn keep(&mut self, user: &User) -> Result<(), Fault> {
        let number = u32::try_from(self.users.len())
            .map_err(|_| fault("more users than this program restores"))?;
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

    /// Once all users are there; afterwards there is nothing left to compare.
    fn compare_users(&mut self) -> Result<(), Fault> {
        std::mem::take(&mut self.names).compare("a user with the name of another")?;
        std::mem::take(&mut self.addresses)
            .compare("a user with an address that another has verified too")
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
