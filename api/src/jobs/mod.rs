//! What runs beside the requests.

mod sweeper;

pub use sweeper::run_sweeper;
