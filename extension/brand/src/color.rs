//! Colours, and how well one can be read on another.

use anyhow::{Context as _, Result};

/// Red, green, blue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Color([u8; 3]);

impl Color {
    /// # Errors
    /// It is not written as `#rrggbb`.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let digits = text.strip_prefix('#').filter(|digits| {
            digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
        });
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let [_, red, green, blue] = number
            .with_context(|| format!("a colour is written as #rrggbb, not \"{text}\""))?
            .to_be_bytes();
        Ok(Self([red, green, blue]))
    }

    /// The contrast ratio, 1 to 21 (WCAG 2.2).
    pub(crate) fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    fn luminance(self) -> f64 {
        let linear = self.0.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        });
        let [red, green, blue] = linear;
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}
