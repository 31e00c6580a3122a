//! What [`Store`](password_auth_store::Store) promises, as tests that every engine passes.
//!
//! A test takes an [`Engine`](engine::Engine) and knows nothing of what is behind it; one file a group of
//! promises. Where two engines answer differently, the trait's words are at fault first.

#![deny(
    dead_code,
    reason = "a test that `each_engine!` does not list would never run"
)]
#![expect(unreachable_pub, reason = "a test binary has no outside")]
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

/// Makes each of these functions a test of every engine: `…::sled::NAME`, `…::postgres::NAME`.
macro_rules! each_engine {
    ($($name:ident),+ $(,)?) => {
        mod sled {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $name() {
                    super::$name(crate::engine::Engine::sled().await).await;
                }
            )+
        }

        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $name() {
                    super::$name(crate::engine::Engine::postgres().await).await;
                }
            )+
        }
    };
}

mod at_once;
#[path = "../../../tests/common/database.rs"]
mod database;
mod engine;
mod linear;
mod person;
#[path = "../../../tests/http/support/random.rs"]
mod random;

mod account_races;
mod attempts;
mod closing;
mod concurrency;
mod confirmation;
mod deletion;
mod dump;
mod emails;
mod factors;
mod histories;
mod invites;
mod passwords;
mod people;
mod races;
mod records;
mod rotation;
mod servers;
mod sessions;
mod sign_ins;
mod sign_out;
mod sweep;
mod token_keys;
mod users;
