//! What only a person can say, asked on the terminal or read from standard input: never an argument, which other users of
//! the machine see.

use std::io::{self, IsTerminal as _, Read};

use password_auth_wire::Secret;
use zeroize::Zeroizing;

use crate::cli::output;

/// More than any password has.
const MAX_INPUT: u64 = 64 << 10;

/// A password: asked for twice, unseen, on a terminal; else the line on standard input.
pub(super) fn password() -> Result<Secret, String> {
    if !is_possible() {
        return line_of(io::stdin().lock());
    }
    let ask = |prompt| {
        rpassword::prompt_password(prompt)
            .map(Zeroizing::new)
            .map_err(|error| format!("the password can not be read: {error}"))
    };
    let password = ask("Password: ")?;
    if password != ask("The same again: ")? {
        return Err("these are two passwords: nothing was changed".to_owned());
    }
    Ok(Secret::new(password.as_str()))
}

fn line_of(input: impl Read) -> Result<Secret, String> {
    let mut text = Zeroizing::new(String::new());
    input
        .take(MAX_INPUT)
        .read_to_string(&mut text)
        .map_err(|error| format!("standard input is no password: {error}"))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return Err("there is no password on standard input".to_owned());
    }
    // Rather than a part of what somebody took for his password.
    if line.contains('\n') {
        return Err("there is more than one line on standard input: a password is one".to_owned());
    }
    Ok(Secret::new(line))
}

/// Whether there is a person to ask.
pub(super) fn is_possible() -> bool {
    io::stdin().is_terminal()
}

/// Whether the person at the terminal says yes.
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
