//! Who may do what: every operation of the OpenAPI document, asked by everybody, against the reviewed table
//! `walk/table.txt`. No route can be added without a row.
//!
//! After a change that is meant: `UPDATE_SNAPSHOTS=1 cargo test -p password-auth walk`, then read the difference as
//! a reviewer would.

mod callers;
pub mod operations;

use std::fmt::Write as _;
use std::path::Path;

use self::callers::{CALLERS, Walker};
use self::operations::{Operation, operations};
use crate::support::{Engine, Person, TestServer};

each_engine! {
    every_route_answers_each_caller_as_the_table_says,
}

const PREAMBLE: &str = "\
# What every route answers to everybody: the status. Reviewed by people, compared by walk.rs.
#
# Bodies are the examples of the OpenAPI document. Where it takes a name, or a refresh token, to sign in with, it is the
# caller's own; `token` is none that was mailed. {own} is the caller's own id, or one of his sign-ins; {other} somebody
# else's, who is a user. A stranger has neither. Each answer is the first to a caller of its own.
";

async fn every_route_answers_each_caller_as_the_table_says(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    // So that none of those who come and go is the last.
    Person::admin(&server, "root").await;
    let document = server.client().get("/openapi.json").await.expect_ok();
    let mut found = PREAMBLE.to_owned();
    let names = CALLERS.map(|(name, _)| format!("{name:>12}")).concat();
    writeln!(found, "\n{:<55}{names}", "").expect("a line");
    for operation in operations(&document.json()) {
        let statuses = statuses(&server, &operation).await;
        writeln!(found, "{:<55}{statuses}", operation.to_string()).expect("a line");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/http/walk/table.txt");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &found).expect("written");
    }
    let reviewed = std::fs::read_to_string(&path).expect("the table");
    let missing: Vec<&str> = differing(&reviewed, &found);
    let new: Vec<&str> = differing(&found, &reviewed);
    assert!(
        missing.is_empty() && new.is_empty(),
        "the reviewed table says {missing:#?}, the server {new:#?}"
    );
}

/// A column a caller.
async fn statuses(server: &TestServer, operation: &Operation) -> String {
    let mut statuses = String::new();
    for (_, caller) in CALLERS {
        let walker = Walker::new(server, caller).await;
        let status = walker.ask(server, operation).await;
        write!(statuses, "{status:>12}").expect("a text");
        walker.leave(server).await;
    }
    statuses
}

/// The lines of `one` that `other` does not have.
fn differing<'a>(one: &'a str, other: &str) -> Vec<&'a str> {
    one.lines()
        .filter(|line| !other.lines().any(|known| known == *line))
        .collect()
}
