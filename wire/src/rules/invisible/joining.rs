//! The joiners that spelling needs (RFC 5892, appendices A.1 and A.2), by the tables of Unicode 18.

use super::is_in;

pub(super) const NON_JOINER: char = '\u{200C}';
pub(super) const JOINER: char = '\u{200D}';

/// Whether spelling needs a zero-width joiner or non-joiner between these texts: after a virama (Telugu, Malayalam,
/// Sinhala, …) or, for a non-joiner, between letters that would join (Persian).
#[must_use]
pub fn joiner_is_spelling(before: &str, joiner: char, after: &str) -> bool {
    let follows_virama = before
        .chars()
        .next_back()
        .is_some_and(|c| is_in(VIRAMAS, c));
    let parts_letters = || {
        let letter = |c: &char| !is_in(MARKS, *c);
        let (left, right) = (
            before.chars().rev().find(letter),
            after.chars().find(letter),
        );
        left.is_some_and(|c| is_in(JOINS_BOTH, c) || is_in(JOINS_BEHIND, c))
            && right.is_some_and(|c| is_in(JOINS_BOTH, c) || is_in(JOINS_BEFORE, c))
    };
    match joiner {
        JOINER => follows_virama,
        NON_JOINER => follows_virama || parts_letters(),
        _ => false,
    }
}

/// Canonical_Combining_Class Virama: joins consonants.
#[rustfmt::skip]
const VIRAMAS: &[(char, char)] = &[
    ('\u{094D}', '\u{094D}'), ('\u{09CD}', '\u{09CD}'), ('\u{0A4D}', '\u{0A4D}'), ('\u{0ACD}', '\u{0ACD}'),
    ('\u{0B4D}', '\u{0B4D}'), ('\u{0BCD}', '\u{0BCD}'), ('\u{0C4D}', '\u{0C4D}'), ('\u{0CCD}', '\u{0CCD}'),
    ('\u{0D3B}', '\u{0D3C}'), ('\u{0D4D}', '\u{0D4D}'), ('\u{0DCA}', '\u{0DCA}'), ('\u{0E3A}', '\u{0E3A}'),
    ('\u{0EBA}', '\u{0EBA}'), ('\u{0F84}', '\u{0F84}'), ('\u{1039}', '\u{103A}'), ('\u{1714}', '\u{1715}'),
    ('\u{1734}', '\u{1734}'), ('\u{17D2}', '\u{17D2}'), ('\u{1A60}', '\u{1A60}'), ('\u{1B44}', '\u{1B44}'),
    ('\u{1BAA}', '\u{1BAB}'), ('\u{1BF2}', '\u{1BF3}'), ('\u{2D7F}', '\u{2D7F}'), ('\u{A806}', '\u{A806}'),
    ('\u{A82C}', '\u{A82C}'), ('\u{A8C4}', '\u{A8C4}'), ('\u{A953}', '\u{A953}'), ('\u{A9C0}', '\u{A9C0}'),
    ('\u{AAF6}', '\u{AAF6}'), ('\u{ABED}', '\u{ABED}'), ('\u{10A3F}', '\u{10A3F}'), ('\u{11046}', '\u{11046}'),
    ('\u{11070}', '\u{11070}'), ('\u{1107F}', '\u{1107F}'), ('\u{110B9}', '\u{110B9}'), ('\u{11133}', '\u{11134}'),
    ('\u{111C0}', '\u{111C0}'), ('\u{11235}', '\u{11235}'), ('\u{112EA}', '\u{112EA}'), ('\u{1134D}', '\u{1134D}'),
    ('\u{113CE}', '\u{113D0}'), ('\u{11442}', '\u{11442}'), ('\u{114C2}', '\u{114C2}'), ('\u{115BF}', '\u{115BF}'),
    ('\u{1163F}', '\u{1163F}'), ('\u{116B6}', '\u{116B6}'), ('\u{1172B}', '\u{1172B}'), ('\u{11839}', '\u{11839}'),
    ('\u{1193D}', '\u{1193E}'), ('\u{119E0}', '\u{119E0}'), ('\u{11A34}', '\u{11A34}'), ('\u{11A47}', '\u{11A47}'),
    ('\u{11A99}', '\u{11A99}'), ('\u{11C3F}', '\u{11C3F}'), ('\u{11D44}', '\u{11D45}'), ('\u{11D97}', '\u{11D97}'),
    ('\u{11F41}', '\u{11F42}'), ('\u{1612F}', '\u{1612F}'),
];

/// Joining_Type D: joins on both sides.
#[rustfmt::skip]
const JOINS_BOTH: &[(char, char)] = &[
    ('\u{0620}', '\u{0620}'), ('\u{0626}', '\u{0626}'), ('\u{0628}', '\u{0628}'), ('\u{062A}', '\u{062E}'),
    ('\u{0633}', '\u{063F}'), ('\u{0641}', '\u{0647}'), ('\u{0649}', '\u{064A}'), ('\u{066E}', '\u{066F}'),
    ('\u{0678}', '\u{0687}'), ('\u{069A}', '\u{06BF}'), ('\u{06C1}', '\u{06C2}'), ('\u{06CC}', '\u{06CC}'),
    ('\u{06CE}', '\u{06CE}'), ('\u{06D0}', '\u{06D1}'), ('\u{06FA}', '\u{06FC}'), ('\u{06FF}', '\u{06FF}'),
    ('\u{0712}', '\u{0714}'), ('\u{071A}', '\u{071D}'), ('\u{071F}', '\u{0727}'), ('\u{0729}', '\u{0729}'),
    ('\u{072B}', '\u{072B}'), ('\u{072D}', '\u{072E}'), ('\u{074E}', '\u{0758}'), ('\u{075C}', '\u{076A}'),
    ('\u{076D}', '\u{0770}'), ('\u{0772}', '\u{0772}'), ('\u{0775}', '\u{0777}'), ('\u{077A}', '\u{077F}'),
    ('\u{07CA}', '\u{07EA}'), ('\u{0841}', '\u{0845}'), ('\u{0848}', '\u{0848}'), ('\u{084A}', '\u{0853}'),
    ('\u{0855}', '\u{0855}'), ('\u{0860}', '\u{0860}'), ('\u{0862}', '\u{0865}'), ('\u{0868}', '\u{0868}'),
    ('\u{0886}', '\u{0886}'), ('\u{0889}', '\u{088D}'), ('\u{088F}', '\u{088F}'), ('\u{08A0}', '\u{08A9}'),
    ('\u{08AF}', '\u{08B0}'), ('\u{08B3}', '\u{08B8}'), ('\u{08BA}', '\u{08C8}'), ('\u{1807}', '\u{1807}'),
    ('\u{1820}', '\u{1878}'), ('\u{1887}', '\u{18A8}'), ('\u{18AA}', '\u{18AA}'), ('\u{A840}', '\u{A871}'),
    ('\u{10AC0}', '\u{10AC4}'), ('\u{10AD3}', '\u{10AD6}'), ('\u{10AD8}', '\u{10ADC}'), ('\u{10ADE}', '\u{10AE0}'),
    ('\u{10AEB}', '\u{10AEE}'), ('\u{10B80}', '\u{10B80}'), ('\u{10B82}', '\u{10B82}'), ('\u{10B86}', '\u{10B88}'),
    ('\u{10B8A}', '\u{10B8B}'), ('\u{10B8D}', '\u{10B8D}'), ('\u{10B90}', '\u{10B90}'), ('\u{10BAD}', '\u{10BAE}'),
    ('\u{10D01}', '\u{10D21}'), ('\u{10D23}', '\u{10D23}'), ('\u{10EC3}', '\u{10EC4}'), ('\u{10EC6}', '\u{10EC7}'),
    ('\u{10F30}', '\u{10F32}'), ('\u{10F34}', '\u{10F44}'), ('\u{10F51}', '\u{10F53}'), ('\u{10F70}', '\u{10F73}'),
    ('\u{10F76}', '\u{10F81}'), ('\u{10FB0}', '\u{10FB0}'), ('\u{10FB2}', '\u{10FB3}'), ('\u{10FB8}', '\u{10FB8}'),
    ('\u{10FBB}', '\u{10FBC}'), ('\u{10FBE}', '\u{10FBF}'), ('\u{10FC1}', '\u{10FC1}'), ('\u{10FC4}', '\u{10FC4}'),
    ('\u{10FCA}', '\u{10FCA}'), ('\u{1E900}', '\u{1E943}'),
];

/// Joining_Type R: only joins the letter before.
#[rustfmt::skip]
const JOINS_BEFORE: &[(char, char)] = &[
    ('\u{0622}', '\u{0625}'), ('\u{0627}', '\u{0627}'), ('\u{0629}', '\u{0629}'), ('\u{062F}', '\u{0632}'),
    ('\u{0648}', '\u{0648}'), ('\u{0671}', '\u{0673}'), ('\u{0675}', '\u{0677}'), ('\u{0688}', '\u{0699}'),
    ('\u{06C0}', '\u{06C0}'), ('\u{06C3}', '\u{06CB}'), ('\u{06CD}', '\u{06CD}'), ('\u{06CF}', '\u{06CF}'),
    ('\u{06D2}', '\u{06D3}'), ('\u{06D5}', '\u{06D5}'), ('\u{06EE}', '\u{06EF}'), ('\u{0710}', '\u{0710}'),
    ('\u{0715}', '\u{0719}'), ('\u{071E}', '\u{071E}'), ('\u{0728}', '\u{0728}'), ('\u{072A}', '\u{072A}'),
    ('\u{072C}', '\u{072C}'), ('\u{072F}', '\u{072F}'), ('\u{074D}', '\u{074D}'), ('\u{0759}', '\u{075B}'),
    ('\u{076B}', '\u{076C}'), ('\u{0771}', '\u{0771}'), ('\u{0773}', '\u{0774}'), ('\u{0778}', '\u{0779}'),
    ('\u{0840}', '\u{0840}'), ('\u{0846}', '\u{0847}'), ('\u{0849}', '\u{0849}'), ('\u{0854}', '\u{0854}'),
    ('\u{0856}', '\u{0858}'), ('\u{0867}', '\u{0867}'), ('\u{0869}', '\u{086A}'), ('\u{0870}', '\u{0882}'),
    ('\u{088E}', '\u{088E}'), ('\u{08AA}', '\u{08AC}'), ('\u{08AE}', '\u{08AE}'), ('\u{08B1}', '\u{08B2}'),
    ('\u{08B9}', '\u{08B9}'), ('\u{10AC5}', '\u{10AC5}'), ('\u{10AC7}', '\u{10AC7}'), ('\u{10AC9}', '\u{10ACA}'),
    ('\u{10ACE}', '\u{10AD2}'), ('\u{10ADD}', '\u{10ADD}'), ('\u{10AE1}', '\u{10AE1}'), ('\u{10AE4}', '\u{10AE4}'),
    ('\u{10AEF}', '\u{10AEF}'), ('\u{10B81}', '\u{10B81}'), ('\u{10B83}', '\u{10B85}'), ('\u{10B89}', '\u{10B89}'),
    ('\u{10B8C}', '\u{10B8C}'), ('\u{10B8E}', '\u{10B8F}'), ('\u{10B91}', '\u{10B91}'), ('\u{10BA9}', '\u{10BAC}'),
    ('\u{10D22}', '\u{10D22}'), ('\u{10EC2}', '\u{10EC2}'), ('\u{10F33}', '\u{10F33}'), ('\u{10F54}', '\u{10F54}'),
    ('\u{10F74}', '\u{10F75}'), ('\u{10FB4}', '\u{10FB6}'), ('\u{10FB9}', '\u{10FBA}'), ('\u{10FBD}', '\u{10FBD}'),
    ('\u{10FC2}', '\u{10FC3}'), ('\u{10FC9}', '\u{10FC9}'),
];

/// Joining_Type L: only joins the letter after.
#[rustfmt::skip]
const JOINS_BEHIND: &[(char, char)] = &[
    ('\u{A872}', '\u{A872}'), ('\u{10ACD}', '\u{10ACD}'), ('\u{10AD7}', '\u{10AD7}'), ('\u{10D00}', '\u{10D00}'),
    ('\u{10ED9}', '\u{10EEE}'), ('\u{10FCB}', '\u{10FCB}'),
];

/// Joining_Type T: marks on letters of joining scripts, which are skipped.
#[rustfmt::skip]
const MARKS: &[(char, char)] = &[
    ('\u{0300}', '\u{034E}'), ('\u{0350}', '\u{036F}'), ('\u{0610}', '\u{061A}'), ('\u{064B}', '\u{065F}'),
    ('\u{0670}', '\u{0670}'), ('\u{06D6}', '\u{06DC}'), ('\u{06DF}', '\u{06E4}'), ('\u{06E7}', '\u{06E8}'),
    ('\u{06EA}', '\u{06ED}'), ('\u{0711}', '\u{0711}'), ('\u{0730}', '\u{074A}'), ('\u{07EB}', '\u{07F3}'),
    ('\u{07FD}', '\u{07FD}'), ('\u{0859}', '\u{085B}'), ('\u{0897}', '\u{089F}'), ('\u{08CA}', '\u{08E1}'),
    ('\u{08E3}', '\u{08FF}'), ('\u{1885}', '\u{1886}'), ('\u{18A9}', '\u{18A9}'), ('\u{1DF8}', '\u{1DF8}'),
    ('\u{1DFA}', '\u{1DFA}'), ('\u{102E0}', '\u{102E0}'), ('\u{10AE5}', '\u{10AE6}'), ('\u{10D24}', '\u{10D27}'),
    ('\u{10ECB}', '\u{10ECF}'), ('\u{10EF0}', '\u{10EFF}'), ('\u{10F46}', '\u{10F50}'), ('\u{10F82}', '\u{10F85}'),
    ('\u{1E944}', '\u{1E94A}'),
];

#[cfg(test)]
mod tests {
    use super::joiner_is_spelling;

    fn is_spelt(text: &str) -> bool {
        text.char_indices()
            .filter(|(_, c)| matches!(c, '\u{200C}' | '\u{200D}'))
            .all(|(at, c)| joiner_is_spelling(&text[..at], c, &text[at + c.len_utf8()..]))
    }

    #[test]
    fn joiners_of_telugu_malayalam_sinhala_and_persian_are_spelling() {
        for text in [
            "శ్రీనివాస్\u{200C}",
            "രാജന്\u{200D}",
            "ශ්\u{200D}රී",
            "می\u{200C}خواهم",
            "بُ\u{200C}ّب",
            "क्\u{200C}ष",
        ] {
            assert!(is_spelt(text), "{text}");
        }
    }

    #[test]
    fn joiners_that_no_spelling_needs_are_not() {
        for text in [
            "a\u{200C}b",
            "\u{200C}",
            "ی\u{200C}",
            "\u{200C}ی",
            "ی\u{200D}ی",
            "ر\u{200C}ی",
            "క\u{200C}",
            "క్\u{200C}\u{200D}",
            "й\u{200D}й",
        ] {
            assert!(!is_spelt(text), "{text:?}");
        }
    }
}
