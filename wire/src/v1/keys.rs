//! Public keys.

use serde::{Deserialize, Serialize};

object! {
    /// A set of public keys (RFC 7517 §5).
    JwkSet {
        /// The key that signs comes first.
        keys: Vec<Jwk> = vec![<Jwk as poem_openapi::types::Example>::example()],
    }

    /// A public key (RFC 7517 §4, RFC 8037 §2).
    Jwk {
        /// Always `OKP`.
        kty: String = "OKP".to_owned(),
        /// Always `Ed25519`.
        crv: String = "Ed25519".to_owned(),
        /// Always `sig`.
        #[serde(rename = "use")]
        #[cfg_attr(feature = "openapi", oai(rename = "use"))]
        usage: String = "sig".to_owned(),
        /// Always `EdDSA`.
        alg: String = "EdDSA".to_owned(),
        /// Its id, which tokens name in their header.
        kid: String = "a1b2c3d4e5f60718".to_owned(),
        /// The key, base64url.
        x: String = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".to_owned(),
    }
}
