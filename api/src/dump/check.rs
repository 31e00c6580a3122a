//! What must hold between a file's records: their order, one user to a name, a user to each session. In
//! bounded memory: 36 bytes a user.

use sha2::{Digest as _, Sha256};

use crate::accounts::UsernameKey;
use crate::store::{Loaded, Record};

/// Of the first record. The header stands before it.
const FIRST_LINE: u64 = 2;

#[derive(Default)]
pub(super) struct Checker {
    pub(super) counts: Loaded,
    last: Option<(Kind, [u8; 16])>,
    /// Ordered, since they come so.
    users: Vec<[u8; 16]>,
    /// Digests of names, and which user's each is.
    names: Vec<([u8; 16], u32)>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    User,
    Session,
    Attempt,
}

/// What is wrong, and where, if that is not the record that was just looked at.
pub(super) struct Fault {
    pub(super) line: Option<u64>,
    pub(super) what: String,
}

impl Checker {
    pub(super) fn look_at(&mut self, record: &Record) -> Result<(), Fault> {
        let position = match record {
            Record::User(user) => (Kind::User, *user.id.as_bytes()),
            Record::Session(session) => (Kind::Session, *session.id.as_bytes()),
            Record::Attempt { key, .. } => (Kind::Attempt, *key),
        };
        if self.last >= Some(position) {
            return Err(fault("a record is not where its id belongs"));
        }
        self.last = Some(position);
        self.counts.count(record);
        match record {
            Record::User(user) => {
                let number = u32::try_from(self.users.len())
                    .map_err(|_| fault("more users than this program restores"))?;
                self.users.push(*user.id.as_bytes());
                self.names.push((digest(&user.username_key), number));
                Ok(())
            }
            Record::Session(session) => {
                self.compare_names()?;
                match self.users.binary_search(session.user.as_bytes()) {
                    Ok(_) => Ok(()),
                    Err(_) => Err(fault("a session of a user who is not there")),
                }
            }
            Record::Attempt { .. } => Ok(()),
        }
    }

    /// After the last record.
    pub(super) fn finish(&mut self) -> Result<Loaded, Fault> {
        self.compare_names()?;
        Ok(self.counts)
    }

    /// Once all users are there; afterwards there is nothing left to compare.
    fn compare_names(&mut self) -> Result<(), Fault> {
        let mut names = std::mem::take(&mut self.names);
        names.sort_unstable();
        let namesake = names
            .windows(2)
            .find_map(|pair| (pair[0].0 == pair[1].0).then_some(pair[1].1));
        match namesake {
            None => Ok(()),
            Some(number) => Err(Fault {
                line: Some(FIRST_LINE + u64::from(number)),
                what: "a user with the name of another".to_owned(),
            }),
        }
    }
}

fn fault(what: &str) -> Fault {
    Fault {
        line: None,
        what: what.to_owned(),
    }
}

fn digest(name: &UsernameKey) -> [u8; 16] {
    let mut start = [0; 16];
    start.copy_from_slice(&Sha256::digest(name.as_str())[..16]);
    start
}
