//! The encoding of records: one byte for the version, then postcard.

use password_auth_model::{Event, OneTimeToken, QueuedEmail, TokenKey};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::StoreError;

/// A type of record.
pub(super) trait Stored: Serialize + DeserializeOwned {
    /// The version that is written now. If the type changes, raise it and add the old version to `legacy`.
    const VERSION: u8 = 1;

    /// Reads an older version. `None` if there was no such version.
    fn older(version: u8, record: &[u8]) -> Option<postcard::Result<Self>> {
        let _ = (version, record);
        None
    }
}

impl Stored for OneTimeToken {}
impl Stored for Event {}
impl Stored for QueuedEmail {}
impl Stored for TokenKey {}

pub(super) fn encode<T: Stored>(record: &T) -> Result<Vec<u8>, StoreError> {
    let start = vec![T::VERSION];
    postcard::to_extend(record, start).map_err(|error| StoreError::Corrupt(error.to_string()))
}

pub(super) fn decode<T: Stored>(bytes: &[u8]) -> Result<T, StoreError> {
    let Some((&version, record)) = bytes.split_first() else {
        return Err(StoreError::Corrupt("an empty record".to_owned()));
    };
    let read = if version == T::VERSION {
        Some(postcard::from_bytes(record))
    } else {
        T::older(version, record)
    };
    match read {
        Some(read) => read.map_err(|error| StoreError::Corrupt(error.to_string())),
        None => Err(StoreError::Corrupt(format!(
            "a record of version {version}, which this program does not know"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::{Stored, decode, encode};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Pair(u32, String);

    impl Stored for Pair {
        const VERSION: u8 = 2;

        fn older(version: u8, record: &[u8]) -> Option<postcard::Result<Self>> {
            (version == 1).then(|| postcard::from_bytes(record).map(|n| Self(n, String::new())))
        }
    }

    #[test]
    fn a_record_of_a_version_that_is_not_known_is_not_guessed_at() {
        let mut bytes = encode(&Pair(1, "x".to_owned())).expect("encodes");
        let read: Pair = decode(&bytes).expect("decodes");
        assert_eq!(read, Pair(1, "x".to_owned()));
        bytes[0] = 3;
        assert!(decode::<Pair>(&bytes).is_err());
        assert!(decode::<Pair>(&[]).is_err());
    }

    #[test]
    fn a_record_of_an_older_version_is_read_as_what_it_is_today() {
        let read: Pair = decode(&[1, 7]).expect("decodes");
        assert_eq!(read, Pair(7, String::new()));
    }
}
