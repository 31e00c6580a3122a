//! Many users and sessions, the same ones each time: what a store looks like after months of use. Each is made
//! again from its number, so that nothing of it need be remembered.

use std::time::Duration;

use futures_util::stream;
use password_auth_core::passwords::{ScryptParams, hash};
use password_auth_core::tokens::{AccessClaims, AccessTokens, CLIENT_ID, RefreshTokens};
use password_auth_model::{
    End, Generation, MAX_RETIRED, Party, PasswordHash, Retired, Session, SessionId, Timestamp,
    TokenId, Trail, User, UserId, Username,
};
use password_auth_store::{Record, Records};
use password_auth_wire::Secret;

use crate::Outcome;

/// Who presents tokens: always the same.
pub(crate) const PARTY: Party = Party {
    network: 1,
    device: 2,
};

const DAY: Duration = Duration::from_secs(86_400);

/// How long ago the first user registered, and the last.
const USERS_SINCE: u64 = 730;
const USERS_UNTIL: u64 = 220;
/// How long ago the first sign-in was. With what follows: one in forty is to be swept, one in seven has
/// expired and stays on record.
const SESSIONS_SINCE: u64 = 215;
const SESSION_LASTS: u64 = 180;
const REMEMBERED: u64 = 30;

/// Sign-ins of each user.
pub(crate) const SESSIONS_EACH: u64 = 2;

/// Records per batch.
const BATCH: usize = 1024;

/// Larger than any number of users here, and prime: goes round all of them.
const STRIDE: u64 = 2_654_435_761;

const NAMES: [&str; 8] = [
    "maria", "j.smith", "wei", "olena", "ahmed", "sofia", "kwame", "yuki.t",
];
const DEVICES: [&str; 4] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:152.0) Gecko/20100101 Firefox/152.0",
];

/// So many users, as of a moment.
#[derive(Clone)]
pub(crate) struct Population {
    users: u64,
    now: Timestamp,
    password: PasswordHash,
}

impl Population {
    pub(crate) fn new(users: u32, now: Timestamp) -> Outcome<Self> {
        let params = ScryptParams::new(4, 8, 1).ok_or("scrypt's parameters")?;
        Ok(Self {
            users: users.into(),
            now,
            password: hash(b"correct horse battery", params)?,
        })
    }

    pub(crate) const fn users(&self) -> u64 {
        self.users
    }

    pub(crate) const fn sessions(&self) -> u64 {
        self.users * SESSIONS_EACH
    }

    /// Everything, in the order in which a store takes it.
    pub(crate) fn records(&self) -> Records {
        let mut networks: Vec<(u64, [u8; 16])> = (0..self.sessions())
            .filter(|number| self.began(*number) > self.days_ago(REMEMBERED))
            .map(|number| (number, bytes_of("network", number)))
            .collect();
        networks.sort_unstable_by_key(|(_, key)| *key);
        let one = self.clone();
        let users = (0..self.users).map(move |number| Record::User(one.user(number)));
        let one = self.clone();
        let sessions = (0..self.sessions()).map(move |number| Record::Session(one.session(number)));
        let one = self.clone();
        let attempts = networks
            .into_iter()
            .map(move |(number, key)| Record::Attempt {
                key,
                until: one.began(number).plus(days(REMEMBERED)),
            });
        let mut all = users.chain(sessions).chain(attempts);
        let batches = std::iter::from_fn(move || {
            let batch: Vec<Record> = all.by_ref().take(BATCH).collect();
            (!batch.is_empty()).then_some(Ok(batch))
        });
        Box::pin(stream::iter(batches))
    }

    /// Numbers of sessions that count, spread over all of them.
    pub(crate) fn live_session(&self, random: &mut Random) -> u64 {
        loop {
            let number = random.next() % self.sessions();
            let began = self.began(number);
            if !is_stolen(number) && began > self.days_ago(SESSION_LASTS - 1) {
                return number;
            }
        }
    }

    pub(crate) fn access_token(&self, tokens: &AccessTokens, number: u64) -> Outcome<Secret> {
        let session = self.session(number);
        let user = self.user(self.owner(number));
        let claims = AccessClaims {
            iss: tokens.issuer().to_owned(),
            aud: tokens.issuer().to_owned(),
            client_id: CLIENT_ID.to_owned(),
            sub: user.id,
            preferred_username: user.username.as_str().to_owned(),
            sid: session.id,
            generation: session.generation,
            epoch: session.epoch,
            party: Some(PARTY),
            // The same token for a session each time, as a client sends it.
            jti: TokenId::from_bytes(uuid("token", number, self.now)),
            iat: self.now.as_secs(),
            exp: self.now.plus(DAY).as_secs(),
        };
        Ok(tokens
            .issue(&claims, self.now)
            .ok_or("a token that is not signed")?)
    }

    /// The refresh token after so many rotations.
    pub(crate) fn refresh_token(
        &self,
        tokens: &RefreshTokens,
        number: u64,
        rotations: u32,
    ) -> Secret {
        let session = self.session(number);
        let generation = Generation(session.generation.0 + rotations);
        tokens.issue(session.id, generation)
    }

    fn user(&self, number: u64) -> User {
        let span = days(USERS_SINCE - USERS_UNTIL);
        let created = self
            .days_ago(USERS_SINCE)
            .plus(part(span, number, self.users));
        let name = NAMES[usize::from(bytes_of("name", number)[0]) % NAMES.len()];
        // Numbers only, behind one of those: no name breaks the rules for names.
        #[expect(clippy::expect_used, reason = "a name of letters and digits")]
        let username = Username::parse(&format!("{name}{number}")).expect("a name");
        User {
            id: UserId::from_bytes(uuid("user", number, created)),
            ..User::new(username, self.password.clone(), created)
        }
    }

    fn session(&self, number: u64) -> Session {
        let random = bytes_of("session", number);
        let created = self.began(number);
        let age = self.now.since(created).min(days(SESSION_LASTS));
        let last_used = created.plus(part(age, u64::from(random[1]), 256));
        let generation = u32::from(random[2]);
        // Most were refreshed once at a time; a few hold as much as a session can.
        let retired = match random[3] {
            0..=3 => MAX_RETIRED,
            4..=15 => 3,
            _ => 1,
        };
        let retired = (0..generation)
            .rev()
            .take(retired)
            .map(|generation| Retired {
                generation: Generation(generation),
                at: last_used,
                by: Some(PARTY),
            });
        let mut retired: Vec<Retired> = retired.collect();
        retired.reverse();
        Session {
            id: SessionId::from_bytes(uuid("session", number, created)),
            user: self.user(self.owner(number)).id,
            device: DEVICES[usize::from(random[4]) % DEVICES.len()].to_owned(),
            created,
            last_used,
            expires: created.plus(days(SESSION_LASTS)),
            generation: Generation(generation),
            confirmed: true,
            epoch: 0,
            retired,
            ended: is_stolen(number).then_some(End::Theft),
            trail: Trail::default(),
        }
    }

    const fn owner(&self, number: u64) -> u64 {
        // Neither factor needs more than 32 bits.
        (number * STRIDE) % self.users
    }

    fn began(&self, number: u64) -> Timestamp {
        let span = part(days(SESSIONS_SINCE), number, self.sessions());
        self.days_ago(SESSIONS_SINCE).plus(span)
    }

    fn days_ago(&self, count: u64) -> Timestamp {
        self.now.minus(days(count))
    }
}

const fn is_stolen(number: u64) -> bool {
    number % 1000 == 7
}

const fn days(count: u64) -> Duration {
    Duration::from_secs(count * DAY.as_secs())
}

/// The `number`th of `count` equal parts of a time.
fn part(whole: Duration, number: u64, count: u64) -> Duration {
    let millis = whole.as_millis() * u128::from(number) / u128::from(count);
    Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}

/// Version 7 (RFC 9562): 48 bits of time, the rest random.
fn uuid(kind: &str, number: u64, at: Timestamp) -> [u8; 16] {
    let mut id = bytes_of(kind, number);
    id[..6].copy_from_slice(&at.as_millis().to_be_bytes()[2..]);
    id[6] = 0x70 | (id[6] & 0x0f);
    id[8] = 0x80 | (id[8] & 0x3f);
    id
}

fn bytes_of(kind: &str, number: u64) -> [u8; 16] {
    let seed = kind.bytes().fold(number, |seed, byte| {
        (seed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut random = Random(seed);
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&random.next().to_be_bytes());
    bytes[8..].copy_from_slice(&random.next().to_be_bytes());
    bytes
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers from the same seed.
#[derive(Clone)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
