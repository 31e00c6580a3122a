//! What makes a password easy to guess, in our words: zxcvbn's are hints to programs and people alike.

use password_auth_wire::PasswordHint;
use password_auth_wire::rules::Violation;
use zxcvbn::Entropy;
use zxcvbn::feedback::{Feedback, Suggestion, Warning};
use zxcvbn::matching::patterns::MatchPattern;

/// Why a password is refused, for the person who chose it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weak {
    why: Option<PasswordHint>,
    advice: PasswordHint,
}

impl Weak {
    /// The code of the field's entry in `errors`.
    pub const CODE: &str = Violation::PasswordTooWeak.code();

    /// Where a floor asks for more than zxcvbn gives advice for.
    pub(super) const UNKNOWN: Self = Self {
        why: None,
        advice: PasswordHint::AddWords,
    };

    /// `None` if it is hard to guess: zxcvbn has no advice then.
    pub(super) fn of(estimate: &Entropy, about: &[&str]) -> Option<Self> {
        let is_about_user = estimate.sequence().iter().any(|part| match &part.pattern {
            MatchPattern::Dictionary(found) => about.contains(&&*found.matched_word),
            _ => false,
        });
        let feedback = estimate.feedback();
        let warning = feedback.and_then(Feedback::warning);
        let suggestion = feedback.and_then(|feedback| feedback.suggestions().first().copied());
        let why = if is_about_user {
            Some(PasswordHint::AboutUser)
        } else {
            warning.map(hint_of_warning)
        };
        (why.is_some() || suggestion.is_some()).then_some(Self {
            why,
            advice: suggestion.map_or(PasswordHint::AddWords, hint_of_suggestion),
        })
    }

    /// What is weak, if that is known, and what would help.
    pub fn hints(self) -> impl Iterator<Item = PasswordHint> {
        self.why.into_iter().chain([self.advice])
    }

    /// The same in words. Never quotes the password.
    #[must_use]
    pub fn hint(self) -> String {
        let messages: Vec<&str> = self.hints().map(PasswordHint::message).collect();
        messages.join(" ")
    }

    /// The same, and that it is refused.
    #[must_use]
    pub fn sentence(self) -> String {
        format!("{} {}", Violation::PasswordTooWeak.message(), self.hint())
    }
}

const fn hint_of_warning(warning: Warning) -> PasswordHint {
    match warning {
        Warning::StraightRowsOfKeysAreEasyToGuess
        | Warning::ShortKeyboardPatternsAreEasyToGuess => PasswordHint::KeyboardPattern,
        Warning::RepeatsLikeAaaAreEasyToGuess
        | Warning::RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess => PasswordHint::Repeats,
        Warning::ThisIsATop10Password
        | Warning::ThisIsATop100Password
        | Warning::ThisIsACommonPassword => PasswordHint::Common,
        Warning::ThisIsSimilarToACommonlyUsedPassword => PasswordHint::LikeCommon,
        Warning::SequencesLikeAbcAreEasyToGuess => PasswordHint::Sequence,
        Warning::RecentYearsAreEasyToGuess => PasswordHint::Year,
        Warning::AWordByItselfIsEasyToGuess => PasswordHint::SingleWord,
        Warning::DatesAreOftenEasyToGuess => PasswordHint::Date,
        Warning::NamesAndSurnamesByThemselvesAreEasyToGuess
        | Warning::CommonNamesAndSurnamesAreEasyToGuess => PasswordHint::Name,
    }
}

const fn hint_of_suggestion(suggestion: Suggestion) -> PasswordHint {
    match suggestion {
        Suggestion::UseAFewWordsAvoidCommonPhrases => PasswordHint::UseWords,
        Suggestion::NoNeedForSymbolsDigitsOrUppercaseLetters => PasswordHint::NoSymbolsNeeded,
        Suggestion::AddAnotherWordOrTwo => PasswordHint::AddWords,
        Suggestion::CapitalizationDoesntHelpVeryMuch
        | Suggestion::AllUppercaseIsAlmostAsEasyToGuessAsAllLowercase => {
            PasswordHint::AvoidCapitals
        }
        Suggestion::ReversedWordsArentMuchHarderToGuess => PasswordHint::AvoidReversed,
        Suggestion::PredictableSubstitutionsDontHelpVeryMuch => PasswordHint::AvoidSubstitutions,
        Suggestion::UseALongerKeyboardPatternWithMoreTurns => PasswordHint::LongerPattern,
        Suggestion::AvoidRepeatedWordsAndCharacters => PasswordHint::AvoidRepeats,
        Suggestion::AvoidSequences => PasswordHint::AvoidSequences,
        Suggestion::AvoidRecentYears
        | Suggestion::AvoidYearsThatAreAssociatedWithYou
        | Suggestion::AvoidDatesAndYearsThatAreAssociatedWithYou => PasswordHint::AvoidDates,
    }
}
