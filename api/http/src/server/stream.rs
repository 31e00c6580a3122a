//! A watched socket: it records activity, and replaces responses that hyper writes itself.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::activity::Activity;
use super::refusals::in_place_of;

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
            self.replacement = in_place_of(buf).map(|bytes| Replacement {
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
