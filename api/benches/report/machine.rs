//! What the system reports about a process, and a folder on its disk.

use std::fs;

use tempfile::TempDir;

use crate::Outcome;

/// Ticks a second of the times in `/proc`: `USER_HZ`, which Linux fixes for programs.
const TICKS_PER_SECOND: f64 = 100.0;

/// Seconds of processor time of a process.
pub(crate) struct CpuSeconds {
    pub(crate) own: f64,
    /// With those of its children that have ended.
    pub(crate) with_children: f64,
}

pub(crate) fn cpu_seconds_of(process: u32) -> Outcome<CpuSeconds> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name, in parentheses, may hold blanks; user and system time are fields 14 and 15, and those of its
    // children 16 and 17.
    let (_, fields) = stat.rsplit_once(')').ok_or("/proc/PID/stat")?;
    let times = fields.split_whitespace().skip(11).take(4);
    let times = times.map(str::parse).collect::<Result<Vec<f64>, _>>()?;
    let seconds = |count| times.iter().take(count).sum::<f64>() / TICKS_PER_SECOND;
    Ok(CpuSeconds {
        own: seconds(2),
        with_children: seconds(4),
    })
}

/// A temporary folder on the disk that `target/` is on: `/tmp` may be memory, which syncs at no cost.
pub(crate) fn folder() -> Outcome<TempDir> {
    Ok(tempfile::Builder::new()
        .prefix("bench-")
        .tempdir_in(env!("CARGO_TARGET_TMPDIR"))?)
}
