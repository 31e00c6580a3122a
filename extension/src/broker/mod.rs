//! The broker: keeps the session of an extension in its background worker, and answers the messages of its other
//! contexts (CONTRACT.md §6).
//!
//! `password-auth/background.js` registers the listeners and calls the functions here. The broker remembers
//! nothing between two calls that storage does not hold: the browser may stop the worker at any moment.

mod alarm;
mod answer;
mod caller;
mod fetch;
mod prefix;

use std::{
    cell::{Cell, RefCell},
    pin::Pin,
};

use js_sys::{Array, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::future_to_promise;

use crate::{
    browser::{Area, worker},
    json::{self, object},
    server::Server,
    session::{self, Error, Session, SessionStatus},
    token_store,
};

use answer::Failed;
use caller::{Caller, Sender};
use prefix::Prefix;

/// The alarm at which tokens are refreshed.
const REFRESH_ALARM: &str = "password-auth.refresh";
/// The alarm at which servers are told of pending sign-outs.
const SIGN_OUT_ALARM: &str = "password-auth.sign-out";

/// What `startBroker` was called with.
#[derive(Clone, Default)]
struct Config {
    session: Session,
    allow: Vec<Prefix>,
    content_scripts: Vec<Prefix>,
}

thread_local! {
    static CONFIG: RefCell<Config> = RefCell::default();
    /// The user that other contexts were last told of, to spare them messages. `None`: they were told nothing.
    static SHOWN: RefCell<Option<Option<(String, String)>>> = const { RefCell::new(None) };
    /// How often servers could not be told of pending sign-outs, one after the other.
    static FAILED_SIGN_OUTS: Cell<u32> = const { Cell::new(0) };
    /// Whether servers are being told of them.
    static TELLS_OF_SIGN_OUTS: Cell<bool> = const { Cell::new(false) };
}

/// Sets what `startBroker` was called with. `server` is an address; `None`: that of the settings.
///
/// # Errors
/// An address is not https or loopback.
pub fn configure(
    server: Option<String>,
    allow: &Array,
    content_scripts: &Array,
) -> Result<(), JsValue> {
    let server = match server {
        Some(address) => Some(Server::parse(&address).map_err(|_| invalid(&address))?),
        None => None,
    };
    let prefixes = |addresses: &Array| -> Result<Vec<Prefix>, JsValue> {
        texts_in(addresses)
            .map(|address| Prefix::parse(&address).map_err(|_| invalid(&address)))
            .collect()
    };
    let config = Config {
        session: Session::at(server),
        allow: prefixes(allow)?,
        content_scripts: prefixes(content_scripts)?,
    };
    CONFIG.replace(config);
    Ok(())
}

/// What is no text is an empty one. An array, since taking it apart at the border weighs half a kilobyte.
fn texts_in(array: &Array) -> impl Iterator<Item = String> {
    array
        .iter()
        .map(|text| text.as_string().unwrap_or_default())
}

fn invalid(address: &str) -> JsValue {
    let message = ["Password Auth: not an https or loopback address: ", address].concat();
    js_sys::Error::new(&message).into()
}

/// Answers `message` of `sender`: `{ok}` or `{error}`, or `undefined` to whom no answer is due.
pub fn answer(message: JsValue, sender: JsValue) -> Promise {
    promise(Box::pin(async move { answer_to(message, sender).await }))
}

/// The worker starts for the first time, or with the browser, or after an update.
pub fn on_start() -> Promise {
    promise(Box::pin(async {
        for area in [Area::Local, Area::Session] {
            area.hide_from_content_scripts().await;
        }
        publish().await;
        schedule_sign_outs(true).await;
        JsValue::UNDEFINED
    }))
}

/// Something has changed in storage: these `keys`.
pub fn on_storage_change(keys: Array) -> Promise {
    promise(Box::pin(async move {
        if texts_in(&keys).any(|key| token_store::concerns_status(&key)) {
            publish().await;
        }
        if texts_in(&keys).any(|key| token_store::concerns_pending(&key)) {
            schedule_sign_outs(true).await;
        }
        JsValue::UNDEFINED
    }))
}

/// The alarm `name` rings.
pub fn on_alarm(name: String) -> Promise {
    promise(Box::pin(async move {
        match name.as_str() {
            REFRESH_ALARM => refresh().await,
            SIGN_OUT_ALARM => finish_sign_outs().await,
            _ => {}
        }
        JsValue::UNDEFINED
    }))
}

/// Promises are made here and not in the crate of the entry points, which would compile every `async fn` that it
/// names a second time.
fn promise(future: Pin<Box<dyn Future<Output = JsValue>>>) -> Promise {
    future_to_promise(async move { Ok(future.await) })
}

async fn answer_to(message: JsValue, sender: JsValue) -> JsValue {
    let (Some(id), Ok(root)) = (worker::id(), worker::root_url()) else {
        return JsValue::UNDEFINED;
    };
    let Some(caller) = caller::classify(&Sender::read(&sender), &id, &root) else {
        return JsValue::UNDEFINED;
    };
    let config = CONFIG.with_borrow(Clone::clone);
    match config.perform(caller, &message).await {
        Ok(value) => answer::success(value),
        Err(failed) => failed.into_answer(),
    }
}

impl Config {
    async fn perform(&self, caller: Caller, message: &JsValue) -> Result<JsValue, Failed> {
        let text = |name| json::text_field(message, name);
        let call = text("call").unwrap_or_default();
        match (call.as_str(), caller) {
            ("state", _) => self.state().await,
            ("fetch", _) => fetch::perform(self, caller, message).await,
            ("register", Caller::Page) => {
                let email = text("email").filter(|email| !email.is_empty());
                let credentials = answer::credentials(message)?;
                let message = self
                    .session
                    .register(&credentials, email.as_deref(), None)
                    .await?;
                Ok(object(&[("status", "ok".into()), ("message", message.into())]).into())
            }
            ("signIn", Caller::Page) => {
                let sign_in = session::SignIn {
                    credentials: answer::credentials(message)?,
                    code: text("code"),
                    stay: json::field(message, "staySignedIn").and_then(|stay| stay.as_bool())
                        != Some(false),
                };
                self.session.sign_in(sign_in).await?;
                self.state().await
            }
            ("signOut", Caller::Page) => {
                let told = self.session.sign_out().await?;
                Ok(object(&[("serverTold", told.into())]).into())
            }
            ("accessToken", Caller::Page) => {
                let token = self.session.access_token(None).await?;
                Ok(token.expose().into())
            }
            _ => Err(Failed::not_allowed("This context may not ask for this.")),
        }
    }

    /// `{signedIn: false}` or `{signedIn: true, user: {id, username, role}}`.
    async fn state(&self) -> Result<JsValue, Failed> {
        let status = self.session.status().await?;
        let user = match status.user {
            Some(user) => self.session.user_info(user, false).await,
            None => return Ok(object(&[("signedIn", false.into())]).into()),
        };
        let user = user.map_or(JsValue::NULL, |user| user.value());
        Ok(object(&[("signedIn", true.into()), ("user", user)]).into())
    }
}

/// Shows who is signed in on the badge, tells the other contexts, and sets the alarm for the next refresh.
async fn publish() {
    let session = CONFIG.with_borrow(|config| config.session.clone());
    let status = match session.status().await {
        Ok(status) => status,
        // Nobody is signed in at an invalid address. If storage has failed, the next event tries again.
        Err(Error::InvalidAddress) => {
            worker::set_badge("").await;
            return;
        }
        Err(_) => return,
    };
    let SessionStatus { user, .. } = status;
    match &user {
        Some(user) => {
            let when =
                alarm::refresh_at(user.expiry_ms, js_sys::Date::now(), js_sys::Math::random());
            worker::set_alarm(REFRESH_ALARM, when).await;
        }
        None => worker::clear_alarm(REFRESH_ALARM).await,
    }
    worker::set_badge(if user.is_some() { "✓" } else { "" }).await;
    let shown = user.map(|user| {
        user.claimed
            .map_or_else(Default::default, |user| (user.id, user.username))
    });
    if SHOWN.replace(Some(shown.clone())) != Some(shown) {
        tell_contexts().await;
    }
}

/// Tells every context that the state may have changed. They ask for it: the message could be anybody's.
async fn tell_contexts() {
    let message = object(&[
        ("passwordAuth", answer::VERSION.into()),
        ("event", "changed".into()),
    ]);
    worker::broadcast(&message).await;
}

/// Refreshes before the access token ends, and asks what the server knows about the user now.
async fn refresh() {
    let session = CONFIG.with_borrow(|config| config.session.clone());
    match session.refresh_early(alarm::EARLY_MS).await {
        Ok(()) => {
            if let Ok(SessionStatus {
                user: Some(user), ..
            }) = session.status().await
            {
                let told = session.user_info(user, true).await;
                drop(told);
            }
        }
        // Storage has changed, and `publish` runs for that.
        Err(Error::NotSignedIn) => {}
        Err(_) => {
            let when = alarm::retry_at(js_sys::Date::now(), js_sys::Math::random());
            worker::set_alarm(REFRESH_ALARM, when).await;
        }
    }
}

/// Sets the alarm for pending sign-outs, if there are any.
async fn schedule_sign_outs(anew: bool) {
    let Ok(pending) = token_store::pending().await else {
        return;
    };
    if pending.is_empty() {
        FAILED_SIGN_OUTS.set(0);
        worker::clear_alarm(SIGN_OUT_ALARM).await;
        return;
    }
    let failures = if anew { 0 } else { FAILED_SIGN_OUTS.get() };
    let now_ms = js_sys::Date::now();
    let when = alarm::sign_out_at(failures, now_ms, js_sys::Math::random());
    worker::set_alarm(SIGN_OUT_ALARM, when).await;
}

/// Tells servers of the sign-outs that they have not heard of.
async fn finish_sign_outs() {
    // If the worker is stopped meanwhile, the next one tries again.
    schedule_sign_outs(false).await;
    if TELLS_OF_SIGN_OUTS.replace(true) {
        return;
    }
    let told = session::finish_sign_outs().await;
    TELLS_OF_SIGN_OUTS.set(false);
    let Ok(told) = told else {
        return;
    };
    FAILED_SIGN_OUTS.set(if told { 0 } else { FAILED_SIGN_OUTS.get() + 1 });
    schedule_sign_outs(false).await;
}
