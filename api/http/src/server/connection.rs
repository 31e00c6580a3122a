//! One connection: hyper drives it, and a watch ends it when it exceeds a time limit.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use poem::http::uri::Scheme;
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Addr, Endpoint, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::server::TlsStream;

use super::activity::Activity;
use super::refusals::too_many_headers;
use super::slots::ConnectionSlot;
use super::stream::WatchedStream;
use super::tls::Tls;
use super::{BodyTime, LOOK, Limits};

/// How long a response waits before it is sent, if its connection can wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rest(pub(crate) Duration);

/// How many headers a request may have. hyper refuses more than a hundred; told of another number, it fills its lists of
/// headers before it reads a request, which took 3 % of an authenticated one.
const MAX_HEADERS: usize = 64;

/// Both ends of a connection, as requests know them.
pub(super) struct Ends {
    local: LocalAddr,
    remote: RemoteAddr,
    scheme: Scheme,
}

impl Ends {
    pub(super) const fn of(local: SocketAddr, remote: SocketAddr, scheme: Scheme) -> Self {
        Self {
            local: LocalAddr(Addr::SocketAddr(local)),
            remote: RemoteAddr(Addr::SocketAddr(remote)),
            scheme,
        }
    }
}

/// A connection that was accepted.
pub(super) struct Connection<'a, E> {
    pub(super) endpoint: &'a E,
    pub(super) limits: Limits,
    pub(super) slot: Arc<ConnectionSlot>,
    pub(super) activity: Arc<Activity>,
    pub(super) stop: watch::Receiver<bool>,
}

impl<E: Endpoint<Output = Response>> Connection<'_, E> {
    /// `None` if that fails, takes longer than the first byte of a request may, or the server stops.
    pub(super) async fn shake_hands(
        &self,
        tls: &Tls,
        stream: TcpStream,
    ) -> Option<TlsStream<TcpStream>> {
        let mut stop = self.stop.clone();
        let shaken = tokio::select! {
            shaken = tls.accept(stream) => shaken.ok(),
            () = self.overstays() => None,
            _ = stop.wait_for(|stop| *stop) => None,
        };
        self.activity.begins_anew();
        shaken
    }

    /// Serves until the connection ends.
    pub(super) async fn run(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        ends: Ends,
    ) {
        let Self { endpoint, slot, .. } = &self;
        let service = service_fn(|request: hyper::Request<Incoming>| {
            let has_body = !request.body().is_end_stream();
            let Ends {
                local,
                remote,
                scheme,
            } = &ends;
            let mut request =
                poem::Request::from((request, local.clone(), remote.clone(), scheme.clone()));
            if has_body {
                request.set_data(BodyTime::new(Arc::clone(slot)));
            }
            let activity = Arc::clone(&self.activity);
            async move {
                activity.request_begins();
                let response = if request.headers().len() > MAX_HEADERS {
                    too_many_headers()
                } else {
                    let answered = endpoint.call(request).await;
                    answered.unwrap_or_else(poem::Error::into_response)
                };
                if let Some(Rest(rest)) = response.data()
                    && slot.can_rest()
                {
                    tokio::time::sleep(*rest).await;
                }
                activity.request_ends();
                Ok::<hyper::Response<_>, Infallible>(response.into())
            }
        });
        let connection = http1::Builder::new()
            // `overstays` ends connections whose requests are late. hyper would set a timer for each request.
            .header_read_timeout(None)
            // A client may close its half of the connection after the request, and still gets the response.
            .half_close(true)
            .max_buf_size(self.limits.head_bytes)
            .serve_connection(
                TokioIo::new(WatchedStream::new(stream, Arc::clone(&self.activity))),
                service,
            );
        let mut connection = pin!(connection);
        let mut too_long = pin!(self.overstays());
        let mut stop = self.stop.clone();
        let mut stopping = false;
        loop {
            tokio::select! {
                // Errors here are caused by the peer: it disconnected, or did not send HTTP.
                _ended = connection.as_mut() => return,
                () = too_long.as_mut() => return,
                _ = stop.wait_for(|stop| *stop), if !stopping => {
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }

    /// Waits until the connection exceeds a time limit.
    async fn overstays(&self) {
        let mut look = tokio::time::interval(LOOK);
        loop {
            look.tick().await;
            if self
                .activity
                .overstays(self.limits, self.slot.is_contested())
            {
                return;
            }
        }
    }
}
