//! Who may do what: every operation of the OpenAPI document, asked by everybody, against the reviewed table
//! `walk/table.txt`. No route can be added without a row.
//!
//! After a change that is meant: `UPDATE_SNAPSHOTS=1 cargo test -p password-auth walk`, then read the difference as
//! a reviewer would.

mod callers;
pub mod operations;

use std::fmt::Write as _;
use std::path::Path;

use password_auth_model::Role;

use self::callers::{CALLERS, Caller, Walker};
use self::operations::{Operation, operations};
use crate::support::{Engine, Person, TestServer};

each_engine! {
    every_route_answers_each_caller_as_the_table_says,
    no_route_lets_an_account_do_more_in_a_minute_than_its_rate,
}

const PREAMBLE: &str = "# What every route answers to everybody: the status. Reviewed by people, compared by walk.rs.
#
# Bodies are the examples of the OpenAPI document. Where it takes a name, or a refresh token, to sign in with, it is the
# caller's own; `token` is none that was mailed. {own} is the caller's own id, or one of their sessions; {other} somebody
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

/// What grows nothing, and costs little.
const CHEAP: [&str; 13] = [
    "GET    /api/v1/auth/factors",
    "GET    /api/v1/auth/check",
    "GET    /api/v1/auth/me",
    "GET    /api/v1/users/me",
    "GET    /api/v1/users/me/status",
    "GET    /api/v1/users/{own}",
    "GET    /api/v1/users/{other}",
    "POST   /api/v1/auth/refresh",
    "POST   /api/v1/auth/logout",
    "POST   /logout",
    "POST   /refresh",
    "GET    /protected",
    "GET    /protected-data",
];

/// What needs no account, where strangers are counted by their addresses; and what proves itself.
const NOBODY_S: [&str; 17] = [
    "POST   /api/v1/auth/passkeys/login",
    "POST   /api/v1/auth/passkeys/login/options",
    "GET    /.well-known/jwks.json",
    "GET    /api/v1/auth/registration",
    "POST   /api/v1/auth/password/strength",
    "GET    /health",
    "GET    /health/database",
    "GET    /health/live",
    "GET    /api/v1/health",
    "GET    /api/v1/health/database",
    "GET    /api/v1/health/live",
    "GET    /ping",
    "POST   /register",
    "POST   /api/v1/auth/register",
    "POST   /api/v1/auth/password/reset/request",
    "POST   /api/v1/auth/password/reset/confirm",
    "POST   /api/v1/auth/email/verification/confirm",
];

async fn no_route_lets_an_account_do_more_in_a_minute_than_its_rate(engine: Engine) {
    const RATE: usize = 5;
    let server = TestServer::builder()
        .engine(engine)
        .setting("ACCOUNT_RATE", &format!("{RATE}/minute"))
        .start()
        .await;
    Person::admin(&server, "root").await;
    let document = server.client().get("/openapi.json").await.expect_ok();
    let mut unbounded = Vec::new();
    for operation in operations(&document.json()) {
        let walker = Walker::new(&server, Caller::OfRole(Role::Admin)).await;
        let mut statuses = Vec::new();
        for _ in 0..=RATE {
            statuses.push(walker.ask(&server, &operation).await);
        }
        walker.leave(&server).await;
        // What ends the sign-in that asks for it is not asked for again.
        let is_bounded = matches!(statuses[RATE], 429 | 401);
        let name = operation.to_string();
        let counts = !CHEAP.contains(&&*name) && !NOBODY_S.contains(&&*name);
        if is_bounded != counts {
            unbounded.push(format!("{name}: {statuses:?}"));
        }
    }
    assert!(unbounded.is_empty(), "{unbounded:#?}");
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
