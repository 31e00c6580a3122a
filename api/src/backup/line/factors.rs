//! Second factors.

use password_auth_model::{
    Factors, OpaqueBytes, Passkey, PasskeyId, Proof, SessionId, Timestamp, Totp, UsedChallenge,
    UserId, WaitingTotp,
};
use password_auth_store::Record;
use serde::{Deserialize, Serialize};

/// Bytes are base64url.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::backup) struct FactorsLine {
    user: UserId,
    totp: Option<TotpLine>,
    recovery_codes: Vec<OpaqueBytes>,
    passkeys: Vec<PasskeyLine>,
    waiting: Option<WaitingLine>,
    used_challenges: Vec<UsedLine>,
    proofs: Vec<ProofLine>,
}

/// Defines a line with the fields of a record.
macro_rules! lines {
    ($($name:ident for $record:ident { $($field:ident: $ty:ty,)+ })+) => {
        $(
            #[derive(Serialize, Deserialize)]
            #[serde(deny_unknown_fields)]
            struct $name {
                $($field: $ty,)+
            }

            impl From<$record> for $name {
                fn from($record { $($field,)+ }: $record) -> Self {
                    Self { $($field,)+ }
                }
            }

            impl From<$name> for $record {
                fn from($name { $($field,)+ }: $name) -> Self {
                    Self { $($field,)+ }
                }
            }
        )+
    };
}

lines! {
    TotpLine for Totp {
        secret: OpaqueBytes,
        last_step: u64,
    }
    PasskeyLine for Passkey {
        id: PasskeyId,
        name: String,
        credential: OpaqueBytes,
        public_key: OpaqueBytes,
        counter: u32,
        created: Timestamp,
        last_used: Option<Timestamp>,
    }
    WaitingLine for WaitingTotp {
        secret: OpaqueBytes,
        password_version: u32,
        until: Timestamp,
    }
    UsedLine for UsedChallenge {
        nonce: OpaqueBytes,
        until: Timestamp,
    }
    ProofLine for Proof {
        session: SessionId,
        password_version: u32,
        until: Timestamp,
    }
}

fn all<A: Into<B>, B>(list: Vec<A>) -> Vec<B> {
    list.into_iter().map(Into::into).collect()
}

impl From<Factors> for FactorsLine {
    fn from(factors: Factors) -> Self {
        Self {
            user: factors.user,
            totp: factors.totp.map(Into::into),
            recovery_codes: factors.recovery_codes,
            passkeys: all(factors.passkeys),
            waiting: factors.waiting.map(Into::into),
            used_challenges: all(factors.used_challenges),
            proofs: all(factors.proofs),
        }
    }
}

impl From<FactorsLine> for Record {
    fn from(line: FactorsLine) -> Self {
        Self::Factors(Factors {
            user: line.user,
            totp: line.totp.map(Into::into),
            recovery_codes: line.recovery_codes,
            passkeys: all(line.passkeys),
            waiting: line.waiting.map(Into::into),
            used_challenges: all(line.used_challenges),
            proofs: all(line.proofs),
        })
    }
}
