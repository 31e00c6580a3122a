//! The page of a surface: the elements that popup and web page share, and how they change.
//!
//! It knows no session and no server, and words no message.

use core::cell::{Cell, RefCell};

use password_auth_wire::{Credentials, Secret};
use wasm_bindgen::JsValue;
use web_sys::{Document, Element, Event, HtmlElement, HtmlInputElement, Node};

use crate::{
    dom::{self, Timer, first_grapheme},
    messages::{Action, Field},
};

/// How long a new message is highlighted. It stays readable after that.
const STATUS_SHOWN_MS: i32 = 5_000;

/// The elements of `popup.html` and of the web page.
pub(crate) struct Page {
    document: Document,
    main: HtmlElement,
    form: HtmlElement,
    username: HtmlInputElement,
    password: HtmlInputElement,
    show_password: HtmlElement,
    first_step: HtmlElement,
    second_step: HtmlElement,
    step_for: HtmlElement,
    code_field: HtmlElement,
    code: HtmlInputElement,
    passkey: HtmlElement,
    start_again: HtmlElement,
    invite: HtmlInputElement,
    email_disclosure: HtmlElement,
    email: HtmlInputElement,
    stay_signed_in: HtmlInputElement,
    login: HtmlElement,
    register: HtmlElement,
    signed_in: HtmlElement,
    initial: HtmlElement,
    who: HtmlElement,
    logout: HtmlElement,
    access_protected: HtmlElement,
    forgot_password: HtmlElement,
    server: HtmlElement,
    progress: HtmlElement,
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
            main: dom::element(&document, "main")?,
            form: dom::element(&document, "credentials")?,
            username: dom::element(&document, "username")?,
            password: dom::element(&document, "password")?,
            show_password: dom::element(&document, "showPassword")?,
            first_step: dom::element(&document, "firstStep")?,
            second_step: dom::element(&document, "secondStep")?,
            step_for: dom::element(&document, "stepFor")?,
            code_field: dom::element(&document, "codeField")?,
            code: dom::element(&document, "code")?,
            passkey: dom::element(&document, "passkey")?,
            start_again: dom::element(&document, "startAgain")?,
            invite: dom::element(&document, "invite")?,
            email_disclosure: dom::element(&document, "emailDisclosure")?,
            email: dom::element(&document, "email")?,
            stay_signed_in: dom::element(&document, "staySignedIn")?,
            login: dom::element(&document, "login")?,
            register: dom::element(&document, "register")?,
            signed_in: dom::element(&document, "signedIn")?,
            initial: dom::element(&document, "initial")?,
            who: dom::element(&document, "who")?,
            logout: dom::element(&document, "logout")?,
            access_protected: dom::element(&document, "accessProtected")?,
            forgot_password: dom::element(&document, "forgotPassword")?,
            server: dom::element(&document, "server")?,
            progress: dom::element(&document, "progress")?,
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
            Action::Passkey => &self.passkey,
            Action::AccessProtected => &self.access_protected,
            Action::Logout => &self.logout,
        }
    }

    /// The button that shows the password.
    pub(crate) const fn show_password(&self) -> &HtmlElement {
        &self.show_password
    }

    /// The button that leaves the second step.
    pub(crate) const fn start_again(&self) -> &HtmlElement {
        &self.start_again
    }

    /// The input, as typed.
    pub(crate) fn typed(&self) -> Typed {
        Typed {
            credentials: Credentials {
                username: self.username.value(),
                password: Secret::new(self.password.value()),
            },
            email: if self.email_disclosure.has_attribute("open") {
                self.email.value()
            } else {
                String::new()
            },
            code: self.code.value(),
            invite: self.invite.value(),
            stay: self.stay_signed_in.checked(),
        }
    }

    /// Empties the password field, and what belongs to it.
    pub(crate) fn clear_password(&self) {
        self.password.set_value("");
        self.code.set_value("");
        self.invite.set_value("");
        self.set_password_shown(false);
        // As if the user had.
        let _ = Event::new("input").map(|input| self.form.dispatch_event(&input));
    }

    /// Sets "Stay signed in".
    pub(crate) fn set_stay(&self, stay: bool) {
        self.stay_signed_in.set_checked(stay);
    }

    /// Whether it is not known yet who is signed in.
    pub(crate) fn is_unknown(&self) -> bool {
        self.main.has_attribute("data-unknown")
    }

    /// Shows what was hidden until it is known who is signed in.
    pub(crate) fn reveal(&self) {
        let _ = self.main.remove_attribute("data-unknown");
        let active = self.document.active_element();
        let nothing_focused = active.is_none_or(|active| active.tag_name() == "BODY");
        if nothing_focused && !self.form.hidden() {
            focus(self.first_empty());
        }
    }

    /// The first field of the form that is empty, or the last one.
    pub(crate) fn first_empty(&self) -> &HtmlElement {
        if self.is_second_step() {
            if self.code_field.hidden() {
                &self.passkey
            } else {
                &self.code
            }
        } else if self.username.value().is_empty() {
            &self.username
        } else {
            &self.password
        }
    }

    /// Shows the password, or hides it again.
    pub(crate) fn toggle_password(&self) {
        self.set_password_shown(self.password.type_() == "password");
    }

    fn set_password_shown(&self, shown: bool) {
        self.password
            .set_type(if shown { "text" } else { "password" });
        let _ = self
            .show_password
            .set_attribute("aria-pressed", if shown { "true" } else { "false" });
    }

    /// Whether the second step is shown.
    pub(crate) fn is_second_step(&self) -> bool {
        self.first_step.hidden()
    }

    /// Shows the second step with its factors, or the first.
    pub(crate) fn show_step(&self, step: Option<SecondStep>) {
        let changes = step.is_some() != self.is_second_step();
        let has_focus = self.holds_focus(&self.form);
        self.first_step.set_hidden(step.is_some());
        self.second_step.set_hidden(step.is_none());
        let takes_code = step.as_ref().is_some_and(|step| step.takes_code);
        self.code_field.set_hidden(!takes_code);
        let no_passkey = step.as_ref().is_some_and(|step| !step.takes_passkey);
        self.passkey.set_hidden(no_passkey);
        match step {
            Some(step) => self.step_for.set_text_content(Some(&step.name)),
            // The name is not asked for again.
            None if changes => {
                self.code.set_value("");
                if self.username.value().is_empty() {
                    let name = self.step_for.text_content().unwrap_or_default();
                    self.username.set_value(&name);
                }
            }
            None => {}
        }
        if changes && has_focus {
            focus(self.first_empty());
        }
    }

    /// Tells `signin.js` whose form it is. What that server offers is shown.
    pub(crate) fn show_form_of(&self, server: &str) {
        let _ = self.form.set_attribute("data-server", server);
    }

    /// Whether an invitation is asked for.
    pub(crate) fn asks_for_invite(&self) -> bool {
        self.form.get_attribute("data-registration").as_deref() == Some("invite")
    }

    /// Moves the focus to `field`, and marks it as wrong: the status tells why.
    pub(crate) fn show_wrong(&self, field: Field) {
        let input = match field {
            Field::Username => &self.username,
            Field::Password => &self.password,
            Field::Code => &self.code,
            Field::Invite => &self.invite,
            Field::Email => {
                let _ = self.email_disclosure.set_attribute("open", "");
                &self.email
            }
        };
        set_flag(input, "aria-invalid", true);
        let _ = input.set_attribute("aria-describedby", "status");
        focus(input);
    }

    /// No field is wrong any more.
    pub(crate) fn clear_wrong_fields(&self) {
        for input in [
            &self.username,
            &self.password,
            &self.code,
            &self.invite,
            &self.email,
        ] {
            set_flag(input, "aria-invalid", false);
            set_flag(input, "aria-describedby", false);
        }
    }

    /// Shows the form. If the focus was on what goes, it moves to `next`.
    pub(crate) fn show_signed_out(&self, next: &HtmlElement) {
        self.swap(&self.signed_in, &self.form, next);
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
        self.swap(&self.form, &self.signed_in, &self.access_protected);
        self.who.set_text_content(shown);
        let initial = name.and_then(first_grapheme);
        self.initial.set_text_content(initial.as_deref());
    }

    /// Shows the server's address, and where it helps with a forgotten password.
    pub(crate) fn show_server(&self, address: &str, forgot_password: &str) {
        let _ = self.forgot_password.set_attribute("href", forgot_password);
        self.server.set_text_content(Some(address));
    }

    fn holds_focus(&self, element: &HtmlElement) -> bool {
        let active = self.document.active_element();
        element.contains(active.as_ref().map(AsRef::<Node>::as_ref))
    }

    /// Hides `old` and shows `new`. Focus inside `old` moves to `next`.
    fn swap(&self, old: &HtmlElement, new: &HtmlElement, next: &HtmlElement) {
        let had_focus = self.holds_focus(old);
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
        // At a large zoom the page scrolls.
        dom::scroll_into_view(&self.status);
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
    ///
    /// `progress` is announced meanwhile.
    pub(crate) fn begin(&self, action: Action, progress: &str) -> Option<PendingAction<'_>> {
        let waits = self.waits(action);
        if waits.replace(true) {
            return None;
        }
        self.clear_status();
        self.clear_wrong_fields();
        self.show_waiting(action, true);
        self.progress.set_text_content(Some(progress));
        if action == Action::Register {
            self.set_password_kind("new-password");
        }
        Some(PendingAction { page: self, action })
    }

    /// What a password manager takes the field for.
    fn set_password_kind(&self, autocomplete: &str) {
        let _ = self.password.set_attribute("autocomplete", autocomplete);
    }

    const fn waits(&self, action: Action) -> &Cell<bool> {
        match action {
            Action::Register | Action::Login | Action::Passkey => &self.form_waits,
            Action::AccessProtected => &self.access_waits,
            Action::Logout => &self.logout_waits,
        }
    }

    fn show_waiting(&self, action: Action, waiting: bool) {
        set_flag(self.button(action), "aria-busy", waiting);
        // Not `disabled`, which would lose the focus.
        match action {
            Action::Register | Action::Login | Action::Passkey => {
                for button in [&self.register, &self.login, &self.passkey] {
                    set_flag(button, "aria-disabled", waiting);
                }
            }
            Action::AccessProtected | Action::Logout => {
                set_flag(self.button(action), "aria-disabled", waiting);
            }
        }
    }
}

/// The input of the form.
pub(crate) struct Typed {
    /// The user name and the password.
    pub(crate) credentials: Credentials,
    /// The e-mail address, which only a registration needs; may be empty.
    pub(crate) email: String,
    /// The code of a second factor; may be empty.
    pub(crate) code: String,
    /// The invitation; may be empty.
    pub(crate) invite: String,
    /// Whether "Stay signed in" is checked.
    pub(crate) stay: bool,
}

impl Typed {
    /// The e-mail address, if there is one.
    pub(crate) fn email(&self) -> Option<&str> {
        Some(self.email.trim()).filter(|email| !email.is_empty())
    }

    /// The token of the invitation, if there is one. Its whole link will do.
    pub(crate) fn invite(&self) -> Option<&str> {
        let typed = self.invite.trim();
        let token = typed.rsplit_once('=').map_or(typed, |(_, token)| token);
        Some(token).filter(|token| !token.is_empty())
    }
}

/// The second step of a sign-in, as it is shown.
pub(crate) struct SecondStep {
    /// For whom.
    pub(crate) name: String,
    /// Whether a code is taken.
    pub(crate) takes_code: bool,
    /// Whether a passkey is.
    pub(crate) takes_passkey: bool,
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
        self.page.progress.set_text_content(None);
        if self.action == Action::Register {
            self.page.set_password_kind("current-password");
        }
    }
}

/// Moves the focus to `element`.
pub(crate) fn focus(element: &HtmlElement) {
    let _ = element.focus();
}

fn set_flag(element: &Element, attribute: &str, on: bool) {
    let _ = if on {
        element.set_attribute(attribute, "true")
    } else {
        element.remove_attribute(attribute)
    };
}
