//! A headless Chromium with the extension, driven by chromedriver.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tempfile::TempDir;
use thirtyfour::{ChromiumLikeCapabilities, DesiredCapabilities, WebDriver};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::devtools::DevTools;
use super::{Page, Popup, setting, workspace};

/// Browsers at once: each wants a core.
const AT_ONCE: usize = 2;

/// How long a page may take to come to what a test waits for, on a slow and busy machine.
pub const TIMEOUT: Duration = Duration::from_secs(60);

pub struct Browser {
    pub driver: WebDriver,
    chromedriver: Child,
    profile: Arc<TempDir>,
    slot: OwnedSemaphorePermit,
    extensions: Vec<PathBuf>,
}

impl Browser {
    pub async fn start() -> Self {
        Self::start_with_extensions(vec![extension_dir()]).await
    }

    /// With other unpacked extensions than ours.
    pub async fn start_with_extensions(extensions: Vec<PathBuf>) -> Self {
        static SLOTS: std::sync::LazyLock<Arc<Semaphore>> =
            std::sync::LazyLock::new(|| Arc::new(Semaphore::new(AT_ONCE)));
        let slot = Arc::clone(&SLOTS)
            .acquire_owned()
            .await
            .expect("never closed");
        let profile = Arc::new(tempfile::tempdir().expect("a folder"));
        Self::start_with(profile, slot, extensions).await
    }

    async fn start_with(
        profile: Arc<TempDir>,
        slot: OwnedSemaphorePermit,
        extensions: Vec<PathBuf>,
    ) -> Self {
        let (chromedriver, url) = start_chromedriver().await;
        let mut capabilities = DesiredCapabilities::chrome();
        capabilities
            .set_binary(&setting("CHROMIUM", "/usr/bin/chromium"))
            .expect("a path");
        let profile_argument = format!("--user-data-dir={}", profile.path().display());
        let folders: Vec<_> = extensions
            .iter()
            .map(|folder| folder.display().to_string())
            .collect();
        let extension_argument = match folders.is_empty() {
            true => "--disable-extensions".to_owned(),
            false => format!("--load-extension={}", folders.join(",")),
        };
        for argument in [
            "--headless=new",
            &profile_argument,
            &extension_argument,
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--window-size=800,700",
        ] {
            capabilities.add_arg(argument).expect("an argument");
        }
        let driver = WebDriver::new(&url, capabilities).await.expect("a session");
        driver.set_script_timeout(TIMEOUT).await.expect("set");
        Self {
            driver,
            chromedriver,
            profile,
            slot,
            extensions,
        }
    }

    /// The page `name` of the extension that was loaded as number `index`, in a tab of its own.
    pub async fn extension_page(&self, index: usize, name: &str) -> Page {
        let page = self.new_page().await;
        let id = extension_id(&self.extensions[index]);
        page.go(&format!("chrome-extension://{id}/{name}")).await;
        page
    }

    /// Stops the background workers of all extensions, as the browser does when they are idle.
    pub async fn kill_workers(&self) {
        let mut devtools = DevTools::connect(self).await;
        for target in devtools.targets().await {
            let url = target["url"].as_str().unwrap_or_default();
            if target["type"] == "service_worker" && url.starts_with("chrome-extension://") {
                devtools.close_target(&target["targetId"]).await;
            }
        }
    }

    /// The popup's page in a tab of its own, talking to the server at `server_url`.
    pub async fn popup(&self, server_url: &str) -> Popup {
        let popup = self.popup_as_it_is().await;
        popup.set_server(server_url).await;
        popup.reload().await;
        popup
    }

    /// The popup's page in a tab of its own.
    pub async fn popup_as_it_is(&self) -> Popup {
        let page = self.new_page().await;
        page.go(&popup_url()).await;
        let popup = Popup::new(page);
        popup.until_revealed().await;
        popup
    }

    /// An empty tab.
    pub async fn new_page(&self) -> Page {
        // A new tab is asked for from one that is open, which the last one used may not be.
        let open = self.driver.windows().await.expect("the tabs").remove(0);
        self.driver.switch_to_window(open).await.expect("switched");
        let tab = self.driver.new_tab().await.expect("a tab");
        Page::new(self.driver.clone(), tab)
    }

    /// Ends the browser as a user does, and starts it again with the same profile.
    pub async fn restart(self) -> Self {
        let Self {
            driver,
            mut chromedriver,
            profile,
            slot,
            extensions,
        } = self;
        driver.quit().await.expect("quit");
        chromedriver.kill().await.expect("killed");
        Self::start_with(profile, slot, extensions).await
    }

    /// Ends the browser.
    pub async fn quit(self) {
        self.driver.quit().await.expect("quit");
        let mut chromedriver = self.chromedriver;
        chromedriver.kill().await.expect("killed");
    }

    /// Where the browser's own DevTools listen.
    pub fn devtools_url(&self) -> String {
        let file = self.profile.path().join("DevToolsActivePort");
        let content = std::fs::read_to_string(file).expect("the browser listens");
        let mut lines = content.lines();
        let (port, path) = (lines.next().expect("a port"), lines.next().expect("a path"));
        format!("ws://127.0.0.1:{port}{path}")
    }
}

/// chromedriver on a free port, and where it listens.
///
/// It takes a port that is free for IPv6, and ends when somebody else has the same one for IPv4.
async fn start_chromedriver() -> (Child, String) {
    const TRIES: usize = 10;
    for _ in 0..TRIES {
        match try_chromedriver().await {
            Ok(started) => return started,
            Err(said) => assert!(
                said.contains("port not available"),
                "chromedriver ended before it listened: {said}"
            ),
        }
    }
    panic!("chromedriver found its port taken {TRIES} times");
}

/// `Err` with what it said if it ends before it listens.
async fn try_chromedriver() -> Result<(Child, String), String> {
    let binary = setting("CHROMEDRIVER", "/usr/bin/chromedriver");
    let mut child = Command::new(&binary)
        .arg("--port=0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|error| panic!("{binary}: {error}; ./build.sh test installs it"));
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut said = String::new();
    while let Some(line) = lines.next_line().await.expect("read") {
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            let port = port.trim_end_matches('.').to_owned();
            // It keeps writing, and blocks if nobody reads.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Ok((child, format!("http://127.0.0.1:{port}")));
        }
        said.push_str(&line);
        said.push('\n');
    }
    Err(said)
}

/// The folder to load unpacked.
pub fn extension_dir() -> PathBuf {
    let dist = workspace().join("dist");
    let folder = PathBuf::from(setting("EXTENSION_DIR", &dist.to_string_lossy()));
    assert!(
        folder.join("manifest.json").exists(),
        "no extension in {}: ./build.sh test builds it",
        folder.display()
    );
    folder.canonicalize().expect("a folder")
}

/// The origin of the extension's pages.
pub fn extension_origin() -> String {
    format!("chrome-extension://{}", extension_id(&extension_dir()))
}

/// The popup's page. An unpacked extension's id is made of its folder's path.
pub fn popup_url() -> String {
    format!("{}/popup.html", extension_origin())
}

/// The first 32 hexadecimal digits of the path's SHA-256, with 0 to f written as a to p.
pub fn extension_id(folder: &Path) -> String {
    let digest = Sha256::digest(folder.to_str().expect("a text").as_bytes());
    digest[..16]
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(b'a' + digit))
        .collect()
}
