//! The popup of the extension.

use wasm_bindgen::JsValue;
use web_sys::HtmlElement;

use crate::{controller, messages, page::Page, session::Session, surface::Surface, texts};

struct Popup;

impl Surface for Popup {
    const PROTECTED: &'static str = "/protected";

    fn session() -> Session {
        Session::default()
    }

    fn who(name: &str) -> String {
        name.to_owned()
    }

    fn ended(message: &str) -> String {
        messages::ended(message)
    }

    fn signed_out_focus<'a>(&'a self, page: &'a Page) -> &'a HtmlElement {
        page.form.first_empty()
    }

    fn show_signed_in(&self, _: &Page, _: bool) {}
}

/// Starts the popup, with the texts of the user's language.
///
/// # Errors
/// An element is missing: the package is broken.
pub fn start(translations: JsValue) -> Result<(), JsValue> {
    texts::translate_by(translations);
    controller::start(Popup)?;
    Ok(())
}
