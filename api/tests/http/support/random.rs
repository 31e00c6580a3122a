//! Repeatable randomness: SplitMix64 (Steele, Lea and Flood, 2014), which is enough for tests.

pub struct Random(u64);

impl Random {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The seed of `PASSWORD_AUTH_SEED`, or a new one.
    pub fn seed() -> u64 {
        match std::env::var("PASSWORD_AUTH_SEED") {
            Ok(seed) => seed.parse().expect("PASSWORD_AUTH_SEED is a number"),
            Err(_) => getrandom::u64().expect("random bytes"),
        }
    }

    /// Another sequence, so that tasks that run at once do not depend on their order.
    pub fn fork(&mut self) -> Self {
        Self(self.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From 0 to `end`, which is left out.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).expect("fits")).expect("fits")
    }

    pub fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }
}

/// How much of something: every day, or with `PASSWORD_AUTH_LONG=1`.
pub fn everyday_or_long(everyday: usize, long: usize) -> usize {
    match std::env::var("PASSWORD_AUTH_LONG") {
        Ok(set) if set == "1" => long,
        _ => everyday,
    }
}
