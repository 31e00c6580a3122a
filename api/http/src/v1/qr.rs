//! QR codes, as SVG.

use password_auth_wire::Secret;
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};

use crate::error::Failure;

/// The shortest side, in pixels, without a size of its own.
const SIDE: u32 = 240;

/// An image of `text`.
pub(super) fn svg(text: &Secret) -> Result<Secret, Failure> {
    // Names of rare letters are long there: then it holds more, and corrects less.
    let code = QrCode::new(text.expose())
        .or_else(|_| QrCode::with_error_correction_level(text.expose(), EcLevel::L))
        .map_err(Failure::internal)?;
    let image = code
        .render::<svg::Color<'_>>()
        .min_dimensions(SIDE, SIDE)
        .build();
    Ok(Secret::new(image))
}

#[cfg(test)]
mod tests {
    use super::svg;
    use password_auth_wire::Secret;

    #[test]
    fn the_longest_names_have_an_image() {
        // 64 characters of four bytes each: the site, the user, and the site again.
        let name = "%F0%9F%98%80".repeat(64);
        let url = format!(
            "otpauth://totp/{name}:{name}?secret={}&issuer={name}",
            "A".repeat(32)
        );
        let url = url + "&algorithm=SHA1&digits=6&period=30";
        assert!(svg(&Secret::new(url)).is_ok());
    }
}
