//! Sign-outs that a server has not been told of yet.

use js_sys::Array;
use password_auth_wire::Secret;
use wasm_bindgen::{JsCast, JsValue};

use super::{StoredTokens, WriteLock};
use crate::{
    browser::{Area, BrowserError},
    json::{self, object},
};

/// The key of the sign-outs that a server has not been told of yet: a list of [`PendingSignOut`].
pub(super) const PENDING: &str = "auth_pending_sign_outs";

/// How many pending sign-outs are remembered. The oldest ones go first.
const MAX_PENDING: u32 = 20;

/// A session that a server has to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PendingSignOut {
    /// The address of the server.
    pub(crate) server: String,
    /// The token that proves that the session is ours.
    pub(crate) refresh_token: Secret,
}

impl PendingSignOut {
    /// `None` for tokens of an unknown server: nobody can be told.
    pub(super) fn of(tokens: StoredTokens) -> Option<Self> {
        Some(Self {
            server: tokens.issuer?.address(),
            refresh_token: tokens.pair.refresh_token,
        })
    }

    fn read(object: &JsValue) -> Option<Self> {
        Some(Self {
            server: json::text_field(object, "server")?,
            refresh_token: Secret::new(json::text_field(object, "refresh_token")?),
        })
    }

    fn value(&self) -> JsValue {
        let fields = [
            ("server", self.server.as_str().into()),
            ("refresh_token", self.refresh_token.expose().into()),
        ];
        object(&fields).into()
    }
}

/// The sessions that their servers have to end.
pub(crate) async fn pending() -> Result<Vec<PendingSignOut>, BrowserError> {
    let mut found = pending_in(Area::Session).await?.to_vec();
    found.extend(pending_in(Area::Local).await?.to_vec());
    Ok(found.iter().filter_map(PendingSignOut::read).collect())
}

/// `done` is not pending any more.
pub(crate) async fn remove_pending(
    done: &PendingSignOut,
    _: &WriteLock,
) -> Result<(), BrowserError> {
    for area in [Area::Session, Area::Local] {
        let list = pending_in(area).await?;
        let rest = list.filter(&mut |pending, _, _| {
            PendingSignOut::read(&pending).is_some_and(|pending| pending != *done)
        });
        if rest.length() == 0 {
            area.remove(&[PENDING]).await?;
        } else if rest.length() < list.length() {
            area.write(&[(PENDING, rest.into())]).await?;
        }
    }
    Ok(())
}

/// The list of pending sign-outs of `area`, with `new` ones at its end.
pub(super) async fn with_pending(
    area: Area,
    new: &[PendingSignOut],
) -> Result<Array, BrowserError> {
    let list = pending_in(area).await?;
    for pending in new {
        list.push(&pending.value());
    }
    let surplus = list.length().saturating_sub(MAX_PENDING);
    Ok(list.slice(surplus, list.length()))
}

async fn pending_in(area: Area) -> Result<Array, BrowserError> {
    let list = area.read_one(PENDING).await?;
    Ok(list.dyn_into().unwrap_or_default())
}
