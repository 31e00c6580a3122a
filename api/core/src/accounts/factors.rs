//! Enrolling, seeing and removing second factors.

use password_auth_model::{
    Attempt, Client, EmailKind, EventKind, FactorChange, Factors, OpaqueBytes, PROOF_LIFETIME,
    Proof, RECOVERY_CODES, Role, TOTP_SECRET_BYTES, TOTP_WAITS, TypedCode, User, UserId, Verdict,
    WaitingTotp, matching_step, new_recovery_code,
};
use password_auth_store::{ChangeFactors, StoreError};
use password_auth_wire::Secret;
use zeroize::Zeroizing;

use super::otpauth::{base32, otpauth_url};
use super::{Accounts, FactorError};
use crate::audit::EventContext;
use crate::sessions::Caller;

/// What an authenticator app needs to know.
#[derive(Clone, Debug)]
pub struct TotpSetup {
    /// The secret, in base32.
    pub secret: Secret,
    /// The same for the app to read.
    pub otpauth_url: Secret,
}

impl Accounts {
    /// A user's factors. Empty if there are none.
    ///
    /// # Errors
    /// If the store failed.
    pub async fn factors(&self, user: UserId) -> Result<Factors, StoreError> {
        self.store.factors(user).await
    }

    /// By the password: for some minutes, the session may do what an access token alone must not.
    ///
    /// # Errors
    /// As [`FactorError`] lists.
    pub async fn prove(
        &self,
        caller: &Caller,
        password: Secret,
        client: &Client,
    ) -> Result<(), FactorError> {
        let user = &caller.user;
        let _counted = self
            .verify_current_password(caller, password, client)
            .await?;
        let proof = self.proof_of(caller);
        self.change_own_factors(user, FactorChange::Prove(proof, None))
            .await?;
        Ok(())
    }

    /// Makes a secret for an authenticator app, which waits for its first code. Requires the password.
    ///
    /// # Errors
    /// As [`FactorError`] lists.
    pub async fn set_up_totp(
        &self,
        caller: &Caller,
        password: Secret,
        client: &Client,
    ) -> Result<TotpSetup, FactorError> {
        let user = &caller.user;
        let _counted = self
            .verify_current_password(caller, password, client)
            .await?;
        let mut secret = Zeroizing::new([0; TOTP_SECRET_BYTES]);
        getrandom::fill(&mut *secret)?;
        let waiting = WaitingTotp {
            secret: self.seals.seal(user.id, &*secret)?,
            password_version: user.password_version,
            until: self.clock.now().plus(TOTP_WAITS),
        };
        self.change_own_factors(user, FactorChange::AwaitTotp(waiting))
            .await?;
        let secret = Secret::new(base32(&*secret));
        let otpauth_url = otpauth_url(&self.site, user.username.as_str(), &secret);
        Ok(TotpSetup {
            secret,
            otpauth_url,
        })
    }

    /// Enrols the authenticator app that waits, by its first code. Returns the recovery codes.
    ///
    /// # Errors
    /// As [`FactorError`] lists.
    pub async fn confirm_totp(
        &self,
        caller: &Caller,
        code: &Secret,
        client: &Client,
    ) -> Result<Vec<Secret>, FactorError> {
        let (user, now) = (&caller.user, self.clock.now());
        let attempt = Attempt::totp_confirmation_of(&user.username_key);
        if let Verdict::Refused(wait) = self.count(attempt, self.rates.login, now).await? {
            return Err(FactorError::TooMany(wait));
        }
        let factors = self.store.factors(user.id).await?;
        let waiting = factors.waiting(user.password_version, now);
        let secret = waiting.map(|waiting| waiting.secret.clone());
        let secret = secret.ok_or(FactorError::WrongCode)?;
        let opened = self.seals.open(user.id, &secret);
        let step = match (opened, TypedCode::parse(code.expose())) {
            (Some(opened), Some(TypedCode::Totp(code))) => matching_step(&opened.secret, code, now),
            _ => None,
        };
        let step = step.ok_or(FactorError::WrongCode)?;
        let (codes, hashes) = recovery_codes(user.id)?;
        let change = FactorChange::ConfirmTotp {
            secret,
            step,
            recovery_codes: hashes,
        };
        self.change_own_factors(user, change).await?;
        self.remember_second_step(user, client).await?;
        self.note_and_mail(user, EventKind::TotpEnabled, EmailKind::FactorAdded, client)
            .await;
        Ok(codes)
    }

    /// Removes the authenticator app. Requires the password and a code.
    ///
    /// # Errors
    /// As [`FactorError`] lists.
    pub async fn remove_totp(
        &self,
        caller: &Caller,
        password: Secret,
        code: &Secret,
        client: &Client,
    ) -> Result<(), FactorError> {
        let user = &caller.user;
        let _counted = self
            .verify_current_password(caller, password, client)
            .await?;
        let factors = self.store.factors(user.id).await?;
        let (change, session) = (FactorChange::RemoveTotp, Some(caller.session));
        self.use_code(user, &factors, code, change, session, client)
            .await?;
        self.note_and_mail(
            user,
            EventKind::TotpDisabled,
            EmailKind::FactorRemoved,
            client,
        )
        .await;
        Ok(())
    }

    /// Makes a new set of recovery codes. Requires the password and a code.
    ///
    /// # Errors
    /// As [`FactorError`] lists.
    pub async fn replace_recovery_codes(
        &self,
        caller: &Caller,
        password: Secret,
        code: &Secret,
        client: &Client,
    ) -> Result<Vec<Secret>, FactorError> {
        let user = &caller.user;
        let _counted = self
            .verify_current_password(caller, password, client)
            .await?;
        let factors = self.store.factors(user.id).await?;
        let (codes, hashes) = recovery_codes(user.id)?;
        let change = |factor| FactorChange::ReplaceRecoveryCodes(factor, hashes);
        let session = Some(caller.session);
        self.use_code(user, &factors, code, change, session, client)
            .await?;
        let (what, mail) = (
            EventKind::RecoveryCodesReplaced,
            EmailKind::RecoveryCodesReplaced,
        );
        self.note_and_mail(user, what, mail, client).await;
        Ok(codes)
    }

    /// Removes all of a user's factors, for the operator. Returns what there was. `None` if there is no such user.
    ///
    /// # Errors
    /// If the store failed.
    pub async fn reset_factors(&self, user: UserId) -> Result<Option<Factors>, StoreError> {
        let Some(found) = self.store.user(user).await? else {
            return Ok(None);
        };
        let now = self.clock.now();
        let changed = self
            .store
            .change_factors(user, None, FactorChange::RemoveAll, now)
            .await?;
        let ChangeFactors::Changed { before, .. } = changed else {
            return Ok(None);
        };
        if before.are_enrolled() {
            self.audit_log
                .record(user, EventKind::FactorsReset, EventContext::default())
                .await;
            self.mailer.tell(&found, EmailKind::FactorRemoved).await;
        }
        Ok(Some(*before))
    }

    pub(super) async fn change_own_factors(
        &self,
        user: &User,
        change: FactorChange,
    ) -> Result<Factors, FactorError> {
        match self.change_factors_of(user, change).await? {
            ChangeFactors::Changed { after, .. } => Ok(*after),
            ChangeFactors::Refused(refusal) => Err(refusal.into()),
            ChangeFactors::Outdated => Err(FactorError::SignedOut),
        }
    }

    /// Changes the factors of `user`, unless the password was changed since they were read.
    pub(super) async fn change_factors_of(
        &self,
        user: &User,
        change: FactorChange,
    ) -> Result<ChangeFactors, StoreError> {
        let (version, now) = (Some(user.password_version), self.clock.now());
        self.store
            .change_factors(user.id, version, change, now)
            .await
    }

    /// The caller's factors, if the session has proved lately who uses it.
    pub(super) async fn proved_factors(
        &self,
        caller: &Caller,
    ) -> Result<Option<Factors>, StoreError> {
        let (user, now) = (&caller.user, self.clock.now());
        let factors = self.store.factors(user.id).await?;
        let is_proved = factors.is_proved(caller.session, user.password_version, now);
        Ok(is_proved.then_some(factors))
    }

    /// Whether an account with this role may be made. `None` is the operator.
    pub(super) async fn may_make(
        &self,
        role: Role,
        by: Option<&Caller>,
    ) -> Result<bool, StoreError> {
        match by {
            Some(by) if role == Role::Admin => self.may_make_admins(by).await,
            Some(_) | None => Ok(true),
        }
    }

    /// Whether an admin's session may make another admin: it must have been told lately who uses it, at its sign-in or by a
    /// proof. A stolen access token is not enough for long.
    pub(super) async fn may_make_admins(&self, caller: &Caller) -> Result<bool, StoreError> {
        let session = self.store.session(caller.session).await?;
        let until = session.map(|(session, _)| session.created.plus(PROOF_LIFETIME));
        if until.is_some_and(|until| until.is_ahead(self.clock.now(), PROOF_LIFETIME)) {
            return Ok(true);
        }
        Ok(self.proved_factors(caller).await?.is_some())
    }

    pub(super) fn proof_of(&self, caller: &Caller) -> Proof {
        Proof {
            session: caller.session,
            password_version: caller.user.password_version,
            until: self.clock.now().plus(PROOF_LIFETIME),
        }
    }
}

/// A new set of recovery codes, and their hashes.
fn recovery_codes(user: UserId) -> Result<(Vec<Secret>, Vec<OpaqueBytes>), getrandom::Error> {
    let codes = (0..RECOVERY_CODES).map(|_| new_recovery_code(user));
    let codes = codes.collect::<Result<Vec<_>, _>>()?;
    Ok(codes.into_iter().unzip())
}
