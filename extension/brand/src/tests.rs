use std::fs;
use std::path::Path;

use crate::{apply, brand::Brand};

fn parse(text: &str) -> anyhow::Result<Brand> {
    Brand::parse(text, Path::new("/nowhere"))
}

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn a_brand_reaches_manifest_pages_colours_texts_and_icons() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    fs::create_dir_all(path("_locales/de")).expect("a folder");
    fs::create_dir_all(path("icons")).expect("a folder");
    fs::copy(root().join("manifest.json"), path("manifest.json")).expect("a file");
    for (name, text) in [
        ("popup.html", "<title>Password Auth Demo</title>"),
        (
            "popup.css",
            ":root { --accent: #000000; --on-accent: #fff; } x { --accent: red; }",
        ),
        ("options.js", "const a = \"http://127.0.0.1:8000\";"),
        (
            "_locales/de/messages.json",
            "{ \"server\": { \"message\": \"Server $1\" } }",
        ),
        ("icons/icon.svg", "old"),
    ] {
        fs::write(path(name), text).expect("a file");
    }
    for name in crate::brand::ICONS {
        fs::write(own.path().join(name), "new").expect("a file");
    }
    let brand = format!(
        "name = \"Nötes & <co>\"\nserver = \"https://auth.example.org:8443/\"\nicons = \"{}\"\n\
         [colors]\naccent = [\"#0f6b3d\", \"#7fdcaa\"]\non-accent = [\"#ffffff\", \"#000000\"]\n\
         [texts.de]\nserver = \"Dienst $1\"\n",
        own.path().display()
    );
    apply(&parse(&brand).expect("a brand"), folder.path()).expect("applied");

    let read = |name: &str| fs::read_to_string(path(name)).expect("a file");
    let manifest: serde_json::Value = serde_json::from_str(&read("manifest.json")).expect("JSON");
    assert_eq!(manifest["name"], "Nötes & <co>");
    assert_eq!(manifest["action"]["default_title"], "Nötes & <co>");
    let hosts = manifest["host_permissions"].as_array().expect("a list");
    assert!(
        hosts.contains(&"https://auth.example.org/*".into()),
        "{hosts:?}"
    );
    assert_eq!(read("popup.html"), "<title>Nötes &amp; &lt;co></title>");
    assert!(
        read("popup.css")
            .starts_with(":root { --accent: light-dark(#0f6b3d, #7fdcaa); --on-accent: light")
    );
    assert!(read("popup.css").ends_with("x { --accent: red; }"));
    assert_eq!(
        read("options.js"),
        "const a = \"https://auth.example.org:8443\";"
    );
    assert!(read("_locales/de/messages.json").contains("Dienst $1"));
    assert_eq!(read("icons/icon.svg"), "new");
}

#[test]
fn without_a_brand_nothing_changes() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("manifest.json");
    fs::copy(root().join("manifest.json"), &file).expect("a file");
    apply(&parse("# nothing").expect("a brand"), folder.path()).expect("applied");
    let before = fs::read(root().join("manifest.json")).expect("a file");
    assert_eq!(fs::read(file).expect("a file"), before);
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_reason() {
    for (text, reason) in [
        ("naem = \"x\"", "no setting \"naem\""),
        ("name = 5", "must be a text"),
        ("name = \" \"", "one line of 1 to 45"),
        ("server = \"http://example.org\"", "must start with https"),
        (
            "server = \"http://localhost.example.org\"",
            "must start with https",
        ),
        ("server = \"https://\"", "must start with https"),
        (
            "server = \"https://a\\\";alert(1)\"",
            "must start with https",
        ),
        ("icons = \"none\"", "has no icon.svg"),
        ("[colors]\naccent = \"red\"", "#rrggbb"),
        ("[colors]\naccent = \"#123456\"", "needs \"on-accent\""),
        (
            "[colors]\naccent = \"#777777\"\non-accent = \"#888888\"",
            "contrast",
        ),
    ] {
        let error = parse(text).expect_err(text);
        assert!(format!("{error:#}").contains(reason), "{text}: {error:#}");
    }
}

#[test]
fn a_text_keeps_its_places() {
    let texts = [("server".to_owned(), "Dienst".to_owned())];
    let all = "{ \"server\": { \"message\": \"Server $1\" } }";
    let error = crate::messages(&texts, all).expect_err("no place");
    assert!(error.to_string().contains("must hold $1"), "{error}");
}

#[test]
fn the_shipped_file_is_a_brand() {
    let brand = Brand::read(&root().join("brand.toml")).expect("a brand");
    assert_eq!(brand.name, None, "the shipped brand changes nothing");
}
