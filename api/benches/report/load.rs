//! Closed loops: each worker does its step again as soon as it is done, until the time is up.

use std::future::Future;
use std::time::{Duration, Instant};

use password_auth_wire::{Refresh, Secret};
use tokio::task::JoinSet;

use crate::Outcome;
use crate::client::{Connection, post};

/// What one worker does again and again.
pub(crate) trait Step: Send + 'static {
    fn step(&mut self) -> impl Future<Output = Outcome<()>> + Send;
}

/// Runs the workers side by side for `slice`: steps a second, all together. Each worker finishes its last
/// step, and counts by the time that it took itself, so that few and long steps are counted right too.
pub(crate) async fn drive<S: Step>(workers: &mut Vec<S>, slice: Duration) -> Outcome<f64> {
    let mut running = JoinSet::new();
    for mut worker in workers.drain(..) {
        running.spawn(async move {
            let started = Instant::now();
            let mut steps = 0_u32;
            while started.elapsed() < slice {
                worker.step().await?;
                steps += 1;
            }
            let rate = f64::from(steps) / started.elapsed().as_secs_f64();
            Outcome::Ok((worker, rate))
        });
    }
    let mut sum = 0.0;
    while let Some(finished) = running.join_next().await {
        let (worker, rate) = finished??;
        workers.push(worker);
        sum += rate;
    }
    Ok(sum)
}

/// As [`drive`], on `threads` threads of their own.
pub(crate) fn drive_threads(
    threads: usize,
    slice: Duration,
    step: impl Fn() -> Outcome<()> + Sync,
) -> Outcome<f64> {
    let one = || {
        let started = Instant::now();
        let mut steps = 0_u32;
        while started.elapsed() < slice {
            step()?;
            steps += 1;
        }
        Outcome::Ok(f64::from(steps) / started.elapsed().as_secs_f64())
    };
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
        running
            .into_iter()
            .map(|thread| thread.join().map_err(|_| "a thread panicked")?)
            .sum()
    })
}

/// Asks the same things again and again, in turn.
pub(crate) struct Repeat {
    connection: Connection,
    requests: Vec<Vec<u8>>,
    next: usize,
}

impl Repeat {
    pub(crate) const fn new(connection: Connection, requests: Vec<Vec<u8>>) -> Self {
        Self {
            connection,
            requests,
            next: 0,
        }
    }
}

impl Step for Repeat {
    async fn step(&mut self) -> Outcome<()> {
        let request = &self.requests[self.next % self.requests.len()];
        self.next += 1;
        self.connection.ask(request).await?.ok().map(|_| ())
    }
}

/// Refreshes one session, each time with the token that the last answer gave.
pub(crate) struct Chain {
    pub(crate) connection: Connection,
    pub(crate) token: Secret,
}

impl Step for Chain {
    async fn step(&mut self) -> Outcome<()> {
        let refresh_token = self.token.clone();
        let request = post("/refresh", &Refresh { refresh_token })?;
        self.token = self.connection.ask(&request).await?.tokens()?.refresh_token;
        Ok(())
    }
}
