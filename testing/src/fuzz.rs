//! Fuzzing with a corpus that is kept: `testing/corpus/TARGET/` holds inputs that each reach something of their own, and
//! every input that ever failed.
//!
//! Each day, an ordinary test runs the corpus. `./build.sh fuzz TARGET` goes on from there for an hour: libFuzzer mutates
//! what reaches new code, in a build with instruments for coverage.

use std::path::{Path, PathBuf};

#[cfg(not(feature = "libfuzzer"))]
mod everyday;
#[cfg(feature = "libfuzzer")]
mod guided;

#[cfg(not(feature = "libfuzzer"))]
use everyday::run;
#[cfg(feature = "libfuzzer")]
use guided::run;

/// Calls `check` with every input of the corpus. `check` panics where something is wrong.
pub fn fuzz(target: &str, check: impl Fn(&[u8]) + 'static) {
    run(target, &[], check);
}

/// The same, with `seeds` beside the corpus: what the program itself writes, in whatever format it writes now.
pub fn fuzz_from(target: &str, seeds: &[Vec<u8>], check: impl Fn(&[u8]) + 'static) {
    run(target, seeds, check);
}

fn root() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    folder.parent().unwrap_or(folder).to_owned()
}

#[cfg(test)]
mod tests {
    use super::root;
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    /// What stands between `fuzz("` or `fuzz_from("` and the next quote, in all files below.
    fn targets(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                targets(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("text");
                for call in ["fuzz(\"", "fuzz_from(\""] {
                    let rest = text.split(call).skip(1);
                    found.extend(rest.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
                }
            }
        }
    }

    #[test]
    fn each_corpus_has_a_target() {
        let mut found = BTreeSet::new();
        for part in ["model", "store", "core", "http", "src"] {
            let part = Path::new("api").join(part);
            targets(&root().join(part), &mut found);
        }
        let corpora = fs::read_dir(root().join("testing/corpus")).expect("corpora");
        let names = corpora.flatten().map(|entry| entry.file_name());
        let corpora: BTreeSet<String> = names.filter_map(|name| name.into_string().ok()).collect();
        assert_eq!(found, corpora);
    }
}
