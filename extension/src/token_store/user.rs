//! What is kept of the user, beside the pair.

use wasm_bindgen::JsValue;

use super::WriteLock;
use crate::{
    browser::{Area, BrowserError},
    json::{self, object},
    tokens::Pair,
};

/// The key of what the server has told about the user: a [`UserInfo`], beside the pair.
pub(super) const USER: &str = "auth_user";

/// What a server tells about a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UserInfo {
    /// A UUID.
    pub(crate) id: String,
    /// The registered spelling.
    pub(crate) username: String,
    /// The role, as the server names it. `None` until it has told it.
    pub(crate) role: Option<String>,
}

impl UserInfo {
    /// Reads the part of `object` that is kept of a user.
    pub(crate) fn read(object: &JsValue) -> Option<Self> {
        Some(Self {
            id: json::text_field(object, "id")?,
            username: json::text_field(object, "username")?,
            role: json::text_field(object, "role"),
        })
    }

    /// As an object.
    pub(crate) fn value(&self) -> JsValue {
        let fields = [
            ("id", self.id.as_str().into()),
            ("username", self.username.as_str().into()),
            (
                "role",
                self.role.as_deref().map_or(JsValue::NULL, JsValue::from),
            ),
        ];
        object(&fields).into()
    }
}

/// The user of `pair`, if the access token tells it. It does not tell the role.
pub(crate) fn claimed_user(pair: &Pair) -> Option<UserInfo> {
    let claims = json::parse(&pair.claims()?)?;
    Some(UserInfo {
        id: json::text_field(&claims, "sub")?,
        username: json::text_field(&claims, "preferred_username")?,
        role: None,
    })
}

/// What the server has told about the user of the tokens in `area`.
pub(crate) async fn user(area: Area) -> Result<Option<UserInfo>, BrowserError> {
    Ok(UserInfo::read(&area.read_one(USER).await?))
}

/// Stores what the server has told about the user of the tokens in `area`.
pub(crate) fn store_user(
    area: Area,
    user: &UserInfo,
    _: &WriteLock,
) -> impl Future<Output = Result<(), BrowserError>> + use<> {
    area.write(&[(USER, user.value())])
}
