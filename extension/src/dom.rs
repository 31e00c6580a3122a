//! DOM helpers for every surface: find an element, listen, wait.
//!
//! It knows no element by name. Nothing here, or above, writes HTML.

use wasm_bindgen::{JsCast, prelude::*};
use web_sys::{Document, Event, EventTarget, Window};

/// The window of this surface.
///
/// # Errors
/// There is none, as in a worker.
pub(crate) fn window() -> Result<Window, JsValue> {
    web_sys::window().ok_or_else(|| "no window".into())
}

/// The element `id`, as a `T`.
///
/// # Errors
/// The page has no such element: the package is broken.
pub(crate) fn element<T: JsCast>(document: &Document, id: &str) -> Result<T, JsValue> {
    document
        .get_element_by_id(id)
        .and_then(|element| element.dyn_into().ok())
        .ok_or_else(|| JsValue::from(format!("no #{id}")))
}

/// An event listener. Dropping it removes it.
#[must_use]
pub(crate) struct Listener {
    target: EventTarget,
    event: &'static str,
    handler: Closure<dyn FnMut(Event)>,
}

impl Listener {
    /// Calls `handler` at every `event` of `target`.
    ///
    /// # Errors
    /// The browser refused.
    pub(crate) fn new(
        target: &EventTarget,
        event: &'static str,
        handler: impl FnMut(Event) + 'static,
    ) -> Result<Self, JsValue> {
        let handler = Closure::new(handler);
        target.add_event_listener_with_callback(event, handler.as_ref().unchecked_ref())?;
        Ok(Self {
            target: target.clone(),
            event,
            handler,
        })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let handler = self.handler.as_ref().unchecked_ref();
        let _ = self
            .target
            .remove_event_listener_with_callback(self.event, handler);
    }
}

/// A call that happens once, later, unless this is dropped before.
#[must_use]
pub(crate) struct Timer {
    window: Window,
    id: i32,
    _due: Closure<dyn FnMut()>,
}

impl Timer {
    /// Calls `due` after `delay_ms`.
    ///
    /// # Errors
    /// The browser refused.
    pub(crate) fn new(delay_ms: i32, due: impl FnMut() + 'static) -> Result<Self, JsValue> {
        let window = window()?;
        let due = Closure::new(due);
        let id = window.set_timeout_with_callback_and_timeout_and_arguments_0(
            due.as_ref().unchecked_ref(),
            delay_ms,
        )?;
        Ok(Self {
            window,
            id,
            _due: due,
        })
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.window.clear_timeout_with_handle(self.id);
    }
}
