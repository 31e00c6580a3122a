//! The texts of all languages are complete, and what is shown is one of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use password_auth_wire::{ErrorCode, PasswordHint, rules::Violation};
use serde_json::Value;

use super::{ALL, fill, number};

const LANGUAGES: [&str; 3] = ["en", "de", "ar"];
/// What the surfaces are made of, beside `texts.rs`.
const PAGES: [&str; 3] = [
    "static/popup.html",
    "static/options.html",
    "../api/http/src/pages/home.html",
];
const SCRIPTS: [&str; 6] = [
    "static/options.js",
    "static/form.js",
    "static/factors.js",
    "static/looks.js",
    "static/popup.js",
    "static/strength.js",
];

fn read(path: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn messages(language: &str) -> BTreeMap<String, String> {
    let text = read(&format!("static/_locales/{language}/messages.json"));
    let all: BTreeMap<String, Value> = serde_json::from_str(&text).expect("JSON");
    let message = |(key, entry): (String, Value)| {
        let message = entry["message"].as_str();
        let message = message.unwrap_or_else(|| panic!("{language}: {key} has no message"));
        (key, message.to_owned())
    };
    all.into_iter().map(message).collect()
}

/// `$1` and `$2` of a text.
fn places(text: &str) -> BTreeSet<char> {
    let mut parts = text.split('$');
    parts.next();
    parts.filter_map(|part| part.chars().next()).collect()
}

/// The `(key, English)` of each element with a `data-t`, and of each label.
fn marked(html: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (attribute, label) in [
        ("data-t=\"", None),
        ("data-t-label=\"", Some("aria-label=\"")),
    ] {
        for (at, _) in html.match_indices(attribute) {
            let rest = &html[at + attribute.len()..];
            let (key, rest) = rest.split_once('"').expect("its end");
            let english = match label {
                None => {
                    let (_, content) = rest.split_once('>').expect("a tag");
                    content.split_once('<').expect("an element").0
                }
                Some(label) => {
                    let tag = &html[..at];
                    let tag = &tag[tag.rfind('<').expect("a tag")..];
                    let (_, value) = tag.split_once(label).expect("a label before its key");
                    value.split_once('"').expect("its end").0
                }
            };
            found.push((key.to_owned(), english.to_owned()));
        }
    }
    found
}

/// The keys of `t("key"` in a script.
fn called(script: &str) -> Vec<String> {
    let keys = script.split(" t(\"").skip(1);
    let more = script.split("(t(\"").skip(1);
    keys.chain(more)
        .map(|rest| rest.split('"').next().expect("a key").to_owned())
        .collect()
}

#[test]
fn every_language_has_the_same_keys_with_the_same_places() {
    let english = messages("en");
    for language in LANGUAGES {
        let theirs = messages(language);
        let keys: Vec<_> = theirs.keys().collect();
        assert_eq!(keys, english.keys().collect::<Vec<_>>(), "{language}");
        for (key, text) in &english {
            assert!(!theirs[key].trim().is_empty(), "{language}: {key}");
            assert_eq!(places(&theirs[key]), places(text), "{language}: {key}");
        }
    }
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("static/_locales");
    assert_eq!(
        fs::read_dir(folder).expect("listed").count(),
        LANGUAGES.len()
    );
    assert!(
        SCRIPTS
            .iter()
            .any(|script| read(script).contains(&format!("{LANGUAGES:?}"))),
        "looks.js has the same languages"
    );
}

#[test]
fn what_is_shown_is_translated_and_what_is_translated_is_shown() {
    let english = messages("en");
    let mut used = BTreeSet::new();
    for text in ALL {
        assert_eq!(
            english.get(text.key).map(String::as_str),
            Some(text.english)
        );
        used.insert(text.key.to_owned());
    }
    for page in PAGES {
        for (key, text) in marked(&read(page)) {
            assert_eq!(english.get(&key), Some(&text), "{page}: {key}");
            used.insert(key);
        }
    }
    for script in SCRIPTS {
        for key in called(&read(script)) {
            assert!(english.contains_key(&key), "{script}: {key}");
            used.insert(key);
        }
    }
    let errors = ErrorCode::ALL
        .iter()
        .map(|code| (["error_", code.name()].concat(), code.message()));
    let hints = PasswordHint::ALL
        .iter()
        .map(|hint| (["hint_", hint.name()].concat(), hint.message()));
    // What a form of these pages may break, but for a name with an @ or with what cannot be seen, which share a code.
    let broken = [
        ("password", Violation::PasswordTooShort),
        ("password", Violation::PasswordTooLong),
        ("password", Violation::PasswordTooWeak),
        ("username", Violation::UsernameTooLong),
        ("email", Violation::EmailInvalid),
    ];
    let broken = broken.map(|(field, rule)| {
        let key = ["invalid_", field, "_", rule.code()].concat();
        (key, rule.message())
    });
    let of_the_server = errors.chain(hints.clone()).chain(broken.clone());
    let of_the_server: BTreeMap<String, &str> = of_the_server.collect();
    for (key, text) in &english {
        if key == "invalid_username_invalid_characters" {
            assert!(text.contains('@') && text.contains("invisible"), "{text}");
        } else if key.starts_with("error_")
            || key.starts_with("hint_")
            || key.starts_with("invalid_")
        {
            let said = of_the_server.get(key);
            assert_eq!(said, Some(&text.as_str()), "{key}");
        } else {
            assert!(used.contains(key), "{key} is not used");
        }
    }
    for (key, _) in hints.chain(broken) {
        assert!(english.contains_key(&key), "{key} is not translated");
    }
}

#[test]
fn every_text_of_a_page_has_a_key() {
    for page in PAGES {
        let html = read(page);
        let body = html.split_once("<body").expect("a body").1;
        for element in body.split('<').skip(1) {
            let Some((tag, text)) = element.split_once('>') else {
                continue;
            };
            let is_text = text.chars().any(char::is_alphabetic);
            let is_exempt = tag.contains("data-t=")
                || tag.starts_with("!--")
                || matches!(tag, "p" | "h1")
                || text.contains("{{")
                || tag.contains("lang=");
            assert!(!is_text || is_exempt, "{page}: {text:?} in <{tag}>");
            let labelled = tag.contains("aria-label=\"") && !tag.contains("data-t-label");
            assert!(!labelled, "{page}: <{tag}>");
        }
    }
}

#[test]
fn values_stand_in_their_places_and_are_not_read_again() {
    assert_eq!(fill("$1 and $2", &["$2", "b"]), "$2 and b");
    assert_eq!(fill("$2, $1, $3, $", &["a", "b"]), "b, a, $3, $");
    assert_eq!(fill("no place", &["a"]), "no place");
    assert_eq!(fill("$0", &["a"]), "$0");
}

#[test]
fn a_number_is_shown_by_its_digits() {
    for value in [0, 7, 10, 429, 1_002_003, u32::MAX] {
        assert_eq!(number(value), value.to_string());
    }
}
