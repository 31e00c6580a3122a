//! `examples/proxy/`: a backend behind a real nginx and a real Caddy.

use std::collections::BTreeMap;
use std::process::Stdio;

use password_auth_model::Role;
use password_auth_testing::free_port;
use reqwest::Method;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

use super::example;
use crate::support::person::V1;
use crate::support::{PASSWORD, Person, TestServer};

/// A backend that answers with the request that it got, as text.
async fn echo() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(repeat(stream));
        }
    });
    port
}

async fn repeat(stream: TcpStream) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let (mut head, mut line) = (String::new(), String::new());
    while stream.read_line(&mut line).await.ok()? > 2 {
        head.push_str(&std::mem::take(&mut line));
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.parse().expect("a number"))
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    let text = [head.as_bytes(), b"\r\n", &body].concat();
    let start = format!(
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        text.len()
    );
    let is_head = head.starts_with("HEAD ");
    let response = if is_head {
        start.into_bytes()
    } else {
        [start.as_bytes(), &text].concat()
    };
    stream.write_all(&response).await.ok()
}

struct Proxy {
    url: String,
    _child: Child,
    _folder: TempDir,
}

/// Starts `command`, and waits until it says on standard error that it serves.
async fn serving(mut command: Command, folder: TempDir, port: u16, says: &str) -> Proxy {
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let mut child = child.unwrap_or_else(|error| panic!("{error}; `./build.sh test` installs it"));
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    let mut said = String::new();
    loop {
        let line = lines.next_line().await.expect("output");
        let line = line.unwrap_or_else(|| panic!("it ended: {said}"));
        if line.contains(says) {
            break;
        }
        said += &line;
    }
    // It must be able to go on writing.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Proxy {
        url: format!("http://127.0.0.1:{port}"),
        _child: child,
        _folder: folder,
    }
}

/// The example's files in a folder, with the addresses of the test.
async fn files(names: &[&str], server: &TestServer) -> (TempDir, u16) {
    let (folder, port) = (tempfile::tempdir().expect("a folder"), free_port());
    let addresses = BTreeMap::from([
        ("127.0.0.1:8000", server.address.to_string()),
        ("127.0.0.1:3000", format!("127.0.0.1:{}", echo().await)),
        ("127.0.0.1:8080", format!("127.0.0.1:{port}")),
        (":8080", format!(":{port}")),
    ]);
    for name in names {
        let text = example(&format!("proxy/{name}"), &addresses);
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    (folder, port)
}

async fn nginx(server: &TestServer) -> Proxy {
    let names = ["nginx.conf", "identity.conf", "check.conf"];
    let (folder, port) = files(&names, server).await;
    // Everything that it writes goes to the folder.
    let path = folder.path().join("nginx.conf");
    let text = std::fs::read_to_string(&path).expect("written");
    let own = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|what| format!("{what}_temp_path {what}; "))
        .concat();
    let text = text.replacen("http {", &format!("http {{ access_log off; {own}"), 1);
    std::fs::write(&path, text).expect("written");
    // Debian keeps it out of the PATH of users.
    let debian = std::path::Path::new("/usr/sbin/nginx");
    let mut command = Command::new(if debian.exists() {
        "/usr/sbin/nginx"
    } else {
        "nginx"
    });
    command
        .arg("-p")
        .arg(folder.path())
        .args(["-c", "nginx.conf", "-e", "stderr"])
        .args([
            "-g",
            "daemon off; master_process off; pid nginx.pid; error_log stderr notice;",
        ]);
    serving(command, folder, port, "nginx/").await
}

async fn caddy(server: &TestServer) -> Proxy {
    let (folder, port) = files(&["Caddyfile"], server).await;
    let mut command = Command::new("caddy");
    command
        .args(["run", "--adapter", "caddyfile", "--config", "Caddyfile"])
        .current_dir(folder.path())
        .env("XDG_DATA_HOME", folder.path())
        .env("XDG_CONFIG_HOME", folder.path());
    serving(command, folder, port, "serving initial configuration").await
}

async fn ask(proxy: &Proxy, person: &Person, method: Method, path: &str) -> reqwest::Response {
    let request = reqwest::Client::new()
        .request(method, format!("{}{path}", proxy.url))
        .bearer_auth(&person.access);
    request.send().await.expect("an answer")
}

/// What the backend got of a header, in whatever spelling.
fn got(request: &str, name: &str) -> Vec<String> {
    let lines = request.lines().filter_map(|line| line.split_once(": "));
    let same = |found: &str| found.to_lowercase().replace('_', "-") == name;
    let values = lines.filter(|(found, _)| same(found));
    values.map(|(_, value)| value.to_owned()).collect()
}

async fn the_backend_gets_who_asks_and_nobody_else(server: &TestServer, proxy: &Proxy) {
    let client = server.client();
    let body = json!({"username": "Ünï", "password": PASSWORD});
    let reply = client.post(&format!("{V1}/auth/register"), &body).await;
    let id = reply.expect_status(201).json()["id"]
        .as_str()
        .map(str::to_owned);
    let person = Person::sign_in_as(&client, &id.expect("an id"), "Ünï").await;
    let admin = Person::admin(server, "admin").await;
    let guest = Person::of_role(server, "guest", Role::Guest).await;
    // A client that says who it is.
    for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE] {
        let request = reqwest::Client::new()
            .request(method.clone(), format!("{}/notes?x=1", proxy.url))
            .bearer_auth(&person.access)
            .header("X-Auth-User-Id", &admin.id)
            .header("X-Auth-Username", "admin")
            .header("x-auth-role", "admin")
            .header("X_Auth_Role", "admin")
            .header("X-Auth_User-Id", &admin.id)
            .body("a body");
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 200, "{method}");
        let request = response.text().await.expect("text");
        assert!(
            request.starts_with(&format!("{method} /notes?x=1 HTTP/")),
            "{request}"
        );
        assert!(request.ends_with("\r\na body"), "{request}");
        assert_eq!(got(&request, "x-auth-user-id"), [&*person.id], "{request}");
        assert_eq!(
            got(&request, "x-auth-username"),
            ["%C3%9Cn%C3%AF"],
            "{request}"
        );
        assert_eq!(got(&request, "x-auth-role"), ["user"], "{request}");
        assert_eq!(got(&request, "authorization"), [""; 0], "{request}");
    }
    let head = ask(proxy, &person, Method::HEAD, "/notes").await;
    assert_eq!(head.status(), 200);
    // For admins alone, in each spelling of the path.
    for path in [
        "/admin/users",
        "/admin",
        "/ADMIN/users",
        "/%61dmin/users",
        "/x/../admin/",
        "//admin/",
    ] {
        for (caller, status) in [(&person, 403), (&guest, 403), (&admin, 200)] {
            let response = raw(proxy, &caller.access, path).await;
            assert_eq!(response, status, "{path} for {}", caller.name);
        }
    }
    // Strangers are asked for a token, and whoever signed out is one.
    person.ask(Method::POST, "/auth/logout").await.expect_ok();
    for request in [
        reqwest::Client::new().get(format!("{}/notes", proxy.url)),
        reqwest::Client::new()
            .post(format!("{}/notes", proxy.url))
            .header("X-Auth-User-Id", &admin.id)
            .body("a body"),
        reqwest::Client::new()
            .get(format!("{}/notes", proxy.url))
            .bearer_auth(&person.access),
    ] {
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 401);
        let challenge = &response.headers()["www-authenticate"];
        assert!(challenge.to_str().expect("text").starts_with("Bearer "));
        let text = response.text().await.expect("text");
        assert!(!text.contains("/notes"), "the backend was asked: {text}");
    }
}

/// The status of a request for exactly this path, which clients would tidy up.
async fn raw(proxy: &Proxy, token: &str, path: &str) -> u16 {
    let address = proxy.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.expect("connected");
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    let status = answer.get(9..12).unwrap_or_else(|| panic!("{answer}"));
    status.parse().expect("a status")
}

#[tokio::test]
async fn behind_nginx_the_backend_gets_who_asks_and_nobody_else() {
    let server = TestServer::start().await;
    let proxy = nginx(&server).await;
    the_backend_gets_who_asks_and_nobody_else(&server, &proxy).await;
}

#[tokio::test]
async fn behind_caddy_the_backend_gets_who_asks_and_nobody_else() {
    let server = TestServer::start().await;
    let proxy = caddy(&server).await;
    the_backend_gets_who_asks_and_nobody_else(&server, &proxy).await;
}
