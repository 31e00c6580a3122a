//! A document's commands as one shell script, and what it printed held against what the document says.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use password_auth_testing::free_port;

use crate::document::{Document, How};

/// Where the documents say that the server is.
const ADDRESS: &str = "127.0.0.1:8000";

const EXPECTED: &str = "# → ";

/// Starts and stops the document's server. A server says in one line that it listens.
const PRELUDE: &str = r#"
set -euo pipefail
server=
start_server() {
    stop_server
    rm -f "$SCRATCH/out"
    mkfifo "$SCRATCH/out"
    bash -c "exec $1" >"$SCRATCH/out" 2>"$SCRATCH/server.log" </dev/null &
    server=$!
    exec {out}<"$SCRATCH/out"
    while IFS= read -r -u "$out" line; do
        case $line in *"listening on "*) cat <&"$out" >/dev/null & return 0 ;; esac
    done
    echo "the server did not start: $1" >&2
    cat "$SCRATCH/server.log" >&2
    exit 1
}
stop_server() {
    [ -n "$server" ] || return 0
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=
}
trap stop_server EXIT
"#;

/// What a command should have printed, and where the document says so.
struct Expectation {
    line: usize,
    text: String,
}

/// # Errors
/// What is wrong, for people.
pub(crate) fn run(document: &Document, root: &Path) -> Result<(), String> {
    let name = document.name();
    let checkout = tempfile::tempdir().expect("a folder");
    let scratch = tempfile::tempdir().expect("a folder");
    look_like_a_checkout(checkout.path(), root);
    let port = free_port();
    let (script, expected) = script(document, &format!("127.0.0.1:{port}"));
    let file = scratch.path().join("document.sh");
    fs::write(&file, script).expect("a script");

    let output = Command::new("bash")
        .arg(&file)
        .current_dir(checkout.path())
        .env("SCRATCH", scratch.path())
        .env("PORT", port.to_string())
        .env("LOG_FORMAT", "text")
        .stdin(Stdio::null())
        .output()
        .expect("bash");
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    if !output.status.success() {
        return Err(format!(
            "{name}: the commands ended with {}.\nThe last lines were:\n{}\n{}",
            output.status,
            last_lines(&out),
            last_lines(&err)
        ));
    }
    let printed: Vec<&str> = out.split(MARK).collect();
    let wrong: Vec<String> = expected
        .iter()
        .enumerate()
        .filter_map(|(number, expectation)| {
            // Behind a mark stands what the commands up to the next one printed.
            let printed = printed.get(number).copied().unwrap_or_default().trim();
            (!ends_as(&expectation.text, printed)).then(|| {
                format!(
                    "{name}:{}: printed\n    {printed}\nand not\n    {}",
                    expectation.line, expectation.text
                )
            })
        })
        .collect();
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("\n"))
    }
}

/// Ends what one command printed.
const MARK: &str = "\u{1}\n";

fn script(document: &Document, address: &str) -> (String, Vec<Expectation>) {
    let long = std::env::var_os("PASSWORD_AUTH_LONG").is_some();
    let mut script = PRELUDE.to_owned();
    let mut expected = Vec::new();
    for block in document.blocks() {
        let text = block.text.replace(ADDRESS, address);
        match block.how() {
            None | Some(Err(_) | Ok(How::Elsewhere)) => continue,
            Some(Ok(How::Long)) if !long => continue,
            Some(Ok(How::Server)) => {
                let command = text.trim().replace('\'', r"'\''");
                writeln!(script, "start_server '{command}'").expect("a text");
                continue;
            }
            Some(Ok(How::Stopped)) => script.push_str("stop_server\n"),
            Some(Ok(How::Run | How::Long)) => {}
        }
        for (number, line) in text.lines().enumerate() {
            if let Some(text) = line.strip_prefix(EXPECTED) {
                expected.push(Expectation {
                    line: block.line + number,
                    text: text.to_owned(),
                });
                script.push_str("printf '\\001\\n'\n");
            } else {
                script.push_str(line);
                script.push('\n');
            }
        }
    }
    (script, expected)
}

/// Whether the last lines of `printed` are `pattern`.
fn ends_as(pattern: &str, printed: &str) -> bool {
    let starts = printed.match_indices('\n').map(|(at, _)| at + 1);
    std::iter::once(0)
        .chain(starts)
        .any(|start| matches(pattern, &printed[start..]))
}

/// Whether `text` is `pattern`, in which `…` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('…');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, between)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in between {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// Everything of the checkout but its data and its settings. `build.sh` works in its own folder, so one stands here
/// that tells it to keep the data in this one.
fn look_like_a_checkout(folder: &Path, root: &Path) {
    for entry in fs::read_dir(root).expect("the checkout") {
        let entry = entry.expect("an entry");
        let name = entry.file_name();
        if !["data", ".env", ".git", "build.sh"]
            .iter()
            .any(|own| name == *own)
        {
            symlink(entry.path(), folder.join(name)).expect("a link");
        }
    }
    let build = folder.join("build.sh");
    let script = format!(
        "#!/usr/bin/env bash\nexport DATA_DIR=\"${{DATA_DIR:-{}/data}}\"\nexec '{}' \"$@\"\n",
        folder.display(),
        root.join("build.sh").display()
    );
    fs::write(&build, script).expect("a script");
    fs::set_permissions(&build, fs::Permissions::from_mode(0o755)).expect("a script");
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

#[test]
fn an_expectation_stands_for_what_differs() {
    assert!(matches("a…c", "abc"));
    assert!(matches("{\"id\":\"…\",\"n\":1}", "{\"id\":\"77\",\"n\":1}"));
    assert!(!matches("a…c", "abd"));
    assert!(!matches("abc", "abcd"));
}
