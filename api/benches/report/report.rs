//! The report: a table for people, JSON for programs.

use std::fmt;
use std::process::Command;

use serde::Serialize;

use crate::Settings;
use crate::stats::{Duel, Short, Spread};

/// Everything that one run measured.
#[derive(Serialize)]
pub(crate) struct Report {
    version: &'static str,
    /// What was measured; unknown outside a checkout.
    commit: Option<String>,
    processor: String,
    cores: usize,
    rounds: u32,
    seconds: f64,
    log: String,
    figures: Vec<Figure>,
}

/// One figure beside its limit.
#[derive(Serialize)]
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    /// What is measured.
    pub(crate) what: String,
    pub(crate) unit: &'static str,
    /// `None`: it could not be measured, and the notes say why.
    pub(crate) measured: Option<Spread>,
    /// What it is measured beside, if anything.
    pub(crate) beside: Option<Beside>,
    pub(crate) goal: Option<Goal>,
    pub(crate) verdict: Verdict,
    pub(crate) notes: Vec<String>,
}

#[derive(Serialize)]
pub(crate) struct Beside {
    pub(crate) what: &'static str,
    pub(crate) measured: Spread,
    /// The figure by this one, round by round.
    pub(crate) ratio: Spread,
}

/// What a figure should reach.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Goal {
    /// The ratio, at least.
    RatioAtLeast(f64),
    /// The ratio, at most.
    RatioAtMost(f64),
    /// The figure itself, at most.
    AtMost(f64),
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    Met,
    BelowGoal,
    NoGoal,
    NotMeasured,
}

impl Figure {
    /// A figure that counts by itself.
    pub(crate) fn alone(
        name: &'static str,
        what: String,
        unit: &'static str,
        measured: Spread,
        goal: Option<Goal>,
    ) -> Self {
        Self {
            name,
            what,
            unit,
            measured: Some(measured),
            beside: None,
            goal,
            verdict: Verdict::of(goal, measured, None),
            notes: Vec::new(),
        }
    }

    /// A figure beside another.
    pub(crate) fn duel(
        name: &'static str,
        what: String,
        unit: &'static str,
        duel: &Duel,
        beside: &'static str,
        goal: Option<Goal>,
    ) -> Self {
        Self {
            verdict: Verdict::of(goal, duel.ours, Some(duel.ratio)),
            beside: Some(Beside {
                what: beside,
                measured: duel.beside,
                ratio: duel.ratio,
            }),
            ..Self::alone(name, what, unit, duel.ours, goal)
        }
    }

    /// A figure beside another, each seen once.
    pub(crate) fn beside(
        name: &'static str,
        what: String,
        unit: &'static str,
        (ours, beside): (f64, f64),
        beside_what: &'static str,
        goal: Option<Goal>,
    ) -> Self {
        let duel = Duel {
            ours: Spread::of(&[ours]),
            beside: Spread::of(&[beside]),
            ratio: Spread::of(&[ours / beside]),
        };
        Self::duel(name, what, unit, &duel, beside_what, goal)
    }

    pub(crate) fn not_measured(name: &'static str, what: String, why: String) -> Self {
        Self {
            name,
            what,
            unit: "",
            measured: None,
            beside: None,
            goal: None,
            verdict: Verdict::NotMeasured,
            notes: vec![why],
        }
    }

    pub(crate) fn with_note(mut self, note: String) -> Self {
        self.notes.push(note);
        self
    }
}

impl Verdict {
    fn of(goal: Option<Goal>, measured: Spread, ratio: Option<Spread>) -> Self {
        let met = match goal {
            None => return Self::NoGoal,
            Some(Goal::AtMost(limit)) => measured.median <= limit,
            Some(Goal::RatioAtLeast(limit)) => ratio.is_some_and(|ratio| ratio.median >= limit),
            Some(Goal::RatioAtMost(limit)) => ratio.is_some_and(|ratio| ratio.median <= limit),
        };
        if met { Self::Met } else { Self::BelowGoal }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Met => "met",
            Self::BelowGoal => "below goal",
            Self::NoGoal => "",
            Self::NotMeasured => "not measured",
        })
    }
}

impl Report {
    pub(crate) fn new(settings: &Settings, figures: Vec<Figure>) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            commit: commit(),
            processor: processor(),
            cores: settings.cores,
            rounds: settings.rounds,
            seconds: settings.slice.as_secs_f64(),
            log: settings.log.clone().unwrap_or_else(|| "default".to_owned()),
            figures,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\nPassword Auth {}, commit {}, on {} cores of {}: {} rounds of {} s, log {}. Median (least–most).\n",
            self.version,
            self.commit.as_deref().unwrap_or("unknown"),
            self.cores,
            self.processor,
            self.rounds,
            self.seconds,
            self.log
        )?;
        let heads = ["figure", "measured", "beside it", "ratio", "goal", ""];
        let rows: Vec<[String; 6]> = std::iter::once(heads.map(str::to_owned))
            .chain(self.figures.iter().map(row))
            .collect();
        let mut widths = [0; 6];
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        for row in &rows {
            let cells = row.iter().zip(widths);
            let line: String = cells
                .map(|(cell, width)| format!("{cell:width$}  "))
                .collect();
            writeln!(f, "{}", line.trim_end())?;
        }
        for figure in &self.figures {
            for note in &figure.notes {
                writeln!(f, "\n{}: {note}", figure.name)?;
            }
        }
        Ok(())
    }
}

/// The commit that is checked out, and whether files differ from it.
fn commit() -> Option<String> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    };
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changed = git(&["status", "--porcelain", "--untracked-files=no"])?;
    Some(if changed.is_empty() {
        commit
    } else {
        format!("{commit} with changes")
    })
}

fn processor() -> String {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    name.map_or("an unknown processor", |name| {
        name.trim_start_matches([' ', '\t', ':'])
    })
    .to_owned()
}

fn row(figure: &Figure) -> [String; 6] {
    let unit = figure.unit;
    let beside = figure.beside.as_ref();
    let goal = figure.goal.map(|goal| match goal {
        Goal::RatioAtLeast(limit) => format!("ratio ≥ {}", Short(limit)),
        Goal::RatioAtMost(limit) => format!("ratio ≤ {}", Short(limit)),
        Goal::AtMost(limit) => format!("≤ {} {unit}", Short(limit)),
    });
    [
        figure.what.clone(),
        figure
            .measured
            .map(|measured| format!("{measured} {unit}"))
            .unwrap_or_default(),
        beside
            .map(|beside| format!("{} {unit}, {}", beside.measured, beside.what))
            .unwrap_or_default(),
        beside
            .map(|beside| beside.ratio.to_string())
            .unwrap_or_default(),
        goal.unwrap_or_default(),
        figure.verdict.to_string(),
    ]
}
