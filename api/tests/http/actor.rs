//! An actor that uses the servers and remembers what they acknowledged, to check it afterwards.

mod asking;
mod check;
mod memory;
mod servers;

use std::sync::Arc;
use std::time::Duration;

use password_auth_wire::ErrorCode;
use tokio::sync::{Semaphore, watch};

pub use self::check::check_all;
pub use self::memory::Tally;
use self::memory::{Claim, Person, Session, State};
pub use self::servers::{Server, Servers};
use crate::support::Random;

/// Sessions that one actor keeps alive at once.
const LIVE_SESSIONS: usize = 6;

/// How long after a rotation the token that it superseded is presented again: well within the window in
/// which that is no theft, however long the answer then takes.
const REPLAYED_WITHIN: Duration = Duration::from_secs(10);

/// Not acknowledged: the server was killed, or said that it cannot answer. What was under way may or may not have
/// happened.
pub struct Cut;

pub struct Actor {
    name: String,
    random: Random,
    servers: Servers,
    /// Gets a permit for each acknowledged write.
    acknowledged: Arc<Semaphore>,
    people: Vec<Person>,
    claims: Vec<Claim>,
    sessions: Vec<Session>,
    pub tally: Tally,
}

impl Actor {
    pub fn new(
        name: String,
        random: Random,
        servers: Servers,
        acknowledged: Arc<Semaphore>,
    ) -> Self {
        Self {
            name,
            random,
            servers,
            acknowledged,
            people: Vec::new(),
            claims: Vec::new(),
            sessions: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// Uses the server until it is gone.
    pub async fn act(&mut self) {
        while self.step().await.is_ok() {}
    }

    /// Uses the servers until told to stop, whatever becomes of them.
    pub async fn act_until(&mut self, stopped: watch::Receiver<bool>) {
        while !*stopped.borrow() {
            if self.step().await.is_err() {
                // Who is told to come back later does not come back at once.
                let pause = u64::try_from(20 + self.random.below(80)).expect("fits");
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
        }
    }

    async fn step(&mut self) -> Result<(), Cut> {
        let usable: Vec<usize> = (0..self.sessions.len())
            .filter(|i| self.sessions[*i].is_usable())
            .collect();
        let dice = self.random.below(100);
        if self.people.is_empty() || dice < 12 {
            return self.register().await;
        }
        if dice < 20 {
            return self.contend().await;
        }
        if usable.is_empty() || (dice < 40 && usable.len() < LIVE_SESSIONS) {
            return self.sign_in().await;
        }
        let session = usable[self.random.below(usable.len())];
        match dice {
            ..64 => self.refresh(session).await,
            64..79 => self.refresh_twice_at_once(session).await,
            79..85 => self.replay(session).await,
            _ => self.sign_out(session).await,
        }
    }

    async fn register(&mut self) -> Result<(), Cut> {
        let (name, password) = (self.new_name(), password(0));
        match self.ask(self.registration(&name, &password)).await {
            Ok(reply) => {
                reply.expect_ok();
                self.tally.registered += 1;
                self.people.push(Person::new(name, password, Vec::new()));
                Ok(())
            }
            Err(Cut) => {
                self.tally.cut_registrations += 1;
                self.claims.push(Claim {
                    name,
                    passwords: vec![password],
                    somebody_has_it: false,
                });
                Err(Cut)
            }
        }
    }

    /// Three want one name at once, each with their own password.
    async fn contend(&mut self) -> Result<(), Cut> {
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
                Err(Cut) => {
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
        if cut { Err(Cut) } else { Ok(()) }
    }

    async fn sign_in(&mut self) -> Result<(), Cut> {
        let person = self.random.below(self.people.len());
        let Person { name, password, .. } = &self.people[person];
        let (name, request) = (name.clone(), self.authentication(name, password));
        let tokens = self.ask(request).await?.tokens();
        self.tally.signed_in += 1;
        self.sessions.push(Session {
            person: name,
            tokens,
            superseded: None,
            state: State::Live,
            cuts: 0,
            checked: false,
        });
        Ok(())
    }

    async fn refresh(&mut self, session: usize) -> Result<(), Cut> {
        let old = self.sessions[session].token();
        match self.ask(self.refreshing(&old)).await {
            Ok(reply) => {
                let tokens = reply.tokens();
                assert_ne!(tokens.refresh_token.expose(), old, "no rotation");
                self.tally.refreshed += 1;
                self.sessions[session].changed(tokens, State::Live);
                self.use_most(session).await
            }
            Err(Cut) => {
                self.cut(session, State::RefreshCut);
                Err(Cut)
            }
        }
    }

    async fn refresh_twice_at_once(&mut self, session: usize) -> Result<(), Cut> {
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
            (Ok(one), Err(Cut)) | (Err(Cut), Ok(one)) => {
                self.sessions[session].changed(one.tokens(), State::Live);
                Err(Cut)
            }
            (Err(Cut), Err(Cut)) => {
                self.cut(session, State::RefreshCut);
                Err(Cut)
            }
        }
    }

    /// Presents a token once more whose successor was acknowledged, perhaps by another server: as a client does
    /// that lost the answer. It gets the same successor.
    async fn replay(&mut self, session: usize) -> Result<(), Cut> {
        let Session {
            superseded: Some((old, since)),
            state: State::Live,
            ..
        } = &self.sessions[session]
        else {
            return self.refresh(session).await;
        };
        if since.elapsed() > REPLAYED_WITHIN {
            return self.refresh(session).await;
        }
        let tokens = self.ask(self.refreshing(old)).await?.tokens();
        let session = &mut self.sessions[session];
        assert_eq!(
            session.tokens.refresh_token, tokens.refresh_token,
            "a token was rotated twice"
        );
        session.tokens = tokens;
        self.tally.replayed += 1;
        Ok(())
    }

    /// Uses the new access token most times, which confirms the generation.
    async fn use_most(&mut self, session: usize) -> Result<(), Cut> {
        if self.random.percent(80) {
            let request = self.greeting(&self.sessions[session].tokens);
            let answer = self.send(request).await;
            let greeting = self.noted(answer)?.expect_ok();
            self.sessions[session].expect_greeting(&greeting);
        }
        Ok(())
    }

    async fn sign_out(&mut self, session: usize) -> Result<(), Cut> {
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
            Err(Cut) => {
                self.cut(session, State::SignOutCut);
                Err(Cut)
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
        session.cuts += 1;
    }

    fn new_name(&self) -> String {
        let number = self.people.len() + self.claims.len();
        format!("{}-{number}", self.name)
    }
}

fn password(number: usize) -> String {
    format!("the password of number {number}")
}
