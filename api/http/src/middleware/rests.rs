//! Who asks again at once after a refusal, as a flood does, is refused a moment later. So a flood costs little, and
//! requests of others are not behind a thousand refusals.

use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use password_auth_model::client_network;
use poem::Response;
use poem::http::StatusCode;

use crate::server::Rest;

/// A refusal within this time after another one to the same client rests as long.
const REST_MS: u64 = 200;

/// Up to this much longer: the requests of a flood come one by one, not all at once after each rest.
const SPREAD_MS: u64 = 200;

/// How many clients are told apart. More share an entry: a refusal to one of them may rest for another's, which does
/// neither any harm.
const ENTRIES: u64 = 4096;

/// When clients were refused lately.
pub(super) struct Rests {
    keys: RandomState,
    began: Instant,
    /// When each client heard its last refusal, or will, in milliseconds since `began`.
    refused: Box<[AtomicU64]>,
}

impl Rests {
    pub(super) fn new() -> Self {
        Self {
            keys: RandomState::new(),
            began: Instant::now(),
            refused: (0..ENTRIES).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// Marks a refusal that comes too soon after another.
    pub(super) fn mark(&self, response: &mut Response, client: IpAddr) {
        if is_refusal(response.status())
            && let Some(rest) = self.after_refusal(client, self.began.elapsed())
        {
            response.set_data(rest);
        }
    }

    /// Notes a refusal. Responses without one are never late, whoever else has the address.
    fn after_refusal(&self, client: IpAddr, now: Duration) -> Option<Rest> {
        let client = client_network(client);
        let entry = self.keys.hash_one(client) % ENTRIES;
        let last = self.refused.get(usize::try_from(entry).ok()?)?;
        // Later than any entry that nobody has used yet.
        let now = u64::try_from(now.as_millis()).ok()? + REST_MS;
        let is_early = now < last.load(Ordering::Relaxed) + REST_MS;
        let rest = if is_early {
            REST_MS + self.keys.hash_one((client, now)) % SPREAD_MS
        } else {
            0
        };
        last.store(now + rest, Ordering::Relaxed);
        is_early.then(|| Rest(Duration::from_millis(rest)))
    }
}

const fn is_refusal(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    )
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::time::Duration;

    use super::{REST_MS, Rest, Rests, SPREAD_MS};

    const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

    const REST: Duration = Duration::from_millis(REST_MS);

    const LONGEST: Duration = Duration::from_millis(REST_MS + SPREAD_MS);

    #[test]
    fn whoever_asks_as_soon_as_it_is_answered_rests_each_time_until_it_has_waited_by_itself() {
        let rests = Rests::new();
        let mut now = Duration::ZERO;
        assert_eq!(rests.after_refusal(CLIENT, now), None);
        for _ in 0..10 {
            now += REST - Duration::from_millis(1);
            let Rest(rest) = rests.after_refusal(CLIENT, now).expect("a rest");
            assert!(rest >= REST && rest < LONGEST, "{rest:?}");
            now += rest;
        }
        now += REST;
        assert_eq!(rests.after_refusal(CLIENT, now), None);
    }

    #[test]
    fn however_often_a_client_asks_at_once_nothing_rests_longer_and_not_all_as_long() {
        let rests = Rests::new();
        let mut waits: Vec<Duration> = (0..1_000)
            .filter_map(|number| rests.after_refusal(CLIENT, Duration::from_millis(number / 10)))
            .map(|Rest(rest)| rest)
            .collect();
        assert_eq!(waits.len(), 999);
        waits.sort();
        waits.dedup();
        assert!(waits.iter().all(|wait| *wait < LONGEST), "{waits:?}");
        assert!(waits.len() > 20, "{waits:?}");
    }

    #[test]
    fn clients_are_told_apart_by_network() {
        let address = |text: &str| -> IpAddr { text.parse().expect("an address") };
        let rests = Rests::new();
        let now = Duration::from_secs(1);
        assert_eq!(rests.after_refusal(address("2001:db8::1"), now), None);
        assert!(rests.after_refusal(address("2001:db8::2"), now).is_some());
        let others = (0..100).filter(|number| {
            let other = IpAddr::V4(Ipv4Addr::new(198, 51, 100, *number));
            rests.after_refusal(other, now).is_none()
        });
        assert!(others.count() > 90);
    }
}
