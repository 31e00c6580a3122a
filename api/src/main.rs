//! The binary: a thin door to the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    password_auth::cli::main()
}
