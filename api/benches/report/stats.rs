//! Median and spread, and taking two sides in turn.

use std::fmt;

use serde::Serialize;

use crate::{Outcome, Settings};

/// The middle of several rounds, and how far they lie apart.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// Of at least one value.
    pub(crate) fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
        let last = sorted.len().saturating_sub(1);
        Self {
            median: f64::midpoint(at(last / 2), at(last.div_ceil(2))),
            min: at(0),
            max: at(last),
        }
    }
}

/// A value for people: three digits that count.
pub(crate) struct Short(pub(crate) f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            value if value >= 10_000.0 => write!(f, "{:.1}k", value / 1000.0),
            value if value >= 100.0 => write!(f, "{value:.0}"),
            value if value >= 10.0 => write!(f, "{value:.1}"),
            value => write!(f, "{value:.2}"),
        }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (median, min, max) = (Short(self.median), Short(self.min), Short(self.max));
        write!(f, "{median} ({min}–{max})")
    }
}

/// What two sides did, round by round.
pub(crate) struct Duel {
    pub(crate) ours: Spread,
    pub(crate) beside: Spread,
    /// Ours by theirs, within each round.
    pub(crate) ratio: Spread,
}

/// One side of a comparison: does its work for a slice of time, and says a number.
pub(crate) type Side<'a> = &'a mut dyn FnMut() -> Outcome<f64>;

/// Takes the two sides in turn, each round the other one first. The first round does not count.
pub(crate) fn duel(settings: &Settings, ours: Side<'_>, beside: Side<'_>) -> Outcome<Duel> {
    let mut rounds = Vec::new();
    for round in 0..=settings.rounds {
        eprint!(".");
        let pair = if round % 2 == 0 {
            let ours = ours()?;
            (ours, beside()?)
        } else {
            let beside = beside()?;
            (ours()?, beside)
        };
        if round > 0 {
            rounds.push(pair);
        }
    }
    let spread_of =
        |value: fn(&(f64, f64)) -> f64| Spread::of(&rounds.iter().map(value).collect::<Vec<_>>());
    Ok(Duel {
        ours: spread_of(|pair| pair.0),
        beside: spread_of(|pair| pair.1),
        ratio: spread_of(|pair| pair.0 / pair.1),
    })
}
