//! Dedicated threads for work that must not delay anything else: hashing and long reads.
//!
//! tokio's blocking threads are shared, and ending the runtime waits for them. These threads end with their owner:
//! waiting jobs are dropped, and running jobs are not waited for.

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// How the threads stand to the others of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// Like all others.
    Same,
    /// Where somebody else wants the processor, they have about a tenth of it, and otherwise all: for work that takes
    /// long and is not waited for by everybody.
    Low,
}

impl Priority {
    /// For the calling thread. On Linux alone, where each thread has a niceness of its own.
    fn take(self) {
        #[cfg(target_os = "linux")]
        if self == Self::Low
            && let Ok(niceness) = rustix::process::getpriority_process(None)
        {
            // Without it, everything works, only slower under load.
            rustix::process::setpriority_process(None, niceness + LOWER).ok();
        }
    }
}

/// A thread that is nicer by this much weighs about a tenth (`sched(7)`).
#[cfg(target_os = "linux")]
const LOWER: i32 = 10;

/// Threads that run jobs one after the other. The caller limits how many jobs wait.
pub struct Threads {
    jobs: Sender<Job>,
}

impl Threads {
    /// Starts the threads.
    ///
    /// # Errors
    /// If the system gives none.
    pub fn start(name: &str, count: usize, priority: Priority) -> io::Result<Self> {
        let (jobs, waiting) = mpsc::channel();
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..count {
            let waiting = Arc::clone(&waiting);
            thread::Builder::new()
                .name(name.to_owned())
                .spawn(move || {
                    priority.take();
                    take_jobs(&waiting);
                })?;
        }
        Ok(Self { jobs })
    }

    /// Runs `work` on one of the threads. `None` if it panicked, or if the threads have ended. Work whose caller has
    /// gone before its turn is not started.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        let job = move || {
            if !answer.is_closed() {
                // The caller may have gone.
                answer.send(work()).ok();
            }
        };
        self.jobs.send(Box::new(job)).ok()?;
        answered.await.ok()
    }
}

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Threads(…)")
    }
}

/// Runs until the owner is gone. A job that panics does not end its thread; the hook has logged why.
fn take_jobs(waiting: &Mutex<Receiver<Job>>) {
    loop {
        let job = waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv();
        match job {
            Ok(job) => drop(catch_unwind(AssertUnwindSafe(job))),
            Err(mpsc::RecvError) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::{Priority, Threads};

    #[tokio::test]
    async fn a_job_that_panics_is_no_answer_and_the_thread_takes_the_next() {
        let threads = Threads::start("test", 1, Priority::Same).expect("a thread");
        let none: Option<()> = threads.run(|| panic!("as it is meant to")).await;
        assert_eq!(none, None);
        assert_eq!(threads.run(|| 7).await, Some(7));
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_low_priority_is_that_of_these_threads_alone() {
        let niceness = || rustix::process::getpriority_process(None).expect("a niceness");
        let low = Threads::start("test", 1, Priority::Low).expect("a thread");
        let same = Threads::start("test", 1, Priority::Same).expect("a thread");
        let ours = niceness();
        assert_eq!(low.run(niceness).await, Some((ours + 10).min(19)));
        assert_eq!((same.run(niceness).await, niceness()), (Some(ours), ours));
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_any_more_is_not_begun() {
        let threads = Threads::start("test", 1, Priority::Same).expect("a thread");
        let (go, gone) = mpsc::channel::<()>();
        let (begun, seen) = mpsc::channel();
        let first = threads.run(move || gone.recv().ok());
        let second = threads.run(move || begun.send(()).ok());
        {
            // Both are asked for, in this order, and then given up.
            let both = async { tokio::join!(first, second) };
            tokio::pin!(both);
            tokio::select! {
                biased;
                _ = &mut both => panic!("the first one waits"),
                () = tokio::task::yield_now() => {}
            }
        }
        drop(go);
        assert_eq!(threads.run(|| 7).await, Some(7));
        seen.recv().expect_err("it was never begun");
    }
}
