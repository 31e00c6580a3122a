//! An extension of somebody who uses the package: a page with `auth`, and a content script that does whatever
//! the page around it asks for.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::browser::extension_id;
use super::{Browser, Page, setting, workspace};

/// The folders of the extension under test and of a stranger's. They go when this is dropped.
pub struct App {
    folder: TempDir,
}

impl App {
    /// With these options of `startBroker`.
    pub fn new(options: &Value) -> Self {
        Self::with_manifest(options, |_| {})
    }

    /// And with a manifest that is changed first.
    pub fn with_manifest(options: &Value, change: impl FnOnce(&mut Value)) -> Self {
        let app = Self {
            folder: tempfile::tempdir().expect("a folder"),
        };
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/extension/fixtures");
        copy(&fixtures.join("app"), &app.path());
        copy(&fixtures.join("stranger"), &app.stranger());
        copy(&npm_package(), &app.path().join("password-auth"));
        app.edit("background.js", |text| {
            text.replace("OPTIONS", &options.to_string())
        });
        app.edit("manifest.json", |text| {
            let mut manifest = serde_json::from_str(&text).expect("JSON");
            change(&mut manifest);
            manifest.to_string()
        });
        app
    }

    fn edit(&self, name: &str, change: impl FnOnce(String) -> String) {
        let file = self.path().join(name);
        let text = fs::read_to_string(&file).expect("a text");
        fs::write(&file, change(text)).expect("written");
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("app")
    }

    pub fn stranger(&self) -> PathBuf {
        self.folder.path().join("stranger")
    }

    pub fn id(&self) -> String {
        extension_id(&self.path())
    }

    /// A browser with both.
    pub async fn browser(&self) -> Browser {
        Browser::start_with_extensions(vec![self.path(), self.stranger()]).await
    }

    /// The page of the extension, ready to be asked.
    pub async fn page(&self, browser: &Browser) -> Page {
        let page = browser.extension_page(0, "page.html").await;
        page.until("'ready' in document.documentElement.dataset")
            .await;
        page
    }
}

/// The package as `build.sh` leaves it.
pub fn npm_package() -> PathBuf {
    let built = workspace().join("target/npm/password-auth-extension");
    let folder = PathBuf::from(setting("NPM_PACKAGE", &built.to_string_lossy()));
    assert!(
        folder.join("broker_bg.wasm").exists(),
        "no package in {}: ./build.sh test builds it",
        folder.display()
    );
    folder
}

/// Copies a folder with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy(&source, &target);
        } else {
            fs::copy(&source, &target).expect("copied");
        }
    }
}

impl Page {
    /// What `promise`, a JavaScript expression, comes to: `{value}`, or the fields of the error.
    pub async fn result(&self, promise: &str) -> Value {
        self.run(&format!("refusal({promise}).then(done)"), Value::Null)
            .await
    }

    /// What the hostile content script of this page gets: `{value}` or `{error}`.
    pub async fn hostile(&self, what: &str, given: Value) -> Value {
        let script = "
            const id = Math.random();
            document.addEventListener(`answer-${id}`, event => done(JSON.parse(event.detail)), {once: true});
            document.dispatchEvent(new CustomEvent('ask', {detail: JSON.stringify({...argument, id})}));";
        self.run(script, json!({"what": what, "given": given}))
            .await
    }
}
