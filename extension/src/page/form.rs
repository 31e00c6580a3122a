//! The form: what is typed, which step of a sign-in it shows, and which field is wrong.

use password_auth_wire::{Credentials, Secret};
use web_sys::{Event, HtmlElement, HtmlInputElement};

use super::set_flag;
use crate::{
    dom::{Finder, focus, holds_focus},
    messages::Field,
};

/// The elements of the form.
pub(crate) struct Form {
    pub(super) element: HtmlElement,
    username: HtmlInputElement,
    password: HtmlInputElement,
    show_password: HtmlElement,
    first_step: HtmlElement,
    second_step: HtmlElement,
    step_for: HtmlElement,
    code_field: HtmlElement,
    code: HtmlInputElement,
    pub(super) passkey: HtmlElement,
    start_again: HtmlElement,
    invite: HtmlInputElement,
    email_disclosure: HtmlElement,
    email: HtmlInputElement,
    stay_signed_in: HtmlInputElement,
    pub(super) login: HtmlElement,
    pub(super) register: HtmlElement,
}

impl Form {
    pub(super) fn find(find: &Finder) -> Self {
        Self {
            element: find.element("credentials"),
            username: find.element("username"),
            password: find.element("password"),
            show_password: find.element("showPassword"),
            first_step: find.element("firstStep"),
            second_step: find.element("secondStep"),
            step_for: find.element("stepFor"),
            code_field: find.element("codeField"),
            code: find.element("code"),
            passkey: find.element("passkey"),
            start_again: find.element("startAgain"),
            invite: find.element("invite"),
            email_disclosure: find.element("emailDisclosure"),
            email: find.element("email"),
            stay_signed_in: find.element("staySignedIn"),
            login: find.element("login"),
            register: find.element("register"),
        }
    }

    /// The form itself, whose `submit` is a login.
    pub(crate) const fn element(&self) -> &HtmlElement {
        &self.element
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
        let _ = Event::new("input").map(|input| self.element.dispatch_event(&input));
    }

    /// Sets "Stay signed in".
    pub(crate) fn set_stay(&self, stay: bool) {
        self.stay_signed_in.set_checked(stay);
    }

    /// The first field that is empty, or the last one.
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

    /// What a password manager takes the password for.
    pub(super) fn set_password_kind(&self, autocomplete: &str) {
        let _ = self.password.set_attribute("autocomplete", autocomplete);
    }

    /// Whether the second step is shown.
    pub(crate) fn is_second_step(&self) -> bool {
        self.first_step.hidden()
    }

    /// Shows the second step with its factors, or the first.
    pub(crate) fn show_step(&self, step: Option<SecondStep>) {
        let changes = step.is_some() != self.is_second_step();
        let has_focus = holds_focus(&self.element);
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
    pub(crate) fn show_server(&self, address: &str) {
        let _ = self.element.set_attribute("data-server", address);
    }

    /// Whether an invitation is asked for.
    pub(crate) fn asks_for_invite(&self) -> bool {
        self.element.get_attribute("data-registration").as_deref() == Some("invite")
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
        // The link ends with it.
        let token = typed.split('=').nth(1).unwrap_or(typed);
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
