//! `health`: asks the server on this machine whether it works, for supervisors without a shell or an HTTP client.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use super::settings::Arguments;

/// Longer than the server waits for its store.
const PATIENCE: Duration = Duration::from_secs(9);

const REQUEST: &[u8] = b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

pub(super) fn run(arguments: &Arguments) -> Result<(), String> {
    let config = arguments.config_without_secret()?;
    let address = reached_at(config.listen);
    let failed = |error| format!("the server at {address} does not answer: {error}");
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).map_err(failed)?;
    if config.tls.is_some() {
        // The certificate names another host than this one. That it listens has to do.
        return Ok(());
    }
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    stream.write_all(REQUEST).map_err(failed)?;
    let mut status = String::new();
    BufReader::new(stream)
        .read_line(&mut status)
        .map_err(failed)?;
    match status.split(' ').nth(1) {
        Some("200") => Ok(()),
        _ => Err(format!(
            "the server at {address} is not healthy: {}",
            status.trim()
        )),
    }
}

/// Whoever listens on every address is reached on this machine's own.
fn reached_at(listen: SocketAddr) -> SocketAddr {
    let own = match listen.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        own => own,
    };
    SocketAddr::new(own, listen.port())
}
