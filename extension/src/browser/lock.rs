//! `navigator.locks`: one context at a time.

use core::cell::Cell;
use std::rc::Rc;

use js_sys::{Array, Object, Promise, PromiseWithResolvers};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortSignal;

use super::BrowserError;
use crate::json::object;

/// How long a context waits for another one. The longest that a healthy context holds the lock is the time-out
/// of one request, 15 s. A holder that is frozen or lost may never release it, so it is taken away after that.
const WAIT_MS: u32 = 20_000;

#[wasm_bindgen]
extern "C" {
    // web-sys has LockManager only behind its unstable flag.
    #[wasm_bindgen(catch, js_namespace = ["navigator", "locks"], js_name = request)]
    fn request_lock(name: &str, options: &Object, callback: &JsValue) -> Result<Promise, JsValue>;
}

/// A lock of `navigator.locks`, held until this is dropped or the page closes.
///
/// All contexts of the extension share it: popup, worker, pages.
#[must_use]
pub(crate) struct Lock {
    /// The browser holds the lock for as long as this promise is pending.
    held: PromiseWithResolvers,
}

impl Lock {
    /// Waits for the exclusive lock `name`, at most 20 s; then takes it from its holder.
    ///
    /// The former holder may still run, so it must compare what it read with storage before it writes.
    pub(crate) async fn acquire(name: &str) -> Result<Self, BrowserError> {
        let time_out = AbortSignal::timeout_with_u32(WAIT_MS);
        let options = object(&[("signal", time_out.clone().into())]);
        match Self::request(name, &options).await {
            Err(_) if time_out.aborted() => {
                Self::request(name, &object(&[("steal", true.into())])).await
            }
            result => result,
        }
    }

    async fn request(name: &str, options: &Object) -> Result<Self, BrowserError> {
        // Created before the wait, so that a caller that stops waiting also releases the lock.
        let lock = Self {
            held: Promise::with_resolvers(),
        };
        let held = lock.held.promise();
        let granted: PromiseWithResolvers = Promise::with_resolvers();
        let waited = granted.promise();
        let was_granted = Rc::new(Cell::new(false));
        let granting = Rc::clone(&was_granted);
        let callback = Closure::once_into_js(move || {
            granting.set(true);
            resolve(&granted);
            held
        });
        let request = request_lock(name, options, &callback)?;
        // The request settles when the lock is released. It rejects if locks are not available, and when the
        // wait takes too long.
        let first = JsFuture::from(Promise::race(&Array::of2(&waited, &request))).await;
        if !was_granted.get() {
            first?;
        }
        Ok(lock)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        resolve(&self.held);
    }
}

fn resolve(pending: &PromiseWithResolvers) {
    // A resolving function does not throw.
    let _ = pending.resolve().call0(&JsValue::UNDEFINED);
}
