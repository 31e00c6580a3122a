//! No text makes the estimate of its strength panic, and what is said of it does not quote it.

use password_auth_testing::fuzz;

use super::policy::Strength;
use super::{MAX_SCORE, Policy};

#[test]
fn fuzz_strength() {
    fuzz("strength", |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let (password, about) = text.split_once('\n').unwrap_or((&text, ""));
        let strength = Strength::of(password, &[about]);
        assert!(strength.score <= MAX_SCORE);
        let enough = Policy::DEFAULT.check(password, &[about]);
        assert_eq!(enough.is_ok(), Policy::DEFAULT.allows(strength.score));
        for weak in strength.weak.iter().chain(&enough.err()) {
            let said = weak.sentence();
            assert!(password.len() < 40 || !said.contains(password), "{said}");
        }
    });
}
