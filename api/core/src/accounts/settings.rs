//! What is set for all accounts.

use password_auth_model::Rate;

/// Rate limits.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// Sign-in attempts, per address and per account.
    pub login: Rate,
    /// Registrations, per address.
    pub register: Rate,
    /// Requests for mail, per client address and per mailbox.
    pub mail: Rate,
    /// Writes and expensive reads, per account: see [`Allowance`](crate::rate_limit::Allowance).
    pub account: Rate,
}

/// Who may list users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Directory {
    /// All users with a role that [sees others](password_auth_model::Role::SEEING_OTHERS).
    Members,
    /// Only admins.
    Admins,
}

/// Who may register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    /// Everybody.
    Open,
    /// Those who have an invitation.
    Invite,
    /// The same, and forms do not offer it.
    Closed,
}
