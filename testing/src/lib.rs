//! Real servers and hostile inputs for tests and benchmarks: PostgreSQL, a network in front of it that can be cut, and mail.
//!
//! A tool of development: nothing of it is in the product. It knows PostgreSQL's programs and its
//! replication, and nothing of what Password Auth keeps there.
//!
//! Every PostgreSQL has a temporary folder and a free port of 127.0.0.1, leaves a cluster of the
//! distribution's alone, and is gone when the process that started it is, however that ends. It syncs to
//! the disk as in production, so that what is measured and what survives a kill is what is true there.
//! A failure panics and says why: there is nothing that a test could do about it.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a tool of tests fails by panicking, as they do"
)]

mod account;
mod certificates;
mod cluster;
mod folder;
mod fuzz;
mod mail;
mod partition;
mod port;
mod programs;
mod replication;
mod server;

pub use certificates::{Certificates, make_certificates};
pub use cluster::Cluster;
pub use fuzz::{fuzz, fuzz_from};
pub use mail::{Encryption, Fault, MailServer, MailServerBuilder, Taken, Wording};
pub use partition::Partition;
pub use port::free_port;
