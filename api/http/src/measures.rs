//! Counts requests and connections, for whoever watches the server.
//!
//! A request is counted under its route's path as the OpenAPI document writes it, never under what a client sent: nobody
//! can invent a label.

use std::array;
use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use password_auth_model::measure::{Count, Histogram};
use poem::http::{Method, StatusCode};

/// The methods that have routes, and `OTHER`.
const METHODS: [&str; 8] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", OTHER,
];

/// Every other method.
const OTHER: &str = "OTHER";

/// The path of a request that no route matches.
const UNMATCHED: &str = "unmatched";

/// The statuses that are counted separately. Others are counted as the first one of their hundred.
const STATUSES: [u16; 26] = [
    100, 200, 201, 204, 300, 304, 307, 400, 401, 403, 404, 405, 408, 409, 413, 414, 415, 422, 429,
    431, 500, 501, 502, 503, 504, 505,
];

/// What a server has counted so far.
#[derive(Debug, Default)]
pub struct Measures {
    /// Requests.
    pub requests: Requests,
    /// Connections to the public listener.
    pub connections: Connections,
}

/// Connections.
#[derive(Debug, Default)]
pub struct Connections {
    opened: Count,
    closed: Count,
    /// Connections that were refused because their network had its share.
    pub refused: Count,
    /// TLS handshakes that failed or took too long.
    pub failed_handshakes: Count,
}

/// An open connection.
pub(super) struct OpenConnection<'a>(&'a Connections);

impl Connections {
    pub(super) fn open(&self) -> OpenConnection<'_> {
        self.opened.add_one();
        OpenConnection(self)
    }

    /// How many are open.
    #[must_use]
    pub fn now_open(&self) -> u64 {
        // Read in this order, so that it is never negative.
        let closed = self.closed.total();
        self.opened.total().saturating_sub(closed)
    }

    /// How many were opened.
    #[must_use]
    pub fn opened(&self) -> u64 {
        self.opened.total()
    }
}

impl Drop for OpenConnection<'_> {
    fn drop(&mut self) {
        self.0.closed.add_one();
    }
}

/// Requests by route, method and status.
#[derive(Debug)]
pub struct Requests {
    /// By poem's pattern.
    by_pattern: OnceLock<HashMap<String, ByMethod>>,
    unmatched: ByMethod,
}

/// The requests of one route.
#[derive(Debug)]
struct ByMethod {
    path: String,
    /// One for each of [`METHODS`], once there was a request.
    answers: [OnceLock<Box<Answers>>; METHODS.len()],
}

/// The answers of one route and method.
#[derive(Debug)]
struct Answers {
    by_status: [Count; STATUSES.len()],
    times: Histogram,
}

/// What was counted for one route and method.
#[derive(Clone, Copy, Debug)]
pub struct Counted<'a> {
    /// The route's path, such as `/api/v1/users/{id}`.
    pub path: &'a str,
    /// The method.
    pub method: &'static str,
    answers: &'a Answers,
}

impl Default for Requests {
    fn default() -> Self {
        Self {
            by_pattern: OnceLock::new(),
            unmatched: ByMethod::of(UNMATCHED.to_owned()),
        }
    }
}

impl Requests {
    /// Says which routes there are: poem's pattern and the path of each. Only the first call counts.
    pub(super) fn know(&self, routes: impl Iterator<Item = (String, String)>) {
        let routes = routes.map(|(pattern, path)| (pattern, ByMethod::of(path)));
        self.by_pattern.get_or_init(|| routes.collect());
    }

    /// Counts an answered request. `pattern` is poem's, or anything else if no route matched.
    pub(super) fn record(
        &self,
        (pattern, method): (&str, &Method),
        status: StatusCode,
        time: Duration,
    ) {
        let route = self.by_pattern.get();
        let route = route.and_then(|routes| routes.get(pattern));
        let route = route.unwrap_or(&self.unmatched);
        let method = METHODS.iter().position(|known| *known == method.as_str());
        let slot = &route.answers[method.unwrap_or(METHODS.len() - 1)];
        let answers = slot.get_or_init(Box::default);
        answers.by_status[index_of(status)].add_one();
        answers.times.record_time(time);
    }

    /// Every route and method that had requests.
    pub fn counted(&self) -> impl Iterator<Item = Counted<'_>> {
        let routes = self.by_pattern.get().into_iter().flat_map(HashMap::values);
        let routes = routes.chain([&self.unmatched]);
        routes.flat_map(|route| {
            METHODS
                .iter()
                .zip(&route.answers)
                .filter_map(|(method, slot)| {
                    Some(Counted {
                        path: &route.path,
                        method,
                        answers: slot.get()?,
                    })
                })
        })
    }
}

impl<'a> Counted<'a> {
    /// Each status that was answered, and how often.
    pub fn by_status(self) -> impl Iterator<Item = (u16, u64)> + 'a {
        let counts = self.answers.by_status.iter().map(Count::total);
        STATUSES
            .into_iter()
            .zip(counts)
            .filter(|(_, count)| *count > 0)
    }

    /// The times until the head of the answer was ready.
    #[must_use]
    pub const fn times(self) -> &'a Histogram {
        &self.answers.times
    }
}

impl ByMethod {
    fn of(path: String) -> Self {
        Self {
            path,
            answers: array::from_fn(|_| OnceLock::new()),
        }
    }
}

impl Default for Answers {
    fn default() -> Self {
        Self {
            by_status: array::from_fn(|_| Count::default()),
            times: Histogram::of_times(),
        }
    }
}

fn index_of(status: StatusCode) -> usize {
    let position = |status| STATUSES.iter().position(|known| *known == status);
    let status = status.as_u16();
    position(status)
        .or_else(|| position(status / 100 * 100))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Requests, STATUSES, index_of};
    use poem::http::{Method, StatusCode};
    use std::time::Duration;

    #[test]
    fn no_client_can_invent_a_label() {
        let requests = Requests::default();
        let route = ("/users/:param0".to_owned(), "/users/{id}".to_owned());
        requests.know(std::iter::once(route));
        let odd = Method::from_bytes(b"BREW").expect("a method");
        for (pattern, method) in [
            ("/users/:param0", &Method::GET),
            ("/users/0198-a-secret", &Method::GET),
            ("/users/:param0", &odd),
            ("-", &odd),
        ] {
            requests.record((pattern, method), StatusCode::OK, Duration::ZERO);
        }
        let mut seen: Vec<_> = requests.counted().map(|c| (c.path, c.method)).collect();
        seen.sort_unstable();
        assert_eq!(
            seen,
            [
                ("/users/{id}", "GET"),
                ("/users/{id}", "OTHER"),
                ("unmatched", "GET"),
                ("unmatched", "OTHER"),
            ]
        );
    }

    #[test]
    fn a_status_that_is_not_listed_counts_as_the_first_of_its_hundred() {
        for (status, counted_as) in [(200, 200), (206, 200), (418, 400), (599, 500), (999, 100)] {
            let index = index_of(StatusCode::from_u16(status).expect("a status"));
            assert_eq!(STATUSES[index], counted_as, "{status}");
        }
    }
}
