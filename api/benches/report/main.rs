//! What the release build costs, each figure beside its limit, in one run on loopback.
//!
//! `./build.sh bench`, or `cargo bench --bench report`. Numbers of one machine say little, so most figures
//! are ratios: the server beside the least that could do the work, taken in turn, several rounds, one of
//! them thrown away. `cargo test` takes each figure for a moment, on the debug build, so that none rots; what it
//! measured is not shown. The server is the real binary as a process of its own, in a temporary folder on the
//! disk that `target/` is on, its log at the default level and in a file. Nothing is pinned to a core:
//! server, load and baseline share what there is, on both sides alike. The numbers are for people to
//! judge; the report ends with success whatever they are.

mod bare;
mod browser;
mod client;
mod figures;
mod load;
mod machine;
mod moment;
mod population;
mod process;
mod report;
mod side;
mod stats;
mod storage;
mod traffic;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::available_parallelism;
use std::time::Duration;

use clap::Parser as _;
use tokio::runtime::Runtime;

use self::figures::FIGURES;
use self::report::{Figure, Report};

/// What a measurement ends with; an error means that nothing could be measured.
type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Measures the release build beside its limits.
#[derive(clap::Parser)]
#[command(name = "report")]
struct Arguments {
    /// Rounds that count; one more goes before them and is thrown away
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Seconds that each side of a comparison runs in each round
    #[arg(long, default_value_t = 2.0, value_parser = seconds)]
    seconds: f64,
    /// Only figures whose name begins so; can be repeated
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// How many users the figures about size have, beside a thousand
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1_000..=10_000_000))]
    users: u32,
    /// The server's `STORE_CACHE_MB`; unset: its default
    #[arg(long, value_name = "MB")]
    cache: Option<u32>,
    /// What the server logs, as `RUST_LOG`; unset: its default, as in production
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
    /// Where the JSON goes
    #[arg(long, value_name = "FILE", default_value_os_t = default_json())]
    json: PathBuf,
    /// What cargo adds
    #[arg(long, hide = true)]
    bench: bool,
}

/// More than any cache that is keyed by a connection or a client would hold.
const TOKENS: usize = 100_000;

/// What the figures need to know.
struct Settings {
    rounds: u32,
    slice: Duration,
    log: Option<String>,
    users: u32,
    /// How many different access tokens are sent.
    tokens: usize,
    cache: Option<u32>,
    /// As many as the server has hashing threads and runtime threads.
    cores: usize,
    soak: Soak,
}

/// How long the figures about steady use go on.
#[derive(Clone, Copy)]
struct Soak {
    users: usize,
    turnovers: usize,
}

impl Soak {
    const FULL: Self = Self {
        users: 1_000,
        turnovers: 10,
    };
}

impl Settings {
    fn runtime(&self) -> Outcome<Runtime> {
        Ok(tokio::runtime::Builder::new_multi_thread()
            .worker_threads(self.cores)
            .enable_all()
            .build()?)
    }
}

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(bare::SERVER_ARGUMENT) {
        return finish(bare::serve());
    }
    // `cargo bench` adds this, `cargo test` does not.
    if !std::env::args().any(|argument| argument == "--bench") {
        return moment::run();
    }
    finish(measure(Arguments::parse()))
}

fn finish(outcome: Outcome<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("report: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(arguments: Arguments) -> Outcome<()> {
    let chosen: Vec<_> = FIGURES
        .iter()
        .filter(|(name, _)| {
            arguments.only.is_empty() || arguments.only.iter().any(|only| name.starts_with(only))
        })
        .collect();
    if chosen.is_empty() {
        let names: Vec<_> = FIGURES.iter().map(|(name, _)| *name).collect();
        return Err(format!("no such figure; there are: {}", names.join(", ")).into());
    }
    let settings = Settings {
        rounds: arguments.rounds,
        slice: Duration::from_secs_f64(arguments.seconds),
        log: arguments.log,
        users: arguments.users,
        tokens: TOKENS,
        cache: arguments.cache,
        cores: available_parallelism()?.get(),
        soak: Soak::FULL,
    };
    let runtime = settings.runtime()?;
    let mut figures: Vec<Figure> = Vec::new();
    for (name, measure) in chosen {
        eprint!("measuring {name} ");
        figures.extend(measure(&runtime, &settings)?);
        eprintln!();
    }
    let report = Report::new(&settings, figures);
    print!("{report}");
    write_json(&arguments.json, &report)
}

fn write_json(path: &Path, report: &Report) -> Outcome<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, serde_json::to_string_pretty(report)? + "\n")
        .map_err(|error| format!("{}: {error}", path.display()))?;
    println!("\nas JSON: {}", path.display());
    Ok(())
}

/// Beside cargo's own folder for temporary files, which is in `target/`.
fn default_json() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent();
    target
        .unwrap_or(Path::new("."))
        .join("bench")
        .join("report.json")
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.1..=60.0).contains(&seconds) => Ok(seconds),
        _ => Err("a number from 0.1 to 60".to_owned()),
    }
}
