//! The popup's page: its elements, and how they change.
//!
//! It knows no session and no server, and words no message.

use core::cell::{Cell, RefCell};

use password_auth_wire::Secret;
use wasm_bindgen::JsValue;
use web_sys::{Document, Element, HtmlElement, HtmlInputElement, Node};

use crate::{
    dom::{self, Timer},
    messages::{Action, Field},
};

/// How long a new message is highlighted. It stays readable after that.
const STATUS_SHOWN_MS: i32 = 5_000;

/// The elements of `popup.html`.
pub(crate) struct Page {
    document: Document,
    form: HtmlElement,
    username: HtmlInputElement,
    password: HtmlInputElement,
    stay_signed_in: HtmlInputElement,
    login: HtmlElement,
    register: HtmlElement,
    signed_in: HtmlElement,
    initial: HtmlElement,
    who: HtmlElement,
    logout: HtmlElement,
    access_protected: HtmlElement,
    server: HtmlElement,
    status: HtmlElement,
    status_timer: RefCell<Option<Timer>>,
    /// Login and register share a form: while one runs, the other waits.
    form_waits: Cell<bool>,
    access_waits: Cell<bool>,
    logout_waits: Cell<bool>,
}

impl Page {
    /// Finds every element.
    ///
    /// # Errors
    /// One is missing: the package is broken.
    pub(crate) fn find() -> Result<Self, JsValue> {
        let document = dom::window()?.document().ok_or("no document")?;
        Ok(Self {
            form: dom::element(&document, "credentials")?,
            username: dom::element(&document, "username")?,
            password: dom::element(&document, "password")?,
            stay_signed_in: dom::element(&document, "staySignedIn")?,
            login: dom::element(&document, "login")?,
            register: dom::element(&document, "register")?,
            signed_in: dom::element(&document, "signedIn")?,
            initial: dom::element(&document, "initial")?,
            who: dom::element(&document, "who")?,
            logout: dom::element(&document, "logout")?,
            access_protected: dom::element(&document, "accessProtected")?,
            server: dom::element(&document, "server")?,
            status: dom::element(&document, "status")?,
            document,
            status_timer: RefCell::default(),
            form_waits: Cell::default(),
            access_waits: Cell::default(),
            logout_waits: Cell::default(),
        })
    }

    /// The form, whose `submit` is a login.
    pub(crate) const fn form(&self) -> &HtmlElement {
        &self.form
    }

    /// The button of `action`.
    pub(crate) const fn button(&self, action: Action) -> &HtmlElement {
        match action {
            Action::Register => &self.register,
            Action::Login => &self.login,
            Action::AccessProtected => &self.access_protected,
            Action::Logout => &self.logout,
        }
    }

    /// The user name and the password, as typed.
    pub(crate) fn typed(&self) -> (String, Secret) {
        (self.username.value(), Secret::new(self.password.value()))
    }

    /// Whether "Stay signed in" is checked.
    pub(crate) fn wants_to_stay(&self) -> bool {
        self.stay_signed_in.checked()
    }

    /// Empties the password field.
    pub(crate) fn clear_password(&self) {
        self.password.set_value("");
    }

    /// Moves the focus to `field`.
    pub(crate) fn focus(&self, field: Field) {
        focus(match field {
            Field::Username => &self.username,
            Field::Password => &self.password,
        });
    }

    /// Shows the form.
    pub(crate) fn show_signed_out(&self) {
        self.logout.set_hidden(true);
        let next = if self.username.value().is_empty() {
            &self.username
        } else {
            &self.password
        };
        self.swap(&self.signed_in, &self.form, next);
        self.who.set_text_content(None);
        self.initial.set_text_content(None);
    }

    /// Shows who is signed in, in place of the form.
    pub(crate) fn show_signed_in(&self, name: Option<&str>) {
        self.logout.set_hidden(false);
        self.swap(&self.form, &self.signed_in, &self.access_protected);
        self.who.set_text_content(name);
        let initial = name.and_then(|name| name.chars().next());
        self.initial
            .set_text_content(initial.map(String::from).as_deref());
    }

    /// Shows the server's address.
    pub(crate) fn show_server(&self, address: &str) {
        self.server.set_text_content(Some(address));
    }

    /// Hides `old` and shows `new`. Focus inside `old` moves to `next`.
    fn swap(&self, old: &HtmlElement, new: &HtmlElement, next: &HtmlElement) {
        let had_focus = self.document.active_element();
        let had_focus = old.contains(had_focus.as_ref().map(AsRef::<Node>::as_ref));
        old.set_hidden(true);
        new.set_hidden(false);
        if had_focus {
            focus(next);
        }
    }

    /// Shows the `message` of an action that succeeded or failed.
    pub(crate) fn show_status(&self, success: bool, message: &str) {
        self.status.set_text_content(Some(message));
        self.status.set_class_name(if success {
            "success show"
        } else {
            "error show"
        });
        let status = self.status.clone();
        let timer = Timer::new(STATUS_SHOWN_MS, move || {
            let _ = status.class_list().remove_1("show");
        });
        // Dropping the timer of the previous message stops it.
        self.status_timer.replace(timer.ok());
    }

    /// Removes the message, so that a screen reader announces the same message again.
    fn clear_status(&self) {
        self.status_timer.take();
        self.status.set_text_content(None);
        self.status.set_class_name("");
    }

    /// Begins `action`: its button shows that it waits until the result is dropped. `None` if it waits already.
    pub(crate) fn begin(&self, action: Action) -> Option<PendingAction<'_>> {
        let waits = self.waits(action);
        if waits.replace(true) {
            return None;
        }
        self.clear_status();
        self.show_waiting(action, true);
        Some(PendingAction { page: self, action })
    }

    const fn waits(&self, action: Action) -> &Cell<bool> {
        match action {
            Action::Register | Action::Login => &self.form_waits,
            Action::AccessProtected => &self.access_waits,
            Action::Logout => &self.logout_waits,
        }
    }

    fn show_waiting(&self, action: Action, waiting: bool) {
        set_flag(self.button(action), "aria-busy", waiting);
        // Not `disabled`, which would lose the focus.
        match action {
            Action::Register | Action::Login => {
                set_flag(&self.register, "aria-disabled", waiting);
                set_flag(&self.login, "aria-disabled", waiting);
            }
            Action::AccessProtected | Action::Logout => {
                set_flag(self.button(action), "aria-disabled", waiting);
            }
        }
    }
}

/// An action that runs.
#[must_use]
pub(crate) struct PendingAction<'a> {
    page: &'a Page,
    action: Action,
}

impl Drop for PendingAction<'_> {
    fn drop(&mut self) {
        self.page.waits(self.action).set(false);
        self.page.show_waiting(self.action, false);
    }
}

fn focus(element: &HtmlElement) {
    let _ = element.focus();
}

fn set_flag(element: &Element, attribute: &str, on: bool) {
    let _ = if on {
        element.set_attribute(attribute, "true")
    } else {
        element.remove_attribute(attribute)
    };
}
