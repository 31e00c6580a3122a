//! One connection: hyper drives it, a watch beside it ends it when it overstays.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;

use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use poem::endpoint::BoxEndpoint;
use poem::http::uri::Scheme;
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Addr, Endpoint, Response};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::slots::ConnectionSlot;
use super::stream::{Activity, WatchedStream};
use super::{BodyTime, LOOK, Limits};

/// How many headers a request may have.
const MAX_HEADERS: usize = 64;

pub(super) async fn run(
    stream: TcpStream,
    endpoint: &BoxEndpoint<'static, Response>,
    limits: Limits,
    slot: Arc<ConnectionSlot>,
    mut stop: watch::Receiver<bool>,
) {
    let (Ok(local), Ok(remote)) = (stream.local_addr(), stream.peer_addr()) else {
        return;
    };
    let local = LocalAddr(Addr::SocketAddr(local));
    let remote = RemoteAddr(Addr::SocketAddr(remote));
    let activity = Arc::new(Activity::new());
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let has_body = !request.body().is_end_stream();
        let mut request =
            poem::Request::from((request, local.clone(), remote.clone(), Scheme::HTTP));
        if has_body {
            request.set_data(BodyTime::new(Arc::clone(&slot)));
        }
        let activity = Arc::clone(&activity);
        async move {
            activity.request_begins();
            let response = endpoint
                .call(request)
                .await
                .unwrap_or_else(poem::Error::into_response);
            activity.request_ends();
            Ok::<hyper::Response<_>, Infallible>(response.into())
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // A client that has said all may close its half, and still gets its answer.
        .half_close(true)
        .header_read_timeout(limits.idle + limits.head)
        .max_headers(MAX_HEADERS)
        .max_buf_size(limits.head_bytes)
        .serve_connection(
            TokioIo::new(WatchedStream::new(stream, Arc::clone(&activity))),
            service,
        );
    let mut connection = pin!(connection);
    let mut look = tokio::time::interval(LOOK);
    let mut stopping = false;
    loop {
        tokio::select! {
            // What hyper reports here is the peer's doing: it left, or sent what is no HTTP.
            _ended = connection.as_mut() => return,
            _ = look.tick() => {
                if activity.overstays(limits, slot.is_contested()) {
                    return;
                }
            }
            _ = stop.wait_for(|stop| *stop), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}
