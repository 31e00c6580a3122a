use std::time::Duration;

use proptest::prelude::*;

use super::{
    CHALLENGE_LIFETIME, FactorChange, FactorRefusal, FactorUse, Factors, PROOF_LIFETIME, Passkey,
    Proof, TOTP_WAITS, UsedChallenge, WaitingTotp,
};
use crate::clock::{CLOCKS_DIFFER, Timestamp};
use crate::id::{PasskeyId, SessionId, UserId};
use crate::opaque::OpaqueBytes;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn bytes(number: u8) -> OpaqueBytes {
    [number].into()
}

fn nobody() -> Factors {
    Factors::none_of(UserId::from_bytes([7; 16]))
}

fn waiting(number: u8) -> FactorChange {
    FactorChange::AwaitTotp(WaitingTotp {
        secret: bytes(number),
        password_version: 0,
        until: NOW.plus(TOTP_WAITS),
    })
}

fn confirmed(number: u8, step: u64) -> FactorChange {
    FactorChange::ConfirmTotp {
        secret: bytes(number),
        step,
        recovery_codes: (0..10).map(bytes).collect(),
    }
}

fn enrolled() -> Factors {
    let waiting = nobody().after(&waiting(1), NOW).expect("waits");
    waiting.after(&confirmed(1, 100), NOW).expect("enrolled")
}

fn code(step: u64) -> FactorUse {
    FactorUse::Totp {
        secret: bytes(1),
        step,
        resealed: None,
    }
}

fn challenge(number: u8) -> UsedChallenge {
    UsedChallenge {
        nonce: bytes(number),
        until: NOW.plus(CHALLENGE_LIFETIME),
    }
}

fn passkey(number: u8) -> Passkey {
    Passkey {
        id: PasskeyId::from_bytes([number; 16]),
        name: "phone".to_owned(),
        credential: bytes(number),
        public_key: bytes(0),
        counter: 0,
        created: NOW,
        last_used: None,
    }
}

#[test]
fn the_code_that_enrolled_an_app_does_not_sign_in_and_the_next_one_does_once() {
    let enter = |factors: Factors, step| factors.after(&FactorChange::Use(code(step), vec![]), NOW);
    for step in [98, 99, 100] {
        assert_eq!(enter(enrolled(), step), Err(FactorRefusal::NotAccepted));
    }
    let used = enter(enrolled(), 101).expect("accepted");
    for step in [100, 101] {
        assert_eq!(enter(used.clone(), step), Err(FactorRefusal::NotAccepted));
    }
    assert!(enter(used, 102).is_ok());
}

#[test]
fn an_app_that_is_enrolled_is_not_replaced_without_a_code_of_it() {
    assert_eq!(
        enrolled().after(&waiting(2), NOW),
        Err(FactorRefusal::AlreadyEnrolled)
    );
    let removed = enrolled().after(&FactorChange::RemoveTotp(code(100)), NOW);
    assert_eq!(removed, Err(FactorRefusal::NotAccepted));
    let removed = enrolled().after(&FactorChange::RemoveTotp(code(101)), NOW);
    assert_eq!(removed, Ok(nobody()), "recovery codes go too");
}

#[test]
fn an_app_waits_ten_minutes_and_only_the_last_one_waits() {
    let first = nobody().after(&waiting(1), NOW).expect("waits");
    let late = NOW.plus(TOTP_WAITS);
    assert_eq!(
        first.clone().after(&confirmed(1, 1), late),
        Err(FactorRefusal::NothingWaits)
    );
    assert!(first.waiting(0, NOW).is_some());
    assert!(first.waiting(1, NOW).is_none(), "of an older password");
    let second = first.after(&waiting(2), NOW).expect("waits");
    assert_eq!(
        second.after(&confirmed(1, 1), NOW),
        Err(FactorRefusal::NothingWaits)
    );
}

#[test]
fn recovery_codes_stay_while_a_passkey_is_left() {
    let both = enrolled();
    let both = both.after(&FactorChange::AddPasskey(passkey(1), challenge(1)), NOW);
    let one = both
        .expect("added")
        .after(&FactorChange::RemoveTotp(code(101)), NOW);
    let one = one.expect("removed");
    assert_eq!(one.recovery_codes.len(), 10);
    let none = one.after(&FactorChange::RemovePasskey(passkey(1).id), NOW);
    assert!(none.expect("removed").recovery_codes.is_empty());
}

#[test]
fn a_passkey_whose_count_does_not_grow_is_refused() {
    let one = nobody().after(&FactorChange::AddPasskey(passkey(1), challenge(1)), NOW);
    let one = one.expect("added");
    let shown = |factors: &Factors, counter| {
        let factor = FactorUse::Passkey {
            credential: bytes(1),
            counter,
        };
        factors
            .clone()
            .after(&FactorChange::Use(factor, vec![]), NOW)
    };
    // One that does not count.
    let zero = shown(&one, 0).expect("accepted");
    let five = shown(&zero, 5).expect("accepted");
    for counter in [0, 4, 5] {
        assert_eq!(shown(&five, counter), Err(FactorRefusal::NotAccepted));
    }
    assert!(shown(&five, 6).is_ok());
}

#[test]
fn a_proof_is_for_one_session_one_password_and_five_minutes() {
    let [session, other] = [1, 2].map(|n| SessionId::from_bytes([n; 16]));
    let proof = Proof {
        session,
        password_version: 3,
        until: NOW.plus(PROOF_LIFETIME),
    };
    let proved = nobody().after(&FactorChange::Prove(proof, None), NOW);
    let proved = proved.expect("proved");
    assert!(proved.is_proved(session, 3, NOW));
    assert!(!proved.is_proved(other, 3, NOW));
    assert!(!proved.is_proved(session, 4, NOW));
    assert!(!proved.is_proved(session, 3, NOW.plus(PROOF_LIFETIME)));
    // The clock was set back.
    let (differs, hour) = (CLOCKS_DIFFER, Duration::from_secs(3600));
    assert!(proved.is_proved(session, 3, NOW.minus(differs)));
    assert!(!proved.is_proved(session, 3, NOW.minus(hour)));
    assert!(proved.swept(NOW.plus(PROOF_LIFETIME)).are_nothing());
}

fn changes() -> impl Strategy<Value = FactorChange> {
    let typed = || {
        prop_oneof![
            (98_u64..110).prop_map(code),
            (0_u8..12).prop_map(|n| FactorUse::RecoveryCode(bytes(n))),
        ]
    };
    let used = || {
        prop_oneof![
            typed(),
            (0_u8..3, 0_u32..6).prop_map(|(n, counter)| FactorUse::Passkey {
                credential: bytes(n),
                counter,
            }),
        ]
    };
    prop_oneof![
        Just(waiting(1)),
        (98_u64..110).prop_map(|step| confirmed(1, step)),
        typed().prop_map(FactorChange::RemoveTotp),
        (typed(), 20_u8..29)
            .prop_map(|(factor, n)| FactorChange::ReplaceRecoveryCodes(factor, vec![bytes(n)])),
        (used(), 0_u8..5).prop_map(|(factor, n)| FactorChange::Use(factor, vec![challenge(n)])),
        (0_u8..3, 0_u8..5).prop_map(|(n, c)| FactorChange::AddPasskey(passkey(n), challenge(c))),
        (0_u8..3).prop_map(|n| FactorChange::RemovePasskey(passkey(n).id)),
        Just(FactorChange::RemoveAll),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_each_thing_is_good_once(changes in prop::collection::vec(changes(), 0..60)) {
        let mut factors = nobody();
        for change in changes {
            let Ok(after) = factors.clone().after(&change, NOW) else {
                continue;
            };
            // Whatever was accepted is not accepted again at once.
            if !matches!(change, FactorChange::AwaitTotp(_) | FactorChange::RemoveAll) {
                prop_assert!(after.clone().after(&change, NOW).is_err(), "{change:?} twice");
            }
            prop_assert!(after.are_enrolled() || after.recovery_codes.is_empty());
            if let (Some(before), Some(now)) = (&factors.totp, &after.totp) {
                prop_assert!(now.last_step >= before.last_step, "a step never comes back");
            }
            factors = after;
        }
        let later = factors.clone().swept(NOW.plus(TOTP_WAITS));
        prop_assert_eq!(later.next_expiry(), None);
        prop_assert_eq!(later.are_enrolled(), factors.are_enrolled());
    }
}
