//! Two threads between async code and the disk: one writes, one flushes.
//!
//! The writing thread runs one write after the other, so that nothing changes while a write reads and decides. The
//! flushing thread takes all results that have gathered, flushes once, syncs once, and releases them: group commit.
//! Sled's `flush` gives its pages to the kernel but does not sync (`sync_file_range`), so it is followed by `sync_data`
//! on a second descriptor of the data file.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use password_auth_model::measure::Histogram;
use tokio::sync::{oneshot, watch};

use super::opened::Tables;
use super::watermark::Watermark;
use crate::StoreError;

/// The most writes that wait. After that, callers get `Busy` at once.
const QUEUE: usize = 4096;

/// How long a result waits for the disk. A disk that takes longer hangs, and the clients have given up.
const MAX_FLUSH: Duration = Duration::from_secs(20);

/// How long a write that nobody waits for may stay in memory.
const SOON: Duration = Duration::from_millis(200);

/// When the result of a write is returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durability {
    /// Once everything written so far, including this write, is on disk.
    Flushed,
    /// At once. The write is flushed within [`SOON`].
    Soon,
    /// At once: nothing was written.
    Unchanged,
}

type Job = Box<dyn FnOnce(&Tables) -> Acknowledgement + Send>;

/// What the writing thread sends to the flushing thread.
enum Acknowledgement {
    /// A function to call with the result of the next flush.
    AfterFlush(Box<dyn FnOnce(Result<(), StoreError>) + Send>),
    /// The result was already returned. The write still has to be flushed soon.
    Given,
    /// The result was already returned, and nothing was written.
    Nothing,
}

/// How long writes take, and how many each flush acknowledges.
pub(super) struct WriterMeasures {
    /// From the call until the disk has it.
    pub(super) durable: Histogram,
    /// From the call until the writing thread has done it.
    pub(super) relaxed: Histogram,
    pub(super) flushes: Histogram,
    pub(super) flushed_writes: Histogram,
}

pub(super) struct Writer {
    pub(super) measures: Arc<WriterMeasures>,
    jobs: Mutex<Option<SyncSender<Job>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    failure: watch::Sender<bool>,
    max_wait: Duration,
}

impl Writer {
    /// `disk` is a second descriptor of sled's data file.
    pub(super) fn start(
        tables: Arc<Tables>,
        disk: File,
        watermark: Watermark,
        max_wait: Duration,
    ) -> std::io::Result<Self> {
        let (jobs, jobs_in) = mpsc::sync_channel::<Job>(QUEUE);
        let (acks, acks_in) = mpsc::channel();
        let failure = watch::Sender::new(false);
        let measures = Arc::new(WriterMeasures {
            durable: Histogram::of_times(),
            relaxed: Histogram::of_times(),
            flushes: Histogram::of_times(),
            flushed_writes: Histogram::of_sizes(),
        });
        let flusher = Flusher {
            measures: Arc::clone(&measures),
            tables: Arc::clone(&tables),
            disk,
            watermark,
            failure: failure.clone(),
        };
        let threads = vec![
            std::thread::Builder::new()
                .name("store-write".to_owned())
                .spawn(move || write(&tables, &jobs_in, &acks))?,
            std::thread::Builder::new()
                .name("store-flush".to_owned())
                .spawn(move || flusher.run(&acks_in))?,
        ];
        Ok(Self {
            measures,
            jobs: Mutex::new(Some(jobs)),
            threads: Mutex::new(threads),
            failure,
            max_wait,
        })
    }

    /// Runs `work` on the writing thread and waits as long as `durability` says.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        durability: Durability,
        work: impl FnOnce(&Tables) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        if *self.failure.borrow() {
            return Err(StoreError::Unavailable(
                "an earlier write failed".to_owned(),
            ));
        }
        let _timer = match durability {
            Durability::Flushed => self.measures.durable.timer(),
            Durability::Soon | Durability::Unchanged => self.measures.relaxed.timer(),
        };
        let (answer, answered) = oneshot::channel();
        let (queued, max_wait) = (Instant::now(), self.max_wait);
        let failure = self.failure.clone();
        self.send(Box::new(move |tables: &Tables| {
            if queued.elapsed() > max_wait {
                answer.send(Err(StoreError::Busy)).ok();
                return Acknowledgement::Nothing;
            }
            let result = catch_unwind(AssertUnwindSafe(|| work(tables)))
                .unwrap_or_else(|_| Err(StoreError::Unavailable("a write panicked".to_owned())));
            // The write may be incomplete, so no more writes are accepted.
            if matches!(result, Err(StoreError::Unavailable(_))) {
                failure.send_replace(true);
            }
            match durability {
                Durability::Flushed => Acknowledgement::AfterFlush(Box::new(move |flushed| {
                    answer.send(flushed.and(result)).ok();
                })),
                Durability::Soon => {
                    answer.send(result).ok();
                    Acknowledgement::Given
                }
                Durability::Unchanged => {
                    answer.send(result).ok();
                    Acknowledgement::Nothing
                }
            }
        }))?;
        match tokio::time::timeout(MAX_FLUSH, answered).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(StoreError::Unavailable("the store was closed".to_owned())),
            Err(_elapsed) => {
                self.failure.send_replace(true);
                Err(StoreError::Unavailable(
                    "the disk does not respond".to_owned(),
                ))
            }
        }
    }

    fn send(&self, job: Job) -> Result<(), StoreError> {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let jobs = jobs
            .as_ref()
            .ok_or_else(|| StoreError::Unavailable("the store was closed".to_owned()))?;
        jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Busy,
            TrySendError::Disconnected(_) => {
                StoreError::Unavailable("the store stopped".to_owned())
            }
        })
    }

    pub(super) async fn failed(&self) {
        let mut failure = self.failure.subscribe();
        // The sender lives as long as `self`.
        failure.wait_for(|failed| *failed).await.ok();
    }

    /// Finishes the queue, flushes, and ends the threads. Gives up if the disk does not respond.
    pub(super) async fn close(&self) {
        self.jobs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let joined =
            tokio::task::spawn_blocking(move || threads.into_iter().try_for_each(JoinHandle::join));
        match tokio::time::timeout(MAX_FLUSH, joined).await {
            Ok(Ok(Ok(()))) => {}
            Ok(_) => tracing::error!("a thread of the store panicked"),
            Err(_elapsed) => {
                tracing::error!(
                    "the disk does not respond: writes that are not acknowledged are \
                                 given up"
                )
            }
        }
    }
}

fn write(tables: &Tables, jobs: &Receiver<Job>, acks: &Sender<Acknowledgement>) {
    for job in jobs {
        let acknowledgement = job(tables);
        if !matches!(acknowledgement, Acknowledgement::Nothing)
            && acks.send(acknowledgement).is_err()
        {
            return;
        }
    }
}

struct Flusher {
    measures: Arc<WriterMeasures>,
    tables: Arc<Tables>,
    disk: File,
    watermark: Watermark,
    failure: watch::Sender<bool>,
}

impl Flusher {
    fn run(self, acks: &Receiver<Acknowledgement>) {
        let mut waiting = Vec::new();
        let mut unflushed_since = None::<Instant>;
        loop {
            let next = match unflushed_since {
                None => acks.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(since) => acks.recv_timeout(SOON.saturating_sub(since.elapsed())),
            };
            let stopping = match next {
                Ok(first) => {
                    waiting.extend(std::iter::once(first).chain(acks.try_iter()));
                    false
                }
                Err(RecvTimeoutError::Timeout) => false,
                Err(RecvTimeoutError::Disconnected) => true,
            };
            let since = *unflushed_since.get_or_insert_with(Instant::now);
            let somebody_waits = waiting
                .iter()
                .any(|ack| matches!(ack, Acknowledgement::AfterFlush(_)));
            if somebody_waits || stopping || since.elapsed() >= SOON {
                self.flush_for(&mut waiting, stopping);
                unflushed_since = None;
            } else {
                // Nobody waits for these.
                waiting.clear();
            }
            if stopping {
                return;
            }
        }
    }

    fn flush_for(&self, waiting: &mut Vec<Acknowledgement>, closing: bool) {
        let writes = waiting
            .iter()
            .filter(|ack| matches!(ack, Acknowledgement::AfterFlush(_)));
        self.measures.flushed_writes.record(writes.count() as u64);
        let timer = self.measures.flushes.timer();
        let flushed = self.flush(closing);
        drop(timer);
        if let Err(error) = &flushed {
            // The error stays until the store is opened again, since it is unknown what is on disk.
            if !self.failure.send_replace(true) {
                tracing::error!(error, "the store cannot write any more");
            }
        }
        for acknowledgement in waiting.drain(..) {
            if let Acknowledgement::AfterFlush(acknowledge) = acknowledgement {
                acknowledge(flushed.clone().map_err(StoreError::Unavailable));
            }
        }
    }

    fn flush(&self, closing: bool) -> Result<(), String> {
        let gate = self.tables.between_flushes();
        // sled panics in states that it does not expect.
        let flushed = catch_unwind(AssertUnwindSafe(|| {
            let watermark = self.watermark.advance(&self.tables.db, closing)?;
            self.tables.db.flush().map(|_bytes| watermark)
        }));
        drop(gate);
        let watermark = flushed
            .map_err(|_| "flushing panicked".to_owned())?
            .map_err(|error| error.to_string())?;
        self.disk.sync_data().map_err(|error| error.to_string())?;
        if let Some(watermark) = watermark {
            let followed = self.watermark.follow(&watermark);
            followed.map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}
