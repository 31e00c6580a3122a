//! Prompts on the terminal, or reads from standard input, what must not be an argument: other users of the machine can
//! see arguments.

use std::io::{self, IsTerminal as _, Read};

use password_auth_wire::Secret;
use zeroize::Zeroizing;

use crate::cli::output;

/// More than the longest password.
const MAX_INPUT: u64 = 64 << 10;

/// Reads a password. On a terminal it prompts twice, without echo; otherwise the password is the line on standard
/// input.
pub(super) fn password() -> Result<Secret, String> {
    if !is_possible() {
        return line_of(io::stdin().lock());
    }
    let ask = |prompt| {
        rpassword::prompt_password(prompt)
            .map(Zeroizing::new)
            .map_err(|error| format!("cannot read the password: {error}"))
    };
    let password = ask("Password: ")?;
    if password != ask("Repeat the password: ")? {
        return Err("the passwords do not match: nothing was changed".to_owned());
    }
    Ok(Secret::new(password.as_str()))
}

fn line_of(input: impl Read) -> Result<Secret, String> {
    let mut text = Zeroizing::new(String::new());
    input
        .take(MAX_INPUT)
        .read_to_string(&mut text)
        .map_err(|error| format!("cannot read a password from standard input: {error}"))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return Err("standard input contains no password".to_owned());
    }
    // Better to refuse than to use only a part of what was meant as the password.
    if line.contains('\n') {
        return Err(
            "standard input contains more than one line: a password is one line".to_owned(),
        );
    }
    Ok(Secret::new(line))
}

/// Whether standard input is a terminal.
pub(super) fn is_possible() -> bool {
    io::stdin().is_terminal()
}

/// Whether the answer is yes.
pub(super) fn yes_or_no(question: &str) -> bool {
    let mut answer = String::new();
    output::ask(&format!("{question} [y/N]"));
    io::stdin().read_line(&mut answer).ok();
    matches!(answer.trim(), "y" | "Y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::line_of;

    #[test]
    fn a_password_is_one_line_whole_and_nothing_else() {
        let read = |input: &'static [u8]| line_of(input).map(|line| line.expose().to_owned());
        for input in [&b" pass word "[..], b" pass word \n", b" pass word \r\n"] {
            assert_eq!(read(input).as_deref(), Ok(" pass word "));
        }
        for input in [&b""[..], b"\n", b"pass\nword\n", b"password\n\n", b"\xFF"] {
            assert!(read(input).is_err(), "{input:?}");
        }
    }
}
