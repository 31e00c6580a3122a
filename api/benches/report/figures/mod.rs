//! The figures, each with its name, in the order of the report.

mod authenticate;
mod memory;
mod package;
mod protected;
mod refresh;
mod start;

use tokio::runtime::Runtime;

use crate::report::Figure;
use crate::{Outcome, Settings};

type Measure = fn(&Runtime, &Settings) -> Outcome<Figure>;

pub(crate) const FIGURES: [(&str, Measure); 8] = [
    (protected::NAME, protected::measure),
    (refresh::ONE, refresh::measure_one),
    (refresh::MANY, refresh::measure_many),
    (authenticate::NAME, authenticate::measure),
    (start::NAME, start::measure),
    (memory::AT_REST, memory::at_rest),
    (memory::UNDER_LOAD, memory::under_load),
    (package::NAME, package::measure),
];
