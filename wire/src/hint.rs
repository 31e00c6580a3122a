//! What is weak about a new password, and what would help.

use serde::{Deserialize, Serialize};

use crate::named::named;
use crate::rules::Violation;

named! {
    /// A hint about a new password, for programs. Later versions may add some: a form shows those that it knows.
    pub enum PasswordHint;

    /// It has too few characters.
    TooShort = "too_short", Violation::PasswordTooShort.message();
    /// It has too many bytes.
    TooLong = "too_long", Violation::PasswordTooLong.message();
    /// It contains a name or the address of its user.
    AboutUser = "about_user", "It contains your name or e-mail address.";
    /// A row or a pattern of the keyboard.
    KeyboardPattern = "keyboard_pattern", "Rows and patterns of keys are easy to guess.";
    /// A part of it comes again.
    Repeats = "repeats", "Repeats like \"aaa\" or \"abcabc\" are easy to guess.";
    /// Many people use it.
    Common = "common", "This is a very common password.";
    /// Many people use one that is nearly the same.
    LikeCommon = "like_common", "This is similar to a commonly used password.";
    /// A sequence of letters or digits.
    Sequence = "sequence", "Sequences like abc or 6543 are easy to guess.";
    /// A year of late.
    Year = "year", "Recent years are easy to guess.";
    /// One word of a dictionary.
    SingleWord = "single_word", "A word by itself is easy to guess.";
    /// A date.
    Date = "date", "Dates are often easy to guess.";
    /// Names of people.
    Name = "name", "Common names and surnames are easy to guess.";
    /// A few words will do.
    UseWords = "use_words", "Use a few words, avoid common phrases.";
    /// Words alone will do.
    NoSymbolsNeeded = "no_symbols_needed", "No need for symbols, digits, or uppercase letters.";
    /// It is too short for what it is made of.
    AddWords = "add_words", "Add another word or two. Uncommon words are better.";
    /// Capital letters are where they are expected.
    AvoidCapitals = "avoid_capitals", "Uppercase letters do not help very much.";
    /// A word written backwards.
    AvoidReversed = "avoid_reversed", "Reversed words are not much harder to guess.";
    /// Symbols stand for the letters that they look like.
    AvoidSubstitutions = "avoid_substitutions",
        "Predictable substitutions like '@' instead of 'a' do not help very much.";
    /// The pattern of the keyboard is short.
    LongerPattern = "longer_pattern", "Use a longer keyboard pattern with more turns.";
    /// It needs fewer repeats.
    AvoidRepeats = "avoid_repeats", "Avoid repeated words and characters.";
    /// It needs no sequence.
    AvoidSequences = "avoid_sequences", "Avoid sequences.";
    /// It needs no year and no date.
    AvoidDates = "avoid_dates", "Avoid dates and years, most of all those that are associated with you.";
}
