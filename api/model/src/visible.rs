//! Characters that would control a terminal instead of being shown.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether the character could deceive a terminal or its reader: control characters (escape sequences begin with one),
/// and characters that change the text direction or break lines.
#[must_use]
pub fn acts_on_display(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// The text with each such character escaped, like `\u{1b}`.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(acts_on_display) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if acts_on_display(c) {
            // Writing to a string does not fail.
            write!(shown, "{}", c.escape_unicode()).ok();
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn what_acts_on_a_terminal_is_shown_and_the_rest_stays() {
        for (text, shown) in [
            ("Ünï 😀 👩‍👩‍👧", "Ünï 😀 👩‍👩‍👧"),
            ("a\u{1b}[2Jb\u{7}", "a\\u{1b}[2Jb\\u{7}"),
            ("a\r\nb\t\u{7f}", "a\\u{d}\\u{a}b\\u{9}\\u{7f}"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("\u{202e}gro.elpmaxe", "\\u{202e}gro.elpmaxe"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }
}
