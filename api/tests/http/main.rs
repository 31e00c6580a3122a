//! Black-box tests over real sockets: one binary, one file a capability.

#![expect(unreachable_pub, reason = "a test binary has no outside")]
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

mod access;
mod codecs;
mod cors;
mod crash;
mod docs;
mod errors;
mod faults;
mod import;
mod limits;
mod logout;
mod logs;
mod openapi;
mod overload;
mod refresh;
mod settings;
mod sign_in;
mod strength;
mod sweep;
mod sync_trace;
mod throttle;
