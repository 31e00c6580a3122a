//! Black-box tests over real sockets: one binary, one file a capability.

#![expect(unreachable_pub, reason = "a test binary has no outside")]
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

/// Makes each of these functions a test of a server on every engine: `…::sled::NAME`, `…::postgres::NAME`.
macro_rules! each_engine {
    ($($name:ident),+ $(,)?) => {
        mod sled {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(crate::support::Engine::Sled).await;
                }
            )+
        }

        mod postgres {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(crate::support::Engine::Postgres).await;
                }
            )+
        }
    };
}

#[path = "../common/database.rs"]
mod database;
mod support;

mod access;
mod actor;
mod attacks;
mod backup;
mod bounds;
mod codecs;
mod cors;
mod crash;
mod cross_site;
mod damage;
mod disk_full;
mod docs;
mod errors;
mod failover;
mod faults;
mod guard;
mod import;
mod keys;
mod landing;
mod limits;
mod logout;
mod logs;
mod mail;
mod metrics;
mod network;
mod openapi;
mod operator;
mod output;
mod overload;
mod pool;
mod power_loss;
mod process;
mod refresh;
mod rests;
mod settings;
mod sign_in;
mod soak;
mod strength;
mod sweep;
mod sync_trace;
mod text;
mod throttle;
mod tls;
#[cfg(feature = "otel")]
mod traces;
mod v1;
mod waits;
mod walk;
