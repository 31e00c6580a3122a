//! Sign-out: first here, then at the server, which is told until it has heard.

use wasm_bindgen_futures::spawn_local;

use super::{Error, Session};
use crate::{
    client::Client,
    response::Failure,
    server::{InvalidAddress, Server},
    token_store::{self, PendingSignOut, StoreContents},
};

impl Session {
    /// Signs out here, and on the server if it can be reached. Returns whether the server was told; if not, the
    /// sign-out is pending.
    ///
    /// # Errors
    /// The browser's storage or its locks failed.
    pub(crate) async fn sign_out(&self) -> Result<bool, Error> {
        let lock = token_store::lock().await?;
        // Sign out even if the configured address has become invalid: each pair knows its own server.
        let server = self.server().await.ok();
        let StoreContents { current, stale } = token_store::read(server.as_ref()).await?;
        for stored in stale {
            let pending = token_store::retire(stored, &lock).await?;
            pending.into_iter().for_each(finish_in_background);
        }
        let pending = match current {
            Some(stored) => token_store::retire(stored, &lock).await?,
            None => None,
        };
        drop(lock);
        match pending {
            Some(pending) => finish_sign_out(pending).await,
            None => Ok(true),
        }
    }

    /// Removes tokens of other servers than the configured one, and ends their sessions there.
    pub(super) async fn discard_stale(&self) -> Result<(), Error> {
        let lock = token_store::lock().await?;
        // Meanwhile another context may have done it, or the user may have changed the server back.
        // An invalid address in the settings signs nobody out.
        let server = self.server().await?;
        for stale in token_store::read(Some(&server)).await?.stale {
            let pending = token_store::retire(stale, &lock).await?;
            pending.into_iter().for_each(finish_in_background);
        }
        Ok(())
    }
}

/// Tells servers of the sign-outs that they have not heard of. Returns whether all have heard.
///
/// # Errors
/// The browser's storage failed.
pub(crate) async fn finish_sign_outs() -> Result<bool, Error> {
    let mut told = true;
    for pending in token_store::pending().await? {
        told &= matches!(finish_sign_out(pending).await, Ok(true));
    }
    Ok(told)
}

/// Tells the server of `pending` that the session has ended. Returns whether it has heard.
async fn finish_sign_out(pending: PendingSignOut) -> Result<bool, Error> {
    let told = match Server::parse(&pending.server) {
        Ok(server) => {
            let token = pending.refresh_token.clone();
            !matches!(
                Client::new(server).logout(token).await,
                Err(Failure::NoAnswer(_))
            )
        }
        // Tokens may not be sent there at all.
        Err(InvalidAddress) => true,
    };
    if told {
        let lock = token_store::lock().await?;
        token_store::remove_pending(&pending, &lock).await?;
    }
    Ok(told)
}

/// Starts at once, so that the request leaves even if the page closes. A failure leaves the sign-out pending.
pub(super) fn finish_in_background(pending: PendingSignOut) {
    spawn_local(async move { drop(finish_sign_out(pending).await) });
}
