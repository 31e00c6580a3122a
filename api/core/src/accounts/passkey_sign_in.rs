//! Using a passkey: to sign in, as the second step, as a proof.

use password_auth_model::{
    Client, EventKind, FactorChange, FactorRefusal, FactorUse, Factors, User, UserId, Verdict,
};
use password_auth_store::ChangeFactors;
use password_auth_wire::Secret;

use super::{Accounts, FactorError, SignInError};
use crate::rate_limit::Spender;
use crate::sessions::{Caller, Issued, SessionKind};
use crate::tokens::{Challenge, ChallengePurpose};
use crate::webauthn::{Assertion, RelyingParty};

impl Accounts {
    /// A challenge for using a passkey, whosoever it is. Nothing is stored for it.
    ///
    /// # Errors
    /// As [`FactorError`] lists.
    pub fn passkey_challenge(&self) -> Result<(Secret, &RelyingParty), FactorError> {
        let party = self.party()?;
        let challenge = self.challenges.issue_to_anybody(self.clock.now())?;
        Ok((challenge, party))
    }

    /// Signs in by a passkey alone, whose authenticator has verified the user.
    ///
    /// # Errors
    /// As [`SignInError`] lists.
    pub async fn sign_in_with_passkey(
        &self,
        challenge: &Secret,
        assertion: &Assertion,
        kind: SessionKind,
        client: &Client,
    ) -> Result<Issued, SignInError> {
        self.count_second_step(client)?;
        if assertion.challenge().ok().as_deref() != Some(challenge.expose()) {
            return Err(SignInError::WrongPasskey);
        }
        let challenge = self.assertion_challenge(assertion)?;
        let handle = assertion.user_handle();
        let id = handle.and_then(|handle| handle.as_slice().try_into().ok());
        let id = UserId::from_bytes(id.ok_or(SignInError::WrongPasskey)?);
        let user = self.store.user(id).await?;
        let user = user.ok_or(SignInError::WrongPasskey)?;
        let factors = self.store.factors(id).await?;
        let factor = self.verified(&factors, assertion, true)?;
        if !user.is_active {
            return Err(SignInError::Disabled);
        }
        self.spend(&user)?;
        let change = FactorChange::Use(factor, vec![challenge.used]);
        self.use_passkey(&user, change, client).await?;
        self.begin(&user, kind, client).await
    }

    /// Completes a sign-in with the challenge of the first step and a passkey. The passkey answers that challenge, or one
    /// for using a passkey.
    ///
    /// # Errors
    /// As [`SignInError`] lists.
    pub async fn sign_in_with_second_passkey(
        &self,
        challenge: &Secret,
        assertion: &Assertion,
        client: &Client,
    ) -> Result<Issued, SignInError> {
        let (first, user) = self.challenged(challenge, client).await?;
        let factors = self.challenged_factors(&first, &user).await?;
        let mut used = vec![first.used.clone()];
        if assertion.challenge().ok().as_deref() != Some(challenge.expose()) {
            used.push(self.assertion_challenge(assertion)?.used);
        }
        let verified = self.verified(&factors, assertion, false);
        let factor = match verified {
            Ok(factor) => factor,
            Err(_) => {
                self.note_wrong_factor(&user, client).await?;
                return Err(SignInError::WrongFactor);
            }
        };
        self.use_passkey(&user, FactorChange::Use(factor, used), client)
            .await
            .map_err(|error| match error {
                SignInError::WrongPasskey => SignInError::WrongFactor,
                other => other,
            })?;
        self.begin_after_second_step(first.purpose, user, client)
            .await
    }

    /// As [`prove`](Self::prove), by a passkey, whose authenticator has verified the user.
    ///
    /// # Errors
    /// As [`SignInError`] lists.
    pub async fn prove_by_passkey(
        &self,
        caller: &Caller,
        assertion: &Assertion,
        client: &Client,
    ) -> Result<(), SignInError> {
        let user = &caller.user;
        self.count_second_step(client)?;
        let challenge = self.assertion_challenge(assertion)?;
        let factors = self.store.factors(user.id).await?;
        let verified = self.verified(&factors, assertion, true);
        let factor = match verified {
            Ok(factor) => factor,
            Err(error) => {
                // Each adds an event.
                let spent = self.allowance.spend(Spender::Session(caller.session));
                if let Verdict::Refused(wait) = spent {
                    return Err(SignInError::TooMany(wait));
                }
                self.note_failed_proof(caller, client).await;
                return Err(error);
            }
        };
        let proof = self.proof_of(caller);
        let change = FactorChange::Prove(proof, Some((factor, challenge.used)));
        self.use_passkey(user, change, client).await
    }

    /// The challenge for using a passkey that the assertion answers.
    fn assertion_challenge(&self, assertion: &Assertion) -> Result<Challenge, SignInError> {
        let text = assertion
            .challenge()
            .map_err(|_| SignInError::WrongPasskey)?;
        let read = self.challenges.read(&text, self.clock.now());
        let read = read.filter(|challenge| challenge.purpose == ChallengePurpose::UsePasskey);
        read.ok_or(SignInError::ChallengeExpired)
    }

    /// The passkey of the user, if its signature is right.
    fn verified(
        &self,
        factors: &Factors,
        assertion: &Assertion,
        needs_verified_user: bool,
    ) -> Result<FactorUse, SignInError> {
        let wrong = || SignInError::WrongPasskey;
        let party = self.party.as_ref().ok_or_else(wrong)?;
        let mut passkeys = factors.passkeys.iter();
        let passkey = passkeys.find(|passkey| passkey.credential == *assertion.credential());
        let passkey = passkey.ok_or_else(wrong)?;
        let handle = assertion.user_handle();
        if handle.is_some_and(|handle| handle.as_slice() != factors.user.as_bytes()) {
            return Err(wrong());
        }
        let counter = assertion.verify(party, passkey, needs_verified_user);
        Ok(FactorUse::Passkey {
            credential: passkey.credential.clone(),
            counter: counter.map_err(|_| wrong())?,
        })
    }

    async fn use_passkey(
        &self,
        user: &User,
        change: FactorChange,
        client: &Client,
    ) -> Result<(), SignInError> {
        match self.change_factors_of(user, change).await? {
            ChangeFactors::Changed { .. } => Ok(self.remember_second_step(user, client).await?),
            ChangeFactors::Refused(FactorRefusal::ChallengeUsed) | ChangeFactors::Outdated => {
                Err(SignInError::ChallengeExpired)
            }
            // Its count went back: there may be a copy of it.
            ChangeFactors::Refused(_) => {
                self.note(user, EventKind::SecondFactorFailed, client).await;
                Err(SignInError::WrongPasskey)
            }
        }
    }
}
