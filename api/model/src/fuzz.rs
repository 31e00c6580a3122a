//! No text makes a name, an address or a typed code panic, and each has one identity: what is kept reads as itself again.

use password_auth_testing::fuzz;

use crate::{
    EmailAddress, Rate, Timestamp, TypedCode, Username, UsernameKey, matching_step, totp_code,
};

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

#[test]
fn fuzz_typed_codes() {
    fuzz("typed_codes", |bytes| {
        match TypedCode::parse(&String::from_utf8_lossy(bytes)) {
            Some(TypedCode::Totp(code)) => {
                assert!(code < 1_000_000, "{code}");
                for now in [0, 1_700_000_000_000, u64::MAX] {
                    let step = matching_step(bytes, code, Timestamp::from_millis(now));
                    assert!(step.is_none_or(|step| totp_code(bytes, step) == code));
                }
            }
            Some(TypedCode::Recovery(code)) => {
                let again = TypedCode::parse(code.expose());
                assert_eq!(again, Some(TypedCode::Recovery(code)));
            }
            None => {}
        }
    });
}
