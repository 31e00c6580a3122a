//! Who is signed in, for display.

use super::{Error, Session};
use crate::{
    browser::Area,
    server::Server,
    token_store::{self, UserInfo},
    tokens::MARGIN_MS,
};

/// Who is signed in where, for display.
pub(crate) struct SessionStatus {
    /// The configured server.
    pub(crate) server: Server,
    /// Who is signed in there.
    pub(crate) user: Option<SignedIn>,
    /// Why the session has ended, if nobody has seen it yet.
    pub(crate) end_message: Option<String>,
}

/// A signed-in user.
pub(crate) struct SignedIn {
    /// What the access token tells, if it can be read.
    pub(crate) claimed: Option<UserInfo>,
    /// When the access token expires: Unix milliseconds.
    pub(crate) expiry_ms: f64,
    area: Area,
}

impl Session {
    /// Reads who is signed in. Asks no server: a user who is offline stays signed in.
    ///
    /// # Errors
    /// The address is invalid, or storage failed.
    pub(crate) async fn status(&self) -> Result<SessionStatus, Error> {
        let server = self.server().await?;
        let user = self.load(&server).await?.map(|stored| SignedIn {
            claimed: token_store::claimed_user(&stored.pair),
            expiry_ms: stored.pair.expiry_ms(),
            area: stored.area,
        });
        Ok(SessionStatus {
            server,
            user,
            end_message: token_store::end_message().await?,
        })
    }

    /// What the server has told about `user`. Asks it if that is not stored, or if `anew`; if it does not
    /// answer, what the token tells.
    pub(crate) async fn user_info(&self, user: SignedIn, anew: bool) -> Option<UserInfo> {
        let claimed = user.claimed?;
        let stored = token_store::user(user.area).await.ok().flatten();
        let stored = stored.filter(|stored| stored.id == claimed.id);
        if let (Some(stored), false) = (&stored, anew) {
            return Some(stored.clone());
        }
        match self
            .ask_for_user(&claimed, stored.as_ref(), user.area)
            .await
        {
            Ok(told) => Some(told),
            Err(_) => Some(stored.unwrap_or(claimed)),
        }
    }

    async fn ask_for_user(
        &self,
        claimed: &UserInfo,
        stored: Option<&UserInfo>,
        area: Area,
    ) -> Result<UserInfo, Error> {
        let client = self.client().await?;
        let access = self.token(&client, None, MARGIN_MS).await?;
        let told = client.me(&access).await?;
        if told.id != claimed.id {
            return Err(Error::NotSignedIn);
        }
        if stored != Some(&told) {
            let lock = token_store::lock().await?;
            let now = token_store::read(Some(client.server())).await?.current;
            let now = now.filter(|now| now.area == area);
            let now = now.and_then(|now| token_store::claimed_user(&now.pair));
            if now.is_some_and(|now| now.id == told.id) {
                token_store::store_user(area, &told, &lock).await?;
            }
        }
        Ok(told)
    }
}
