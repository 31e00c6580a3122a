//! What an authenticator app reads.

use password_auth_model::{TOTP_DIGITS, TOTP_PERIOD};
use password_auth_wire::Secret;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// As authenticator apps read it (the Key URI Format of Google Authenticator).
pub(super) fn otpauth_url(site: &str, username: &str, secret: &Secret) -> Secret {
    let [site, username] = [site, username].map(|text| utf8_percent_encode(text, NON_ALPHANUMERIC));
    Secret::new(format!(
        "otpauth://totp/{site}:{username}?secret={}&issuer={site}&algorithm=SHA1\
         &digits={TOTP_DIGITS}&period={TOTP_PERIOD}",
        secret.expose()
    ))
}

/// Base32 (RFC 4648 §6) of a whole number of five bytes.
pub(super) fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let groups = bytes.chunks_exact(5).flat_map(|five| {
        let number = five
            .iter()
            .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        (0..8)
            .rev()
            .map(move |at| char::from(ALPHABET[usize::from((number >> (5 * at)) as u8 & 0x1F)]))
    });
    groups.collect()
}

#[cfg(test)]
mod tests {
    use super::{base32, otpauth_url};
    use password_auth_testing::fuzz;
    use password_auth_wire::Secret;

    #[test]
    fn an_app_is_told_the_secret_in_the_standard_s_letters() {
        assert_eq!(base32(b"fooba"), "MZXW6YTB");
        assert_eq!(
            base32(b"12345678901234567890"),
            "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
        );
        let url = otpauth_url("auth.example.org", "a:b c", &Secret::new("MZXW6YTB"));
        assert_eq!(
            url.expose(),
            "otpauth://totp/auth%2Eexample%2Eorg:a%3Ab%20c?secret=MZXW6YTB\
             &issuer=auth%2Eexample%2Eorg&algorithm=SHA1&digits=6&period=30"
        );
    }

    #[test]
    fn fuzz_otpauth() {
        let secret = Secret::new("MZXW6YTB");
        fuzz("otpauth", move |bytes| {
            let text = String::from_utf8_lossy(bytes);
            let (site, name) = text.split_once('\n').unwrap_or((&text, ""));
            let url = otpauth_url(site, name, &secret);
            let (label, parameters) = url.expose().split_once('?').expect("parameters");
            let names = label.strip_prefix("otpauth://totp/").expect("a label");
            let is_plain =
                |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'%');
            let (issuer, user) = names.split_once(':').expect("two names");
            assert!(is_plain(issuer) && is_plain(user), "{label}");
            let named = format!("&issuer={issuer}&");
            assert!(parameters.starts_with("secret=MZXW6YTB&") && parameters.contains(&named));
            assert_eq!(parameters.matches('&').count(), 4, "{parameters}");
        });
    }
}
