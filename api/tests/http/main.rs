//! Black-box tests over real sockets: one binary, one file a capability.

#![expect(unreachable_pub, reason = "a test binary has no outside")]

mod support;

mod sign_in;
