//! The brand of docs/make-it-yours.md, on the extension as it was built.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use password_auth_e2e::workspace;

/// The file that the document writes.
fn documented() -> String {
    let document =
        fs::read_to_string(workspace().join("docs/make-it-yours.md")).expect("the document");
    let (_, rest) = document.split_once("<<'END'\n").expect("the file begins");
    rest.split_once("\nEND\n")
        .expect("the file ends")
        .0
        .to_owned()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a file");
        }
    }
}

#[test]
fn the_documented_brand_reaches_every_file_of_the_built_extension() {
    let built =
        std::env::var_os("EXTENSION_DIR").map_or_else(|| workspace().join("dist"), PathBuf::from);
    let scratch = tempfile::tempdir().expect("a folder");
    let own = scratch.path().join("dist");
    copy(&built, &own);
    let brand = scratch.path().join("brand.toml");
    fs::write(&brand, documented()).expect("a file");
    let output = Command::new(workspace().join("target/debug/password-auth-brand"))
        .arg(&brand)
        .args(["apply".as_ref(), own.as_os_str()])
        .output()
        .expect("build.sh has built it");
    assert!(output.status.success(), "{output:?}");

    let read = |name: &str| fs::read_to_string(own.join(name)).expect("a file");
    for name in ["manifest.json", "popup.html", "options.html"] {
        let text = read(name);
        assert!(text.contains("Example Notes"), "{name}: {text}");
        assert!(!text.contains("Password Auth Demo"), "{name}: {text}");
    }
    assert!(read("manifest.json").contains("\"https://auth.example.org/*\""));
    assert!(read("options.js").contains("\"https://auth.example.org\""));
    assert!(read("popup.css").contains("--accent: light-dark(#0f6b3d, #7fdcaa);"));
}
