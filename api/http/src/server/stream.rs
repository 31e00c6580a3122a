//! A watched socket: it records activity, and replaces responses that hyper writes itself.

use std::io::{self, IoSlice, Write as _};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::Limits;
use crate::error::{Dialect, Failure};

/// What a connection is doing.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// Nothing was sent yet.
    New(Instant),
    /// The last response is complete, or still being sent.
    Idle(Instant),
    /// The first byte of a request arrived.
    Head(Instant),
    /// A handler is running; it has its own limits.
    Answering,
}

/// Shared between the socket, the service and the watch.
#[derive(Debug)]
pub(super) struct Activity {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// Since when the peer reads nothing.
    blocked: Option<Instant>,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                phase: Phase::New(Instant::now()),
                blocked: None,
            }),
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn request_begins(&self) {
        self.change(|state| state.phase = Phase::Answering);
    }

    pub(super) fn request_ends(&self) {
        self.change(|state| state.phase = Phase::Idle(Instant::now()));
    }

    /// TLS is ready: a request may begin.
    pub(super) fn begins_anew(&self) {
        self.change(|state| state.phase = Phase::New(Instant::now()));
    }

    fn bytes_came(&self) {
        self.change(|state| {
            if let Phase::New(_) | Phase::Idle(_) = state.phase {
                state.phase = Phase::Head(Instant::now());
            }
        });
    }

    fn write_blocks(&self) {
        self.change(|state| {
            state.blocked.get_or_insert_with(Instant::now);
        });
    }

    fn write_moves(&self) {
        self.change(|state| {
            state.blocked = None;
            if let Phase::Idle(since) = &mut state.phase {
                *since = Instant::now();
            }
        });
    }

    /// Whether the connection exceeds a time limit.
    pub(super) fn overstays(&self, limits: Limits, crowded: bool) -> bool {
        let at_most = |limit| limits.shortened(limit, crowded);
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let late = match state.phase {
            Phase::New(since) => since.elapsed() > at_most(limits.first),
            Phase::Idle(since) => since.elapsed() > at_most(limits.idle),
            Phase::Head(since) => since.elapsed() > at_most(limits.head),
            Phase::Answering => false,
        };
        late || state
            .blocked
            .is_some_and(|since| since.elapsed() > at_most(limits.stalled))
    }
}

/// A socket that records activity, and gives hyper's own responses our error body.
pub(super) struct WatchedStream<S> {
    inner: S,
    activity: Arc<Activity>,
    replacement: Option<Replacement>,
    /// TLS buffers what it takes, and blocks at a flush.
    flush_blocks: bool,
    /// Short pieces, to be written at once.
    gathered: Vec<u8>,
}

/// Pieces are gathered up to this length: the kernel takes one buffer faster than several.
const GATHERED: usize = 2048;

/// Bytes that are sent instead of a buffer of hyper's.
struct Replacement {
    bytes: Vec<u8>,
    written: usize,
    /// The length of hyper's buffer.
    stands_for: usize,
}

impl<S> WatchedStream<S> {
    pub(super) const fn new(inner: S, activity: Arc<Activity>) -> Self {
        Self {
            inner,
            activity,
            replacement: None,
            flush_blocks: false,
            gathered: Vec::new(),
        }
    }

    fn note<T>(&self, written: &Poll<io::Result<T>>) {
        if written.is_pending() {
            self.activity.write_blocks();
        } else {
            self.activity.write_moves();
        }
    }
}

/// hyper itself responds to a head that it cannot parse, without a body, and offers no hook. Its responses can be
/// recognized: all of ours have `x-request-id`.
fn replace(buffer: &[u8]) -> Option<Vec<u8>> {
    const LONGEST: usize = 256;
    let head = std::str::from_utf8(buffer.get(..buffer.len().min(LONGEST))?).ok()?;
    let bare = buffer.len() < LONGEST
        && head.starts_with("HTTP/1.1 4")
        && head.contains("content-length: 0\r\n")
        && !head.contains("x-request-id:");
    if !bare {
        return None;
    }
    let (status_line, _) = head.split_once("\r\n")?;
    let failure = match status_line.get(9..12)? {
        "414" | "431" => Failure::PayloadTooLarge,
        _ => Failure::Unreadable,
    };
    tracing::event!(
        target: "password_auth::request",
        tracing::Level::INFO,
        http.status = status_line.get(9..12),
        "refused bytes that are not an HTTP request"
    );
    Some(last_words(status_line, &failure))
}

/// A response without a route, after which the connection ends.
fn last_words(status_line: &str, failure: &Failure) -> Vec<u8> {
    let told = failure.in_dialect(Dialect::Demo);
    let body = serde_json::to_string(&told.body()).unwrap_or_default();
    let mut head = status_line.to_owned();
    if let Some((name, value)) = told.header() {
        head += &format!("\r\n{name}: {}", value.to_str().unwrap_or_default());
    }
    format!(
        "{head}\r\ncontent-type: application/json; charset=utf-8\r\n\
         cache-control: no-store\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Refuses a connection with a 503, as far as the socket accepts it at once.
pub(super) fn refuse(stream: TcpStream) {
    let busy = Failure::Unavailable(Duration::from_secs(1));
    let answer = last_words("HTTP/1.1 503 Service Unavailable", &busy);
    // Not through the runtime, which does not know yet that the socket is writable.
    if let Ok(mut stream) = stream.into_std() {
        stream.write_all(&answer).ok();
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WatchedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        if buf.filled().len() > before {
            self.activity.bytes_came();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WatchedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.replacement.is_none() {
            self.replacement = replace(buf).map(|bytes| Replacement {
                bytes,
                written: 0,
                stands_for: buf.len(),
            });
        }
        let Self {
            inner, replacement, ..
        } = &mut *self;
        let written = match replacement {
            None => Pin::new(inner).poll_write(cx, buf),
            Some(replacement) => replacement.poll_write(inner, cx),
        };
        self.note(&written);
        if written.is_ready() {
            self.replacement = None;
        }
        written
    }

    /// Lets hyper send shared pages without copying them into one buffer.
    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut filled = bufs.iter().filter(|buf| !buf.is_empty());
        if let (Some(only), None) = (filled.next(), filled.next()) {
            return self.poll_write(cx, only);
        }
        let Self {
            inner, gathered, ..
        } = &mut *self;
        let inner = Pin::new(inner);
        let written = if bufs.iter().map(|buf| buf.len()).sum::<usize>() <= GATHERED {
            gathered.clear();
            bufs.iter().for_each(|buf| gathered.extend_from_slice(buf));
            inner.poll_write(cx, gathered)
        } else {
            inner.poll_write_vectored(cx, bufs)
        };
        self.note(&written);
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.inner).poll_flush(cx);
        if flushed.is_pending() || self.flush_blocks {
            self.flush_blocks = flushed.is_pending();
            self.note(&flushed);
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl Replacement {
    /// Writes the replacement, then reports hyper's buffer as written.
    fn poll_write(
        &mut self,
        inner: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        while self.written < self.bytes.len() {
            let rest = &self.bytes[self.written..];
            self.written += ready!(Pin::new(&mut *inner).poll_write(cx, rest))?;
        }
        Poll::Ready(Ok(self.stands_for))
    }
}

#[cfg(test)]
mod tests {
    use super::replace;

    #[test]
    fn hyper_s_bare_answer_gets_our_body_and_ours_stays() {
        let bare = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        let replaced = String::from_utf8(replace(bare).expect("replaced")).expect("text");
        assert!(replaced.starts_with("HTTP/1.1 431 "), "{replaced}");
        assert!(
            replaced.contains(r#""code":"payload_too_large""#),
            "{replaced}"
        );
        let ours = b"HTTP/1.1 404 Not Found\r\nx-request-id: 1\r\ncontent-length: 0\r\n\r\n";
        assert!(replace(ours).is_none());
        assert!(replace(b"{\"status\":\"ok\"}").is_none());
    }
}
