//! Measures each figure briefly, in `cargo test`: a figure that can no longer be measured is a failed test. The numbers
//! are not used.

use std::process::ExitCode;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use crate::figures::{FIGURES, Measure};
use crate::{Outcome, Settings, Soak};

const SOAK: Soak = Soak {
    users: 16,
    turnovers: 2,
};

/// Takes the figures whose names hold one of the arguments, or all of them, and says so in the test harness's
/// words, which `build.sh` counts.
pub(crate) fn run() -> ExitCode {
    let filters: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let began = Instant::now();
    let (mut passed, mut failed, mut left_out) = (0, 0, 0);
    println!("\nrunning {} figures for a moment", FIGURES.len());
    for (figure, measure) in FIGURES {
        let name = format!("bench::{figure}");
        if !filters.is_empty() && !filters.iter().any(|filter| name.contains(filter)) {
            left_out += 1;
            continue;
        }
        match take(measure) {
            Ok(()) => {
                passed += 1;
                println!("test {name} ... ok");
            }
            Err(error) => {
                failed += 1;
                println!("test {name} ... FAILED: {error}");
            }
        }
    }
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {verdict}. {passed} passed; {failed} failed; 0 ignored; 0 measured; {left_out} filtered out; \
         finished in {:.2}s\n",
        began.elapsed().as_secs_f64()
    );
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn take(measure: Measure) -> Outcome<()> {
    let settings = Settings {
        rounds: 1,
        slice: Duration::from_millis(50),
        log: None,
        users: 1_000,
        tokens: 1_000,
        cache: None,
        cores: available_parallelism()?.get(),
        soak: SOAK,
    };
    let runtime = settings.runtime()?;
    measure(&runtime, &settings).map(|_| ())
}
