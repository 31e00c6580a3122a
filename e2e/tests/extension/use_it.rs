//! `docs/use-it.md`, followed: its commands are run, its files are written, and what comes out is used in a browser.
//! `examples/` holds the same files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::support::{Browser, PASSWORD, Page, Server, npm_package, workspace};

/// A block of code of the text: its language, the file that it is, and its lines.
struct Block {
    language: String,
    file: String,
    code: String,
}

/// The blocks of the section `title`.
fn section(title: &str) -> Vec<Block> {
    let text = fs::read_to_string(workspace().join("docs/use-it.md")).expect("the text");
    let section = text
        .split("\n## ")
        .find(|section| section.starts_with(title));
    let section = section.unwrap_or_else(|| panic!("no section {title}"));
    let mut blocks = Vec::new();
    for part in section.split("```").skip(1).step_by(2) {
        let (head, code) = part.split_once('\n').expect("a block");
        let (language, file) = head.split_once(' ').unwrap_or((head, ""));
        blocks.push(Block {
            language: language.to_owned(),
            file: file.to_owned(),
            code: code.to_owned(),
        });
    }
    blocks
}

/// A shell that keeps its folder from one block of commands to the next.
struct Shell {
    /// The text has a clone that was built; here the package may lie elsewhere.
    clone: TempDir,
    folder: PathBuf,
}

impl Shell {
    fn in_folder(folder: &Path) -> Self {
        let clone = tempfile::tempdir().expect("a folder");
        let target = clone.path().join("target/npm");
        fs::create_dir_all(&target).expect("a folder");
        crate::support::copy(&npm_package(), &target.join("password-auth-extension"));
        Self {
            clone,
            folder: folder.to_owned(),
        }
    }

    /// Runs a block of commands; whether all of them succeed.
    async fn runs(&mut self, commands: &str) -> bool {
        let output = Command::new("sh")
            .args(["-euc", &format!("{{ {commands}\n}} >&2; pwd")])
            .current_dir(&self.folder)
            .env("PASSWORD_AUTH", self.clone.path())
            .stderr(Stdio::inherit())
            .output()
            .await
            .expect("sh");
        let folder = String::from_utf8(output.stdout).expect("a path");
        self.folder = PathBuf::from(folder.trim_end());
        output.status.success()
    }

    async fn run(&mut self, commands: &str) {
        assert!(self.runs(commands).await, "{commands}");
    }
}

/// Writes a file of the text into `folder`, for servers on other ports, and compares it with the example.
fn write(block: &Block, folder: &Path, example: &Path, server: &str, backend: &str) {
    let kept = fs::read_to_string(example);
    let kept = kept.unwrap_or_else(|error| panic!("{}: {error}", example.display()));
    assert_eq!(
        kept,
        block.code,
        "{} is not what the text says",
        example.display()
    );
    let code = block
        .code
        .replace("http://127.0.0.1:8000", server)
        .replace("http://127.0.0.1:3000", backend);
    let file = folder.join(&block.file);
    fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    fs::write(file, code).expect("written");
}

/// The backend of the text, on a free port.
async fn start_backend(folder: &Path, server: &str) -> (Child, String) {
    let blocks = section("Your own backend");
    let example = workspace().join("examples/backend-node/server.mjs");
    write(&blocks[0], folder, &example, server, "");
    let command = blocks[1].code.trim();
    let mut child = Command::new("sh")
        .args(["-c", &format!("exec {command}")])
        .current_dir(folder)
        .env("PORT", "0")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("node");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let line = lines.next_line().await.expect("read").expect("it starts");
    let port = line.strip_prefix("listening on ").expect("a port");
    (child, format!("http://127.0.0.1:{port}"))
}

fn has(program: &str) -> bool {
    let found = std::process::Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    found.is_ok_and(|status| status.success())
}

async fn until_text(page: &Page, id: &str, text: &str) {
    page.until(&format!(
        "document.getElementById({}).textContent === {}",
        json!(id),
        json!(text)
    ))
    .await;
}

#[tokio::test]
async fn the_extension_without_a_bundler_signs_in_everywhere_and_its_backend_knows_the_caller() {
    if !has("node") {
        println!("skipped: no node here");
        return;
    }
    let server = Server::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let (_backend, backend) = start_backend(folder.path(), &server.url).await;
    let mut shell = Shell::in_folder(folder.path());
    for block in section("Without a bundler") {
        if block.language == "sh" {
            shell.run(&block.code).await;
        } else {
            let name = block
                .file
                .strip_prefix("my-extension/")
                .expect("a file of it");
            let example = workspace().join("examples/plain").join(name);
            write(&block, folder.path(), &example, &server.url, &backend);
        }
    }
    let alice = json!({"username": "alice", "password": PASSWORD});
    assert_eq!(server.post("/register", alice).await, 200);

    let browser = Browser::start_with_extensions(vec![folder.path().join("my-extension")]).await;
    let site = browser.new_page().await;
    site.go(&server.url).await;
    // The side panel shows the popup's page too: two contexts in step.
    let panel = browser.extension_page(0, "popup.html").await;
    let popup = browser.extension_page(0, "popup.html").await;
    until_text(&popup, "who", "Signed out").await;
    for (field, text) in [("username", "alice"), ("password", "a wrong password")] {
        popup
            .find(&format!("#{field}"))
            .await
            .send_keys(text)
            .await
            .expect("typed");
    }
    popup.click_on("#form button").await;
    until_text(&popup, "who", "Invalid credentials.").await;
    popup
        .find("#password")
        .await
        .clear()
        .await
        .expect("cleared");
    popup
        .find("#password")
        .await
        .send_keys(PASSWORD)
        .await
        .expect("typed");
    popup.click_on("#form button").await;
    until_text(&popup, "who", "Signed in as alice").await;
    until_text(&panel, "who", "Signed in as alice").await;
    site.until("document.documentElement.dataset.notes === 'A note of alice'")
        .await;
    popup.click_on("#notes").await;
    until_text(&popup, "who", "A note of alice").await;
    panel.click_on("#out").await;
    until_text(&popup, "who", "Signed out").await;
    site.until("!('notes' in document.documentElement.dataset)")
        .await;
    popup.click_on("#notes").await;
    until_text(&popup, "who", "Nobody is signed in.").await;
    // The backend takes nobody's word.
    for authorization in ["", "Bearer forged"] {
        let asked = reqwest::Client::new()
            .get(format!("{backend}/notes"))
            .header("authorization", authorization)
            .send()
            .await;
        assert_eq!(asked.expect("an answer").status(), 401);
    }
    browser.quit().await;
}

#[tokio::test]
async fn the_extension_with_wxt_builds_and_signs_in() {
    if !has("npm") {
        println!("skipped: no npm here");
        return;
    }
    let package = fs::read_to_string(workspace().join("examples/wxt/package.json"));
    let package: Value = serde_json::from_str(&package.expect("the example")).expect("JSON");
    let wxt = package["devDependencies"]["wxt"].as_str().expect("pinned");
    let server = Server::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut shell = Shell::in_folder(folder.path());
    let blocks = section("With WXT");
    assert!(blocks[0].code.contains(&format!("wxt@{wxt}\n")));
    for block in blocks {
        if block.language != "sh" {
            let name = block.file.strip_prefix("my-wxt-extension/");
            let example = workspace()
                .join("examples/wxt")
                .join(name.expect("a file of it"));
            write(&block, folder.path(), &example, &server.url, "");
        } else if !shell.runs(&block.code).await {
            assert!(block.code.contains("npm install"), "{}", block.code);
            println!("skipped: npm cannot install WXT here");
            return;
        }
    }
    let built = folder.path().join("my-wxt-extension/.output/chrome-mv3");
    let browser = Browser::start_with_extensions(vec![built]).await;
    let popup = browser.extension_page(0, "popup.html").await;
    until_text(&popup, "who", "Signed out").await;
    let alice = json!({"username": "alice", "password": PASSWORD});
    assert_eq!(server.post("/register", alice).await, 200);
    for (field, text) in [("username", "alice"), ("password", PASSWORD)] {
        let field = popup.find(&format!("[name={field}]")).await;
        field.send_keys(text).await.expect("typed");
    }
    popup.click_on("form button").await;
    until_text(&popup, "who", "Signed in as alice").await;
    popup.click_on("#role").await;
    until_text(&popup, "who", "You are: user").await;
    popup.click_on("#out").await;
    until_text(&popup, "who", "Signed out").await;
    assert_eq!(popup.run("done(localStorage.length)", Value::Null).await, 0);
    browser.quit().await;
}
