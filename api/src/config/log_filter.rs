//! The log filter.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// Parses a filter. Values of fields are no regular expressions: 300 bytes of them kept a start busy for half a minute.
///
/// # Errors
/// What is wrong with it. Only give it ASCII, without blanks: it panics within other letters.
pub(crate) fn parse_log_filter(text: &str) -> Result<EnvFilter, ParseError> {
    EnvFilter::builder().with_regex(false).parse(text)
}
