//! Actions that run: their buttons wait, and none runs twice at once.

use core::cell::Cell;

use web_sys::HtmlElement;

use super::{Page, set_flag};
use crate::messages::Action;

/// Which buttons wait.
#[derive(Default)]
pub(super) struct Waiting {
    /// Login and register share a form: while one runs, the other waits.
    form: Cell<bool>,
    access: Cell<bool>,
    logout: Cell<bool>,
}

impl Waiting {
    const fn of(&self, action: Action) -> &Cell<bool> {
        match action {
            Action::Register | Action::Login | Action::Passkey => &self.form,
            Action::AccessProtected => &self.access,
            Action::Logout => &self.logout,
        }
    }
}

/// An action that runs.
#[must_use]
pub(crate) struct PendingAction<'a> {
    page: &'a Page,
    action: Action,
}

impl Page {
    /// Begins `action`: its button shows that it waits until the result is dropped. `None` if it waits already.
    ///
    /// `progress` is announced meanwhile.
    pub(crate) fn begin(&self, action: Action, progress: &str) -> Option<PendingAction<'_>> {
        if self.waiting.of(action).replace(true) {
            return None;
        }
        self.status.clear();
        self.form.clear_wrong_fields();
        self.show_waiting(action, true);
        self.status.announce(Some(progress));
        if action == Action::Register {
            self.form.set_password_kind("new-password");
        }
        Some(PendingAction { page: self, action })
    }

    /// The button of `action`.
    pub(crate) const fn button(&self, action: Action) -> &HtmlElement {
        match action {
            Action::Register => &self.form.register,
            Action::Login => &self.form.login,
            Action::Passkey => &self.form.passkey,
            Action::AccessProtected => &self.access_protected,
            Action::Logout => &self.logout,
        }
    }

    fn show_waiting(&self, action: Action, waiting: bool) {
        set_flag(self.button(action), "aria-busy", waiting);
        // Not `disabled`, which would lose the focus.
        match action {
            Action::Register | Action::Login | Action::Passkey => {
                for button in [&self.form.register, &self.form.login, &self.form.passkey] {
                    set_flag(button, "aria-disabled", waiting);
                }
            }
            Action::AccessProtected | Action::Logout => {
                set_flag(self.button(action), "aria-disabled", waiting);
            }
        }
    }
}

impl Drop for PendingAction<'_> {
    fn drop(&mut self) {
        self.page.waiting.of(self.action).set(false);
        self.page.show_waiting(self.action, false);
        self.page.status.announce(None);
        if self.action == Action::Register {
            self.page.form.set_password_kind("current-password");
        }
    }
}
