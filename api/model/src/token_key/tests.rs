use std::time::Duration;

use proptest::prelude::*;

use super::{
    MAX_TOKEN_KEYS, NewTokenKey, PUBLISHED_BEFORE, TokenKey, TokenKeyAction, TokenKeyChange,
    TokenKeyId, TokenKeyRefusal, signing_key,
};
use crate::Timestamp;

const OURS: [u8; 8] = [1; 8];
const MINUTE: Duration = Duration::from_secs(60);

fn at(minutes: u64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + minutes * 60_000)
}

fn change(number: u8, action: TokenKeyAction, lifetime: Duration) -> TokenKeyChange {
    let candidate = NewTokenKey {
        salt: [number; 16],
        secret: OURS,
        public: [number; 32],
    };
    TokenKeyChange {
        action,
        candidate,
        secrets: vec![OURS],
        token_lifetime: lifetime,
    }
}

fn first() -> Vec<TokenKey> {
    let started = change(1, TokenKeyAction::Use, 15 * MINUTE).apply(&[], at(0));
    started.expect("a key")
}

#[test]
fn the_first_key_signs_at_once_and_a_second_start_keeps_it() {
    let keys = first();
    assert_eq!(keys.len(), 1);
    assert_eq!(signing_key(&keys, at(0)), keys.first());
    let again = change(2, TokenKeyAction::Use, 15 * MINUTE).apply(&keys, at(5));
    assert_eq!(again, Ok(keys));
}

#[test]
fn a_new_key_is_published_before_it_signs_and_the_old_one_verifies_its_last_token() {
    let old = first()[0];
    let rotate = TokenKeyAction::Rotate(PUBLISHED_BEFORE);
    let keys = change(2, rotate, 15 * MINUTE).apply(&[old], at(60));
    let keys = keys.expect("rotated");
    let signs = |minute| signing_key(&keys, at(minute)).expect("one").public[0];
    assert_eq!((signs(60), signs(69), signs(70)), (1, 1, 2));
    let kept = keys.iter().find(|key| key.id() == old.id()).expect("kept");
    assert!(!kept.is_over(at(70 + 15)));
    assert!(kept.is_over(at(70 + 17)));
}

#[test]
fn a_longer_lifetime_of_tokens_counts_for_every_key_that_may_still_sign() {
    let keys = change(2, TokenKeyAction::Use, 60 * MINUTE).apply(&first(), at(1));
    assert_eq!(keys.expect("kept")[0].token_lifetime, 60 * MINUTE);
    let shorter = change(2, TokenKeyAction::Use, MINUTE).apply(&first(), at(1));
    assert_eq!(shorter.expect("kept")[0].token_lifetime, 15 * MINUTE);
}

#[test]
fn when_the_signing_key_is_retired_the_next_one_signs_or_a_new_one_but_none_that_has_stopped() {
    let rotate = TokenKeyAction::Rotate(PUBLISHED_BEFORE);
    let two = change(2, rotate, 15 * MINUTE).apply(&first(), at(60));
    let two = two.expect("rotated");
    let retire = |keys: &[TokenKey], number: u8, minute| {
        let id = keys.iter().find(|key| key.public[0] == number);
        let action = TokenKeyAction::Retire(id.expect("there").id());
        let keys = change(9, action, 15 * MINUTE).apply(keys, at(minute));
        let keys = keys.expect("retired");
        let signs = signing_key(&keys, at(minute)).expect("one").public[0];
        (keys.len(), signs)
    };
    // The signing one, while the next one waits; the one that waits; the successor, whose predecessor still verifies.
    assert_eq!(retire(&two, 1, 61), (1, 2));
    assert_eq!(retire(&two, 2, 61), (1, 1));
    assert_eq!(retire(&two, 2, 71), (2, 9));
    let unknown = TokenKeyAction::Retire(TokenKeyId([7; 8]));
    let refused = change(9, unknown, MINUTE).apply(&two, at(61));
    assert_eq!(refused, Err(TokenKeyRefusal::Unknown));
}

#[test]
fn keys_of_another_secret_are_left_alone_and_never_used() {
    let foreign = TokenKey {
        secret: [2; 8],
        ..first()[0]
    };
    let keys = change(2, TokenKeyAction::Use, MINUTE).apply(&[foreign], at(1));
    let keys = keys.expect("one of our own");
    assert_eq!(keys.len(), 2);
    assert!(keys.contains(&foreign));
    let own = keys.iter().filter(|key| key.secret == OURS);
    assert_eq!(signing_key(own, at(1)).expect("one").public[0], 2);
}

#[test]
fn an_id_is_sixteen_hexadecimal_digits() {
    let id = first()[0].id();
    assert_eq!(id.to_string().parse(), Ok(id));
    for text in [
        "",
        "1",
        "+123456789abcdef",
        "0123456789abcdef0",
        "0123456789abcdeg",
    ] {
        assert!(text.parse::<TokenKeyId>().is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn whatever_is_done_one_key_signs_and_every_token_verifies_until_it_expires(
        steps in proptest::collection::vec((0_u64..40, 0_u8..4, 0_u64..30, 1_u64..90), 1..60),
    ) {
        let (mut keys, mut minute) = (first(), 0);
        // Which key signed, and when its token expires.
        let mut tokens: Vec<(TokenKeyId, u64)> = Vec::new();
        for (number, (pause, what, after, lifetime)) in (2_u8..).zip(steps) {
            minute += pause;
            let action = match what {
                0 | 1 => TokenKeyAction::Rotate(Duration::from_secs(60 * after)),
                2 => TokenKeyAction::Use,
                _ => match keys.get(usize::from(number) % keys.len()) {
                    Some(key) => TokenKeyAction::Retire(key.id()),
                    None => TokenKeyAction::Use,
                },
            };
            let lifetime = Duration::from_secs(60 * lifetime);
            match change(number, action, lifetime).apply(&keys, at(minute)) {
                Ok(changed) => {
                    if let TokenKeyAction::Retire(id) = action {
                        tokens.retain(|(key, _)| *key != id);
                    }
                    keys = changed;
                }
                Err(refusal) => {
                    // One that has expired is gone.
                    let retires = matches!(action, TokenKeyAction::Retire(_));
                    prop_assert!(retires || refusal == TokenKeyRefusal::TooMany);
                    continue;
                }
            }
            let in_use = keys.iter().filter(|key| !key.is_over(at(minute)));
            prop_assert!(in_use.count() <= MAX_TOKEN_KEYS + 1);
            for later in 0..3 {
                let signing = signing_key(&keys, at(minute + later)).expect("one signs");
                prop_assert!(signing.signs_from <= at(minute + later));
                let expires = minute + later + signing.token_lifetime.as_secs() / 60;
                if later == 0 {
                    tokens.push((signing.id(), expires));
                }
            }
            tokens.retain(|(_, expires)| *expires >= minute);
            for (id, expires) in &tokens {
                let verifies = keys.iter().any(|key| key.id() == *id && !key.is_over(at(minute)));
                prop_assert!(verifies, "a token until {} at {}", expires, minute);
            }
        }
    }
}
