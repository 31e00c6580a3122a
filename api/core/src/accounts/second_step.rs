//! The second step of a sign-in: after the right password, whoever has a second factor shows it.
//!
//! It is looked up only once the password is right, so the first step does not tell, by content or by time, whether there
//! is one.

use std::time::Duration;

use password_auth_model::{
    Client, EmailKind, EventKind, FactorChange, FactorRefusal, FactorUse, Factors, SessionId,
    TypedCode, User, Verdict, matching_step, recovery_hash,
};
use password_auth_store::{ChangeFactors, StoreError};
use password_auth_wire::Secret;

use super::{Accounts, FactorKind, SecondStep, SignInError};
use crate::rate_limit::Spender;
use crate::sessions::{Issued, SessionKind};
use crate::tokens::{Challenge, ChallengePurpose};

/// Why a code was not accepted.
#[derive(Debug, thiserror::Error)]
pub(super) enum CodeError {
    /// It is wrong, or was used before.
    #[error("the code is wrong")]
    Wrong,
    /// The challenge was used before.
    #[error("the challenge was used")]
    ChallengeUsed,
    /// Too many attempts. The next one is allowed after this time.
    #[error("too many tries")]
    TooMany(Duration),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<CodeError> for SignInError {
    fn from(error: CodeError) -> Self {
        match error {
            CodeError::Wrong => Self::WrongFactor,
            CodeError::ChallengeUsed => Self::ChallengeExpired,
            CodeError::TooMany(wait) => Self::TooMany(wait),
            CodeError::Store(error) => error.into(),
        }
    }
}

impl Accounts {
    /// What comes after the right password: nothing, or a good code, or the challenge.
    pub(super) async fn second_step(
        &self,
        user: &User,
        purpose: ChallengePurpose,
        code: Option<&Secret>,
        client: &Client,
    ) -> Result<(), SignInError> {
        let factors = self.store.factors(user.id).await?;
        if !factors.are_enrolled() {
            return Ok(());
        }
        // A form sends an empty field for one that nobody filled in.
        match code.filter(|code| !code.expose().trim().is_empty()) {
            Some(code) => {
                let change = |factor| FactorChange::Use(factor, vec![]);
                self.use_code(user, &factors, code, change, None, client)
                    .await?;
                Ok(())
            }
            None => {
                self.note_second_factor_asked(user, client).await?;
                Err(SignInError::SecondFactorRequired(SecondStep {
                    challenge: self.challenges.issue(purpose, user, self.clock.now())?,
                    methods: self.methods(&factors),
                }))
            }
        }
    }

    /// Completes a sign-in with the challenge of the first step and a code.
    ///
    /// # Errors
    /// As [`SignInError`] lists.
    pub async fn sign_in_with_code(
        &self,
        challenge: &Secret,
        code: &Secret,
        client: &Client,
    ) -> Result<Issued, SignInError> {
        let (challenge, user) = self.challenged(challenge, client).await?;
        let factors = self.challenged_factors(&challenge, &user).await?;
        let used = challenge.used.clone();
        let change = |factor| FactorChange::Use(factor, vec![used]);
        self.use_code(&user, &factors, code, change, None, client)
            .await?;
        self.begin_after_second_step(challenge.purpose, user, client)
            .await
    }

    /// Notes a wrong second factor. Each adds an event, so they have a limit. It does not hold up right ones.
    pub(super) async fn note_wrong_factor(
        &self,
        user: &User,
        client: &Client,
    ) -> Result<(), CodeError> {
        if let Verdict::Refused(wait) = self.allowance.spend(Spender::SecondStep(user.id)) {
            return Err(CodeError::TooMany(wait));
        }
        self.note(user, EventKind::SecondFactorFailed, client).await;
        Ok(())
    }

    /// Counts a second step by the client's address.
    pub(super) fn count_second_step(&self, client: &Client) -> Result<(), SignInError> {
        let counted = self.second_steps.count(client.address, self.clock.now());
        counted.map(|_| ()).map_err(SignInError::TooMany)
    }

    /// The challenge, and its user.
    pub(super) async fn challenged(
        &self,
        challenge: &Secret,
        client: &Client,
    ) -> Result<(Challenge, User), SignInError> {
        self.count_second_step(client)?;
        let challenge = self.challenges.read(challenge.expose(), self.clock.now());
        let challenge = challenge.ok_or(SignInError::ChallengeExpired)?;
        let user = self.store.user(challenge.user).await?;
        let user = user.filter(|user| user.password_version == challenge.password_version);
        let user = user.ok_or(SignInError::ChallengeExpired)?;
        let may_begin = match challenge.purpose {
            ChallengePurpose::SignIn | ChallengePurpose::ShortSignIn => user.is_active,
            ChallengePurpose::Reactivate => user.is_active || user.deactivated_by_self,
            ChallengePurpose::AddPasskey | ChallengePurpose::UsePasskey => {
                return Err(SignInError::ChallengeExpired);
            }
        };
        if !may_begin {
            return Err(SignInError::Disabled);
        }
        Ok((challenge, user))
    }

    /// The user's factors, unless the challenge was used.
    pub(super) async fn challenged_factors(
        &self,
        challenge: &Challenge,
        user: &User,
    ) -> Result<Factors, SignInError> {
        let factors = self.store.factors(user.id).await?;
        let is_used = factors.used_challenges.contains(&challenge.used);
        // If the factors are gone since, the password is enough: whoever knows it begins again.
        if is_used || !factors.are_enrolled() {
            return Err(SignInError::ChallengeExpired);
        }
        Ok(factors)
    }

    pub(super) async fn begin_after_second_step(
        &self,
        purpose: ChallengePurpose,
        user: User,
        client: &Client,
    ) -> Result<Issued, SignInError> {
        match purpose {
            ChallengePurpose::SignIn => self.begin(&user, SessionKind::Staying, client).await,
            ChallengePurpose::ShortSignIn => self.begin(&user, SessionKind::Short, client).await,
            ChallengePurpose::Reactivate => self.begin_reactivated(user, client).await,
            ChallengePurpose::AddPasskey | ChallengePurpose::UsePasskey => {
                Err(SignInError::ChallengeExpired)
            }
        }
    }

    /// Makes a change that takes a code. The try is counted first; only who knows the password comes here, so strangers
    /// cannot use the tries up.
    pub(super) async fn use_code(
        &self,
        user: &User,
        factors: &Factors,
        code: &Secret,
        change: impl FnOnce(FactorUse) -> FactorChange,
        session: Option<SessionId>,
        client: &Client,
    ) -> Result<Factors, CodeError> {
        let given = self.count_code(user, session, client).await?;
        let Some(factor) = self.factor_of(factors, code) else {
            return Err(self.wrong_code(user, client).await);
        };
        let is_recovery_code = matches!(factor, FactorUse::RecoveryCode(_));
        match self.change_factors_of(user, change(factor)).await? {
            ChangeFactors::Changed { after, .. } => {
                self.forgive_codes(user, given).await?;
                self.remember_second_step(user, client).await?;
                if is_recovery_code {
                    let (what, mail) = (EventKind::RecoveryCodeUsed, EmailKind::RecoveryCodeUsed);
                    self.note_and_mail(user, what, mail, client).await;
                }
                Ok(*after)
            }
            ChangeFactors::Refused(FactorRefusal::ChallengeUsed) | ChangeFactors::Outdated => {
                Err(CodeError::ChallengeUsed)
            }
            ChangeFactors::Refused(_) => Err(self.wrong_code(user, client).await),
        }
    }

    async fn wrong_code(&self, user: &User, client: &Client) -> CodeError {
        match self.note_wrong_factor(user, client).await {
            Ok(()) => CodeError::Wrong,
            Err(error) => error,
        }
    }

    /// The factor whose code this is, as far as can be told without the store. `None` if the code is wrong.
    fn factor_of(&self, factors: &Factors, code: &Secret) -> Option<FactorUse> {
        match TypedCode::parse(code.expose())? {
            TypedCode::Recovery(code) => {
                Some(FactorUse::RecoveryCode(recovery_hash(factors.user, &code)))
            }
            TypedCode::Totp(code) => {
                let totp = factors.totp.as_ref()?;
                let opened = self.seals.open(factors.user, &totp.secret)?;
                let step = matching_step(&opened.secret, code, self.clock.now())?;
                // The secret outlives its key if it is sealed with the current one at each use.
                let resealed = (!opened.is_current)
                    .then(|| self.seals.seal(factors.user, &opened.secret).ok())
                    .flatten();
                Some(FactorUse::Totp {
                    secret: totp.secret.clone(),
                    step,
                    resealed,
                })
            }
        }
    }

    /// The factors that can be used. An authenticator app whose key is gone cannot.
    fn methods(&self, factors: &Factors) -> Vec<FactorKind> {
        let totp = factors.totp.as_ref();
        let totp = totp.and_then(|totp| self.seals.open(factors.user, &totp.secret));
        let kinds = [
            (FactorKind::Totp, totp.is_some()),
            (FactorKind::RecoveryCode, !factors.recovery_codes.is_empty()),
            (FactorKind::Passkey, !factors.passkeys.is_empty()),
        ];
        let usable = kinds.into_iter().filter(|(_, is_there)| *is_there);
        usable.map(|(kind, _)| kind).collect()
    }
}
