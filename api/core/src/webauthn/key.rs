//! Public keys in COSE (RFC 9052, RFC 9053), of the algorithms that authenticators use.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use minicbor::Decoder;
use minicbor::data::Type;

use super::{InvalidCredential, require};

const ES256: i64 = -7;
const EDDSA: i64 = -8;
const RS256: i64 = -257;

/// The algorithms that are asked for, the best first.
pub const ALGORITHMS: [i64; 3] = [ES256, EDDSA, RS256];

/// A public key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PublicKey<'a> {
    /// ECDSA over P-256, with SHA-256: the point, uncompressed.
    Es256([u8; 65]),
    /// Ed25519.
    Ed25519(&'a [u8]),
    /// RSA (PKCS #1 v1.5), with SHA-256.
    Rs256 { n: &'a [u8], e: &'a [u8] },
}

/// The parameters by their labels. -1 is a curve, or RSA's modulus.
#[derive(Default)]
struct Parameters<'a> {
    kind: Option<i64>,
    algorithm: Option<i64>,
    curve: Option<i64>,
    first: Option<&'a [u8]>,
    x: Option<&'a [u8]>,
    y: Option<&'a [u8]>,
}

impl<'a> PublicKey<'a> {
    pub(super) fn read(cose: &'a [u8]) -> Result<Self, InvalidCredential> {
        let found = parameters(cose).map_err(|_| InvalidCredential)?;
        match (found.kind, found.algorithm, found.curve) {
            (Some(2), Some(ES256), Some(1)) => {
                let (x, y) = found.x.zip(found.y).ok_or(InvalidCredential)?;
                require(x.len() == 32 && y.len() == 32)?;
                let mut point = [4; 65];
                point[1..33].copy_from_slice(x);
                point[33..].copy_from_slice(y);
                Ok(Self::Es256(point))
            }
            (Some(1), Some(EDDSA), Some(6)) => {
                let x = found.x.filter(|x| x.len() == 32).ok_or(InvalidCredential)?;
                Ok(Self::Ed25519(x))
            }
            (Some(3), Some(RS256), None) => {
                let (n, e) = found.first.zip(found.x).ok_or(InvalidCredential)?;
                // 2,048 to 8,192 bits, as the verification takes them.
                require((256..=1024).contains(&n.len()) && (1..=8).contains(&e.len()))?;
                Ok(Self::Rs256 { n, e })
            }
            _ => Err(InvalidCredential),
        }
    }

    /// A key that can verify nothing would lock its user out.
    pub(super) fn check(&self) -> Result<(), InvalidCredential> {
        let parsed = match self {
            Self::Es256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &point[..]).parse()
            }
            Self::Ed25519(x) => UnparsedPublicKey::new(&ED25519, *x).parse(),
            // Both are odd; 1 is no exponent, and no number begins with a zero (RFC 8230, §4).
            Self::Rs256 { n, e } => {
                let is_odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
                return require(n[0] != 0 && is_odd(n) && e[0] != 0 && is_odd(e) && *e != [1]);
            }
        };
        parsed.map(|_| ()).map_err(|_| InvalidCredential)
    }

    pub(super) fn verify(&self, signed: &[u8], signature: &[u8]) -> Result<(), InvalidCredential> {
        let verified = match self {
            Self::Es256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(signed, signature)
            }
            Self::Ed25519(x) => UnparsedPublicKey::new(&ED25519, x).verify(signed, signature),
            Self::Rs256 { n, e } => RsaPublicKeyComponents { n, e }.verify(
                &RSA_PKCS1_2048_8192_SHA256,
                signed,
                signature,
            ),
        };
        verified.map_err(|_| InvalidCredential)
    }
}

fn parameters(cose: &[u8]) -> Result<Parameters<'_>, minicbor::decode::Error> {
    let mut decoder = Decoder::new(cose);
    let mut found = Parameters::default();
    for _ in 0..decoder.map()?.unwrap_or_default() {
        match decoder.i64()? {
            1 => found.kind = Some(decoder.i64()?),
            3 => found.algorithm = Some(decoder.i64()?),
            -1 if decoder.datatype()? == Type::Bytes => found.first = Some(decoder.bytes()?),
            -1 => found.curve = Some(decoder.i64()?),
            -2 => found.x = Some(decoder.bytes()?),
            -3 => found.y = Some(decoder.bytes()?),
            _ => decoder.skip()?,
        }
    }
    Ok(found)
}
