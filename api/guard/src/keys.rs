//! The server's public keys (RFC 7517), kept as long as it says, and asked for again when a token names another one.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use jsonwebtoken::DecodingKey;
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::Refused;

/// How long a set is used: as its `Cache-Control` says.
const KEPT: Duration = Duration::from_secs(300);

/// Between two requests for it. Anybody can invent keys, and a server that does not answer is not asked at once again.
const PAUSE: Duration = Duration::from_secs(5);

/// How long the server may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The most bytes of a set. A key takes some hundred.
const MAX_BYTES: usize = 64 * 1024;

#[derive(Debug)]
pub(crate) struct Keys {
    url: String,
    client: reqwest::Client,
    known: RwLock<Known>,
    /// Held while the server is asked; when it was asked.
    asked: Arc<Mutex<Option<Instant>>>,
}

/// What the server said, and when.
#[derive(Debug, Default)]
struct Known {
    keys: HashMap<String, DecodingKey>,
    since: Option<Instant>,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Key>,
}

/// A key of the set. What verifies nothing here lacks one of these.
#[derive(Deserialize)]
struct Key {
    kid: Option<String>,
    crv: Option<String>,
    x: Option<String>,
}

impl Keys {
    pub(crate) fn new(server: &str) -> Self {
        Self {
            url: format!("{}/.well-known/jwks.json", server.trim_end_matches('/')),
            client: reqwest::Client::new(),
            known: RwLock::default(),
            asked: Arc::default(),
        }
    }

    /// The key of this name, if the server has one.
    pub(crate) async fn key(self: &Arc<Self>, kid: &str) -> Result<Option<DecodingKey>, Refused> {
        if let Some(found) = self.known(kid).flatten() {
            return Ok(Some(found));
        }
        // One asks, the others wait for what it hears.
        let mut asked = Arc::clone(&self.asked).lock_owned().await;
        let known = self.known(kid);
        if let Some(Some(found)) = known {
            return Ok(Some(found));
        }
        if asked.is_none_or(|asked| asked.elapsed() > PAUSE) {
            *asked = Some(Instant::now());
            let keys = Arc::clone(self);
            // In a task of its own: a client that goes away leaves nobody else without keys.
            let asking = tokio::spawn(async move {
                keys.renew().await;
                drop(asked);
            });
            asking.await.map_err(|_| Refused::NoKeys)?;
            return self.known(kid).ok_or(Refused::NoKeys);
        }
        known.ok_or(Refused::NoKeys)
    }

    /// `None`: what was known is too old. `Some(None)`: there is no such key.
    fn known(&self, kid: &str) -> Option<Option<DecodingKey>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let fresh = known.since.is_some_and(|since| since.elapsed() < KEPT);
        fresh.then(|| known.keys.get(kid).cloned())
    }

    /// Asks the server. What is known stays if it does not answer.
    async fn renew(&self) {
        if let Ok(keys) = self.ask().await {
            *self.known.write().unwrap_or_else(PoisonError::into_inner) = Known {
                keys,
                since: Some(Instant::now()),
            };
        }
    }

    async fn ask(
        &self,
    ) -> Result<HashMap<String, DecodingKey>, Box<dyn std::error::Error + Send + Sync>> {
        let request = self.client.get(&self.url).timeout(PATIENCE);
        let mut answer = request.send().await?.error_for_status()?;
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await? {
            body.extend_from_slice(&part);
            if body.len() > MAX_BYTES {
                return Err("a set of keys is not that long".into());
            }
        }
        let set: Set = serde_json::from_slice(&body)?;
        let keys = set.keys.into_iter().filter_map(|key| {
            let x = key.x.filter(|_| key.crv.as_deref() == Some("Ed25519"))?;
            Some((key.kid?, DecodingKey::from_ed_components(&x).ok()?))
        });
        Ok(keys.collect())
    }
}
