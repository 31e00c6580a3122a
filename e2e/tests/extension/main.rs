//! The unpacked extension in a real Chromium, against a real server: every row of the popup's contract,
//! and what happens when popups close, contexts race, and servers go away.
//!
//! `./build.sh test` builds the extension and the server and says where they are, by `EXTENSION_DIR`,
//! `PASSWORD_AUTH_BIN`, `CHROMIUM` and `CHROMEDRIVER`.

#![expect(unreachable_pub, reason = "a test binary has no outside")]
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

mod accessibility;
mod action_popup;
mod broker;
mod devices;
mod docs;
mod factors;
mod firefox;
mod joining;
mod looks;
mod options;
mod passkeys;
mod popup_details;
mod rounds;
mod second_step;
mod signing_in;
mod staying_signed_in;
mod trouble;
mod use_it;
mod web_page;
