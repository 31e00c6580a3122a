//! QR codes, as SVG.

use password_auth_wire::Secret;
use qrcode::QrCode;
use qrcode::render::svg;

use crate::error::Failure;

/// The shortest side, in pixels, without a size of its own.
const SIDE: u32 = 240;

/// An image of `text`.
pub(super) fn svg(text: &Secret) -> Result<Secret, Failure> {
    let code = QrCode::new(text.expose()).map_err(Failure::internal)?;
    let image = code
        .render::<svg::Color<'_>>()
        .min_dimensions(SIDE, SIDE)
        .build();
    Ok(Secret::new(image))
}
