//! What is looked at of a password to estimate its strength.
//!
//! zxcvbn takes signs for the letters that they look like, one after the other, and looks for words in the text each time.
//! For a text that is chosen for it, that takes as long as several hashes. So it gets a part that costs little: a password
//! is at least as hard to guess as a part of it.

/// The longest part, in characters.
pub(super) const WINDOW_CHARS: usize = 32;

/// The most texts that a part may stand for. A text in which people write words by signs stands for a few.
const MAX_READINGS: usize = 64;

/// The signs that zxcvbn takes for one letter, if there are several: a, c, g, i, l, s, t.
const LOOKALIKES: [&str; 7] = ["4@", "({[<", "69", "1!|", "1|7", "$5", "+7"];

/// The beginning of a password and, if that is not all, its end.
pub(super) fn windows(password: &str) -> (&str, Option<&str>) {
    let begins = password
        .char_indices()
        .map(|(at, c)| (at + c.len_utf8(), c));
    let first = &password[..reach(begins).unwrap_or_default()];
    if first.len() == password.len() {
        return (first, None);
    }
    let start = reach(password.char_indices().rev()).unwrap_or(password.len());
    (first, Some(&password[start..]))
}

/// How far a window reaches over these characters, each with where a window ends that has it.
fn reach(characters: impl Iterator<Item = (usize, char)>) -> Option<usize> {
    let mut seen = String::new();
    let fits = |(_, c): &(usize, char)| {
        if !seen.contains(*c) {
            seen.push(*c);
        }
        readings(&seen) <= MAX_READINGS
    };
    let reached = characters.take(WINDOW_CHARS).take_while(fits).last();
    reached.map(|(end, _)| end)
}

/// How many texts a text with these signs may stand for.
fn readings(signs: &str) -> usize {
    let of_letter = |alike: &&str| alike.chars().filter(|c| signs.contains(*c)).count().max(1);
    LOOKALIKES.iter().map(of_letter).product()
}

#[cfg(test)]
mod tests {
    use super::{MAX_READINGS, WINDOW_CHARS, readings, windows};

    #[test]
    fn a_short_password_is_looked_at_whole_and_a_long_one_at_both_ends() {
        for whole in [
            "",
            "a",
            "pässwörd",
            "Tr0ub4dour&3-x",
            "1qaz!QAZ2wsx@WSX3edc#EDC4rfv$RFV",
            "1234567890!@#$%^&*()",
        ] {
            assert_eq!(windows(whole), (whole, None));
        }
        let long = format!("{}{}", "é".repeat(40), "x".repeat(40));
        let (first, last) = windows(&long);
        assert_eq!(first, "é".repeat(WINDOW_CHARS));
        assert_eq!(last, Some(&*"x".repeat(WINDOW_CHARS)));
    }

    #[test]
    fn neither_end_stands_for_many_texts_and_what_is_left_is_no_guess() {
        let signs = "4@8({[<3691!|7$5+0%2";
        let mut rotated = signs.to_owned();
        for _ in 0..signs.len() {
            rotated = format!("{}{}", &rotated[1..], &rotated[..1]);
            for password in [rotated.clone(), rotated.repeat(50)] {
                let (first, last) = windows(&password);
                let last = last.expect("it is not looked at whole");
                assert!(password.starts_with(first) && password.ends_with(last));
                for window in [first, last] {
                    assert!(readings(window) <= MAX_READINGS, "{window}");
                    assert!(window.len() >= 8, "{window}");
                }
            }
        }
        assert!(readings(signs) > MAX_READINGS);
    }
}
