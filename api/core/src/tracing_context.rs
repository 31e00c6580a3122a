//! Which request a task works on, and for which session: every line of the log about it can say so. Holds ids alone,
//! which are no secrets.

use std::cell::Cell;
use std::future::Future;

use password_auth_model::{RequestId, SessionId};

tokio::task_local! {
    static CURRENT: Context;
}

struct Context {
    request: RequestId,
    session: Cell<Option<SessionId>>,
}

/// Runs `work` as a part of this request.
pub fn within<F: Future>(request: RequestId, work: F) -> impl Future<Output = F::Output> {
    let session = Cell::new(None);
    CURRENT.scope(Context { request, session }, work)
}

/// The request that the task works on, if it does.
#[must_use]
pub fn request() -> Option<RequestId> {
    CURRENT.try_with(|context| context.request).ok()
}

/// The session that the request is about, once that is known.
#[must_use]
pub fn session() -> Option<SessionId> {
    CURRENT.try_with(|context| context.session.get()).ok()?
}

/// The request is about this session.
pub(crate) fn is_about(session: SessionId) {
    CURRENT
        .try_with(|context| context.session.set(Some(session)))
        .ok();
}

/// Runs `work` as a part of the current request, for a task of its own.
pub(crate) async fn carried<F: Future>(request: Option<RequestId>, work: F) -> F::Output {
    match request {
        Some(request) => within(request, work).await,
        None => work.await,
    }
}
