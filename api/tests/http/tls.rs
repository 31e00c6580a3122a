//! TLS by the server itself.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use password_auth_http::server::Limits;
use password_auth_testing::{Certificates, make_certificates};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::{ServerProcess, TestServer};

const PATIENCE: Duration = Duration::from_secs(60);

const PING: &str = "GET /ping HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

fn client(authority: &Path, versions: &[&'static SupportedProtocolVersion]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_file(authority).expect("a certificate");
    roots.add(authority).expect("trusted");
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let config = ClientConfig::builder_with_provider(provider.into())
        .with_protocol_versions(versions)
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

async fn connect(address: SocketAddr, authority: &Path) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").expect("a name");
    client(authority, &[&TLS12, &TLS13])
        .connect(name, stream)
        .await
}

async fn ask(stream: &mut TlsStream<TcpStream>, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_string(&mut answer)).await;
    read.expect("it ends").expect("with a word of farewell");
    answer
}

/// A server process with this certificate.
async fn serving(folder: &Path, files: &Certificates) -> (ServerProcess, SocketAddr) {
    let mut command = ServerProcess::command(folder);
    command
        .arg("--tls-cert")
        .arg(&files.certificate)
        .arg("--tls-key")
        .arg(&files.key)
        .env("RUST_LOG", "info");
    let server = ServerProcess::start(command).await;
    let address = server.url.strip_prefix("https://").expect("TLS");
    let address = address.parse().expect("an address");
    (server, address)
}

fn folders() -> (tempfile::TempDir, Certificates, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let files = make_certificates(folder.path(), "localhost");
    let data = folder.path().join("data");
    std::fs::create_dir(&data).expect("made");
    (folder, files, data)
}

#[tokio::test]
async fn the_server_speaks_tls_by_itself_and_nothing_older_or_else() {
    let (_folder, files, data) = folders();
    let (server, address) = serving(&data, &files).await;
    for version in [&TLS12, &TLS13] {
        let stream = TcpStream::connect(address).await.expect("connected");
        let name = ServerName::try_from("localhost").expect("a name");
        let connector = client(&files.authority, &[version]);
        let mut stream = connector.connect(name, stream).await.expect("a handshake");
        let answer = ask(&mut stream, PING).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(answer.contains("strict-transport-security: "), "{answer}");
    }
    // Who speaks plainly is not answered, least of all plainly.
    let mut plain = TcpStream::connect(address).await.expect("connected");
    plain.write_all(PING.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    let read = plain.read_to_end(&mut answer);
    tokio::time::timeout(PATIENCE, read)
        .await
        .expect("closed")
        .ok();
    assert!(
        !answer.windows(4).any(|bytes| bytes == b"HTTP"),
        "{answer:?}"
    );
    // A certificate by somebody else is not trusted: the client sees the server's own.
    let other = tempfile::tempdir().expect("a folder");
    let others = make_certificates(other.path(), "localhost");
    connect(address, &others.authority)
        .await
        .expect_err("not trusted");
    assert!(server.terminate().await.success());
}

#[tokio::test]
async fn a_certificate_is_replaced_at_sighup_and_a_broken_one_changes_nothing() {
    let (folder, files, data) = folders();
    let (server, address) = serving(&data, &files).await;
    let before = std::fs::read(&files.authority).expect("read");
    let mut open = connect(address, &files.authority).await.expect("trusted");
    let hang_up = async |expected: &str| {
        let id = server.id().to_string();
        let sent = tokio::process::Command::new("kill")
            .args(["-HUP", &id])
            .status()
            .await;
        assert!(sent.expect("kill runs").success());
        server.logs(expected).await;
    };
    std::fs::write(&files.certificate, "no certificate").expect("written");
    hang_up("the certificate stays as it was").await;
    connect(address, &files.authority)
        .await
        .expect("still trusted");
    let new = make_certificates(folder.path(), "localhost");
    hang_up("as it is now").await;
    connect(address, &new.authority).await.expect("the new one");
    let old = folder.path().join("old.pem");
    std::fs::write(&old, before).expect("written");
    connect(address, &old)
        .await
        .expect_err("the old one is gone");
    // Who was there before stays.
    assert!(ask(&mut open, PING).await.starts_with("HTTP/1.1 200 "));
    assert!(server.terminate().await.success());
}

async fn connect_from(source: [u8; 4], server: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    let source = SocketAddr::new(IpAddr::from(source), 0);
    socket.bind(source).expect("bound");
    socket.connect(server).await.expect("connected")
}

#[tokio::test]
async fn handshakes_that_never_end_lose_their_places() {
    let (_folder, files, _) = folders();
    let text = |path: &Path| path.to_str().expect("a text").to_owned();
    let limits = Limits {
        first: Duration::from_secs(3600),
        crowded: Duration::from_millis(300),
        ..Limits::of_connections(16)
    };
    let server = TestServer::builder()
        .setting("TLS_CERT", &text(&files.certificate))
        .setting("TLS_KEY", &text(&files.key))
        .limits(limits)
        .start()
        .await;
    // A record that says it is longer than what comes.
    let half_a_hello: &[u8] = &[22, 3, 1, 1, 0, 1];
    for said in [&[][..], &half_a_hello[..1], half_a_hello] {
        let mut silent = Vec::new();
        for number in 0..16 {
            let mut stream = connect_from([127, 0, 4, number + 1], server.address).await;
            stream.write_all(said).await.expect("sent");
            silent.push(stream);
        }
        let answered = async || {
            let mut stream = connect(server.address, &files.authority)
                .await
                .expect("a handshake");
            ask(&mut stream, PING).await
        };
        let answer = tokio::time::timeout(PATIENCE, answered())
            .await
            .expect("its turn came");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        drop(silent);
    }
    let failed = server.measures.connections.failed_handshakes.total();
    assert!(failed >= 3, "{failed}");
    server.stop().await;
}

#[tokio::test]
async fn a_server_that_stops_waits_for_no_handshake() {
    let (_folder, files, data) = folders();
    let (server, address) = serving(&data, &files).await;
    let mut silent = TcpStream::connect(address).await.expect("connected");
    connect(address, &files.authority)
        .await
        .expect("a handshake");
    let began = std::time::Instant::now();
    assert!(server.terminate().await.success());
    // A handshake that is waited for has ten seconds.
    assert!(
        began.elapsed() < Duration::from_secs(9),
        "{:?}",
        began.elapsed()
    );
    let mut rest = Vec::new();
    silent.read_to_end(&mut rest).await.ok();
    assert!(rest.is_empty());
}
