//! The popup: turns events of the page into calls of the session, and shows the results.
//!
//! It knows the page and the session, and no token.

use std::{cell::RefCell, rc::Rc};

use password_auth_wire::Credentials;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

use crate::{
    browser::StorageListener,
    dom::Listener,
    messages::{self, Action, Field},
    page::{Page, Typed},
    session::{self, Error, Session, SessionStatus, SignIn},
    token_store,
};

thread_local! {
    /// The popup of this page. It lives as long as the page.
    static POPUP: RefCell<Option<Popup>> = const { RefCell::new(None) };
}

/// The listeners of an open popup.
struct Popup {
    _listeners: Vec<Listener>,
    _storage_listener: StorageListener,
}

/// Finds the page's elements, adds listeners, and shows who is signed in.
///
/// # Errors
/// An element is missing.
pub fn start() -> Result<(), JsValue> {
    let page = Rc::new(Page::find()?);
    let mut listeners = Vec::new();
    // Enter in a field, or the login button.
    let submitted = Rc::clone(&page);
    listeners.push(Listener::new(page.form(), "submit", move |event| {
        event.prevent_default();
        run(&submitted, Action::Login);
    })?);
    for action in [Action::Register, Action::AccessProtected, Action::Logout] {
        let clicked = Rc::clone(&page);
        listeners.push(Listener::new(page.button(action), "click", move |_| {
            run(&clicked, action);
        })?);
    }
    let typed = Rc::clone(&page);
    listeners.push(Listener::new(page.form(), "input", move |_| {
        typed.clear_wrong_fields();
    })?);
    let toggled = Rc::clone(&page);
    listeners.push(Listener::new(page.show_password(), "click", move |_| {
        toggled.toggle_password();
    })?);
    let shown = Rc::clone(&page);
    let storage_listener = session::watch(move || {
        let page = Rc::clone(&shown);
        spawn_local(async move { refresh_view(&page).await });
    });
    POPUP.replace(Some(Popup {
        _listeners: listeners,
        _storage_listener: storage_listener,
    }));

    spawn_local(async move {
        // An invalid setting is reported at once.
        if let Err(error) = show_session_status(&page).await {
            page.show_status(false, &messages::failure(Action::Login, &error));
        }
        page.reveal();
    });
    Ok(())
}

fn run(page: &Rc<Page>, action: Action) {
    let page = Rc::clone(page);
    spawn_local(async move {
        let Some(pending) = page.begin(action, messages::progress(action)) else {
            return;
        };
        let outcome = perform(&page, action).await;
        // The storage listener does this too, but perhaps later.
        refresh_view(&page).await;
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
async fn perform(page: &Page, action: Action) -> Result<String, Wrong> {
    let session = Session::default();
    let done = match action {
        Action::Register => {
            let typed = read_form(page, action)?;
            let email = typed.email.trim();
            let email = (!email.is_empty()).then_some(email);
            let done = session.register(&typed.credentials, email).await;
            done.map(|()| {
                page.clear_password();
                messages::REGISTERED.to_owned()
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
                    return Err((Some(Field::Code), messages::CODE_REQUIRED.to_owned()));
                }
                Err(_) => {}
            }
            done.map(|()| messages::LOGGED_IN.to_owned())
        }
        Action::AccessProtected => session.protected().await,
        Action::Logout => session.sign_out().await.map(|server_told| {
            let message = if server_told {
                messages::LOGGED_OUT
            } else {
                messages::LOGGED_OUT_HERE
            };
            message.to_owned()
        }),
    };
    done.map_err(|error| {
        let field = messages::wrong_field(action, &error);
        (field, messages::failure(action, &error))
    })
}

fn asks_for_code(error: &Error) -> bool {
    messages::wrong_field(Action::Login, error) == Some(Field::Code)
}

/// The input, if it is valid.
fn read_form(page: &Page, action: Action) -> Result<Typed, Wrong> {
    let typed = page.typed();
    let Credentials { username, password } = &typed.credentials;
    messages::check(action, username, password.expose())
        .map_err(|(field, message)| (Some(field), message.to_owned()))?;
    Ok(typed)
}

async fn show_session_status(page: &Page) -> Result<(), Error> {
    let status = Session::default().status().await;
    match &status {
        Ok(SessionStatus {
            user: Some(user), ..
        }) => page.show_signed_in(user.claimed.as_ref().map(|user| user.username.as_str())),
        Ok(SessionStatus { user: None, .. }) | Err(_) => page.show_signed_out(),
    }
    let status = status?;
    let server = status.server;
    page.show_server(&server.to_string(), &server.url("/forgot-password"));
    if let Some(message) = status.end_message {
        page.show_status(false, &messages::refresh_refused(&message));
        token_store::remove_end_message().await?;
    }
    Ok(())
}

/// Shows who is signed in. A failure is reported by the next action.
async fn refresh_view(page: &Page) {
    let _ = show_session_status(page).await;
}
