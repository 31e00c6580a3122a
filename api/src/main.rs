//! The binary. It only calls the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    password_auth::cli::main()
}
