//! The line below the buttons: how an action ended, and, for screen readers, what runs.

use core::cell::RefCell;

use web_sys::HtmlElement;

use crate::dom::{self, Finder, Timer};

/// How long a new message is highlighted. It stays readable after that.
const SHOWN_MS: i32 = 5_000;

/// The elements that tell the user something.
pub(crate) struct Status {
    progress: HtmlElement,
    message: HtmlElement,
    timer: RefCell<Option<Timer>>,
}

impl Status {
    pub(super) fn find(find: &Finder) -> Self {
        Self {
            progress: find.element("progress"),
            message: find.element("status"),
            timer: RefCell::default(),
        }
    }

    /// Shows the `message` of an action that succeeded or failed.
    pub(crate) fn show(&self, success: bool, message: &str) {
        self.message.set_text_content(Some(message));
        self.message.set_class_name(if success {
            "success show"
        } else {
            "error show"
        });
        // At a large zoom the page scrolls.
        dom::scroll_into_view(&self.message);
        let shown = self.message.clone();
        let timer = Timer::new(SHOWN_MS, move || {
            let _ = shown.class_list().remove_1("show");
        });
        // Dropping the timer of the previous message stops it.
        self.timer.replace(timer.ok());
    }

    /// Removes the message, so that a screen reader announces the same message again.
    pub(super) fn clear(&self) {
        self.timer.take();
        self.message.set_text_content(None);
        self.message.set_class_name("");
    }

    /// Announces what runs; `None`: nothing any more.
    pub(super) fn announce(&self, progress: Option<&str>) {
        self.progress.set_text_content(progress);
    }
}
