//! Turns events of a page into calls of the session, and shows the results. Popup and web page are driven alike.
//!
//! It knows the page and the session, and no token.

use std::{any::Any, cell::RefCell, rc::Rc};

use password_auth_wire::Credentials;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

use crate::{
    dom::Listener,
    messages::{self, Action, Field},
    page::{Page, Typed},
    session::{self, Error, SignIn},
    surface::Surface,
    texts, token_store,
};

/// Listeners that live as long as the page.
pub(crate) type Listeners = Vec<Listener>;

thread_local! {
    /// What an open page keeps alive.
    static KEPT: RefCell<Option<Box<dyn Any>>> = const { RefCell::new(None) };
}

/// A surface and its page.
struct Driven<S> {
    page: Page,
    surface: S,
}

/// Finds the page's elements, adds listeners, and shows who is signed in.
///
/// # Errors
/// An element is missing.
pub(crate) fn start<S: Surface>(surface: S) -> Result<(), JsValue> {
    start_with(surface, Listeners::new())
}

/// The same for a surface with `listeners` of its own.
///
/// # Errors
/// An element is missing.
pub(crate) fn start_with<S: Surface>(surface: S, mut listeners: Listeners) -> Result<(), JsValue> {
    let page = Page::find()?;
    let driven = Rc::new(Driven { page, surface });
    let page = &driven.page;
    // Enter in a field, or the login button.
    let submitted = Rc::clone(&driven);
    listeners.push(Listener::new(page.form(), "submit", move |event| {
        event.prevent_default();
        run(&submitted, Action::Login);
    })?);
    for action in [Action::Register, Action::AccessProtected, Action::Logout] {
        let clicked = Rc::clone(&driven);
        listeners.push(Listener::new(page.button(action), "click", move |_| {
            run(&clicked, action);
        })?);
    }
    let typed = Rc::clone(&driven);
    listeners.push(Listener::new(page.form(), "input", move |_| {
        typed.page.clear_wrong_fields();
    })?);
    let toggled = Rc::clone(&driven);
    listeners.push(Listener::new(page.show_password(), "click", move |_| {
        toggled.page.toggle_password();
    })?);
    let shown = Rc::clone(&driven);
    let storage_listener = session::watch(move || {
        let driven = Rc::clone(&shown);
        spawn_local(async move { refresh_view(&driven).await });
    });
    KEPT.replace(Some(Box::new((listeners, storage_listener))));

    spawn_local(async move {
        // An invalid setting is reported at once.
        if let Err(error) = show_session_status(&driven).await {
            let message = failure::<S>(Action::Login, &error);
            driven.page.show_status(false, &message);
        }
        driven.page.reveal();
    });
    Ok(())
}

fn run<S: Surface>(driven: &Rc<Driven<S>>, action: Action) {
    let driven = Rc::clone(driven);
    spawn_local(async move {
        let page = &driven.page;
        let Some(pending) = page.begin(action, &messages::progress(action).plain()) else {
            return;
        };
        let outcome = perform::<S>(page, action).await;
        // The storage listener does this too, but perhaps later.
        refresh_view(&driven).await;
        drop(pending);
        match outcome {
            Ok(message) => page.show_status(true, &message),
            Err((field, message)) => {
                page.show_status(false, &message);
                if let Some(field) = field {
                    page.show_wrong(field);
                }
            }
        }
    });
}

type Wrong = (Option<Field>, String);

/// Performs `action`. Both results are messages for the user.
async fn perform<S: Surface>(page: &Page, action: Action) -> Result<String, Wrong> {
    let session = S::session();
    let done = match action {
        Action::Register => {
            let typed = read_form(page, action)?;
            let email = typed.email.trim();
            let email = (!email.is_empty()).then_some(email);
            let done = session.register(&typed.credentials, email).await;
            done.map(|_| {
                page.clear_password();
                texts::REGISTERED.plain()
            })
        }
        Action::Login => {
            let typed = read_form(page, action)?;
            let code = typed.code.trim();
            let code = (!code.is_empty()).then(|| code.to_owned());
            let asks_first = code.is_none();
            let sign_in = SignIn {
                credentials: typed.credentials,
                code,
                stay: typed.stay,
            };
            let done = session.sign_in(sign_in).await;
            match &done {
                Ok(()) => page.clear_password(),
                Err(error) if asks_first && asks_for_code(error) => {
                    page.show_code_field();
                    return Err((Some(Field::Code), texts::CODE_REQUIRED.plain()));
                }
                Err(_) => {}
            }
            done.map(|()| texts::LOGGED_IN.plain())
        }
        Action::AccessProtected => session.protected(S::PROTECTED).await,
        Action::Logout => session.sign_out().await.map(|server_told| {
            let text = if server_told {
                texts::LOGGED_OUT
            } else {
                texts::LOGGED_OUT_HERE
            };
            text.plain()
        }),
    };
    done.map_err(|error| {
        let field = messages::wrong_field(action, &error);
        (field, failure::<S>(action, &error))
    })
}

/// The message for an `action` that failed.
fn failure<S: Surface>(action: Action, error: &Error) -> String {
    match error {
        Error::RefreshRefused(refusal) => S::ended(&refusal.message),
        error => messages::failure(action, error),
    }
}

fn asks_for_code(error: &Error) -> bool {
    messages::wrong_field(Action::Login, error) == Some(Field::Code)
}

/// The input, if it is valid.
fn read_form(page: &Page, action: Action) -> Result<Typed, Wrong> {
    let typed = page.typed();
    let Credentials { username, password } = &typed.credentials;
    messages::check(action, username, password.expose())
        .map_err(|(field, text)| (Some(field), text.plain()))?;
    Ok(typed)
}

async fn show_session_status<S: Surface>(driven: &Driven<S>) -> Result<(), Error> {
    let Driven { page, surface } = driven;
    let status = S::session().status().await;
    let user = status.as_ref().ok().and_then(|status| status.user.as_ref());
    match user {
        Some(user) => {
            let name = user.claimed.as_ref().map(|user| user.username.as_str());
            page.show_signed_in(name.map(S::who).as_deref(), name);
        }
        None => page.show_signed_out(surface.signed_out_focus(page)),
    }
    surface.show_signed_in(page, user.is_some());
    let status = status?;
    let server = status.server;
    let shown = texts::SERVER.with(&[&server.to_string()]);
    page.show_server(&shown, &server.url("/forgot-password"));
    if let Some(message) = status.end_message {
        page.show_status(false, &S::ended(&message));
        token_store::remove_end_message().await?;
    }
    Ok(())
}

/// Shows who is signed in. A failure is reported by the next action.
async fn refresh_view<S: Surface>(driven: &Driven<S>) {
    let _ = show_session_status(driven).await;
}
