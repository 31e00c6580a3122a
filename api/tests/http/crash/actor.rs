//! Somebody who uses the server and remembers what it acknowledged, to hold it to that afterwards.

mod asking;
mod check;

use std::sync::Arc;

use password_auth_wire::{ErrorCode, Tokens};
use tokio::sync::Semaphore;

use crate::support::{Client, Random, Reply};

/// Sessions that one actor keeps alive at once.
const LIVE_SESSIONS: usize = 6;

/// The server was killed, or does not answer any more: what was under way may or may not have happened.
pub struct Gone;

pub struct Actor {
    name: String,
    random: Random,
    client: Client,
    /// Gets a permit for each acknowledged write.
    acknowledged: Arc<Semaphore>,
    people: Vec<Person>,
    claims: Vec<Claim>,
    sessions: Vec<Session>,
    pub tally: Tally,
}

/// What was acknowledged so far, and what was cut.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub registered: usize,
    pub contended: usize,
    pub signed_in: usize,
    pub refreshed: usize,
    pub refreshed_twice_at_once: usize,
    pub signed_out: usize,
    pub cut_registrations: usize,
    pub cut_refreshes: usize,
    pub cut_sign_outs: usize,
    /// Answers 503, which only a server that stops may give here.
    pub unavailable: usize,
}

impl Tally {
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            registered: self.registered + other.registered,
            contended: self.contended + other.contended,
            signed_in: self.signed_in + other.signed_in,
            refreshed: self.refreshed + other.refreshed,
            refreshed_twice_at_once: self.refreshed_twice_at_once + other.refreshed_twice_at_once,
            signed_out: self.signed_out + other.signed_out,
            cut_registrations: self.cut_registrations + other.cut_registrations,
            cut_refreshes: self.cut_refreshes + other.cut_refreshes,
            cut_sign_outs: self.cut_sign_outs + other.cut_sign_outs,
            unavailable: self.unavailable + other.unavailable,
        }
    }
}

/// Somebody whose registration was acknowledged, or found to have happened.
struct Person {
    name: String,
    password: String,
    /// Passwords of those who wanted the name too.
    losers: Vec<String>,
    checked: bool,
}

/// A name whose registration was cut.
struct Claim {
    name: String,
    passwords: Vec<String>,
    /// Somebody was told that the name is taken.
    somebody_has_it: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Live,
    RefreshCut,
    SignOutCut,
    SignedOut,
}

struct Session {
    person: String,
    /// The newest acknowledged pair.
    tokens: Tokens,
    state: State,
    checked: bool,
}

impl Actor {
    pub fn new(name: String, random: Random, client: Client, acknowledged: Arc<Semaphore>) -> Self {
        Self {
            name,
            random,
            client,
            acknowledged,
            people: Vec::new(),
            claims: Vec::new(),
            sessions: Vec::new(),
            tally: Tally::default(),
        }
    }

    pub fn meet(&mut self, client: Client) {
        self.client = client;
    }

    /// Uses the server until it is gone.
    pub async fn act(&mut self) {
        while self.step().await.is_ok() {}
    }

    async fn step(&mut self) -> Result<(), Gone> {
        let live: Vec<usize> = (0..self.sessions.len())
            .filter(|i| self.sessions[*i].state == State::Live)
            .collect();
        let dice = self.random.below(100);
        if self.people.is_empty() || dice < 12 {
            return self.register().await;
        }
        if dice < 20 {
            return self.contend().await;
        }
        if live.is_empty() || (dice < 40 && live.len() < LIVE_SESSIONS) {
            return self.sign_in().await;
        }
        let session = live[self.random.below(live.len())];
        match dice {
            ..70 => self.refresh(session).await,
            70..85 => self.refresh_twice_at_once(session).await,
            _ => self.sign_out(session).await,
        }
    }

    async fn register(&mut self) -> Result<(), Gone> {
        let (name, password) = (self.new_name(), password(0));
        match self.ask(self.registration(&name, &password)).await {
            Ok(reply) => {
                reply.expect_ok();
                self.tally.registered += 1;
                self.people.push(Person::new(name, password, Vec::new()));
                Ok(())
            }
            Err(Gone) => {
                self.tally.cut_registrations += 1;
                self.claims.push(Claim {
                    name,
                    passwords: vec![password],
                    somebody_has_it: false,
                });
                Err(Gone)
            }
        }
    }

    /// Three want one name at once, each with a password of his own.
    async fn contend(&mut self) -> Result<(), Gone> {
        let name = self.new_name();
        let passwords = [password(0), password(1), password(2)];
        let requests = passwords
            .each_ref()
            .map(|password| self.registration(&name, password));
        let [a, b, c] = requests;
        let answers = tokio::join!(self.send(a), self.send(b), self.send(c));
        let answers = [answers.0, answers.1, answers.2];
        let (mut winners, mut others) = (Vec::new(), Vec::new());
        let (mut refused, mut cut) = (false, false);
        for (password, answer) in passwords.into_iter().zip(answers) {
            match self.noted(answer) {
                Ok(reply) if reply.status == 200 => winners.push(password),
                Ok(reply) => {
                    reply.expect_failure(400, ErrorCode::UserExists);
                    refused = true;
                    others.push(password);
                }
                Err(Gone) => {
                    cut = true;
                    others.push(password);
                }
            }
        }
        assert!(winners.len() <= 1, "{name} was registered twice");
        if let Some(password) = winners.pop() {
            self.tally.contended += 1;
            self.people.push(Person::new(name, password, others));
        } else {
            assert!(cut, "{name} was free, and nobody got it");
            self.tally.cut_registrations += 1;
            self.claims.push(Claim {
                name,
                passwords: others,
                somebody_has_it: refused,
            });
        }
        if cut { Err(Gone) } else { Ok(()) }
    }

    async fn sign_in(&mut self) -> Result<(), Gone> {
        let person = self.random.below(self.people.len());
        let Person { name, password, .. } = &self.people[person];
        let (name, request) = (name.clone(), self.authentication(name, password));
        let tokens = self.ask(request).await?.tokens();
        self.tally.signed_in += 1;
        self.sessions.push(Session {
            person: name,
            tokens,
            state: State::Live,
            checked: false,
        });
        Ok(())
    }

    async fn refresh(&mut self, session: usize) -> Result<(), Gone> {
        let old = self.sessions[session].token();
        match self.ask(self.refreshing(&old)).await {
            Ok(reply) => {
                let tokens = reply.tokens();
                assert_ne!(tokens.refresh_token.expose(), old, "no rotation");
                self.tally.refreshed += 1;
                self.sessions[session].changed(tokens, State::Live);
                self.use_most(session).await
            }
            Err(Gone) => {
                self.cut(session, State::RefreshCut);
                Err(Gone)
            }
        }
    }

    async fn refresh_twice_at_once(&mut self, session: usize) -> Result<(), Gone> {
        let old = self.sessions[session].token();
        let (first, second) = (self.refreshing(&old), self.refreshing(&old));
        let (first, second) = tokio::join!(self.send(first), self.send(second));
        match (self.noted(first), self.noted(second)) {
            (Ok(first), Ok(second)) => {
                let (first, second) = (first.tokens(), second.tokens());
                assert_ne!(first.refresh_token.expose(), old, "no rotation");
                assert_eq!(first.refresh_token, second.refresh_token);
                self.tally.refreshed_twice_at_once += 1;
                self.sessions[session].changed(second, State::Live);
                self.use_most(session).await
            }
            (Ok(one), Err(Gone)) | (Err(Gone), Ok(one)) => {
                self.sessions[session].changed(one.tokens(), State::Live);
                Err(Gone)
            }
            (Err(Gone), Err(Gone)) => {
                self.cut(session, State::RefreshCut);
                Err(Gone)
            }
        }
    }

    /// Uses the new access token most times, which confirms the generation.
    async fn use_most(&mut self, session: usize) -> Result<(), Gone> {
        if self.random.percent(80) {
            let request = self.greeting(&self.sessions[session].tokens);
            let answer = self.send(request).await;
            let greeting = self.noted(answer)?.expect_ok();
            self.sessions[session].expect_greeting(&greeting);
        }
        Ok(())
    }

    async fn sign_out(&mut self, session: usize) -> Result<(), Gone> {
        let by_bearer = self.random.percent(50);
        let request = self.signing_out(&self.sessions[session].tokens, by_bearer);
        match self.ask(request).await {
            Ok(reply) => {
                reply.expect_ok();
                self.tally.signed_out += 1;
                let session = &mut self.sessions[session];
                (session.state, session.checked) = (State::SignedOut, false);
                Ok(())
            }
            Err(Gone) => {
                self.cut(session, State::SignOutCut);
                Err(Gone)
            }
        }
    }

    fn cut(&mut self, session: usize, state: State) {
        match state {
            State::SignOutCut => self.tally.cut_sign_outs += 1,
            _ => self.tally.cut_refreshes += 1,
        }
        let session = &mut self.sessions[session];
        (session.state, session.checked) = (state, false);
    }

    fn new_name(&self) -> String {
        let number = self.people.len() + self.claims.len();
        format!("{}-{number}", self.name)
    }
}

impl Person {
    const fn new(name: String, password: String, losers: Vec<String>) -> Self {
        Self {
            name,
            password,
            losers,
            checked: false,
        }
    }
}

impl Session {
    fn token(&self) -> String {
        self.tokens.refresh_token.expose().to_owned()
    }

    fn changed(&mut self, tokens: Tokens, state: State) {
        self.tokens = tokens;
        self.state = state;
        self.checked = false;
    }

    #[track_caller]
    fn expect_greeting(&self, reply: &Reply) {
        let expected = format!("Hello, {}!", self.person);
        assert_eq!(reply.json()["message"], expected);
    }
}

fn password(number: usize) -> String {
    format!("the password of number {number}")
}
