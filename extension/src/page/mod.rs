//! The page of a surface: the elements that popup and web page share, and how they change.
//!
//! It knows no session and no server, and words no message.

mod form;
mod pending;
mod status;
#[cfg(test)]
mod tests;

use wasm_bindgen::JsValue;
use web_sys::{Element, HtmlElement};

use crate::dom::{Finder, active_element, first_grapheme, focus, holds_focus};

pub(crate) use form::{Form, SecondStep, Typed};
use pending::Waiting;
pub(crate) use status::Status;

/// The elements of `popup.html` and of the web page.
pub(crate) struct Page {
    pub(crate) form: Form,
    pub(crate) status: Status,
    main: HtmlElement,
    signed_in: HtmlElement,
    initial: HtmlElement,
    who: HtmlElement,
    logout: HtmlElement,
    access_protected: HtmlElement,
    forgot_password: HtmlElement,
    server: HtmlElement,
    waiting: Waiting,
}

impl Page {
    /// Finds every element.
    ///
    /// # Errors
    /// One is missing: the package is broken.
    pub(crate) fn find() -> Result<Self, JsValue> {
        let find = Finder::new()?;
        let page = Self {
            form: Form::find(&find),
            status: Status::find(&find),
            main: find.element("main"),
            signed_in: find.element("signedIn"),
            initial: find.element("initial"),
            who: find.element("who"),
            logout: find.element("logout"),
            access_protected: find.element("accessProtected"),
            forgot_password: find.element("forgotPassword"),
            server: find.element("server"),
            waiting: Waiting::default(),
        };
        find.check(page)
    }

    /// Whether it is not known yet who is signed in.
    pub(crate) fn is_unknown(&self) -> bool {
        self.main.has_attribute("data-unknown")
    }

    /// Shows what was hidden until it is known who is signed in.
    pub(crate) fn reveal(&self) {
        let _ = self.main.remove_attribute("data-unknown");
        let nothing_focused = active_element().is_none_or(|active| active.tag_name() == "BODY");
        if nothing_focused && !self.form.element.hidden() {
            focus(self.form.first_empty());
        }
    }

    /// Shows the form. If the focus was on what goes, it moves to `next`.
    pub(crate) fn show_signed_out(&self, next: &HtmlElement) {
        swap(&self.signed_in, &self.form.element, next);
        // After the swap, which looks for the focus: it may be on this button.
        self.logout.set_hidden(true);
        self.who.set_text_content(None);
        self.initial.set_text_content(None);
    }

    /// Shows who is signed in, in place of the form.
    ///
    /// `shown` says so, and `name` is the name alone.
    pub(crate) fn show_signed_in(&self, shown: Option<&str>, name: Option<&str>) {
        self.logout.set_hidden(false);
        swap(&self.form.element, &self.signed_in, &self.access_protected);
        self.who.set_text_content(shown);
        let initial = name.and_then(first_grapheme);
        self.initial.set_text_content(initial.as_deref());
    }

    /// Shows the server's address, and where it helps with a forgotten password.
    pub(crate) fn show_server(&self, address: &str, forgot_password: &str) {
        let _ = self.forgot_password.set_attribute("href", forgot_password);
        self.server.set_text_content(Some(address));
    }
}

/// Hides `old` and shows `new`. Focus inside `old` moves to `next`.
fn swap(old: &HtmlElement, new: &HtmlElement, next: &HtmlElement) {
    let had_focus = holds_focus(old);
    old.set_hidden(true);
    new.set_hidden(false);
    if had_focus {
        focus(next);
    }
}

fn set_flag(element: &Element, attribute: &str, on: bool) {
    let _ = if on {
        element.set_attribute(attribute, "true")
    } else {
        element.remove_attribute(attribute)
    };
}
