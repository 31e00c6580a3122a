//! A proxy between the extension and the server: it counts requests, holds answers back, or answers
//! as a broken server would.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::in_time;

/// An answer that comes from nowhere.
#[derive(Clone)]
pub struct Canned {
    pub status: &'static str,
    pub content_type: &'static str,
    pub body: &'static str,
}

struct State {
    upstream: String,
    /// Request lines (`POST /refresh`) and heads, in the order in which they came.
    seen: watch::Sender<Vec<(String, String)>>,
    canned: Mutex<Option<Canned>>,
    /// Answers wait while this is true; the server has done its part by then.
    holding: watch::Sender<bool>,
    /// How many answers are waiting.
    held: watch::Sender<usize>,
}

pub struct Proxy {
    pub url: String,
    state: Arc<State>,
}

impl Proxy {
    /// In front of the server at `upstream`.
    pub async fn start(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let state = Arc::new(State {
            upstream: upstream.strip_prefix("http://").expect("a URL").to_owned(),
            seen: watch::Sender::new(Vec::new()),
            canned: Mutex::new(None),
            holding: watch::Sender::new(false),
            held: watch::Sender::new(0),
        });
        let serving = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&serving);
                // A client that leaves half-way is what some tests are about.
                tokio::spawn(async move { serve(stream, &state).await.ok() });
            }
        });
        Self { url, state }
    }

    /// From now on every request is answered like this; `None`: by the server.
    pub fn answer_with(&self, canned: Option<Canned>) {
        *self.state.canned.lock().expect("not poisoned") = canned;
    }

    /// From now on answers wait here, although the server has given them.
    pub fn hold_answers(&self) {
        self.state.holding.send_replace(true);
    }

    /// Lets the waiting answers go, and all later ones.
    pub fn release_answers(&self) {
        self.state.holding.send_replace(false);
    }

    /// How many answers have been held so far.
    pub fn held(&self) -> usize {
        *self.state.held.borrow()
    }

    /// Waits until so many answers are held.
    pub async fn until_held(&self, count: usize) {
        let mut held = self.state.held.subscribe();
        let what = format!("{count} answers that are held");
        let held = in_time(&what, held.wait_for(|held| *held >= count)).await;
        held.expect("it runs");
    }

    /// How often this was requested, as `POST /refresh`.
    pub fn count(&self, request: &str) -> usize {
        let seen = self.state.seen.borrow();
        seen.iter().filter(|(line, _)| line == request).count()
    }

    /// Waits until this was requested so often.
    pub async fn until_seen(&self, request: &str, count: usize) {
        let mut seen = self.state.seen.subscribe();
        let often = |seen: &Vec<(String, String)>| {
            seen.iter().filter(|(line, _)| line == request).count() >= count
        };
        let what = format!("{request}, {count} times");
        let seen = in_time(&what, seen.wait_for(often)).await;
        seen.expect("it runs");
    }

    /// Every head that came, but for what a form asks to know what it may offer, which tells nothing.
    pub fn told(&self) -> Vec<String> {
        let asks = [
            "GET /api/v1/auth/registration ",
            "POST /api/v1/auth/passkeys/login/options ",
        ];
        let mut heads = self.heads();
        heads.retain(|head| !asks.iter().any(|asks| head.starts_with(asks)));
        heads
    }

    /// Every head that came.
    pub fn heads(&self) -> Vec<String> {
        let seen = self.state.seen.borrow();
        seen.iter().map(|(_, head)| head.clone()).collect()
    }
}

async fn serve(mut client: TcpStream, state: &State) -> std::io::Result<()> {
    let request = read_request(&mut client).await?;
    let text = String::from_utf8_lossy(&request);
    let line: Vec<&str> = text.split_whitespace().take(2).collect();
    let head = text.split("\r\n\r\n").next().unwrap_or_default().to_owned();
    state
        .seen
        .send_modify(|seen| seen.push((line.join(" "), head)));

    let canned = state.canned.lock().expect("not poisoned").clone();
    let answer = match canned {
        Some(Canned {
            status,
            content_type,
            body,
        }) => format!(
            "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\
             access-control-allow-origin: *\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
        .into_bytes(),
        None => forward(&request, state).await?,
    };
    if *state.holding.borrow() {
        state.held.send_modify(|held| *held += 1);
        let mut holding = state.holding.subscribe();
        holding.wait_for(|holding| !holding).await.ok();
    }
    client.write_all(&answer).await?;
    client.shutdown().await
}

/// Sends the request on, over a connection of its own, and reads the answer to its end.
async fn forward(request: &[u8], state: &State) -> std::io::Result<Vec<u8>> {
    let mut server = TcpStream::connect(&state.upstream).await?;
    let text = String::from_utf8_lossy(request);
    let (line, rest) = text.split_once("\r\n").unwrap_or((&text, ""));
    let rest = rest.replace("Connection: keep-alive\r\n", "");
    let request = format!("{line}\r\nConnection: close\r\n{rest}");
    server.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).await?;
    Ok(answer)
}

async fn read_request(client: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .filter_map(|line| line.split_once(": "))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .and_then(|(_, length)| length.parse::<usize>().ok())
                .unwrap_or(0);
            if body.len() >= length {
                return Ok(request);
            }
        }
        match client.read(&mut buffer).await? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            count => request.extend_from_slice(&buffer[..count]),
        }
    }
}
