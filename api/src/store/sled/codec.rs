//! How records stand on disk: one byte of format version, then postcard.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::store::StoreError;

/// The version of every record that is written today. A record that changes gets the next one, and
/// `decode` learns to read both.
const VERSION: u8 = 1;

pub(super) fn encode<T: Serialize>(record: &T) -> Result<Vec<u8>, StoreError> {
    let start = vec![VERSION];
    postcard::to_extend(record, start).map_err(|error| StoreError::Corrupt(error.to_string()))
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    match bytes.split_first() {
        Some((&VERSION, record)) => {
            postcard::from_bytes(record).map_err(|error| StoreError::Corrupt(error.to_string()))
        }
        Some((version, _)) => Err(StoreError::Corrupt(format!(
            "a record of version {version}, which is newer than this program"
        ))),
        None => Err(StoreError::Corrupt("an empty record".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn a_record_of_another_version_is_not_guessed_at() {
        let mut bytes = encode(&(1_u32, "x")).expect("encodes");
        assert_eq!(
            decode::<(u32, String)>(&bytes).expect("decodes"),
            (1, "x".to_owned())
        );
        bytes[0] = 2;
        assert!(decode::<(u32, String)>(&bytes).is_err());
        assert!(decode::<(u32, String)>(&[]).is_err());
    }
}
