//! What a server's response means: success, a refusal, or no usable answer.
//!
//! Nobody is signed out by accident, because only our own error body counts as a refusal. Everything else
//! (a dead network, a proxy's page, a failing server) says nothing about the session.
//! This module classifies responses; it sends nothing, and words nothing.

use crate::server::Server;

/// Why a request did not succeed.
// In boxes: results are moved often, and each byte of them is code.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The server understood the request and refused it.
    Refused(Box<Refusal>),
    /// There is no usable answer.
    NoAnswer(Box<NoAnswer>),
}

impl Failure {
    /// Classifies a response of `server` that is not a success. `message` is that of its body, if that is our error body.
    pub(crate) fn from_response(
        server: Server,
        status: u16,
        message: Option<String>,
        details: Details,
    ) -> Self {
        match message {
            message if status >= 500 => {
                Self::no_answer(server, Why::ServerError { status, message })
            }
            Some(message) if status >= 400 => Self::Refused(Box::new(Refusal {
                server,
                status,
                message,
                details,
            })),
            _ => Self::no_answer(server, Why::Unexpected { status }),
        }
    }

    /// `server` gave no usable answer.
    pub(crate) fn no_answer(server: Server, why: Why) -> Self {
        Self::NoAnswer(Box::new(NoAnswer { server, why }))
    }

    /// Whether the access token was rejected, by whatever answered: a refresh may help and does no harm.
    pub(crate) fn is_unauthorized(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.status == 401,
            Self::NoAnswer(no_answer) => no_answer.why == Why::Unexpected { status: 401 },
        }
    }
}

/// A refusal by the server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The server.
    pub server: Server,
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

/// No usable answer of a server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoAnswer {
    /// The server.
    pub server: Server,
    /// The reason.
    pub why: Why,
}

/// Why there is no usable answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// No connection, or a broken one.
    Unreachable,
    /// The same, and the extension has no host permission for the server.
    NoHostPermission,
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

    use super::{Details, Failure, Refusal, Why};
    use crate::server::Server;

    fn server() -> Server {
        Server::at("http://127.0.0.1:8000")
    }

    fn from_response(status: u16, code: Option<ErrorCode>) -> Failure {
        let message = code.map(|code| code.message().to_owned());
        Failure::from_response(server(), status, message, Details::default())
    }

    #[test]
    fn only_our_error_body_with_a_4xx_is_a_refusal() {
        let refused = from_response(400, Some(ErrorCode::InvalidRefreshToken));
        let expected = Refusal {
            server: server(),
            status: 400,
            message: "Invalid refresh token.".into(),
            details: Details::default(),
        };
        assert_eq!(refused, Failure::Refused(Box::new(expected)));

        for status in [200, 304, 400, 401, 403, 404, 407, 429] {
            let unexpected = Failure::no_answer(server(), Why::Unexpected { status });
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
        assert!(!Failure::no_answer(server(), Why::TimedOut).is_unauthorized());
    }
}
