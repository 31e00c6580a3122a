//! What a server's response means: success, a refusal, or no usable answer.
//!
//! Nobody is signed out by accident, because only our own error body counts as a refusal. Everything else
//! (a dead network, a proxy's page, a failing server) says nothing about the session.
//! This module classifies responses; it sends nothing, and words nothing.

/// Why a request did not succeed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The server understood the request and refused it.
    // In a box: results are moved often, and each byte of them is code.
    Refused(Box<Refusal>),
    /// There is no usable answer.
    NoAnswer(NoAnswer),
}

impl Failure {
    /// Classifies a response that is not a success. `message` is that of its body, if that is our error body.
    pub(crate) fn from_response(status: u16, message: Option<String>, details: Details) -> Self {
        match message {
            message if status >= 500 => Self::NoAnswer(NoAnswer::ServerError { status, message }),
            Some(message) if status >= 400 => Self::Refused(Box::new(Refusal {
                status,
                message,
                details,
            })),
            _ => Self::NoAnswer(NoAnswer::Unexpected { status }),
        }
    }

    /// Whether the access token was rejected, by whatever answered: a refresh may help and does no harm.
    pub(crate) fn is_unauthorized(&self) -> bool {
        let status = match self {
            Self::Refused(refusal) => refusal.status,
            Self::NoAnswer(
                NoAnswer::ServerError { status, .. } | NoAnswer::Unexpected { status },
            ) => *status,
            Self::NoAnswer(_) => return false,
        };
        status == 401
    }
}

/// A refusal by the server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The HTTP status, 400 to 499.
    pub status: u16,
    /// The reason, for users.
    pub message: String,
    /// What else the response says.
    pub details: Details,
}

/// What a refusal says beside its error body.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Details {
    /// The reason, for programs. One of a newer server has no name in `wire`.
    pub code: String,
    /// The first field that is wrong, if the server names one.
    pub field: Option<String>,
    /// What is wrong with it, for programs.
    pub field_code: Option<String>,
    /// With `second_factor_required`: what the second step presents.
    pub challenge: Option<String>,
    /// With `second_factor_required`: the names of the account's factors, with blanks between them.
    pub methods: String,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<u32>,
}

/// Why there is no usable answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// No connection, or a broken one.
    Unreachable,
    /// No complete response in time.
    TimedOut,
    /// 5xx, with the server's message if there is one.
    ServerError {
        /// The HTTP status.
        status: u16,
        /// The message of our error body.
        message: Option<String>,
    },
    /// Something else answered: another server, a proxy, a captive portal.
    Unexpected {
        /// The HTTP status.
        status: u16,
    },
}

#[cfg(test)]
mod tests {
    use password_auth_wire::ErrorCode;

    use super::{Details, Failure, NoAnswer, Refusal};

    fn from_response(status: u16, code: Option<ErrorCode>) -> Failure {
        let message = code.map(|code| code.message().to_owned());
        Failure::from_response(status, message, Details::default())
    }

    #[test]
    fn only_our_error_body_with_a_4xx_is_a_refusal() {
        let refused = from_response(400, Some(ErrorCode::InvalidRefreshToken));
        let expected = Refusal {
            status: 400,
            message: "Invalid refresh token.".into(),
            details: Details::default(),
        };
        assert_eq!(refused, Failure::Refused(Box::new(expected)));

        for status in [200, 304, 400, 401, 403, 404, 407, 429] {
            let unexpected = Failure::NoAnswer(NoAnswer::Unexpected { status });
            assert_eq!(from_response(status, None), unexpected);
        }
        for status in [500, 502, 503, 504] {
            let failure = from_response(status, Some(ErrorCode::InvalidRefreshToken));
            assert!(matches!(failure, Failure::NoAnswer(_)), "{status}");
        }
    }

    #[test]
    fn any_401_is_worth_a_refresh() {
        assert!(from_response(401, Some(ErrorCode::TokenExpired)).is_unauthorized());
        assert!(from_response(401, None).is_unauthorized());
        assert!(!from_response(403, Some(ErrorCode::AccountDisabled)).is_unauthorized());
        assert!(!Failure::NoAnswer(NoAnswer::TimedOut).is_unauthorized());
    }
}
