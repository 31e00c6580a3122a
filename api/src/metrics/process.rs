//! What the system says about this process.

use std::fs;

/// Ticks per second in `/proc`: part of Linux's interface.
const TICKS: f64 = 100.0;

pub(super) struct Process {
    pub(super) cpu_seconds: f64,
    pub(super) resident_bytes: f64,
    pub(super) descriptors: f64,
}

impl Process {
    /// `None` where there is no `/proc`.
    pub(super) fn read() -> Option<Self> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        // The name of the program, which is in brackets, may contain anything.
        let (_, fields) = stat.rsplit_once(')')?;
        let mut fields = fields.split_whitespace().skip(11);
        let mut ticks = || fields.next()?.parse::<f64>().ok();
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let resident = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kibibytes: f64 = resident.trim().strip_suffix(" kB")?.trim().parse().ok()?;
        Some(Self {
            cpu_seconds: (ticks()? + ticks()?) / TICKS,
            resident_bytes: kibibytes * 1024.0,
            descriptors: fs::read_dir("/proc/self/fd").ok()?.count() as f64,
        })
    }
}
