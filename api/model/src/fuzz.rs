//! No text makes a name or an address panic, and each has one identity: what is kept reads as itself again.

use password_auth_testing::fuzz;

use crate::{EmailAddress, Rate, Username, UsernameKey};

#[test]
fn fuzz_addresses() {
    fuzz("addresses", |bytes| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(address) = EmailAddress::parse(&text) {
            let kept = address.to_string();
            let again = EmailAddress::parse(&kept).expect("what is kept can be read");
            assert_eq!(again.key(), address.key(), "{kept:?}");
            assert!(!kept.contains(['\r', '\n', '\0']), "{kept:?}");
        }
        if let Ok(name) = Username::parse(&text) {
            let again = Username::parse(name.as_str()).expect("what is kept can be read");
            assert_eq!(
                UsernameKey::of(again.as_str()),
                UsernameKey::of(name.as_str())
            );
        }
        text.parse::<Rate>().ok();
    });
}
