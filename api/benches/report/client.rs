//! The load's HTTP client: one kept-alive connection, requests built once, answers read no further than
//! needed. It costs little, and both sides of a comparison the same.

use std::io;
use std::net::{IpAddr, SocketAddr};

use password_auth_wire::{Secret, Tokens};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::Outcome;

/// One connection, one request at a time.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer, as long as nothing else is asked.
pub(crate) struct Response<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

impl Response<'_> {
    /// The body of a 200.
    pub(crate) fn ok(&self) -> Outcome<&[u8]> {
        if self.status == 200 {
            return Ok(self.body);
        }
        let body = String::from_utf8_lossy(self.body);
        Err(format!("the server answered {}: {body}", self.status).into())
    }

    /// The tokens of a sign-in or a refresh.
    pub(crate) fn tokens(&self) -> Outcome<Tokens> {
        Ok(serde_json::from_slice(self.ok()?)?)
    }
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(4096),
        })
    }

    /// From one of this machine's addresses.
    pub(crate) async fn open_from(from: IpAddr, address: SocketAddr) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(from, 0))?;
        let stream = socket.connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(4096),
        })
    }

    /// Several connections to one server.
    pub(crate) async fn open_many(address: SocketAddr, count: usize) -> io::Result<Vec<Self>> {
        let mut connections = Vec::with_capacity(count);
        for _ in 0..count {
            connections.push(Self::open(address).await?);
        }
        Ok(connections)
    }

    /// Sends a request and reads its answer, whose body must have a `Content-Length`.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> io::Result<Response<'_>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let Some((status, body)) = parse_head(&self.buffer)? else {
                continue;
            };
            if self.buffer.len() >= body.end {
                let body = self.buffer.get(body).unwrap_or_default();
                return Ok(Response { status, body });
            }
        }
    }
}

/// The status, and where the body is; `None` as long as the head is not whole. One pass over the lines: an
/// answer with more headers must not cost the load much more.
fn parse_head(bytes: &[u8]) -> io::Result<Option<(u16, std::ops::Range<usize>)>> {
    let mut status = None;
    let mut length = None;
    let mut start = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        start += line.len();
        if line == b"\r\n" {
            let length = length.ok_or_else(|| io::Error::other("an answer of unknown length"))?;
            return Ok(status.map(|status| (status, start..start + length)));
        }
        if let Some(rest) = line.strip_prefix(b"HTTP/1.1 ") {
            status = u16::try_from(number(rest)).ok();
        } else if let Some(rest) = line.strip_prefix(b"content-length: ") {
            length = Some(number(rest));
        }
    }
    Ok(None)
}

/// The digits that `bytes` begins with.
fn number(bytes: &[u8]) -> usize {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0'))
}

pub(crate) fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").into_bytes()
}

pub(crate) fn get_with_token(path: &str, token: &Secret) -> Vec<u8> {
    let token = token.expose();
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n")
        .into_bytes()
}

pub(crate) fn post(path: &str, body: &impl serde::Serialize) -> Outcome<Vec<u8>> {
    let body = serde_json::to_string(body)?;
    let length = body.len();
    Ok(format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes())
}
