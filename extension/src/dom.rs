//! DOM helpers for every surface: find an element, listen, wait.
//!
//! It knows no element by name. Nothing here, or above, writes HTML.

use core::cell::Cell;

use js_sys::{Object, Reflect};
use wasm_bindgen::{JsCast, prelude::*};
use web_sys::{Document, Element, Event, EventTarget, HtmlElement, Node, Window};

/// The window of this surface.
///
/// # Errors
/// There is none, as in a worker.
pub(crate) fn window() -> Result<Window, JsValue> {
    web_sys::window().ok_or_else(|| "no window".into())
}

/// Finds the elements of a page. That one is missing is told at the end: told for each one, it would be most of the code.
pub(crate) struct Finder {
    document: Document,
    missing: Cell<Option<&'static str>>,
}

impl Finder {
    /// For this surface's document.
    ///
    /// # Errors
    /// There is none, as in a worker.
    pub(crate) fn new() -> Result<Self, JsValue> {
        Ok(Self {
            document: document()?,
            missing: Cell::default(),
        })
    }

    /// The element `id`, as a `T`. Use it only after [`Finder::check`].
    pub(crate) fn element<T: JsCast>(&self, id: &'static str) -> T {
        let element = self.document.get_element_by_id(id);
        match element.and_then(|element| element.dyn_into().ok()) {
            Some(element) => element,
            None => {
                self.missing.set(Some(id));
                JsValue::UNDEFINED.unchecked_into()
            }
        }
    }

    /// Passes on what was found.
    ///
    /// # Errors
    /// An element is missing: the package is broken.
    pub(crate) fn check<T>(self, found: T) -> Result<T, JsValue> {
        match self.missing.get() {
            None => Ok(found),
            Some(id) => Err(["no #", id].concat().into()),
        }
    }
}

fn document() -> Result<Document, JsValue> {
    window()?.document().ok_or_else(|| "no document".into())
}

/// The element that has the focus, or the body.
pub(crate) fn active_element() -> Option<Element> {
    document().ok()?.active_element()
}

/// Whether the focus is on `element`, or on something in it.
pub(crate) fn holds_focus(element: &HtmlElement) -> bool {
    element.contains(active_element().as_ref().map(AsRef::<Node>::as_ref))
}

/// Moves the focus to `element`.
pub(crate) fn focus(element: &HtmlElement) {
    let _ = element.focus();
}

/// Scrolls `element` into view, if it is not.
pub(crate) fn scroll_into_view(element: &Element) {
    let options = Object::new();
    if Reflect::set(&options, &"block".into(), &"nearest".into()).is_ok() {
        element.unchecked_ref::<Scroller>().scroll_to(&options);
    }
}

/// The first character of `text` as a reader sees it: a flag or a family is several code points.
pub(crate) fn first_grapheme(text: &str) -> Option<String> {
    let segments = Segmenter::new().ok()?.segment(text);
    let first = js_sys::try_iter(&segments).ok()??.next()?.ok()?;
    Reflect::get(&first, &"segment".into()).ok()?.as_string()
}

#[wasm_bindgen]
extern "C" {
    /// An element that scrolls. web-sys takes four more types for the options.
    type Scroller;

    #[wasm_bindgen(method, js_name = scrollIntoView)]
    fn scroll_to(this: &Scroller, options: &Object);

    /// `Intl.Segmenter`, which cuts at graphemes by default.
    type Segmenter;

    #[wasm_bindgen(constructor, catch, js_namespace = Intl)]
    fn new() -> Result<Segmenter, JsValue>;
    #[wasm_bindgen(method)]
    fn segment(this: &Segmenter, text: &str) -> JsValue;
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
