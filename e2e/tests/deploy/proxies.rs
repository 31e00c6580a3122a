//! nginx and Caddy with TLS, before the real server, with the configurations of `deploy/` as they are but for ports and paths.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use password_auth_testing::free_port;
use serde_json::Value;

use crate::server::Server;
use crate::{deploy, run};

const PATIENCE: Duration = Duration::from_secs(30);

/// A server as the documents say for a proxy on this machine.
fn behind_a_proxy() -> Server {
    Server::start(&[
        "--public-url",
        "https://auth.example.org",
        "--trusted-proxies",
        "127.0.0.1",
        "--register-rate",
        "2/hour",
    ])
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // By name, the programs' children would stay.
        let id = self.0.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status().ok();
        self.0.wait().ok();
    }
}

/// Starts the proxy, and waits until it answers: Caddy listens before it has its certificates. There is no event for it, and
/// what is asked is so wrong that no proxy asks the server.
fn start(command: &mut Command, port: u16) -> Running {
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let running = Running(child.expect("it is installed"));
    let began = Instant::now();
    let wrong = ["--http1.1", "--request-target", "no target"];
    while !ask(port, &wrong, "/").status.success() {
        assert!(began.elapsed() < PATIENCE, "the proxy does not answer");
        std::thread::sleep(Duration::from_millis(20));
    }
    running
}

/// What curl got.
fn curl(port: u16, arguments: &[&str], path: &str) -> String {
    let output = ask(port, arguments, path);
    String::from_utf8(output.stdout).expect("a text")
}

/// Runs curl, for whom that name is this machine.
fn ask(port: u16, arguments: &[&str], path: &str) -> Output {
    let resolve = format!("auth.example.org:{port}:127.0.0.1");
    let url = format!("https://auth.example.org:{port}{path}");
    let mut all = vec![
        "--silent",
        "--insecure",
        "--max-time",
        "30",
        "--resolve",
        &resolve,
    ];
    all.extend(arguments);
    all.push(&url);
    run("curl", &all).expect("curl")
}

/// What has to be true behind every proxy.
fn check(port: u16) {
    let pong: Value = serde_json::from_str(&curl(port, &[], "/ping")).expect("JSON");
    assert_eq!(pong["message"], "pong");
    let head = curl(port, &["--head"], "/ping").to_lowercase();
    assert!(head.contains("strict-transport-security"), "{head}");
    // Clients are counted by their own addresses, whatever they claim: the limit is two.
    let register = |source: &str, name: &str, claimed: &str| {
        let body = format!(r#"{{"username":"{name}","password":"zebra lamp crane 77"}}"#);
        let claimed = format!("x-forwarded-for: {claimed}");
        let status = [
            "--interface",
            source,
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
        ];
        let json = [
            "-H",
            "content-type: application/json",
            "-H",
            &claimed,
            "-d",
            &body,
        ];
        curl(port, &[&status[..], &json].concat(), "/register")
    };
    for (source, name, claimed, status) in [
        ("127.0.0.2", "ada", "192.0.2.1", "200"),
        ("127.0.0.2", "bob", "192.0.2.2", "200"),
        ("127.0.0.2", "cid", "192.0.2.3", "429"),
        ("127.0.0.3", "dan", "192.0.2.3", "200"),
    ] {
        assert_eq!(register(source, name, claimed), status, "{source} {name}");
    }
    // Nothing of the server's inside.
    let status = curl(port, &["-o", "/dev/null", "-w", "%{http_code}"], "/metrics");
    assert_eq!(status, "404");
    // More than the server takes.
    let large = "a".repeat(100_000);
    let arguments = [
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        "--data-binary",
        &large,
    ];
    assert_eq!(curl(port, &arguments, "/register"), "413");
}

fn make_certificate(folder: &Path) {
    let (certificate, key) = (folder.join("fullchain.pem"), folder.join("privkey.pem"));
    let arguments = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 \
        -subj /CN=auth.example.org -addext subjectAltName=DNS:auth.example.org";
    let status = Command::new("openssl")
        .args(arguments.split_whitespace())
        .arg("-keyout")
        .arg(key)
        .arg("-out")
        .arg(certificate)
        .stderr(Stdio::null())
        .status();
    assert!(status.expect("openssl").success());
}

/// nginx before the server at `upstream`, and its port. `None` if it is not installed.
fn nginx(folder: &Path, upstream: &str) -> Option<(Running, u16)> {
    run("nginx", &["-v"])?;
    make_certificate(folder);
    let (port, plain) = (free_port(), free_port());
    let here = folder.display().to_string();
    let given = fs::read_to_string(deploy("nginx/password-auth.conf")).expect("a configuration");
    let own = given
        .replace("127.0.0.1:8000", upstream)
        .replace("/etc/ssl/auth.example.org", &here)
        .replace("listen 443", &format!("listen 127.0.0.1:{port}"))
        .replace("listen 80", &format!("listen 127.0.0.1:{plain}"));
    let file = folder.join("nginx.conf");
    let main = format!(
        "daemon off;\nmaster_process off;\npid {here}/pid;\nerror_log {here}/error.log;\nevents {{}}\nhttp {{\n\
         access_log off;\nclient_body_temp_path {here}/body;\nproxy_temp_path {here}/proxy;\n\
         fastcgi_temp_path {here}/f;\nuwsgi_temp_path {here}/u;\nscgi_temp_path {here}/s;\n{own}\n}}\n"
    );
    fs::write(&file, main).expect("written");
    let mut command = Command::new("nginx");
    command.arg("-p").arg(folder).arg("-c").arg(&file);
    Some((start(&mut command, port), port))
}

/// The same with Caddy.
fn caddy(folder: &Path, upstream: &str) -> Option<(Running, u16)> {
    run("caddy", &["version"])?;
    let port = free_port();
    let given = fs::read_to_string(deploy("caddy/Caddyfile")).expect("a configuration");
    let options =
        "{\n\tadmin off\n\tskip_install_trust\n\tlocal_certs\n\tauto_https disable_redirects\n}\n";
    let file = folder.join("Caddyfile");
    fs::write(&file, format!("{options}{given}")).expect("written");
    let mut command = Command::new("caddy");
    command
        .args(["run", "--adapter", "caddyfile", "--config"])
        .arg(&file)
        .env("DOMAIN", format!("https://auth.example.org:{port}"))
        .env("UPSTREAM", upstream)
        .env("HOME", folder)
        .env("XDG_DATA_HOME", folder)
        .env("XDG_CONFIG_HOME", folder);
    Some((start(&mut command, port), port))
}

#[test]
fn nginx_with_tls_stands_before_the_server() {
    let server = behind_a_proxy();
    let folder = tempfile::tempdir().expect("a folder");
    let Some((_nginx, port)) = nginx(folder.path(), &server.address) else {
        return;
    };
    check(port);
    let other = format!("https://127.0.0.1:{port}/ping");
    let refused = run("curl", &["--silent", "--insecure", &other]).expect("curl");
    assert!(!refused.status.success(), "another name gets no answer");
}

#[test]
fn caddy_with_tls_stands_before_the_server() {
    let server = behind_a_proxy();
    let folder = tempfile::tempdir().expect("a folder");
    let Some((_caddy, port)) = caddy(folder.path(), &server.address) else {
        return;
    };
    check(port);
}

/// The server believes its proxies about traces.
#[test]
fn no_proxy_passes_on_to_which_trace_a_stranger_s_request_belongs() {
    type Proxy = fn(&Path, &str) -> Option<(Running, u16)>;
    for proxy in [nginx as Proxy, caddy] {
        let upstream = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = upstream.local_addr().expect("an address").to_string();
        let folder = tempfile::tempdir().expect("a folder");
        let Some((_proxy, port)) = proxy(folder.path(), &address) else {
            continue;
        };
        let asked = std::thread::spawn(move || {
            let (stream, _) = upstream.accept().expect("a request");
            let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
            let head: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
            let answer = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
            (&stream).write_all(answer).expect("answered");
            head.join("\n").to_lowercase()
        });
        let trace = [
            "-H",
            "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "-H",
            "tracestate: stranger=1",
        ];
        curl(port, &trace, "/ping");
        // If nothing was asked, nobody waits for it.
        TcpStream::connect(&address).ok();
        let head = asked.join().expect("a head");
        assert!(head.starts_with("get /ping "), "{head}");
        assert!(!head.contains("\ntrace"), "{head}");
    }
}
