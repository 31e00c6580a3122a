//! The records that are stored and the rules about them: pure types and pure functions, which everything else uses.
//!
//! Knows no store, no HTTP and no async runtime.

mod attempt;
mod client_info;
mod clock;
mod elsewhere;
mod email_address;
mod event;
mod factors;
mod full_name;
#[cfg(test)]
mod fuzz;
mod generation;
mod id;
mod identity;
mod invite;
pub mod measure;
mod namesakes;
mod one_time_token;
mod opaque;
mod party;
mod password_hash;
mod queued_email;
mod rate;
mod role;
mod rotation;
mod session;
mod shares;
mod token_key;
mod token_use;
mod totp;
mod trail;
mod typed_code;
mod user;
mod username;
mod visible;

pub use attempt::{AccountPrefix, Attempt, CodeGiven, SignInAttempt};
pub use client_info::{Client, ClientNetwork, NetworkWidth, client_network, client_networks};
pub use clock::{CLOCKS_DIFFER, Clock, SharedClock, SystemClock, Timestamp};
pub use elsewhere::{Elsewhere, Trail};
pub use email_address::{EmailAddress, EmailKey, InvalidEmail};
pub use event::{Class, EVENTS_KEPT, Event, EventKind};
pub use factors::{
    CHALLENGE_LIFETIME, FactorChange, FactorRefusal, FactorUse, Factors, MAX_PASSKEYS,
    PROOF_LIFETIME, Passkey, Proof, TOTP_WAITS, Totp, UsedChallenge, WaitingTotp,
};
pub use full_name::FullName;
pub use generation::Generation;
pub use id::{EventId, InviteId, PasskeyId, QueuedEmailId, RequestId, SessionId, TokenId, UserId};
pub use identity::{CompactName, Identity, Owner, Standing};
pub use invite::{InvalidInviteLifetime, Invite, InviteLifetime, MAX_INVITE_TOKENS};
pub use namesakes::{ResetEmails, reset_emails, salt_for, shared_salt};
pub use one_time_token::{OneTimeToken, Purpose, TokenHash};
pub use opaque::OpaqueBytes;
pub use party::{Party, printed_network};
pub use password_hash::PasswordHash;
pub use queued_email::{EmailClass, EmailKind, QueuedEmail};
pub use rate::{LONGEST_WAIT, ParseRateError, Rate, Tally, Verdict};
pub use role::{Role, UnknownRole};
pub use rotation::{Decision, MAX_RETIRED, REPLAY_WINDOW, Rotation, decide};
pub use session::{End, KEPT_AFTER_EXPIRY, MAX_SESSIONS, Retired, Session};
pub use shares::NetworkShares;
pub use token_key::{
    MAX_TOKEN_KEYS, NewTokenKey, NotAKeyId, PUBLISHED_BEFORE, TOKEN_KEYS_KEPT, TokenKey,
    TokenKeyAction, TokenKeyChange, TokenKeyId, TokenKeyRefusal, signing_key,
};
pub use token_use::{
    Confirmation, Confirmed, confirms_email, resets_password, with_reset_password,
};
pub use totp::{TOTP_DIGITS, TOTP_PERIOD, TOTP_SECRET_BYTES, matching_step, totp_code, totp_step};
pub use trail::{LAST_USED_SHOWN, MAX_ELSEWHERE, REPEATED_WITHIN};
pub use typed_code::{RECOVERY_CODES, TypedCode, new_recovery_code, recovery_hash};
pub use user::User;
pub use username::{Username, UsernameKey};
pub use visible::{acts_on_display, visible};
