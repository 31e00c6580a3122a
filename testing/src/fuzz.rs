//! Fuzzing with a corpus that is kept: `testing/corpus/TARGET/` holds inputs that reach far, and every input that ever
//! failed.
//!
//! Each day, an ordinary test runs the corpus and a few thousand mutants of it. `./build.sh fuzz TARGET` goes on for an
//! hour. Mutants are blind, since instruments for coverage need a nightly compiler: so the corpus has to know the way.
//! An input that fails is written to `target/fuzz/TARGET/`, to be fixed and moved into the corpus.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// How many mutants an ordinary run tries.
const EVERYDAY: u64 = 3_000;

/// The longest mutant.
const LONGEST: usize = 16 * 1024;

/// Bytes that mean something to one parser or another.
const TOKENS: &[&[u8]] = &[
    b"\0",
    b"\r\n",
    b"\n",
    b"\r",
    b"\"",
    b"'",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b";",
    b"=",
    b".",
    b"..",
    b"/",
    b"@",
    b"%00",
    b"%",
    b"-",
    b"+",
    b"0",
    b"-1",
    b"18446744073709551616",
    b"1e999",
    b" ",
    b"\t",
    b"\xef\xbb\xbf",
    b"\xff",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    "\u{202e}".as_bytes(),
    "\u{3f2}".as_bytes(),
    "\u{130}".as_bytes(),
    "\u{1f468}\u{200d}\u{1f469}".as_bytes(),
    b"$scrypt$",
    b"Bearer ",
    b"xn--",
    b"null",
    b"true",
    b"250-",
    b"::ffff:",
    b"[::1]",
];

/// Calls `check` with every input of the corpus, then with mutants of them. `check` panics where something is wrong.
pub fn fuzz(target: &str, check: impl Fn(&[u8])) {
    fuzz_from(target, Vec::new(), check);
}

/// The same, with `seeds` beside the corpus: what the program itself writes, in whatever format it writes now.
pub fn fuzz_from(target: &str, seeds: Vec<Vec<u8>>, check: impl Fn(&[u8])) {
    let mut corpus = read(&root().join("testing/corpus").join(target));
    corpus.extend(seeds);
    assert!(!corpus.is_empty(), "{target} has no corpus");
    for input in &corpus {
        run(target, input, &check);
    }
    let seed = number("PASSWORD_AUTH_SEED").unwrap_or_else(now);
    let seconds = number("PASSWORD_AUTH_FUZZ_SECONDS").map(Duration::from_secs);
    let mut dice = Dice(seed | 1);
    let began = Instant::now();
    let mut tried = 0;
    while seconds.map_or(tried < EVERYDAY, |seconds| began.elapsed() < seconds) {
        run(target, &mutant(&corpus, &mut dice), &check);
        tried += 1;
    }
    println!("{target}: {tried} mutants, PASSWORD_AUTH_SEED={seed}");
}

fn run(target: &str, input: &[u8], check: &impl Fn(&[u8])) {
    let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(input))) else {
        return;
    };
    let folder = root().join("target/fuzz").join(target);
    let file = folder.join(now().to_string());
    let kept = fs::create_dir_all(&folder).and_then(|()| fs::write(&file, input));
    eprintln!(
        "{target} failed on {} ({kept:?}): {}",
        file.display(),
        input.escape_ascii()
    );
    resume_unwind(panic);
}

fn mutant(corpus: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = corpus[dice.below(corpus.len())].clone();
    for _ in 0..=dice.below(6) {
        let at = dice.below(bytes.len() + 1);
        let end = at + dice.below((bytes.len() - at).min(32) + 1);
        match dice.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            1 if at < bytes.len() => bytes[at] = dice.next().to_le_bytes()[0],
            2 => drop(bytes.drain(at..end)),
            3 => {
                let again: Vec<u8> = bytes[at..end].repeat(1 + dice.below(40));
                bytes.splice(at..at, again);
            }
            4 => {
                let other = &corpus[dice.below(corpus.len())];
                let from = dice.below(other.len() + 1);
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
            _ => {
                let token = TOKENS[dice.below(TOKENS.len())];
                bytes.splice(at..end, token.iter().copied());
            }
        }
        bytes.truncate(LONGEST);
    }
    bytes
}

/// xorshift64: that it repeats is the point.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.next() % bound).unwrap_or_default()
    }
}

fn root() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    folder.parent().unwrap_or(folder).to_owned()
}

fn read(folder: &Path) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
        .iter()
        .filter_map(|path| fs::read(path).ok())
        .collect()
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(1, |since| u64::try_from(since.as_nanos()).unwrap_or(1))
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
