//! Invisible characters, and the few places where they are valid.

mod emoji;
mod joining;

pub use joining::joiner_is_spelling;

/// Whether a text contains an invisible character, so that it could look like another text: one with Unicode's
/// `Default_Ignorable_Code_Point`, or a blank or format character that shows nothing. Invisible characters are valid
/// where they change what is shown: in emoji that Unicode lists, and where spelling needs a joiner
/// ([`joiner_is_spelling`]).
#[must_use]
pub fn hides_something(text: &str) -> bool {
    text.char_indices()
        .any(|(at, c)| is_invisible(c) && !belongs(text, at, c))
}

/// Whether a character is invisible.
#[must_use]
pub const fn is_invisible(c: char) -> bool {
    is_ignorable(c)
        || matches!(c,
            // Separators of lines, an empty braille cell, annotations, fillers, controls of hieroglyphs.
            '\u{2028}' | '\u{2029}' | '\u{2800}' | '\u{FFF9}'..='\u{FFFB}' | '\u{13430}'..='\u{13440}'
            | '\u{16FE4}' | '\u{1D159}')
}

/// `Default_Ignorable_Code_Point`, as of Unicode 18.
const fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}'
        | '\u{FFF0}'..='\u{FFF8}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E0FFF}')
}

/// Whether an invisible character changes what is shown.
fn belongs(text: &str, at: usize, c: char) -> bool {
    let (before, after) = (&text[..at], &text[at + c.len_utf8()..]);
    match c {
        emoji::EMOJI_STYLE => emoji::is_style(before, after),
        joining::JOINER if emoji::are_joined(before, after) => true,
        joining::JOINER | joining::NON_JOINER => joiner_is_spelling(before, c, after),
        _ => emoji::is_flag_tag(text, at),
    }
}

/// Whether a character is in one of these sorted ranges.
fn is_in(ranges: &[(char, char)], c: char) -> bool {
    let next = ranges.partition_point(|(first, _)| *first <= c);
    next > 0 && c <= ranges[next - 1].1
}

#[cfg(test)]
mod tests {
    use super::{hides_something, is_ignorable};

    /// The fully-qualified emoji in Unicode's emoji-test.txt.
    const EMOJI: &str = include_str!("../../../testing/data/emoji-18.txt");

    fn emoji() -> impl Iterator<Item = String> {
        EMOJI
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| {
                line.split(' ')
                    .map(|hex| u32::from_str_radix(hex, 16).ok().and_then(char::from_u32))
                    .map(|c| c.expect("a code point"))
                    .collect()
            })
    }

    #[test]
    fn every_emoji_of_unicodes_list_is_seen() {
        assert_eq!(emoji().count(), 3963);
        for emoji in emoji() {
            assert!(!hides_something(&emoji), "{emoji}");
            assert!(!hides_something(&format!("a{emoji}{emoji}b")), "{emoji}");
        }
    }

    #[test]
    fn an_ignorable_character_anywhere_else_is_hidden() {
        for c in ('\0'..=char::MAX).filter(|c| is_ignorable(*c)) {
            for text in [
                format!("ali{c}cia"),
                format!("{c}alicia"),
                format!("alicia{c}"),
                format!("й{c}"),
                format!("😀{c}"),
                format!("😀{c}😀"),
                format!("1{c}"),
                format!("❤\u{FE0F}{c}"),
                format!("🏴{c}"),
                format!("ی{c} "),
            ] {
                assert!(hides_something(&text), "{text:?}");
            }
        }
    }

    #[test]
    fn tags_are_seen_as_one_of_three_flags_alone() {
        let tags = |name: &str| -> String {
            let tag = |c| char::from_u32(0xE0000 + u32::from(c)).expect("a tag");
            name.chars().map(tag).collect()
        };
        let wales = tags("gbwls");
        assert!(!hides_something(&format!("🏴{wales}\u{E007F}x")));
        for text in [
            format!("🏴{wales}"),
            format!("{wales}\u{E007F}"),
            format!("🏴{wales}\u{E007F}\u{E007F}"),
            format!("🏴{}\u{E007F}", tags("ustx")),
            "🏴\u{E007F}".to_owned(),
        ] {
            assert!(hides_something(&text), "{text:?}");
        }
    }
}
