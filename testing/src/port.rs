//! Ports for servers that cannot choose one themselves, or keep theirs when they start again.

use std::hash::{BuildHasher as _, RandomState};
use std::net::TcpListener;

/// Below the ports that systems give to outgoing connections: one of these could be taken again at once, and a
/// client that asks for it again and again, while no server is there, can end up connected to itself.
const FIRST: u16 = 10_000;
const COUNT: u16 = 20_000;

/// A port at which nobody listens, until somebody does.
#[must_use]
pub fn free_port() -> u16 {
    let ports = std::iter::repeat_with(|| {
        let random = RandomState::new().hash_one(()) % u64::from(COUNT);
        FIRST + u16::try_from(random).expect("below")
    });
    let is_free = |port: &u16| TcpListener::bind(("0.0.0.0", *port)).is_ok();
    ports
        .take(usize::from(COUNT))
        .find(is_free)
        .expect("a free port")
}
