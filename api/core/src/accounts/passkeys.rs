//! Passkeys: adding, renaming and removing them.

use password_auth_model::{
    Client, EmailKind, EventKind, FactorChange, Passkey, PasskeyId, acts_on_display,
};
use password_auth_wire::Secret;

use super::{Accounts, FactorError};
use crate::sessions::Caller;
use crate::tokens::ChallengePurpose;
use crate::webauthn::{NewCredential, RelyingParty};

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
    pub(super) fn party(&self) -> Result<&RelyingParty, FactorError> {
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
