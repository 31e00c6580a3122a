//! What a sign-in asks for beside the password.

use password_auth_wire::Secret;

/// A kind of second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorKind {
    /// An authenticator app.
    Totp,
    /// A recovery code.
    RecoveryCode,
    /// A passkey.
    Passkey,
}

/// What is needed beside the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecondStep {
    /// For the second step. Good once, for five minutes.
    pub challenge: Secret,
    /// The factors that the account has.
    pub methods: Vec<FactorKind>,
}
