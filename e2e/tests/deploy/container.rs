//! The image: its steps are taken here by hand, in folders. No registry is asked, so the ground of the image is what
//! the program needs of this machine, and nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;
use std::process::Command;

use password_auth_e2e::{server_program, workspace};
use password_auth_testing::free_port;

use crate::server::Server;
use crate::{deploy, run};

/// The user without rights of the image.
const USER: u32 = 65_532;

/// What stands at the top and is not for the build: documents, and what runs elsewhere.
const NOT_BUILT: [&str; 10] = [
    ".ci",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "clippy.toml",
    "deny.toml",
];

/// The instructions of the Containerfile, each in one line.
fn instructions() -> Vec<(String, String)> {
    let text = fs::read_to_string(deploy("container/Containerfile")).expect("the file");
    let text = text.replace("\\\n", "");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once(' '));
    pairs
        .map(|(word, rest)| (word.to_owned(), rest.trim().to_owned()))
        .collect()
}

/// What stands behind an instruction.
fn instruction(name: &str) -> String {
    let mut all = instructions().into_iter();
    let found = all.find(|(word, _)| word == name);
    found.unwrap_or_else(|| panic!("no {name}")).1
}

/// The words of an instruction in the form of a list.
fn words(list: &str) -> Vec<String> {
    serde_json::from_str(list).expect("a list of texts")
}

/// What is tracked at the top of the repository.
fn top() -> BTreeSet<String> {
    let output = Command::new("git")
        .args(["ls-files"])
        .current_dir(workspace())
        .output()
        .expect("git");
    let text = String::from_utf8(output.stdout).expect("names");
    text.lines()
        .map(|path| path.split('/').next().unwrap_or(path).to_owned())
        .collect()
}

/// What `.dockerignore` lets through, at the top.
fn let_through() -> BTreeSet<String> {
    let text = fs::read_to_string(deploy("container/Containerfile.dockerignore"));
    let text = text.expect("the file");
    let lines = text.lines().filter_map(|line| line.strip_prefix('!'));
    lines
        .filter(|path| !path.contains('/'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_build_gets_all_of_the_repository_but_documents() {
    let top = top();
    if top.is_empty() {
        eprintln!("skipped: this is no git checkout");
        return;
    }
    let mut expected = top;
    for name in NOT_BUILT.into_iter().chain(["deploy", "docs"]) {
        expected.remove(name);
    }
    assert_eq!(let_through(), expected);
}

/// A folder as the image is: the program, its libraries, its data, and no shell.
fn image(program: &Path) -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a folder");
    let put = |from: &Path, to: &str| {
        let to = root.path().join(to.trim_start_matches('/'));
        fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
        fs::copy(from, to).expect("copied");
    };
    let (_, copied) = instructions()
        .into_iter()
        .find(|(word, rest)| word == "COPY" && rest.ends_with("/password-auth"))
        .expect("the program is copied");
    put(program, copied.rsplit(' ').next().expect("a place"));
    let needed = run("ldd", &[program.to_str().expect("a text")]).expect("ldd");
    for line in String::from_utf8_lossy(&needed.stdout).lines() {
        let path = line.split_whitespace().find(|word| word.starts_with('/'));
        if let Some(path) = path {
            let name = path.rsplit('/').next().unwrap_or(path);
            // Those of gcr.io/distroless/cc.
            let known = [
                "libc.",
                "libm.",
                "libgcc_s.",
                "libdl.",
                "libpthread.",
                "ld-linux",
            ];
            assert!(known.iter().any(|known| name.starts_with(known)), "{name}");
            put(Path::new(path), path);
        }
    }
    let data = root.path().join("data");
    fs::create_dir(&data).expect("a folder");
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).expect("closed");
    chown(&data, Some(USER), Some(USER)).expect("given away");
    root
}

/// What the composition sets for the server, but for its ports.
fn composed() -> Vec<(String, String)> {
    let text = fs::read_to_string(deploy("container/compose.yaml")).expect("the file");
    let lines = text
        .lines()
        .skip_while(|line| *line != "    environment:")
        .skip(1)
        .take_while(|line| line.starts_with("      "));
    let pairs = lines.filter_map(|line| line.trim().split_once(": "));
    let settings: Vec<_> = pairs
        .filter(|(name, _)| !name.starts_with('#'))
        .map(|(name, value)| {
            let value = match value.split_once("${DOMAIN") {
                Some((before, _)) => format!("{before}auth.example.org"),
                None => value.replace(":9100", ":0"),
            };
            (name.to_owned(), value)
        })
        .collect();
    assert!(settings.len() > 3, "{settings:?}");
    settings
}

/// Runs a command of the image in `root`, as its user.
fn in_image(root: &Path, words: &[String], port: u16) -> Command {
    let mut command = Command::new("chroot");
    command
        .arg(format!("--userspec={USER}:{USER}"))
        .arg(root)
        .args(words)
        .env_clear()
        // For chroot itself.
        .env("PATH", "/usr/sbin:/usr/bin:/bin");
    for pair in instruction("ENV").split_whitespace() {
        let (name, value) = pair.split_once('=').expect("a setting");
        command.env(name, value);
    }
    command.envs(composed()).env("PORT", port.to_string());
    command
}

#[test]
fn the_image_serves_as_a_user_without_rights_and_its_check_finds_it_healthy() {
    let id = run("id", &["-u"]).expect("id");
    if id.stdout.trim_ascii() != b"0" {
        eprintln!("skipped: only root can enter a folder as if it were the machine");
        return;
    }
    let root = image(&server_program());
    let secrets = root.path().join("run/secrets");
    fs::create_dir_all(&secrets).expect("a folder");
    let drawn = run("openssl", &["rand", "-base64", "48"]).expect("openssl");
    let secret = secrets.join("JWT_SECRET");
    fs::write(&secret, drawn.stdout).expect("written");
    // As the first lines of compose.yaml say.
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).expect("readable");

    let port = free_port();
    let command = [
        words(&instruction("ENTRYPOINT")),
        words(&instruction("CMD")),
    ]
    .concat();
    let mut server = Server::spawn(&mut in_image(root.path(), &command, port));
    assert!(server.answers(), "it serves");
    let (_, check) = instruction("HEALTHCHECK")
        .split_once("CMD ")
        .map(|(how, check)| (how.to_owned(), check.to_owned()))
        .expect("a command");
    let health = || {
        in_image(root.path(), &words(&check), port)
            .output()
            .expect("it runs")
    };
    let healthy = health();
    let said = String::from_utf8_lossy(&healthy.stderr);
    assert!(healthy.status.success(), "{said}");
    assert!(server.stop(&instruction("STOPSIGNAL")), "it ends in order");
    assert!(!health().status.success(), "and is not healthy then");
}

/// The folder in which the image is built.
fn context() -> tempfile::TempDir {
    let context = tempfile::tempdir_in(workspace().join("target")).expect("a folder");
    let script = r#"tar -c --exclude=target --exclude=node_modules --exclude='api/http/page/*' "$@" | tar -x -C "$TO""#;
    let copied = Command::new("sh")
        .args(["-euc", script, "sh"])
        .args(let_through())
        .arg("api/http/page/.gitignore")
        .env("TO", context.path())
        .current_dir(workspace())
        .status();
    assert!(copied.expect("sh").success());
    context
}

/// Minutes: a release build from nothing.
#[test]
fn the_image_is_built_with_the_page_in_it() {
    if std::env::var_os("PASSWORD_AUTH_LONG").is_none() {
        return;
    }
    let context = context();
    let data = context.path().join("data-of-the-image");
    let step = instruction("RUN").replace(" /data", &format!(" {}", data.display()));
    let built = Command::new("sh")
        .args(["-euc", &step])
        .current_dir(context.path())
        .status();
    assert!(built.expect("sh").success(), "{step}");
    let program = context.path().join("target/release/password-auth");
    assert!(data.is_dir() && program.is_file());
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(program);
    command
        .args(["serve", "--port", "0", "--metrics-addr", "127.0.0.1:0"])
        .current_dir(folder.path())
        .env_clear();
    let page = Server::spawn(&mut command).get("/");
    assert!(
        page.contains("HTTP/1.1 200") && page.contains("page_wasm"),
        "{page}"
    );
}
