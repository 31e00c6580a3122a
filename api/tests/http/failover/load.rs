//! Many actors at once, on all nodes.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinError, JoinSet};

use crate::actor::{Actor, Servers, Tally};
use crate::support::Random;

const ACTORS: usize = 12;

/// What happens comes within so many microseconds of an answer.
const JITTER_MICROS: usize = 5_000;

pub struct Load {
    random: Random,
    actors: Vec<Actor>,
    acting: JoinSet<Actor>,
    stop: watch::Sender<bool>,
    acknowledged: Arc<Semaphore>,
}

impl Load {
    pub fn new(random: &mut Random, servers: &Servers) -> Self {
        let acknowledged = Arc::new(Semaphore::new(0));
        let actors = (0..ACTORS).map(|number| {
            Actor::new(
                format!("Actor {number}"),
                random.fork(),
                servers.clone(),
                Arc::clone(&acknowledged),
            )
        });
        Self {
            actors: actors.collect(),
            random: random.fork(),
            acting: JoinSet::new(),
            stop: watch::Sender::new(false),
            acknowledged,
        }
    }

    pub fn start(&mut self) {
        self.stop.send_replace(false);
        for mut actor in self.actors.drain(..) {
            let stopped = self.stop.subscribe();
            self.acting.spawn(async move {
                actor.act_until(stopped).await;
                actor
            });
        }
    }

    /// Waits for something under load. An actor that is answered wrongly fails the test at once.
    pub async fn until<T>(&mut self, event: impl Future<Output = T>) -> T {
        tokio::select! {
            happened = event => happened,
            Some(ended) = self.acting.join_next() => {
                ended.unwrap_or_else(failed);
                panic!("an actor stopped by itself")
            }
        }
    }

    /// Waits for so many more answers.
    pub async fn until_acknowledged(&mut self, answers: usize) {
        self.acknowledged.forget_permits(usize::MAX >> 4);
        let acknowledged = Arc::clone(&self.acknowledged);
        let answers = u32::try_from(answers).expect("fits");
        let permits = self.until(acknowledged.acquire_many(answers)).await;
        drop(permits.expect("it stays open"));
    }

    /// Waits for some answers, and a little, so that what comes next does not fall in step with them.
    pub async fn for_a_while(&mut self) {
        let answers = 1 + self.random.below(200);
        self.until_acknowledged(answers).await;
        let micros = u64::try_from(self.random.below(JITTER_MICROS)).expect("fits");
        tokio::time::sleep(Duration::from_micros(micros)).await;
    }

    pub async fn stop(&mut self) {
        self.stop.send_replace(true);
        while let Some(ended) = self.acting.join_next().await {
            self.actors.push(ended.unwrap_or_else(failed));
        }
    }

    /// Holds the nodes to what they acknowledged: since the last time, or ever.
    pub async fn check(&mut self, everything: bool) {
        for mut actor in self.actors.drain(..) {
            self.acting.spawn(async move {
                actor.check(everything).await;
                actor
            });
        }
        self.stop().await;
    }

    pub fn tally(&self) -> Tally {
        let all = self.actors.iter().map(|actor| actor.tally);
        all.fold(Tally::default(), Tally::plus)
    }
}

fn failed(error: JoinError) -> Actor {
    std::panic::resume_unwind(error.into_panic())
}
