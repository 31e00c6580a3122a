//! Many calls at once, spread over the nodes.

use std::sync::Arc;

use password_auth_model::{Session, SessionId, User};
use password_auth_store::Store;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::engine::{Engine, read_on};

/// At once.
pub const MANY: usize = 32;
/// How often two things are let loose on each other.
pub const ROUNDS: usize = 20;

/// Runs `call` on many tasks that begin together, spread over the nodes; the answers.
pub async fn at_once<T, A>(
    engine: &Engine,
    many: usize,
    call: impl Fn(usize, Arc<dyn Store>) -> A,
) -> Vec<T>
where
    T: Send + 'static,
    A: Future<Output = T> + Send + 'static,
{
    let ready = Arc::new(Barrier::new(many));
    let mut tasks = JoinSet::new();
    for n in 0..many {
        let (ready, call) = (Arc::clone(&ready), call(n, engine.store()));
        tasks.spawn(async move {
            ready.wait().await;
            call.await
        });
    }
    tasks.join_all().await
}

/// Two calls that begin together, on two nodes if there are two.
pub async fn two_at_once<A: Future + Send + 'static, B: Future + Send + 'static>(
    engine: &Engine,
    first: impl FnOnce(Arc<dyn Store>) -> A,
    second: impl FnOnce(Arc<dyn Store>) -> B,
) -> (A::Output, B::Output)
where
    A::Output: Send,
    B::Output: Send,
{
    let first = tokio::spawn(first(engine.store()));
    let second = tokio::spawn(second(engine.store()));
    let (first, second) = tokio::join!(first, second);
    (first.expect("it ran"), second.expect("it ran"))
}

/// What every node says of the session.
pub async fn everywhere(engine: &Engine, id: SessionId) -> Option<(Session, User)> {
    let mut found = Vec::new();
    for node in engine.nodes() {
        found.push(read_on(&**node, id).await);
    }
    let first = found[0].clone();
    assert!(found.iter().all(|found| *found == first), "{found:#?}");
    first
}
