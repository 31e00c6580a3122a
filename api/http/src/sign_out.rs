//! Signing out with the bearer token, a refresh token, or both.

use password_auth_core::sessions::{Sessions, SignOut, SignOutError};
use password_auth_model::Client;
use password_auth_wire::Secret;

use super::caller::MaybeBearer;
use super::error::Failure;

/// Ends the sessions of both tokens. One valid token is enough.
pub(super) async fn sign_out(
    sessions: &Sessions,
    bearer: MaybeBearer,
    refresh_token: Option<Secret>,
    client: &Client,
) -> Result<(), Failure> {
    let mut tokens = Vec::new();
    tokens.extend(refresh_token.map(SignOut::Refresh));
    match bearer.0 {
        Ok(token) => tokens.extend(token.map(SignOut::Access)),
        // Another authentication scheme is ignored if there is a refresh token.
        Err(failure) if tokens.is_empty() => return Err(failure),
        Err(_) => {}
    }
    if tokens.is_empty() {
        return Err(Failure::MissingToken);
    }
    let mut refusal = None;
    let mut ended = false;
    for token in tokens {
        match sessions.sign_out(&token, client).await {
            Ok(()) => ended = true,
            Err(SignOutError::Invalid) => {
                refusal.get_or_insert(match token {
                    SignOut::Refresh(_) => Failure::InvalidRefreshToken,
                    SignOut::Access(_) => Failure::InvalidToken,
                });
            }
            Err(SignOutError::Store(error)) => return Err(error.into()),
        }
    }
    match refusal {
        Some(failure) if !ended => Err(failure),
        _ => Ok(()),
    }
}
