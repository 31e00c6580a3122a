//! Invisible characters in emoji: only where Unicode's list (UTS #51, version 18) has them.

use super::is_in;

const CANCEL_TAG: char = '\u{E007F}';
const KEYCAP: char = '\u{20E3}';
pub(super) const EMOJI_STYLE: char = '\u{FE0F}';

/// The flags that are spelt in tags behind a black flag: England, Scotland, Wales.
const TAGGED_FLAGS: [&str; 3] = ["gbeng", "gbsct", "gbwls"];

/// What a zero-width joiner joins: a character of the first text with one of the second. Elsewhere it is invisible.
const JOINED: &[(&str, &str)] = &[
    (
        "👨👩🧑",
        "❤🐰🤝🫯⚕⚖✈🌾🍳🍼🎓🎤🎨🏫🏭💻💼🔧🔬🚀🚒🦯🦼🦽🦰🦱🦲🦳",
    ),
    ("❤🐰👨💋🤝🫯", "👨"),
    ("❤", "💋🩹"),
    ("👦👧👨👩", "👦"),
    ("👧👨👩", "👧"),
    ("❤🐰👨👩💋🤝🫯", "👩"),
    ("❤🐰💋🤝🧑🫯", "🧑"),
    ("🧑🧒", "🧒"),
    ("🫱", "🫲"),
    ("♀♂🏃🚶🦯🦼🦽🧎", "➡"),
    ("🧑", "🎄🩰"),
    (
        "⛹🏃🏄🏊🏋🏌👮👯👰👱👳👷💁💂💆💇🕵🙅🙆🙇🙋🙍🙎🚣🚴🚵🚶🤦🤵🤷🤸🤹🤼🤽🤾🦸🦹🧍🧎🧏🧔🧖🧗🧘🧙🧚🧛🧜🧝🧞🧟",
        "♀♂",
    ),
    ("⛓", "💥"),
    ("❤🐦", "🔥"),
    ("🍄", "🟫"),
    ("🍋", "🟩"),
    ("🏳", "⚧🌈"),
    ("🏴", "☠"),
    ("🐈🐦", "⬛"),
    ("🐕", "🦺"),
    ("🐻", "❄"),
    ("👁", "🗨"),
    ("😮", "💨"),
    ("😵", "💫"),
    ("😶", "🌫"),
    ("🙂", "↔↕"),
];

/// Whether a zero-width joiner between these texts makes one emoji of two.
pub(super) fn are_joined(before: &str, after: &str) -> bool {
    let is_style = |c| matches!(c, EMOJI_STYLE | '\u{1F3FB}'..='\u{1F3FF}');
    let before = before.strip_suffix(is_style).unwrap_or(before);
    let (Some(left), Some(right)) = (before.chars().next_back(), after.chars().next()) else {
        return false;
    };
    JOINED
        .iter()
        .any(|(lefts, rights)| lefts.contains(left) && rights.contains(right))
}

/// Whether U+FE0F between these texts shows what is before it as emoji; of digits, `#` and `*`, keycaps alone.
pub(super) fn is_style(before: &str, after: &str) -> bool {
    before.chars().next_back().is_some_and(|c| {
        is_in(TAKES_EMOJI_STYLE, c) && (!c.is_ascii() || after.starts_with(KEYCAP))
    })
}

/// Whether the character there is one of the tags that make a flag.
pub(super) fn is_flag_tag(text: &str, at: usize) -> bool {
    let is_tag = |c: char| matches!(c, '\u{E0020}'..=CANCEL_TAG);
    let flag = text[..at].trim_end_matches(is_tag);
    let tags = &text[flag.len()..];
    let name = TAGGED_FLAGS.iter().find(|name| {
        let spelt = name
            .chars()
            .filter_map(|c| char::from_u32(0xE0000 + u32::from(c)));
        tags.chars()
            .take_while(|c| is_tag(*c))
            .eq(spelt.chain([CANCEL_TAG]))
    });
    flag.ends_with('🏴') && name.is_some()
}

/// Characters that U+FE0F shows as emoji: those that are text by default, and some that keyboards add it to anyway.
#[rustfmt::skip]
const TAKES_EMOJI_STYLE: &[(char, char)] = &[
    ('\u{0023}', '\u{0023}'), ('\u{002A}', '\u{002A}'), ('\u{0030}', '\u{0039}'), ('\u{00A9}', '\u{00A9}'),
    ('\u{00AE}', '\u{00AE}'), ('\u{203C}', '\u{203C}'), ('\u{2049}', '\u{2049}'), ('\u{2122}', '\u{2122}'),
    ('\u{2139}', '\u{2139}'), ('\u{2194}', '\u{2199}'), ('\u{21A9}', '\u{21AA}'), ('\u{231A}', '\u{231B}'),
    ('\u{2328}', '\u{2328}'), ('\u{23CF}', '\u{23CF}'), ('\u{23E9}', '\u{23F3}'), ('\u{23F8}', '\u{23FA}'),
    ('\u{24C2}', '\u{24C2}'), ('\u{25AA}', '\u{25AB}'), ('\u{25B6}', '\u{25B6}'), ('\u{25C0}', '\u{25C0}'),
    ('\u{25FB}', '\u{25FE}'), ('\u{2600}', '\u{2604}'), ('\u{260E}', '\u{260E}'), ('\u{2611}', '\u{2611}'),
    ('\u{2614}', '\u{2615}'), ('\u{2618}', '\u{2618}'), ('\u{261D}', '\u{261D}'), ('\u{2620}', '\u{2620}'),
    ('\u{2622}', '\u{2623}'), ('\u{2626}', '\u{2626}'), ('\u{262A}', '\u{262A}'), ('\u{262E}', '\u{262F}'),
    ('\u{2638}', '\u{263A}'), ('\u{2640}', '\u{2640}'), ('\u{2642}', '\u{2642}'), ('\u{2648}', '\u{2653}'),
    ('\u{265F}', '\u{2660}'), ('\u{2663}', '\u{2663}'), ('\u{2665}', '\u{2666}'), ('\u{2668}', '\u{2668}'),
    ('\u{267B}', '\u{267B}'), ('\u{267E}', '\u{267F}'), ('\u{2692}', '\u{2697}'), ('\u{2699}', '\u{2699}'),
    ('\u{269B}', '\u{269C}'), ('\u{26A0}', '\u{26A1}'), ('\u{26A7}', '\u{26A7}'), ('\u{26AA}', '\u{26AB}'),
    ('\u{26B0}', '\u{26B1}'), ('\u{26BD}', '\u{26BE}'), ('\u{26C4}', '\u{26C5}'), ('\u{26C8}', '\u{26C8}'),
    ('\u{26CE}', '\u{26CF}'), ('\u{26D1}', '\u{26D1}'), ('\u{26D3}', '\u{26D4}'), ('\u{26E9}', '\u{26EA}'),
    ('\u{26F0}', '\u{26F5}'), ('\u{26F7}', '\u{26FA}'), ('\u{26FD}', '\u{26FD}'), ('\u{2702}', '\u{2702}'),
    ('\u{2705}', '\u{2705}'), ('\u{2708}', '\u{270D}'), ('\u{270F}', '\u{270F}'), ('\u{2712}', '\u{2712}'),
    ('\u{2714}', '\u{2714}'), ('\u{2716}', '\u{2716}'), ('\u{271D}', '\u{271D}'), ('\u{2721}', '\u{2721}'),
    ('\u{2728}', '\u{2728}'), ('\u{2733}', '\u{2734}'), ('\u{2744}', '\u{2744}'), ('\u{2747}', '\u{2747}'),
    ('\u{274C}', '\u{274C}'), ('\u{274E}', '\u{274E}'), ('\u{2753}', '\u{2755}'), ('\u{2757}', '\u{2757}'),
    ('\u{2763}', '\u{2764}'), ('\u{2795}', '\u{2797}'), ('\u{27A1}', '\u{27A1}'), ('\u{27B0}', '\u{27B0}'),
    ('\u{27BF}', '\u{27BF}'), ('\u{2934}', '\u{2935}'), ('\u{2B05}', '\u{2B07}'), ('\u{2B1B}', '\u{2B1C}'),
    ('\u{2B50}', '\u{2B50}'), ('\u{2B55}', '\u{2B55}'), ('\u{3030}', '\u{3030}'), ('\u{303D}', '\u{303D}'),
    ('\u{3297}', '\u{3297}'), ('\u{3299}', '\u{3299}'), ('\u{1F004}', '\u{1F004}'), ('\u{1F170}', '\u{1F171}'),
    ('\u{1F17E}', '\u{1F17F}'), ('\u{1F202}', '\u{1F202}'), ('\u{1F21A}', '\u{1F21A}'), ('\u{1F22F}', '\u{1F22F}'),
    ('\u{1F237}', '\u{1F237}'), ('\u{1F321}', '\u{1F321}'), ('\u{1F324}', '\u{1F32C}'), ('\u{1F336}', '\u{1F336}'),
    ('\u{1F37D}', '\u{1F37D}'), ('\u{1F396}', '\u{1F397}'), ('\u{1F399}', '\u{1F39B}'), ('\u{1F39E}', '\u{1F39F}'),
    ('\u{1F3CB}', '\u{1F3CE}'), ('\u{1F3D4}', '\u{1F3DF}'), ('\u{1F3F3}', '\u{1F3F3}'), ('\u{1F3F5}', '\u{1F3F5}'),
    ('\u{1F3F7}', '\u{1F3F7}'), ('\u{1F43F}', '\u{1F43F}'), ('\u{1F441}', '\u{1F441}'), ('\u{1F4FD}', '\u{1F4FD}'),
    ('\u{1F549}', '\u{1F54A}'), ('\u{1F56F}', '\u{1F570}'), ('\u{1F573}', '\u{1F579}'), ('\u{1F587}', '\u{1F587}'),
    ('\u{1F58A}', '\u{1F58D}'), ('\u{1F590}', '\u{1F590}'), ('\u{1F5A5}', '\u{1F5A5}'), ('\u{1F5A8}', '\u{1F5A8}'),
    ('\u{1F5B1}', '\u{1F5B2}'), ('\u{1F5BC}', '\u{1F5BC}'), ('\u{1F5C2}', '\u{1F5C4}'), ('\u{1F5D1}', '\u{1F5D3}'),
    ('\u{1F5DC}', '\u{1F5DE}'), ('\u{1F5E1}', '\u{1F5E1}'), ('\u{1F5E3}', '\u{1F5E3}'), ('\u{1F5E8}', '\u{1F5E8}'),
    ('\u{1F5EF}', '\u{1F5EF}'), ('\u{1F5F3}', '\u{1F5F3}'), ('\u{1F5FA}', '\u{1F5FA}'), ('\u{1F6CB}', '\u{1F6CB}'),
    ('\u{1F6CD}', '\u{1F6CF}'), ('\u{1F6E0}', '\u{1F6E5}'), ('\u{1F6E9}', '\u{1F6E9}'), ('\u{1F6F0}', '\u{1F6F0}'),
    ('\u{1F6F3}', '\u{1F6F3}'),
];
