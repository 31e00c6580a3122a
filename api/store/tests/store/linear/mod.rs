//! Linearizability: whether what callers saw at once can be explained by some order of one after the other
//! in which every call takes effect between its begin and its end (Herlihy and Wing, 1990).
//!
//! The search is Wing and Gong's, with Lowe's memory of where it has been: exponential at worst, quick for
//! histories in which few calls overlap. It knows no store; [`sessions`] and [`users`] say what is allowed.

mod check;
pub mod sessions;
pub mod users;

use std::fmt::Debug;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Something with a state, and what its answers may be.
pub trait Model {
    type State: Clone + PartialEq + Debug;
    type Op: Debug + Send;
    type Answer: Debug + Send;

    /// The states in which `op` may leave it if it was answered so; none if in `state` it cannot have been.
    fn step(state: &Self::State, op: &Self::Op, answer: &Self::Answer) -> Vec<Self::State>;
}

/// One call, and the events between which it happened.
#[derive(Debug)]
pub struct Call<M: Model> {
    pub op: M::Op,
    pub answer: M::Answer,
    pub begin: usize,
    pub end: usize,
}

/// Numbers the events of a history.
#[derive(Default)]
pub struct Events(AtomicUsize);

impl Events {
    /// Makes a call and writes down when.
    pub async fn record<M: Model>(
        &self,
        op: M::Op,
        call: impl Future<Output = M::Answer>,
    ) -> Call<M> {
        let begin = self.0.fetch_add(1, Ordering::SeqCst);
        let answer = call.await;
        let end = self.0.fetch_add(1, Ordering::SeqCst);
        Call {
            op,
            answer,
            begin,
            end,
        }
    }
}

/// Whether some order explains `calls`, of which there are at most 128, from `start` on.
pub fn is_explained<M: Model>(start: M::State, calls: &[Call<M>]) -> bool {
    assert!(calls.len() <= 128, "{} calls", calls.len());
    let all = (0..calls.len()).fold(0_u128, |all, n| all | 1 << n);
    let mut seen: Vec<(u128, M::State)> = vec![(0, start)];
    let mut open = vec![0];
    while let Some(place) = open.pop() {
        let (done, state) = seen[place].clone();
        if done == all {
            return true;
        }
        let waits = |n: &usize| done & (1 << n) == 0;
        // Whoever comes next began before the first of those who wait ended.
        let first_end = (0..calls.len()).filter(waits).map(|n| calls[n].end).min();
        for n in (0..calls.len()).filter(waits) {
            if Some(calls[n].begin) > first_end {
                continue;
            }
            for next in M::step(&state, &calls[n].op, &calls[n].answer) {
                let next = (done | 1 << n, next);
                if !seen.contains(&next) {
                    open.push(seen.len());
                    seen.push(next);
                }
            }
        }
    }
    false
}

/// The history as a person reads it, in the order in which the calls began.
pub fn render<M: Model>(calls: &[Call<M>]) -> String {
    let mut calls: Vec<_> = calls.iter().collect();
    calls.sort_by_key(|call| call.begin);
    let line = |call: &&Call<M>| {
        let Call {
            op,
            answer,
            begin,
            end,
        } = call;
        format!("{begin:>4} to {end:>4}: {op:?} -> {answer:?}\n")
    };
    calls.iter().map(line).collect()
}
