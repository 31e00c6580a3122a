//! The figures, each with its name, in the order of the report.

mod authenticate;
mod isolation;
mod memory;
mod package;
mod popup;
mod postgres;
mod protected;
mod refresh;
mod size;
mod soak;
mod start;

use tokio::runtime::Runtime;

use crate::report::Figure;
use crate::{Outcome, Settings};

pub(crate) type Measure = fn(&Runtime, &Settings) -> Outcome<Vec<Figure>>;

pub(crate) const FIGURES: [(&str, Measure); 15] = [
    (protected::NAME, |on, how| one(protected::measure(on, how))),
    (refresh::ONE, |on, how| one(refresh::measure_one(on, how))),
    (refresh::MANY, refresh::measure_many),
    (authenticate::NAME, |on, how| {
        one(authenticate::measure(on, how))
    }),
    (isolation::NAME, |on, how| one(isolation::measure(on, how))),
    (start::NAME, start::measure),
    (memory::AT_REST, |on, how| one(memory::at_rest(on, how))),
    (memory::UNDER_LOAD, |on, how| {
        one(memory::under_load(on, how))
    }),
    (package::NAME, |on, how| one(package::measure(on, how))),
    (popup::NAME, popup::measure),
    (postgres::NAME, postgres::measure),
    (size::SLED, size::sled),
    (size::POSTGRES, size::postgres),
    (soak::SLED, soak::sled),
    (soak::POSTGRES, soak::postgres),
];

fn one(figure: Outcome<Figure>) -> Outcome<Vec<Figure>> {
    Ok(vec![figure?])
}
