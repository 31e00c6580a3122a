//! The systemd unit: its lines are run here as the service manager runs them, with the settings and the secret that
//! `docs/deploy.md` makes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use password_auth_e2e::{server_program, workspace};

use crate::server::Server;
use crate::{deploy, run};

const UNIT: &str = "systemd/password-auth.service";

/// The program and the folder, as the unit names them.
const PROGRAM: &str = "/usr/local/bin/password-auth";
const STATE: &str = "/var/lib/password-auth";

/// The unit, with the program and the folder of this test.
fn unit(state: &Path) -> String {
    let text = fs::read_to_string(deploy(UNIT)).expect("the unit");
    text.replace(PROGRAM, &server_program().display().to_string())
        .replace(STATE, &state.display().to_string())
}

/// The values of a key.
fn values<'a>(unit: &'a str, key: &'a str) -> impl Iterator<Item = &'a str> {
    let lines = unit.lines().filter_map(|line| line.split_once('='));
    lines
        .filter(move |(name, _)| *name == key)
        .map(|(_, value)| value)
}

/// The one command of a key, which names its program in full.
fn command(unit: &str, key: &str) -> Command {
    let line = values(unit, key).next().expect("the line");
    let mut words = line.split_whitespace();
    let mut command = Command::new(words.next().expect("a program"));
    command.args(words);
    command
}

/// What `docs/deploy.md` writes into `/etc/password-auth/settings`, but for ports.
fn settings() -> Vec<(String, String)> {
    let text = fs::read_to_string(workspace().join("docs/deploy.md")).expect("the text");
    let line = text
        .lines()
        .find(|line| line.ends_with(">/etc/password-auth/settings"))
        .expect("the line that writes the settings");
    let pairs = line.split(' ').filter_map(|word| word.split_once('='));
    let mut settings: Vec<_> = pairs
        .map(|(name, value)| (name.to_owned(), value.replace(":9100", ":0")))
        .collect();
    assert!(settings.len() > 2, "{settings:?}");
    settings.push(("PORT".to_owned(), "0".to_owned()));
    settings
}

#[test]
fn the_units_lines_serve_with_its_settings_and_its_credential() {
    let folder = tempfile::tempdir().expect("a folder");
    let (state, credentials) = (
        folder.path().join("state"),
        folder.path().join("credentials"),
    );
    for folder in [&state, &credentials] {
        fs::create_dir(folder).expect("a folder");
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).expect("closed");
    }
    let unit = unit(&state);
    for credential in values(&unit, "LoadCredential") {
        let (name, _) = credential.split_once(':').expect("a name and a file");
        let drawn = run("openssl", &["rand", "-base64", "48"]).expect("openssl");
        let file = credentials.join(name);
        fs::write(&file, drawn.stdout).expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o400)).expect("closed");
    }
    let with_environment = |mut command: Command| {
        let own = values(&unit, "Environment").flat_map(str::split_whitespace);
        let own = own.filter_map(|pair| pair.split_once('='));
        command
            .env_clear()
            .envs(own)
            .envs(settings())
            .env("CREDENTIALS_DIRECTORY", &credentials)
            .current_dir(values(&unit, "WorkingDirectory").next().expect("a folder"));
        command
    };

    let checked = with_environment(command(&unit, "ExecStartPre")).output();
    let checked = checked.expect("it runs");
    let said = String::from_utf8_lossy(&checked.stdout);
    let complaint = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{said}{complaint}");
    let secret = said.lines().find(|line| line.contains("JWT_SECRET"));
    assert!(
        secret.is_some_and(|line| line.contains("credential")),
        "{said}"
    );

    let mut server = Server::spawn(&mut with_environment(command(&unit, "ExecStart")));
    assert!(server.answers(), "it serves");
    let made: Vec<_> = fs::read_dir(&state)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert!(!made.is_empty(), "its data is in its folder");
    assert!(
        !made.iter().any(|name| name == "keys.json"),
        "the secret is the credential, not one of its own: {made:?}"
    );

    let reload = values(&unit, "ExecReload").next().expect("a reload");
    let reload = reload.replace("$MAINPID", &server.id().to_string());
    let told = Command::new("sh").args(["-c", &reload]).status();
    assert!(told.expect("sh").success(), "{reload}");
    assert!(server.answers(), "a reload does not end it");
    assert!(server.stop("TERM"), "it ends in order");
}

#[test]
fn systemd_understands_each_line_of_the_unit() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("password-auth.service");
    fs::write(&file, unit(Path::new(STATE))).expect("written");
    let arguments = ["verify", "--man=no", file.to_str().expect("a text")];
    if let Some(output) = run("systemd-analyze", &arguments) {
        let said = String::from_utf8_lossy(&output.stderr);
        // It warns of a line that it ignores, and ends with success.
        let ours: Vec<_> = said
            .lines()
            .filter(|line| line.contains("password-auth.service"))
            .collect();
        assert!(output.status.success() && ours.is_empty(), "{said}");
    }
}

#[test]
fn the_unit_leaves_the_service_next_to_nothing() {
    let unit = deploy(UNIT);
    let unit = unit.to_str().expect("a text");
    let arguments = [
        "security",
        "--offline=yes",
        "--no-pager",
        "--threshold=15",
        unit,
    ];
    if let Some(output) = run("systemd-analyze", &arguments) {
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}");
    }
}
