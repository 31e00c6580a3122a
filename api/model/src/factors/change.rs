//! What happens to the factors of a user.

use super::{Factors, MAX_PASSKEYS, Passkey, Proof, Totp, UsedChallenge, WaitingTotp};
use crate::clock::Timestamp;
use crate::id::PasskeyId;
use crate::opaque::OpaqueBytes;

/// The most used challenges that are remembered of one user. Past it, none is accepted until some have expired.
const MAX_USED: usize = 512;
/// The most sessions of one user whose proofs are remembered. Past it, the oldest proof is forgotten.
const MAX_PROOFS: usize = 64;

/// A change of a user's factors: a whole intention.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactorChange {
    /// An authenticator app waits for its first code. It replaces one that waits.
    AwaitTotp(WaitingTotp),
    /// The authenticator app with this secret, which waits, showed its first code. It comes with a new set of recovery
    /// codes.
    ConfirmTotp {
        /// The sealed secret.
        secret: OpaqueBytes,
        /// The step of the code.
        step: u64,
        /// The hashes of the new recovery codes.
        recovery_codes: Vec<OpaqueBytes>,
    },
    /// Removes the authenticator app, for the holder of a factor.
    RemoveTotp(FactorUse),
    /// Replaces the recovery codes, for the holder of a factor.
    ReplaceRecoveryCodes(FactorUse, Vec<OpaqueBytes>),
    /// The second step of a sign-in, or the only one, with the challenges that it answers.
    Use(FactorUse, Vec<UsedChallenge>),
    /// The session may do dangerous things, by the password or by a passkey.
    Prove(Proof, Option<(FactorUse, UsedChallenge)>),
    /// Adds a passkey, which answered this challenge.
    AddPasskey(Passkey, UsedChallenge),
    /// Renames a passkey.
    RenamePasskey(PasskeyId, String),
    /// Removes a passkey.
    RemovePasskey(PasskeyId),
    /// Removes everything, for the operator.
    RemoveAll,
}

/// A factor that was shown to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactorUse {
    /// A code of the authenticator app.
    Totp {
        /// The sealed secret that the code was compared with.
        secret: OpaqueBytes,
        /// The step of the code.
        step: u64,
        /// The secret, sealed with a newer key.
        resealed: Option<OpaqueBytes>,
    },
    /// A recovery code: its hash.
    RecoveryCode(OpaqueBytes),
    /// A passkey, whose signature was verified.
    Passkey {
        /// The authenticator's identifier of the credential.
        credential: OpaqueBytes,
        /// The authenticator's count of signatures.
        counter: u32,
    },
}

/// Why a change was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorRefusal {
    /// The factor is not there, or its code was used before.
    NotAccepted,
    /// The challenge was used before.
    ChallengeUsed,
    /// There is an authenticator app.
    AlreadyEnrolled,
    /// No authenticator app waits for a code.
    NothingWaits,
    /// There is no such passkey.
    UnknownPasskey,
    /// There are too many passkeys, or the authenticator has one already, or this one is too large.
    PasskeyRefused,
}

impl Factors {
    /// The factors after the change.
    ///
    /// # Errors
    /// Why it was refused. Then nothing changes.
    pub fn after(self, change: &FactorChange, now: Timestamp) -> Result<Self, FactorRefusal> {
        let mut factors = self.swept(now);
        match change {
            FactorChange::AwaitTotp(waiting) => {
                if factors.totp.is_some() {
                    return Err(FactorRefusal::AlreadyEnrolled);
                }
                factors.waiting = Some(waiting.clone());
            }
            FactorChange::ConfirmTotp {
                secret,
                step,
                recovery_codes,
            } => {
                let waits = factors.waiting.take();
                if waits.is_none_or(|waiting| waiting.secret != *secret) {
                    return Err(FactorRefusal::NothingWaits);
                }
                if factors.totp.is_some() {
                    return Err(FactorRefusal::AlreadyEnrolled);
                }
                factors.totp = Some(Totp {
                    secret: secret.clone(),
                    last_step: *step,
                });
                factors.recovery_codes.clone_from(recovery_codes);
            }
            FactorChange::RemoveTotp(factor) => {
                if factors.totp.is_none() {
                    return Err(FactorRefusal::NotAccepted);
                }
                factors.take(factor, now)?;
                factors.totp = None;
                factors.drop_recovery_codes_without_factor();
            }
            FactorChange::ReplaceRecoveryCodes(factor, recovery_codes) => {
                factors.take(factor, now)?;
                factors.recovery_codes.clone_from(recovery_codes);
            }
            FactorChange::Use(factor, challenges) => {
                for challenge in challenges {
                    factors.use_up(challenge, now)?;
                }
                factors.take(factor, now)?;
            }
            FactorChange::Prove(proof, with) => {
                if let Some((factor, challenge)) = with {
                    factors.use_up(challenge, now)?;
                    factors.take(factor, now)?;
                }
                factors.proofs.retain(|old| old.session != proof.session);
                if factors.proofs.len() >= MAX_PROOFS {
                    factors.proofs.remove(0);
                }
                factors.proofs.push(*proof);
            }
            FactorChange::AddPasskey(passkey, challenge) => {
                factors.use_up(challenge, now)?;
                let passkeys = &mut factors.passkeys;
                let is_known = |known: &Passkey| known.credential == passkey.credential;
                let fits = passkeys.len() < MAX_PASSKEYS && passkey.has_a_size_of_one();
                if !fits || passkeys.iter().any(is_known) {
                    return Err(FactorRefusal::PasskeyRefused);
                }
                passkeys.push(passkey.clone());
            }
            FactorChange::RenamePasskey(id, name) => {
                let passkeys = factors.passkeys.iter_mut();
                let passkey = passkeys.into_iter().find(|passkey| passkey.id == *id);
                passkey
                    .ok_or(FactorRefusal::UnknownPasskey)?
                    .name
                    .clone_from(name);
            }
            FactorChange::RemovePasskey(id) => {
                let before = factors.passkeys.len();
                factors.passkeys.retain(|passkey| passkey.id != *id);
                if factors.passkeys.len() == before {
                    return Err(FactorRefusal::UnknownPasskey);
                }
                factors.drop_recovery_codes_without_factor();
            }
            FactorChange::RemoveAll => factors = Self::none_of(factors.user),
        }
        Ok(factors)
    }

    fn drop_recovery_codes_without_factor(&mut self) {
        if !self.are_enrolled() {
            self.recovery_codes.clear();
        }
    }

    /// A factor is shown once: a later step, another recovery code, a higher count.
    fn take(&mut self, factor: &FactorUse, now: Timestamp) -> Result<(), FactorRefusal> {
        match factor {
            FactorUse::Totp {
                secret,
                step,
                resealed,
            } => {
                let totp = self.totp.as_mut();
                let totp = totp.filter(|totp| totp.secret == *secret && *step > totp.last_step);
                let totp = totp.ok_or(FactorRefusal::NotAccepted)?;
                totp.last_step = *step;
                if let Some(resealed) = resealed {
                    totp.secret = resealed.clone();
                }
            }
            FactorUse::RecoveryCode(hash) => {
                let found = self.recovery_codes.iter().position(|code| code == hash);
                let found = found.ok_or(FactorRefusal::NotAccepted)?;
                self.recovery_codes.remove(found);
            }
            FactorUse::Passkey {
                credential,
                counter,
            } => {
                let mut passkeys = self.passkeys.iter_mut();
                let passkey = passkeys.find(|passkey| passkey.credential == *credential);
                let passkey = passkey.ok_or(FactorRefusal::NotAccepted)?;
                // Web Authentication Level 3, §7.2, step 22: a count that does not grow may be a copy.
                let counts = *counter > 0 || passkey.counter > 0;
                if counts && *counter <= passkey.counter {
                    return Err(FactorRefusal::NotAccepted);
                }
                passkey.counter = *counter;
                passkey.last_used = Some(now);
            }
        }
        Ok(())
    }

    fn use_up(&mut self, challenge: &UsedChallenge, now: Timestamp) -> Result<(), FactorRefusal> {
        let used = &mut self.used_challenges;
        let was_used = used.iter().any(|used| used.nonce == challenge.nonce);
        if was_used || used.len() >= MAX_USED || challenge.until <= now {
            return Err(FactorRefusal::ChallengeUsed);
        }
        used.push(challenge.clone());
        Ok(())
    }
}
