//! The thread that writes the log.
//!
//! Not tracing-appender: it hands over each line in memory of its own, and its thread wakes and yields for each, which
//! took 13 % of the processor time of an authenticated request. Here lines gather in one buffer, and the thread takes
//! them all at once, at most some hundred times a second.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The most bytes that wait. Whoever logs more waits too: no line is dropped.
const MAX_WAITING: usize = 1 << 20;

/// How long lines gather after some were written.
const GATHER: Duration = Duration::from_millis(2);

/// How long an exit waits for whoever reads the log.
const FINISH: Duration = Duration::from_secs(5);

pub(super) struct LogLines {
    state: Mutex<State>,
    /// The thread waits for the first line, or for the end.
    to_write: Condvar,
    /// Others wait for the thread.
    written: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Vec<u8>,
    /// The thread has nothing to write, and sleeps.
    idle: bool,
    finishing: bool,
    /// Nothing waits, and nothing is being written.
    finished: bool,
}

impl LogLines {
    /// Starts the thread, which writes to `output` until the process ends.
    pub(super) fn write_to(output: impl Write + Send + 'static) -> io::Result<Arc<Self>> {
        let lines = Arc::new(Self {
            state: Mutex::default(),
            to_write: Condvar::new(),
            written: Condvar::new(),
        });
        let thread = Arc::clone(&lines);
        std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || thread.run(output))?;
        Ok(lines)
    }

    /// A writer for one line.
    pub(super) fn writer(self: &Arc<Self>) -> LineWriter {
        LineWriter(Arc::clone(self))
    }

    /// Returns once everything is written, unless that takes too long. Later lines are written too.
    pub(super) fn finish(&self) {
        let mut state = self.state();
        state.finishing = true;
        state.finished = false;
        self.to_write.notify_one();
        let done = self
            .written
            .wait_timeout_while(state, FINISH, |state| !state.finished);
        drop(done);
    }

    fn run(&self, mut output: impl Write) {
        let mut lines = Vec::new();
        loop {
            let mut state = self.state();
            while state.waiting.is_empty() {
                state.idle = true;
                state.finished = true;
                self.written.notify_all();
                state = self.wait(state);
            }
            state.idle = false;
            state.finished = false;
            std::mem::swap(&mut lines, &mut state.waiting);
            self.written.notify_all();
            drop(state);
            // A log that cannot be written does not stop the server.
            output.write_all(&lines).ok();
            lines.clear();
            let state = self.state();
            let pause = |state: &mut State| !state.finishing;
            drop(self.to_write.wait_timeout_while(state, GATHER, pause));
        }
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let woken = self.to_write.wait(state);
        woken.unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes one line, which `tracing_subscriber` writes in one piece.
pub(super) struct LineWriter(Arc<LogLines>);

impl Write for LineWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let lines = &self.0;
        let state = lines.state();
        let is_full = |state: &mut State| {
            !state.waiting.is_empty() && state.waiting.len() + line.len() > MAX_WAITING
        };
        let room = lines.written.wait_while(state, is_full);
        let mut state = room.unwrap_or_else(PoisonError::into_inner);
        state.waiting.extend_from_slice(line);
        if state.idle {
            state.idle = false;
            lines.to_write.notify_one();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::{self, Write};
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
    use std::sync::{Arc, Mutex};

    use super::{LogLines, MAX_WAITING};

    /// What was written.
    #[derive(Clone, Default)]
    pub(in crate::cli) struct Output(Arc<Mutex<Vec<u8>>>);

    impl Output {
        pub(in crate::cli) fn text(&self) -> String {
            let written = self.0.lock().expect("a lock").clone();
            String::from_utf8(written).expect("a text")
        }
    }

    impl Write for Output {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("a lock").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_of_many_threads_are_all_there_and_whole_when_the_log_is_finished() {
        let output = Output::default();
        let lines = LogLines::write_to(output.clone()).expect("a thread");
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let lines = &lines;
                scope.spawn(move || {
                    for number in 0..1_000 {
                        let line = format!("thread {thread} line {number}\n");
                        lines.writer().write_all(line.as_bytes()).expect("written");
                    }
                });
            }
        });
        lines.finish();
        let text = output.text();
        assert_eq!(text.lines().count(), 8_000);
        for thread in 0..8 {
            let prefix = format!("thread {thread} line ");
            let numbers = text.lines().filter_map(|line| line.strip_prefix(&prefix));
            let numbers: Vec<u32> = numbers.filter_map(|number| number.parse().ok()).collect();
            assert_eq!(numbers, (0..1_000).collect::<Vec<_>>());
        }
        // What ends the process may be said after that.
        lines.writer().write_all(b"the end\n").expect("written");
        lines.finish();
        assert!(output.text().ends_with("the end\n"));
    }

    /// Writes when it is told to.
    struct Held(Receiver<()>, Output);

    impl Write for Held {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.recv().ok();
            self.1.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn whoever_logs_faster_than_the_log_is_read_waits_and_memory_stays_bounded() {
        let (go, told): (SyncSender<()>, _) = sync_channel(1);
        let output = Output::default();
        let lines = LogLines::write_to(Held(told, output.clone())).expect("a thread");
        let line = vec![b'x'; MAX_WAITING / 4];
        std::thread::scope(|scope| {
            let (lines, line) = (&lines, &line);
            let writer = scope.spawn(move || {
                for _ in 0..20 {
                    lines.writer().write_all(line).expect("written");
                }
            });
            while !writer.is_finished() {
                assert!(lines.state().waiting.len() <= MAX_WAITING);
                go.try_send(()).ok();
                std::thread::yield_now();
            }
            drop(go);
        });
        lines.finish();
        assert_eq!(output.0.lock().expect("a lock").len(), 20 * line.len());
    }
}
