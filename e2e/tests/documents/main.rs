//! Every command that a document shows is run: the documents are read, and their shell blocks run in order, as a
//! reader would type them, in a fresh folder that looks like a checkout.
//!
//! The info string of a fenced block says how. `sh` runs; `sh server` starts a server and goes on once it listens;
//! `sh stopped` stops it first; `sh long` runs with `PASSWORD_AUTH_LONG=1` alone, since it takes minutes;
//! `sh elsewhere` is not run: it belongs on another machine, or is what runs this test. A line `# → …` is what the command above it prints, with
//! `…` for what differs from run to run.

#![expect(
    clippy::expect_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod brand;
mod document;
mod script;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use document::Document;
use password_auth_e2e::{server_program, workspace};

/// README.md and the like, and everything below docs/.
fn documents() -> Vec<PathBuf> {
    let in_folder = |folder: PathBuf| -> Vec<PathBuf> {
        std::fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
            .collect()
    };
    let mut all = in_folder(workspace());
    all.extend(in_folder(workspace().join("docs")));
    all.extend(in_folder(workspace().join("docs/store")));
    all.sort();
    assert!(all.len() > 5, "the documents are gone: {all:?}");
    all
}

#[test]
fn every_command_that_a_document_shows_works_as_it_says() {
    let mut wrong = Vec::new();
    for path in documents() {
        let document = Document::read(&path);
        if document.has_commands() {
            wrong.extend(script::run(&document, &workspace()).err());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_shell_block_is_fenced_and_marked_so_that_it_is_run() {
    let wrong: Vec<String> = documents()
        .iter()
        .flat_map(|path| Document::read(path).problems())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_setting_stands_in_its_document() {
    let output = std::process::Command::new(server_program())
        .args(["check-config", "--dev"])
        .output()
        .expect("the server's program");
    let shown = String::from_utf8(output.stdout).expect("a text");
    let settings: Vec<&str> = shown
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
        .collect();
    assert!(settings.len() > 20, "{shown}");
    let document =
        std::fs::read_to_string(workspace().join("docs/settings.md")).expect("a document");
    let missing: Vec<&&str> = settings
        .iter()
        .filter(|name| !document.contains(&format!("`{name}`")))
        .collect();
    assert!(
        missing.is_empty(),
        "docs/settings.md does not name {missing:?}"
    );
}

#[test]
fn links_between_documents_lead_somewhere() {
    let wrong: Vec<String> = documents()
        .iter()
        .flat_map(|path| Document::read(path).broken_links())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The functions of all Rust files below a folder.
fn functions_below(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            functions_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = std::fs::read_to_string(&path).expect("a text");
            let named = source.split("fn ").skip(1);
            found.extend(named.filter_map(|rest| Some(rest.split_once('(')?.0.to_owned())));
        }
    }
}

#[test]
fn every_test_that_the_security_tables_name_exists() {
    let mut functions = BTreeSet::new();
    for folder in ["api", "wire", "extension", "testing", "e2e"] {
        functions_below(&workspace().join(folder), &mut functions);
    }
    let path = workspace().join("docs/security-tables.md");
    let tables = std::fs::read_to_string(path).expect("a document");
    // A test's name is a sentence: no setting or field has so many words.
    let is_a_test = |word: &&str| {
        let is_one_name = word
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        is_one_name && word.matches('_').count() >= 4
    };
    let named: BTreeSet<&str> = tables
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(is_a_test)
        .collect();
    assert!(named.len() > 50, "{named:?}");
    let gone: Vec<_> = named
        .iter()
        .filter(|name| !functions.contains(**name))
        .collect();
    assert!(gone.is_empty(), "docs/security-tables.md names {gone:?}");
}
