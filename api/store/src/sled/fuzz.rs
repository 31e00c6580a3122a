//! No bytes of a stored record make its reader panic, and what can be read is written as it was.

use password_auth_model::{Event, OneTimeToken, QueuedEmail, Session, User};
use password_auth_testing::fuzz;

use super::codec::{Stored, decode, encode};

fn check<T: Stored + PartialEq + std::fmt::Debug>(bytes: &[u8]) {
    if let Ok(record) = decode::<T>(bytes) {
        let again = encode(&record).expect("written");
        assert_eq!(decode::<T>(&again).expect("read"), record);
    }
}

#[test]
fn fuzz_stored_records() {
    fuzz("stored_records", |bytes| {
        check::<User>(bytes);
        check::<Session>(bytes);
        check::<OneTimeToken>(bytes);
        check::<QueuedEmail>(bytes);
        check::<Event>(bytes);
    });
}
