//! Passkeys: adding, using, renaming and removing them.

use password_auth_model::{
    Client, EmailKind, EventKind, FactorChange, FactorRefusal, FactorUse, Factors, Passkey,
    PasskeyId, User, UserId, Verdict, acts_on_display,
};
use password_auth_store::ChangeFactors;
use password_auth_wire::Secret;

use super::{Accounts, FactorError, SignInError};
use crate::rate_limit::Spender;
use crate::sessions::{Caller, Issued, SessionKind};
use crate::tokens::{Challenge, ChallengePurpose};
use crate::webauthn::{Assertion, NewCredential, RelyingParty};

/// The longest name of a passkey, in characters.
const MAX_NAME: usize = 64;

/// What a client needs to make a passkey.
#[derive(Clone, Debug)]
pub struct PasskeyCreation {
    /// To be answered within five minutes.
    pub challenge: Secret,
    /// Who asks.
    pub party: RelyingParty,
    /// What the site calls itself.
    pub site: String,
    /// The passkeys that there are: no authenticator needs two.
    pub existing: Vec<Passkey>,
}

impl Accounts {
    /// Who asks for passkeys.
    fn party(&self) -> Result<&RelyingParty, FactorError> {
        self.party.as_ref().ok_or(FactorError::NoPasskeys)
    }

    /// Begins adding a passkey. Requires the password.
    ///
    /// # Errors
    /// As [`FactorError`] lists.
    pub async fn begin_passkey(
        &self,
        caller: &Caller,
        password: Secret,
        client: &Client,
    ) -> Result<PasskeyCreation, FactorError> {
        let (user, party) = (&caller.user, self.party()?.clone());
        let _counted = self
            .verify_current_password(caller, password, client)
            .await?;
        let existing = self.store.factors(user.id).await?.passkeys;
        let purpose = ChallengePurpose::AddPasskey;
        let challenge = self.challenges.issue(purpose, user, self.clock.now())?;
        Ok(PasskeyCreation {
            challenge,
            party,
            site: self.site.clone(),
            existing,
        })
    }

    /// Adds the passkey that an authenticator made.
    ///
    /// # Errors
    /// As [`FactorError`] lists.
    pub async fn add_passkey(
        &self,
        caller: &Caller,
        name: &str,
        credential: &NewCredential,
        client: &Client,
    ) -> Result<Passkey, FactorError> {
        let (user, now) = (&caller.user, self.clock.now());
        let name = passkey_name(name)?;
        let party = self.party()?;
        let challenge = credential.challenge()?;
        let challenge = self.challenges.read(&challenge, now).filter(|challenge| {
            challenge.purpose == ChallengePurpose::AddPasskey
                && challenge.user == user.id
                && challenge.password_version == user.password_version
        });
        let challenge = challenge.ok_or(FactorError::ChallengeExpired)?;
        let created = credential.verify(party)?;
        let passkey = Passkey {
            id: PasskeyId::new(now),
            name,
            credential: created.credential,
            public_key: created.public_key,
            counter: created.counter,
            created: now,
            last_used: None,
        };
        let change = FactorChange::AddPasskey(passkey.clone(), challenge.used);
        self.change_own_factors(user, change).await?;
        self.note_and_mail(
            user,
            EventKind::PasskeyAdded,
            EmailKind::FactorAdded,
            client,
        )
        .await;
        Ok(passkey)
    }

    /// Renames a passkey.
    ///
    /// # Errors
    /// As [`FactorError`] lists.
    pub async fn rename_passkey(
        &self,
        caller: &Caller,
        id: PasskeyId,
        name: &str,
    ) -> Result<Passkey, FactorError> {
        let change = FactorChange::RenamePasskey(id, passkey_name(name)?);
        let after = self.change_own_factors(&caller.user, change).await?;
        let mut passkeys = after.passkeys.into_iter();
        let renamed = passkeys.find(|passkey| passkey.id == id);
        renamed.ok_or(FactorError::UnknownPasskey)
    }

    /// Removes a passkey. The session must have proved lately who uses it.
    ///
    /// # Errors
    /// As [`FactorError`] lists.
    pub async fn remove_passkey(
        &self,
        caller: &Caller,
        id: PasskeyId,
        client: &Client,
    ) -> Result<(), FactorError> {
        let user = &caller.user;
        let proved = self.proved_factors(caller).await?;
        proved.ok_or(FactorError::Unproved)?;
        self.change_own_factors(user, FactorChange::RemovePasskey(id))
            .await?;
        self.note_and_mail(
            user,
            EventKind::PasskeyRemoved,
            EmailKind::FactorRemoved,
            client,
        )
        .await;
        Ok(())
    }

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

fn passkey_name(name: &str) -> Result<String, FactorError> {
    let name = name.trim();
    let is_good =
        !name.is_empty() && name.chars().count() <= MAX_NAME && !name.contains(acts_on_display);
    if is_good {
        Ok(name.to_owned())
    } else {
        Err(FactorError::BadName)
    }
}
