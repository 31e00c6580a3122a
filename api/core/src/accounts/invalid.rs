//! What is wrong with the inputs of a new account or of a change.

use password_auth_wire::rules::Violation;

use crate::passwords::Weak;

/// What is wrong with each input. `None` if nothing is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Invalid {
    /// The name.
    pub username: Option<Violation>,
    /// The password.
    pub password: Option<Violation>,
    /// The password is too easy to guess, but breaks no other rule.
    pub weak: Option<Weak>,
    /// The e-mail address.
    pub email: Option<Violation>,
    /// The full name.
    pub full_name: Option<Violation>,
}

impl Invalid {
    pub(super) const fn password(violation: Violation) -> Self {
        Self {
            password: Some(violation),
            weak: None,
            username: None,
            email: None,
            full_name: None,
        }
    }

    /// The full name is wrong.
    #[must_use]
    pub const fn full_name(violation: Violation) -> Self {
        Self {
            full_name: Some(violation),
            weak: None,
            username: None,
            password: None,
            email: None,
        }
    }

    pub(super) const fn weak(weak: Weak) -> Self {
        Self {
            weak: Some(weak),
            username: None,
            password: None,
            email: None,
            full_name: None,
        }
    }

    pub(super) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}
