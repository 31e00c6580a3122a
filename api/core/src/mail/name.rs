//! User names in mails. Somebody who registers with your address chooses a text that is mailed to you, and mail
//! programs turn texts into links. So anything that looks like a link is broken up, like `evil[.]example`, and so are
//! telephone numbers. Pure rules.

use unicode_normalization::UnicodeNormalization as _;

/// The fewest digits that programs recognize as a telephone number.
const DIALLED: usize = 7;

/// How many digits stay together when a number is broken up.
const TOGETHER: usize = 3;

/// The name, with brackets wherever it could be a link.
pub(super) fn shown(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let dialled = dialled(&chars);
    let mut shown = String::with_capacity(name.len());
    let mut together = 0;
    for (at, c) in chars.iter().enumerate() {
        let next = chars.get(at + 1);
        let binds = joins(*c) && next.is_some_and(|next| !next.is_whitespace());
        if binds {
            shown.extend(['[', *c, ']']);
        } else {
            if dialled[at] {
                if together > 0 && together % TOGETHER == 0 {
                    shown.push_str("[…]");
                }
                together += 1;
            } else if !is_between_digits(*c) {
                together = 0;
            }
            shown.push(*c);
        }
    }
    shown
}

/// Separators in URLs and addresses: `.`, `:`, `/`, `\`, `@`, and the full stops of other scripts (UTS 46).
fn joins(c: char) -> bool {
    matches!(c, '\u{3002}' | '\u{FF61}')
        || std::iter::once(c)
            .nfkc()
            .any(|c| matches!(c, '.' | ':' | '/' | '\\' | '@'))
}

/// Which characters are digits of what could be a telephone number.
fn dialled(chars: &[char]) -> Vec<bool> {
    let mut found = Vec::with_capacity(chars.len());
    let belongs = |c: &char| c.is_numeric() || is_between_digits(*c);
    for run in chars.chunk_by(|one, other| belongs(one) == belongs(other)) {
        let before = found.len().checked_sub(1).and_then(|last| chars.get(last));
        // Digits at the end of a word, such as a year, are not a telephone number.
        let is_of_a_word = run.first().is_some_and(|first| first.is_numeric())
            && before.is_some_and(|before| before.is_alphabetic() || *before == '_');
        let digits = run.iter().filter(|c| c.is_numeric()).count();
        let is_dialled = digits >= DIALLED && !is_of_a_word;
        found.extend(run.iter().map(|c| is_dialled && c.is_numeric()));
    }
    found
}

/// Characters that may separate the digits of a telephone number.
fn is_between_digits(c: char) -> bool {
    c.is_whitespace() || matches!(c, '+' | '-' | '(' | ')' | '.' | '/' | '‐' | '‑' | '–' | '·')
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn names_are_shown_as_they_are() {
        for name in [
            "alice",
            "Alice Liddell",
            "Dr. Alice, Ph. D.",
            "alice_1984",
            "J. R. R.",
            "<img src=x> & \"co\"",
            "Ünï 😀",
            "王小明",
            "what? no: never!",
            "007",
            "alice-2024",
            "alice19840523",
        ] {
            assert_eq!(shown(name), name);
        }
    }

    #[test]
    fn what_a_mail_program_would_link_is_shown_broken() {
        for (name, expected) in [
            ("http://evil.example/20", "http[:]//evil[.]example[/]20"),
            ("HTTPS://EVIL.EXAMPLE", "HTTPS[:]//EVIL[.]EXAMPLE"),
            ("www.evil.example", "www[.]evil[.]example"),
            ("evil.example", "evil[.]example"),
            ("evil。example", "evil[。]example"),
            ("evil｡example", "evil[｡]example"),
            ("evil．example", "evil[．]example"),
            ("evil․example", "evil[․]example"),
            ("mailto:eve", "mailto[:]eve"),
            ("tel:+1", "tel[:]+1"),
            ("javascript：alert", "javascript[：]alert"),
            ("10.0.0.1", "10[.]0[.]0[.]1"),
            ("\\\\evil\\share", "[\\][\\]evil[\\]share"),
            ("evil.example.", "evil[.]example."),
            ("münchen.example", "münchen[.]example"),
        ] {
            let expected = expected.replace("]//", "][/][/]");
            assert_eq!(shown(name), expected);
        }
    }

    #[test]
    fn no_number_is_left_that_a_telephone_would_dial() {
        for (name, expected) in [
            ("5551234", "555[…]123[…]4"),
            ("+1 (555) 123-4567", "+1 (55[…]5) 12[…]3-45[…]67"),
            ("call 0800 123456", "call 080[…]0 12[…]345[…]6"),
            ("12345 and 67890", "12345 and 67890"),
        ] {
            assert_eq!(shown(name), expected);
        }
    }
}
