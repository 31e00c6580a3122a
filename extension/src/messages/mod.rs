//! Which message a surface shows. CONTRACT.md fixes most of them.
//!
//! It knows neither page nor network: it turns actions and errors into [`texts`].

mod input;
mod refusal;

use crate::{
    browser::NoPasskey,
    response::{Failure, NoAnswer, Why},
    session,
    texts::{self, Text},
};

pub(crate) use input::check;
pub(crate) use refusal::{ended, expired, wrong_field};
use refusal::{reason, refused};

/// An action of a surface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Create an account.
    Register,
    /// Sign in, or complete the step that was begun.
    Login,
    /// The same with a passkey.
    Passkey,
    /// Request the protected resource.
    AccessProtected,
    /// Sign out.
    Logout,
}

/// A field of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// The name.
    Username,
    /// The password.
    Password,
    /// The e-mail address.
    Email,
    /// The code of a second factor.
    Code,
    /// The invitation.
    Invite,
}

/// The message for an `action` that failed.
pub(crate) fn failure(action: Action, error: &session::Error) -> String {
    match error {
        session::Error::NotSignedIn => texts::NOT_SIGNED_IN.plain(),
        session::Error::RefreshRefused(refusal) => {
            texts::REFRESH_FAILED.with(&[&reason(&refusal.message, &refusal.details.code)])
        }
        session::Error::Failed(Failure::Refused(refusal)) => {
            let failed = match action {
                Action::Register => texts::REGISTER_FAILED,
                Action::Login | Action::Passkey => texts::LOGIN_FAILED,
                Action::AccessProtected => texts::ACCESS_FAILED,
                Action::Logout => texts::LOGOUT_FAILED,
            };
            failed.with(&[&refused(action, refusal)])
        }
        session::Error::Failed(Failure::NoAnswer(no_answer)) => unanswered(no_answer),
        session::Error::InvalidAddress => texts::INVALID_ADDRESS.plain(),
        session::Error::Browser(error) => texts::STORAGE_FAILED.with(&[&error.0]),
    }
}

/// The message when the browser gave no passkey.
pub(crate) const fn no_passkey(why: NoPasskey) -> Text {
    match why {
        NoPasskey::NoneChosen => texts::NO_PASSKEY,
        NoPasskey::NotAllowed => texts::PASSKEY_NOT_ALLOWED,
    }
}

/// The message when a server gave no usable answer. It names the server.
fn unanswered(NoAnswer { server, why }: &NoAnswer) -> String {
    let server = &*server.address();
    match why {
        Why::Unreachable => texts::UNREACHABLE.with(&[server]),
        Why::NoHostPermission => texts::NO_HOST_PERMISSION.with(&[server]),
        Why::TimedOut => texts::TIMED_OUT.with(&[server]),
        Why::ServerError { status, message } => {
            let status = &*texts::number(u32::from(*status));
            match message {
                None => texts::SERVER_ERROR.with(&[server, status]),
                Some(said) => texts::SERVER_ERROR_SAID.with(&[server, status, said]),
            }
        }
        Why::Unexpected { status } => {
            texts::UNEXPECTED.with(&[server, &texts::number(u32::from(*status))])
        }
    }
}

/// What a screen reader announces while `action` runs.
pub(crate) const fn progress(action: Action) -> Text {
    match action {
        Action::Register => texts::REGISTERING,
        Action::Login | Action::Passkey => texts::SIGNING_IN,
        Action::AccessProtected => texts::LOADING,
        Action::Logout => texts::SIGNING_OUT,
    }
}

#[cfg(test)]
mod tests {
    use password_auth_wire::ErrorCode;

    use super::{Action, failure};
    use crate::{
        response::{Details, Failure, Why},
        server::Server,
        session::Error,
    };

    fn server() -> Server {
        Server::at("http://127.0.0.1:8000")
    }

    #[test]
    fn permission_account_and_network_have_three_different_messages() {
        let details = Details {
            code: ErrorCode::AccountDisabled.name().to_owned(),
            ..Details::default()
        };
        let message = Some(ErrorCode::AccountDisabled.message().to_owned());
        let messages = [
            Failure::no_answer(server(), Why::NoHostPermission),
            Failure::from_response(server(), 403, message, details),
            Failure::no_answer(server(), Why::Unreachable),
        ]
        .map(|failed| failure(Action::Login, &Error::Failed(failed)));
        assert!(messages[0].contains("permission"), "{messages:?}");
        assert!(messages[1].contains("disabled"), "{messages:?}");
        assert!(messages[2].contains("Cannot reach"), "{messages:?}");
    }

    #[test]
    fn every_message_about_a_server_names_it() {
        for why in [
            Why::Unreachable,
            Why::NoHostPermission,
            Why::TimedOut,
            Why::ServerError {
                status: 502,
                message: None,
            },
            Why::ServerError {
                status: 503,
                message: Some("Busy.".into()),
            },
            Why::Unexpected { status: 200 },
        ] {
            let failed = Failure::no_answer(server(), why);
            let message = failure(Action::Login, &Error::Failed(failed));
            assert!(message.contains("http://127.0.0.1:8000"), "{message}");
        }
    }
}
