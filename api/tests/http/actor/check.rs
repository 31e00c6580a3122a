//! How an actor checks what the server acknowledged.

use password_auth_wire::ErrorCode;
use tokio::task::JoinSet;

use super::{Actor, Claim, Person, State, password};

/// Checks of all actors at once; back when the last one is done.
pub async fn check_all(actors: Vec<Actor>, everything: bool) -> Vec<Actor> {
    let mut checking = JoinSet::new();
    for mut actor in actors {
        checking.spawn(async move {
            actor.check(everything).await;
            actor
        });
    }
    checking.join_all().await
}

impl Actor {
    /// Holds the server to what it acknowledged: since the last time, or ever.
    pub async fn check(&mut self, everything: bool) {
        for claim in std::mem::take(&mut self.claims) {
            let person = self.settle(claim).await;
            self.people.push(person);
        }
        for person in &self.people {
            if everything || !person.checked {
                self.check_person(person).await;
            }
        }
        for person in &mut self.people {
            person.checked = true;
        }
        for i in 0..self.sessions.len() {
            if everything || !self.sessions[i].checked {
                self.check_session(i).await;
                self.sessions[i].checked = true;
            }
        }
    }

    /// A cut registration happened whole or not at all.
    async fn settle(&self, claim: Claim) -> Person {
        let Claim {
            name, passwords, ..
        } = claim;
        let (mut right, mut wrong) = (Vec::new(), Vec::new());
        for password in passwords {
            let answer = self.must(self.authentication(&name, &password)).await;
            if answer.status == 200 {
                right.push(password);
            } else {
                answer.expect_failure(401, ErrorCode::InvalidCredentials);
                wrong.push(password);
            }
        }
        assert!(right.len() <= 1, "{name} has two passwords");
        let password = if let Some(password) = right.pop() {
            password
        } else {
            assert!(
                !claim.somebody_has_it,
                "{name} was said to be taken, and nobody has it"
            );
            let password = wrong.pop().expect("a password");
            let again = self.must(self.registration(&name, &password)).await;
            again.expect_ok();
            password
        };
        Person::new(name, password, wrong)
    }

    async fn check_person(&self, person: &Person) {
        let name = &person.name;
        let request = self.authentication(name, &person.password);
        let signed_in = self.must(request).await;
        signed_in.expect_ok();
        for password in &person.losers {
            let refused = self.must(self.authentication(name, password)).await;
            refused.expect_failure(401, ErrorCode::InvalidCredentials);
        }
        let again = self.must(self.registration(name, &password(9))).await;
        again.expect_failure(400, ErrorCode::UserExists);
    }

    async fn check_session(&mut self, session: usize) {
        match self.sessions[session].state {
            State::Live | State::RefreshCut => self.check_live(session).await,
            State::SignedOut => self.check_over(session).await,
            State::SignOutCut => {
                // It happened or not; the second one counts.
                for by_bearer in [true, false] {
                    let tokens = &self.sessions[session].tokens;
                    let ended = self.must(self.signing_out(tokens, by_bearer)).await;
                    ended.expect_ok();
                }
                self.sessions[session].state = State::SignedOut;
                self.check_over(session).await;
            }
        }
    }

    /// The newest acknowledged token works: it rotates, or the rotation that was cut is answered again.
    /// Twice the same successor: there is one live generation.
    async fn check_live(&mut self, session: usize) {
        let old = self.sessions[session].token();
        // A second refresh that was cut may have begun a new epoch, in which the older access token is refused.
        if self.sessions[session].cuts < 2 {
            let request = self.greeting(&self.sessions[session].tokens);
            let greeting = self.must(request).await.expect_ok();
            self.sessions[session].expect_greeting(&greeting);
        }
        let first = self.must(self.refreshing(&old)).await.tokens();
        let second = self.must(self.refreshing(&old)).await.tokens();
        assert_ne!(first.refresh_token.expose(), old, "no rotation");
        assert_eq!(first.refresh_token, second.refresh_token);
        let greeting = self.must(self.greeting(&second)).await.expect_ok();
        self.sessions[session].expect_greeting(&greeting);
        self.sessions[session].changed(second, State::Live);
    }

    async fn check_over(&self, session: usize) {
        let session = &self.sessions[session];
        let refused = self.must(self.refreshing(&session.token())).await;
        refused.expect_failure(400, ErrorCode::InvalidRefreshToken);
        let refused = self.must(self.greeting(&session.tokens)).await;
        refused.expect_failure(401, ErrorCode::InvalidToken);
    }
}
