//! What a server's answer means: done, refused, or not to be had.
//!
//! The difference carries the promise that nobody is signed out by accident: only a refusal in our own
//! words is the server's opinion. All else is weather: a dead network, a proxy's page, a server in trouble.
//! This module judges and words; it sends nothing.

use password_auth_wire::{ErrorBody, ErrorCode, Status};

/// A request that did not do what it asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The server understood, and said no.
    Refused(Refusal),
    /// There is no answer to go by.
    Unavailable(Unavailable),
}

impl Failure {
    /// Judges an answer that was no success, or was not understood; `body` is its error body, if it has one.
    pub(crate) fn judge(status: u16, body: Option<ErrorBody>) -> Self {
        match body.filter(|body| body.status == Status::Error) {
            body if status >= 500 => {
                let message = body.map(|body| body.message);
                Self::Unavailable(Unavailable::Trouble { status, message })
            }
            Some(ErrorBody { code, message, .. }) if status >= 400 => Self::Refused(Refusal {
                status,
                code,
                message,
            }),
            _ => Self::Unavailable(Unavailable::Stranger { status }),
        }
    }

    /// Whether the access token was not accepted, whoever said so: a refresh may help, and does no harm.
    pub(crate) const fn is_unauthorized(&self) -> bool {
        let (Self::Refused(Refusal { status, .. })
        | Self::Unavailable(
            Unavailable::Trouble { status, .. } | Unavailable::Stranger { status },
        )) = self
        else {
            return false;
        };
        *status == 401
    }
}

/// The server's no.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The HTTP status, 400 to 499.
    pub status: u16,
    /// Why, for programs.
    pub code: ErrorCode,
    /// Why, for people.
    pub message: String,
}

/// Why there is no answer to go by.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unavailable {
    /// No connection, or one that broke.
    Unreachable,
    /// No whole answer in time.
    TimedOut,
    /// 5xx, with the server's own words if it found any.
    Trouble {
        /// The HTTP status.
        status: u16,
        /// The message of our error body.
        message: Option<String>,
    },
    /// Something answered, and it does not speak our language: another server, a proxy, a captive portal.
    Stranger {
        /// The HTTP status.
        status: u16,
    },
}

impl Unavailable {
    /// The sentence for people, which names the `server`.
    pub(crate) fn sentence(&self, server: &str) -> String {
        match self {
            Self::Unreachable => format!("Cannot reach the server at {server}. Is it running?"),
            Self::TimedOut => {
                format!("The server at {server} did not answer in time. Please try again.")
            }
            Self::Trouble {
                status,
                message: None,
            } => {
                format!("The server at {server} had a problem (HTTP {status}). Please try again.")
            }
            Self::Trouble {
                status,
                message: Some(message),
            } => {
                format!("The server at {server} had a problem (HTTP {status}): {message}")
            }
            Self::Stranger { status } => format!(
                "The server at {server} did not answer as expected (HTTP {status}). \
                 Is it a Password Auth server?"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use password_auth_wire::{ErrorBody, ErrorCode, Status};

    use super::{Failure, Refusal, Unavailable};

    fn body(code: ErrorCode) -> Option<ErrorBody> {
        Some(ErrorBody::new(code))
    }

    #[test]
    fn only_our_error_body_with_a_4xx_is_a_refusal() {
        let refused = Failure::judge(400, body(ErrorCode::InvalidRefreshToken));
        let expected = Refusal {
            status: 400,
            code: ErrorCode::InvalidRefreshToken,
            message: "Invalid refresh token.".into(),
        };
        assert_eq!(refused, Failure::Refused(expected));

        for status in [200, 304, 400, 401, 403, 404, 407, 429] {
            let stranger = Failure::Unavailable(Unavailable::Stranger { status });
            assert_eq!(Failure::judge(status, None), stranger);
        }
        for status in [500, 502, 503, 504] {
            let trouble = Failure::judge(status, body(ErrorCode::InvalidRefreshToken));
            assert!(matches!(trouble, Failure::Unavailable(_)), "{status}");
        }
    }

    #[test]
    fn an_error_body_that_claims_success_is_not_ours() {
        let mut odd = ErrorBody::new(ErrorCode::InvalidRefreshToken);
        odd.status = Status::Ok;
        let stranger = Failure::Unavailable(Unavailable::Stranger { status: 400 });
        assert_eq!(Failure::judge(400, Some(odd)), stranger);
    }

    #[test]
    fn a_401_of_anybody_is_worth_a_refresh() {
        assert!(Failure::judge(401, body(ErrorCode::TokenExpired)).is_unauthorized());
        assert!(Failure::judge(401, None).is_unauthorized());
        assert!(!Failure::judge(403, body(ErrorCode::AccountDisabled)).is_unauthorized());
        assert!(!Failure::Unavailable(Unavailable::TimedOut).is_unauthorized());
    }

    #[test]
    fn every_sentence_names_the_server() {
        let all = [
            Unavailable::Unreachable,
            Unavailable::TimedOut,
            Unavailable::Trouble {
                status: 502,
                message: None,
            },
            Unavailable::Trouble {
                status: 503,
                message: Some("Busy.".into()),
            },
            Unavailable::Stranger { status: 200 },
        ];
        for why in all {
            let sentence = why.sentence("http://127.0.0.1:8000");
            assert!(sentence.contains("http://127.0.0.1:8000"), "{sentence}");
        }
    }
}
