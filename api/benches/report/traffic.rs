//! Requests to sessions of a population, at random.

use std::collections::HashMap;

use password_auth_core::tokens::{AccessTokens, RefreshTokens, SigningAlg};
use password_auth_wire::Refresh;

use crate::Outcome;
use crate::client::{Connection, get_with_token, post};
use crate::load::{Repeat, Step};
use crate::population::{Population, Random};
use crate::storage::Storage;

/// How many clients ask at once.
pub(crate) const CONNECTIONS: u64 = 64;

/// Requests of one kind.
pub(crate) trait Traffic: Step + Sized {
    const WHAT: &'static str;

    /// The worker of that number, of as many as there are connections.
    fn new(connection: Connection, population: &Population, number: u64) -> Outcome<Self>;
}

/// `GET /protected`, each time with the token of another session.
pub(crate) struct Lookup {
    connection: Connection,
    population: Population,
    tokens: AccessTokens,
    random: Random,
}

impl Traffic for Lookup {
    const WHAT: &'static str = "GET /protected";

    fn new(connection: Connection, population: &Population, number: u64) -> Outcome<Self> {
        Ok(Self {
            connection,
            population: population.clone(),
            tokens: AccessTokens::new(&Storage::keys()?, SigningAlg::Hs256, "password-auth"),
            random: Random(number),
        })
    }
}

impl Lookup {
    fn request(&mut self) -> Outcome<Vec<u8>> {
        let session = self.population.live_session(&mut self.random);
        let token = self.population.access_token(&self.tokens, session)?;
        Ok(get_with_token("/protected", &token))
    }
}

impl Step for Lookup {
    async fn step(&mut self) -> Outcome<()> {
        let request = self.request()?;
        self.connection.ask(&request).await?.ok().map(|_| ())
    }
}

/// The same, with requests that were made before: the load costs no more than what is beside it.
pub(crate) struct Prepared(Repeat);

impl Traffic for Prepared {
    const WHAT: &'static str = Lookup::WHAT;

    fn new(connection: Connection, population: &Population, number: u64) -> Outcome<Self> {
        const REQUESTS: usize = 256;
        let mut lookup = Lookup::new(connection, population, number)?;
        let requests = (0..REQUESTS).map(|_| lookup.request());
        let requests = requests.collect::<Outcome<_>>()?;
        Ok(Self(Repeat::new(lookup.connection, requests)))
    }
}

impl Step for Prepared {
    async fn step(&mut self) -> Outcome<()> {
        self.0.step().await
    }
}

/// `POST /refresh`, each time of another session. No two workers share one.
pub(crate) struct Rotation {
    connection: Connection,
    population: Population,
    tokens: RefreshTokens,
    random: Random,
    number: u64,
    rotated: HashMap<u64, u32>,
}

impl Traffic for Rotation {
    const WHAT: &'static str = "POST /refresh";

    fn new(connection: Connection, population: &Population, number: u64) -> Outcome<Self> {
        Ok(Self {
            connection,
            population: population.clone(),
            tokens: RefreshTokens::new(&Storage::keys()?),
            random: Random(number),
            number,
            rotated: HashMap::new(),
        })
    }
}

impl Step for Rotation {
    async fn step(&mut self) -> Outcome<()> {
        let session = loop {
            let session = self.population.live_session(&mut self.random);
            if session % CONNECTIONS == self.number {
                break session;
            }
        };
        let rotations = self.rotated.entry(session).or_default();
        let refresh_token = self
            .population
            .refresh_token(&self.tokens, session, *rotations);
        let request = post("/refresh", &Refresh { refresh_token })?;
        self.connection.ask(&request).await?.ok()?;
        *rotations += 1;
        Ok(())
    }
}
