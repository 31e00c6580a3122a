//! Which passwords are too easy to guess.
//!
//! The minimum length is in `wire::rules` and always applies. This is the minimum strength: zxcvbn's estimate of the
//! guesses that an attacker needs who knows common passwords and the user's name and address.

use zxcvbn::zxcvbn;

use super::weak::Weak;
use super::window::{WINDOW_CHARS, windows};

/// The highest score.
pub const MAX_SCORE: u8 = 4;

/// The shortest part of a name to search for. Shorter parts occur in many passwords by chance.
const PIECE_CHARS: usize = 3;

/// The most parts of names to search for.
const MAX_PIECES: usize = 32;

/// The minimum strength of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    min_score: u8,
}

/// How hard a password is to guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Strength {
    /// zxcvbn's score, from 0 to [`MAX_SCORE`].
    pub(crate) score: u8,
    /// What is weak, if something is.
    pub(crate) weak: Option<Weak>,
}

impl Policy {
    /// Every password is accepted.
    pub const NONE: Self = Self { min_score: 0 };

    /// At least a million guesses, which take years with the rate limits.
    pub const DEFAULT: Self = Self { min_score: 2 };

    /// At least this zxcvbn score: 1 for a thousand guesses, 2 for a million, 3 for 10^8, 4 for 10^10.
    #[must_use]
    pub const fn new(min_score: u8) -> Self {
        Self { min_score }
    }

    /// The lowest score of zxcvbn's that a password must have.
    #[must_use]
    pub const fn min_score(self) -> u8 {
        self.min_score
    }

    /// Whether every password is accepted.
    #[must_use]
    pub(crate) fn is_none(self) -> bool {
        self == Self::NONE
    }

    /// Checks a new password. `about` contains the user's name, address and full name. Takes some milliseconds: use the
    /// pool.
    ///
    /// # Errors
    /// If it is too easy to guess: what is weak.
    pub fn check(self, password: &str, about: &[&str]) -> Result<(), Weak> {
        if self.is_none() {
            return Ok(());
        }
        let Strength { score, weak } = estimate(password, about, self.min_score);
        if self.allows(score) {
            return Ok(());
        }
        Err(weak.unwrap_or(Weak::UNKNOWN))
    }

    /// Whether a score is enough.
    #[must_use]
    pub const fn allows(self, score: u8) -> bool {
        score >= self.min_score
    }
}

impl Strength {
    /// How hard `password` is to guess for who knows what is in `about`. Takes some milliseconds: use the pool.
    #[must_use]
    pub(crate) fn of(password: &str, about: &[&str]) -> Self {
        estimate(password, about, MAX_SCORE)
    }
}

/// The strength of a password. A score of `enough` needs no closer look.
fn estimate(password: &str, about: &[&str], enough: u8) -> Strength {
    let words = pieces(about);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let strength_of = |part| {
        let estimate = zxcvbn(part, &words);
        Strength {
            score: estimate.score().into(),
            weak: Weak::of(&estimate, &words),
        }
    };
    let (first, last) = windows(password);
    // A password is at least as hard to guess as a part of it.
    let strength = strength_of(first);
    let last = last.filter(|_| strength.score < enough).map(strength_of);
    last.filter(|last| last.score > strength.score)
        .unwrap_or(strength)
}

/// The user's names, whole and in parts, in lower case.
fn pieces(about: &[&str]) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    for text in about {
        let text: String = text.to_lowercase().chars().take(WINDOW_CHARS).collect();
        let local_part = text.split('@').next();
        let words = text.split(|c: char| !c.is_alphanumeric());
        for piece in [&*text].into_iter().chain(local_part).chain(words) {
            let long_enough = piece.chars().count() >= PIECE_CHARS;
            if long_enough && !pieces.iter().any(|known| known == piece) {
                pieces.push(piece.to_owned());
            }
        }
    }
    pieces.truncate(MAX_PIECES);
    pieces
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{MAX_SCORE, Policy, Strength};

    #[track_caller]
    fn refused(password: &str, about: &[&str]) -> String {
        let weak = Policy::new(2).check(password, about);
        weak.expect_err("weak").sentence()
    }

    #[test]
    fn what_is_weak_is_said() {
        for (password, what) in [
            ("password", "common password"),
            ("drowssap", "commonly used password"),
            ("aaaaaaaaaa", "Repeats"),
            ("abcdefgh", "Sequences"),
            ("12041987", "Dates"),
        ] {
            let sentence = refused(password, &[]);
            assert!(
                sentence.starts_with("Password is too easy to guess.") && sentence.contains(what),
                "{password}: {sentence}"
            );
        }
    }

    #[test]
    fn a_name_and_an_address_are_easy_to_guess_for_who_knows_them() {
        for (password, about) in [
            ("brunhilde-k", "Brunhilde K"),
            ("xiaolongbao7", "xiaolongbao"),
            ("zypressenhain", "Zypressenhain@example.org"),
            ("k.zypressenhain1", "k.zypressenhain@example.org"),
            ("nachtschatten", "info@nachtschatten.example"),
        ] {
            assert!(Policy::new(2).check(password, &[]).is_ok(), "{password}");
            let sentence = refused(password, &["somebody", about]);
            assert!(
                sentence.contains("your name or e-mail address"),
                "{sentence}"
            );
        }
    }

    #[test]
    fn what_is_hard_to_guess_will_do() {
        for password in ["correct horse battery", "Tr0ub4dour&3-x", "名前は秘密です"] {
            Policy::new(2).check(password, &["alice"]).expect("strong");
        }
        Policy::new(MAX_SCORE)
            .check("correct horse battery", &["alice"])
            .expect("strong");
    }

    #[test]
    fn a_password_is_as_hard_as_its_hardest_end() {
        let weak = "a".repeat(40);
        refused(&weak, &[]);
        for strong in [
            format!("{weak}correct horse"),
            format!("correct horse{weak}"),
        ] {
            Policy::new(2).check(&strong, &[]).expect("strong");
        }
    }

    #[test]
    fn the_strength_is_the_one_that_the_floor_is_about() {
        for (password, about) in [
            ("password", ""),
            ("brunhilde-k", "Brunhilde K"),
            ("horse-carrot", ""),
            ("correct horse battery", ""),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaacorrect horse", ""),
        ] {
            let strength = Strength::of(password, &[about]);
            for floor in 0..=MAX_SCORE {
                let policy = Policy::new(floor);
                let is_enough = policy.check(password, &[about]).is_ok();
                assert_eq!(
                    policy.allows(strength.score),
                    is_enough,
                    "{password}: {floor}"
                );
            }
            let is_hard = strength.score >= 3;
            assert_eq!(strength.weak.is_none(), is_hard, "{password}: {strength:?}");
        }
    }

    #[test]
    fn without_a_floor_every_password_will_do() {
        assert_eq!(Policy::NONE.check("password", &["password"]), Ok(()));
    }

    #[test]
    fn no_password_is_looked_at_for_long() {
        let about = ["x".repeat(5000), "a b c d e f ".repeat(400)];
        let about: Vec<&str> = about.iter().map(String::as_str).collect();
        for unit in [
            "a",
            "1",
            "ab",
            "4@8({[<369&#!1/|0$5+7%2zxc",
            "qwertz",
            "1/1/11",
            "é",
            "password",
            "$<76{841!%5(@[2|3+90aaaaaaaaaaa",
        ] {
            let start = Instant::now();
            Policy::new(MAX_SCORE)
                .check(&unit.repeat(1000), &about)
                .ok();
            println!("{unit}: {:?}", start.elapsed());
            assert!(start.elapsed() < Duration::from_secs(10), "{unit}");
        }
    }
}
