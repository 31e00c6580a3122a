//! Calls a target with each input of its corpus.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

pub(super) fn run(target: &str, seeds: &[Vec<u8>], check: impl Fn(&[u8])) {
    let mut corpus = read(&super::root().join("testing/corpus").join(target));
    assert!(!corpus.is_empty(), "{target} has no corpus");
    corpus.extend_from_slice(seeds);
    for input in &corpus {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(input))) {
            eprintln!("{target} failed on {}", input.escape_ascii());
            resume_unwind(panic);
        }
    }
}

fn read(folder: &Path) -> Vec<Vec<u8>> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files
        .map(|file| fs::read(file.path()).expect("an input of the corpus"))
        .collect()
}
