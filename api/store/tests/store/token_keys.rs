//! The keys that sign access tokens.

use std::time::Duration;

use password_auth_model::{
    NewTokenKey, PUBLISHED_BEFORE, TOKEN_KEYS_KEPT, TokenKey, TokenKeyAction, TokenKeyChange,
    TokenKeyRefusal, signing_key,
};

use crate::at_once::at_once;
use crate::engine::Engine;

each_engine! {
    nodes_that_start_at_once_use_one_key,
    a_change_is_what_the_rule_makes_of_the_keys,
    a_key_is_swept_long_after_its_last_token_has_expired,
}

const LIFETIME: Duration = Duration::from_secs(15 * 60);

fn change_by(number: u8, action: TokenKeyAction) -> TokenKeyChange {
    TokenKeyChange {
        action,
        candidate: NewTokenKey {
            salt: [number; 16],
            secret: [7; 8],
            public: [number; 32],
        },
        secrets: vec![[7; 8]],
        token_lifetime: LIFETIME,
    }
}

pub async fn change(
    engine: &Engine,
    number: u8,
    action: TokenKeyAction,
) -> Result<Vec<TokenKey>, TokenKeyRefusal> {
    let store = engine.store();
    let changed = store.change_token_keys(change_by(number, action), engine.now());
    changed.await.expect("an answer")
}

/// In the order of their salts.
async fn keys(engine: &Engine) -> Vec<TokenKey> {
    let mut keys = engine.store().token_keys().await.expect("an answer");
    keys.sort_by_key(|key| key.salt);
    keys
}

async fn nodes_that_start_at_once_use_one_key(mut engine: Engine) {
    let now = engine.now();
    let starts = at_once(&engine, 8, |n, store| async move {
        let change = change_by(u8::try_from(n).expect("few"), TokenKeyAction::Use);
        store.change_token_keys(change, now).await
    });
    let mut seen: Vec<_> = Vec::new();
    for started in starts.await {
        seen.push(started.expect("an answer").expect("a key"));
    }
    assert_eq!(seen[0].len(), 1);
    assert!(seen.iter().all(|keys| *keys == seen[0]), "{seen:?}");
    engine.reopen().await;
    assert_eq!(keys(&engine).await, seen[0]);
}

async fn a_change_is_what_the_rule_makes_of_the_keys(engine: Engine) {
    change(&engine, 1, TokenKeyAction::Use).await.expect("one");
    for (number, action) in [
        (2, TokenKeyAction::Rotate(PUBLISHED_BEFORE)),
        (3, TokenKeyAction::Use),
        (4, TokenKeyAction::Rotate(LIFETIME)),
    ] {
        let before = keys(&engine).await;
        let mut after = change(&engine, number, action).await.expect("changed");
        after.sort_by_key(|key| key.salt);
        assert_eq!(keys(&engine).await, after);
        assert_eq!(after.len(), before.len() + usize::from(number != 3));
        engine.advance(Duration::from_secs(60)).await;
    }
    let all = keys(&engine).await;
    let unknown = TokenKey {
        public: [9; 32],
        ..all[0]
    };
    let refused = change(&engine, 5, TokenKeyAction::Retire(unknown.id())).await;
    assert_eq!(refused, Err(TokenKeyRefusal::Unknown));
    assert_eq!(keys(&engine).await, all);
    let signing = signing_key(&all, engine.now()).expect("one signs").id();
    let left = change(&engine, 6, TokenKeyAction::Retire(signing)).await;
    assert_eq!(left.expect("retired").len(), 2);
}

async fn a_key_is_swept_long_after_its_last_token_has_expired(engine: Engine) {
    change(&engine, 1, TokenKeyAction::Use).await.expect("one");
    let rotate = TokenKeyAction::Rotate(PUBLISHED_BEFORE);
    change(&engine, 2, rotate).await.expect("two");
    engine
        .advance(PUBLISHED_BEFORE + LIFETIME + TOKEN_KEYS_KEPT / 2)
        .await;
    engine.sweep().await;
    assert_eq!(keys(&engine).await.len(), 2);
    engine
        .advance(TOKEN_KEYS_KEPT / 2 + Duration::from_secs(10))
        .await;
    assert_eq!(engine.sweep().await, 1);
    assert_eq!(keys(&engine).await[0].salt, [2; 16]);
}
