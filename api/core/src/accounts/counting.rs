//! Attempts that are counted at an account, and what a success leads to.

use std::net::IpAddr;
use std::time::Duration;

use password_auth_model::{
    Attempt, Client, CodeGiven, EventKind, Rate, SessionId, SignInAttempt, Timestamp, User, Verdict,
};
use password_auth_store::StoreError;
use password_auth_wire::Secret;

use super::second_step::CodeError;
use super::{Accounts, CurrentPasswordError};
use crate::audit::EventContext;
use crate::passwords::{HashingError, PasswordMatch};
use crate::rate_limit::{Counted, Spender};
use crate::sessions::Caller;

/// How long the network of somebody who has proved that the account is theirs is remembered for it.
const NETWORK_REMEMBERED: Duration = Duration::from_secs(30 * 86_400);

/// Codes of one account over a longer time, whatever `LOGIN_RATE` is: six digits must not be guessed by somebody who has
/// the password and a month.
const CODES: Rate = Rate::per_hour(20);

/// How often it is noted, for one network, that a second factor was asked for.
const ASKED_NOTED: Rate = Rate::per_hour(1);

impl Accounts {
    /// Checks the current password of a signed-in user. Operations that require it cannot be done with a stolen access
    /// token, and the token must not help to guess the password: tries are counted by client and by session. Strangers
    /// who use up the tries at the name, or whose failures make waits at the address longer, do not reach those.
    /// Following work, such as hashing a new one, is covered by the same count.
    pub(super) async fn verify_current_password(
        &self,
        caller: &Caller,
        password: Secret,
        client: &Client,
    ) -> Result<Counted, CurrentPasswordError> {
        let user = &caller.user;
        let now = self.clock.now();
        let counted = self
            .sign_ins
            .count(client.address, now)
            .map_err(CurrentPasswordError::TooMany)?;
        let place = self.hasher.reserve(&counted).map_err(HashingError::from)?;
        let attempt = SignInAttempt::in_session(caller.session, user, client.address);
        if let Verdict::Refused(wait) = self.count_at_account(attempt, now).await? {
            // It counted at the address, so that may be over its limit now, too.
            let wait = wait.max(self.sign_ins.wait(client.address, now));
            return Err(CurrentPasswordError::TooMany(wait));
        }
        let stored = Some(user.password.clone());
        match self.hasher.verify(place, password, stored).await? {
            PasswordMatch::Right | PasswordMatch::RightButOutdated => {}
            PasswordMatch::Wrong => {
                self.note_failed_proof(caller, client).await;
                return Err(CurrentPasswordError::Wrong);
            }
        }
        if let Verdict::Refused(wait) = self.allowance.spend(Spender::Password(user.id)) {
            return Err(CurrentPasswordError::TooMany(wait));
        }
        self.forgive(attempt.counter(), now).await?;
        self.remember_network(user, client).await?;
        Ok(counted)
    }

    /// Notes that whoever uses a session could not prove who they are.
    pub(super) async fn note_failed_proof(&self, caller: &Caller, client: &Client) {
        let context = EventContext::in_session(caller.session, client);
        self.audit_log
            .record(caller.user.id, EventKind::ProofFailed, context)
            .await;
    }

    /// Notes that a second factor was asked for: whoever knows the password does not try it unseen. Once in a while for
    /// each network, since every sign-in begins like this.
    pub(super) async fn note_second_factor_asked(
        &self,
        user: &User,
        client: &Client,
    ) -> Result<(), StoreError> {
        let attempt = Attempt::second_factor_asked(&user.username_key, client.address);
        let now = self.clock.now();
        if self.store.count(attempt, ASKED_NOTED, now).await? == Verdict::Allowed {
            self.note(user, EventKind::SecondFactorAsked, client).await;
        }
        Ok(())
    }

    /// Remembers the network of a client who has proved that the account is theirs, by the password or by a mailed
    /// link: from there, strangers who use up the tries at the account do not keep them out. If it is a new one, failed
    /// attempts from new networks are forgiven: they may have been the client's own.
    pub(super) async fn remember_network(
        &self,
        user: &User,
        client: &Client,
    ) -> Result<(), StoreError> {
        if self.rates.login.is_off() {
            return Ok(());
        }
        for attempt in SignInAttempt::of_user(user, client.address) {
            self.remember(attempt).await?;
        }
        Ok(())
    }

    async fn remember(&self, attempt: SignInAttempt) -> Result<(), StoreError> {
        let now = self.clock.now();
        if !self.store.network_is_remembered(attempt, now).await? {
            self.forgive(attempt.counter(), now).await?;
        }
        self.keep_network(attempt, now).await
    }

    async fn keep_network(&self, attempt: SignInAttempt, now: Timestamp) -> Result<(), StoreError> {
        let until = now.plus(NETWORK_REMEMBERED);
        self.store.remember_network(attempt, until).await
    }

    async fn forgive(&self, attempt: Attempt, now: Timestamp) -> Result<(), StoreError> {
        let rate = self.rates.login.growing();
        if rate.is_off() {
            return Ok(());
        }
        self.store.forgive(attempt, rate, now).await
    }

    pub(super) async fn count_at_account(
        &self,
        attempt: SignInAttempt,
        now: Timestamp,
    ) -> Result<Verdict, StoreError> {
        let rate = self.rates.login.growing();
        if rate.is_off() {
            return Ok(Verdict::Allowed);
        }
        let verdict = self.store.count_attempt(attempt, rate, now).await?;
        Ok(self.measured(verdict))
    }

    pub(super) async fn count(
        &self,
        attempt: Attempt,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Verdict, StoreError> {
        if rate.is_off() {
            return Ok(Verdict::Allowed);
        }
        let verdict = self.store.count(attempt, rate, now).await?;
        Ok(self.measured(verdict))
    }

    fn measured(&self, verdict: Verdict) -> Verdict {
        if verdict != Verdict::Allowed {
            self.refused_at_accounts.add_one();
        }
        verdict
    }

    /// Counts a try at a second factor of the account: by session, or by network if a second factor was given from there
    /// lately, or else by account. So whoever knows the password does not keep out who has the factor, too.
    pub(super) async fn count_code(
        &self,
        user: &User,
        session: Option<SessionId>,
        client: &Client,
    ) -> Result<CodeGiven, CodeError> {
        let login = self.rates.login;
        let (account, now) = (&user.username_key, self.clock.now());
        let given = self.code_given(user, session, client.address).await?;
        for (attempt, rate) in [
            (Attempt::code_of(account, given), login.growing()),
            (Attempt::codes_of(account, given), CODES),
        ] {
            if !login.is_off()
                && let Verdict::Refused(wait) = self.count(attempt, rate, now).await?
            {
                return Err(CodeError::TooMany(wait));
            }
        }
        Ok(given)
    }

    async fn code_given(
        &self,
        user: &User,
        session: Option<SessionId>,
        client: IpAddr,
    ) -> Result<CodeGiven, StoreError> {
        if let Some(session) = session {
            return Ok(CodeGiven::In(session));
        }
        let attempt = SignInAttempt::second_step(&user.username_key, client);
        let now = self.clock.now();
        let is_known = self.store.network_is_remembered(attempt, now).await?;
        Ok(if is_known {
            CodeGiven::From(client)
        } else {
            CodeGiven::Elsewhere
        })
    }

    /// Forgives the tries at codes that were `given` as the right one was.
    pub(super) async fn forgive_codes(
        &self,
        user: &User,
        given: CodeGiven,
    ) -> Result<(), StoreError> {
        let attempt = Attempt::code_of(&user.username_key, given);
        self.forgive(attempt, self.clock.now()).await
    }

    /// Remembers the network of a client who has given a second factor of the account.
    pub(super) async fn remember_second_step(
        &self,
        user: &User,
        client: &Client,
    ) -> Result<(), StoreError> {
        if self.rates.login.is_off() {
            return Ok(());
        }
        let attempt = SignInAttempt::second_step(&user.username_key, client.address);
        self.keep_network(attempt, self.clock.now()).await
    }
}
