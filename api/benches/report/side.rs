//! A filled store, the server on it, and what its requests cost.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use password_auth_model::{Clock as _, SystemClock};
use password_auth_store::Loaded;
use tokio::runtime::Runtime;

use crate::client::Connection;
use crate::load::drive;
use crate::population::Population;
use crate::process::{Hashing, Process};
use crate::stats::Spread;
use crate::storage::{Engine, Storage};
use crate::traffic::{CONNECTIONS, Traffic};
use crate::{Outcome, Settings};

/// A store of some size, and a server on it.
pub(crate) struct Side {
    pub(crate) storage: Storage,
    pub(crate) population: Population,
    loaded: Loaded,
    server: RefCell<Option<Process>>,
}

impl Side {
    pub(crate) fn fill(runtime: &Runtime, engine: Engine, users: u32) -> Outcome<Self> {
        let population = Population::new(users, SystemClock.now())?;
        let storage = Storage::new(runtime, engine)?;
        let loaded = storage.fill(runtime, population.records())?;
        eprint!("*");
        Ok(Self {
            storage,
            population,
            loaded,
            server: RefCell::default(),
        })
    }

    /// Milliseconds from starting the process to the line with its address. The one before is killed.
    pub(crate) fn start(&self, settings: &Settings) -> Outcome<f64> {
        self.server.take();
        let started = Instant::now();
        let server = Process::server_on(settings, Hashing::Cheap, &self.storage)?;
        let taken = started.elapsed().as_secs_f64() * 1000.0;
        self.server.replace(Some(server));
        Ok(taken)
    }

    fn with<T>(&self, ask: impl FnOnce(&Process) -> Outcome<T>) -> Outcome<T> {
        ask(self.server.borrow().as_ref().ok_or("no server")?)
    }

    /// Waits until the server has read what it reads in advance: until it uses next to no processor time.
    pub(crate) fn settle(&self) -> Outcome<()> {
        for _ in 0..240 {
            let before = self.cpu_seconds()?;
            std::thread::sleep(Duration::from_millis(500));
            if self.cpu_seconds()? - before < 0.02 {
                break;
            }
        }
        Ok(())
    }

    pub(crate) fn memory(&self) -> Outcome<f64> {
        self.with(Process::memory)
    }

    /// Of the server and of its database.
    pub(crate) fn cpu_seconds(&self) -> Outcome<f64> {
        Ok(self.with(Process::cpu_seconds)? + self.storage.cpu_seconds()?)
    }

    /// Bytes on disk for each user and session that was put there, also those that were swept.
    pub(crate) fn bytes_each(&self, runtime: &Runtime) -> Outcome<f64> {
        let records = self.loaded.users + self.loaded.sessions;
        #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
        Ok(self.storage.bytes(runtime)? / records as f64)
    }
}

/// A side that is asked, again and again.
pub(crate) struct Asked<'a, T> {
    pub(crate) side: &'a Side,
    workers: RefCell<Vec<T>>,
    costs: RefCell<Vec<Cost>>,
    warm: Cell<bool>,
}

impl<'a, T: Traffic> Asked<'a, T> {
    pub(crate) const fn new(side: &'a Side) -> Self {
        Self {
            side,
            workers: RefCell::new(Vec::new()),
            costs: RefCell::new(Vec::new()),
            warm: Cell::new(false),
        }
    }

    /// Not earlier than they are needed: the server closes a connection on which nothing comes.
    async fn connect(&self) -> Outcome<()> {
        let address = self.side.with(|server| Ok(server.address))?;
        let mut workers = Vec::new();
        for number in 0..CONNECTIONS {
            let connection = Connection::open(address).await?;
            workers.push(T::new(connection, &self.side.population, number)?);
        }
        self.workers.replace(workers);
        Ok(())
    }

    /// For a slice of time.
    pub(crate) fn ask(&self, runtime: &Runtime, settings: &Settings) -> Outcome<Cost> {
        if self.workers.borrow().is_empty() {
            runtime.block_on(self.connect())?;
        }
        let before = self.side.cpu_seconds()?;
        let rate = runtime.block_on(drive(&mut self.workers.borrow_mut(), settings.slice))?;
        let used = self.side.cpu_seconds()? - before;
        let cost = Cost {
            rate,
            microseconds: 1e6 * used / (rate * settings.slice.as_secs_f64()),
        };
        // The first round does not count.
        if self.warm.replace(true) {
            self.costs.borrow_mut().push(cost);
        }
        Ok(cost)
    }

    /// The medians of all rounds.
    pub(crate) fn cost(&self) -> Cost {
        let costs = self.costs.borrow();
        let median = |value: fn(&Cost) -> f64| {
            Spread::of(&costs.iter().map(value).collect::<Vec<_>>()).median
        };
        Cost {
            rate: median(|cost| cost.rate),
            microseconds: median(|cost| cost.microseconds),
        }
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Cost {
    /// Requests a second.
    pub(crate) rate: f64,
    /// Processor time of one, of the server and its database.
    pub(crate) microseconds: f64,
}

/// Processor time that requests cost, over all rounds.
pub(crate) struct CpuOf<F> {
    used: F,
    seconds: Cell<f64>,
    requests: Cell<f64>,
}

impl<F: Fn() -> Outcome<f64>> CpuOf<F> {
    /// `used` says the seconds so far.
    pub(crate) const fn new(used: F) -> Self {
        Self {
            used,
            seconds: Cell::new(0.0),
            requests: Cell::new(0.0),
        }
    }

    /// `load` says requests a second.
    pub(crate) fn during(
        &self,
        settings: &Settings,
        load: impl FnOnce() -> Outcome<f64>,
    ) -> Outcome<f64> {
        let before = (self.used)()?;
        let rate = load()?;
        let used = (self.used)()? - before;
        self.seconds.set(self.seconds.get() + used);
        let requests = rate * settings.slice.as_secs_f64();
        self.requests.set(self.requests.get() + requests);
        Ok(rate)
    }

    /// Of each request.
    pub(crate) fn microseconds(&self) -> f64 {
        1e6 * self.seconds.get() / self.requests.get()
    }
}
