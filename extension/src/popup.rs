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
    messages::{self, Action},
    page::Page,
    session::{self, Error, SessionStatus},
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
pub(crate) fn start() -> Result<(), JsValue> {
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
    });
    Ok(())
}

fn run(page: &Rc<Page>, action: Action) {
    let page = Rc::clone(page);
    spawn_local(async move {
        let Some(_pending) = page.begin(action) else {
            return;
        };
        let outcome = perform(&page, action).await;
        // The storage listener does this too, but perhaps later.
        refresh_view(&page).await;
        match outcome {
            Ok(message) => page.show_status(true, &message),
            Err(message) => page.show_status(false, &message),
        }
    });
}

/// Performs `action`. Both results are messages for the user.
async fn perform(page: &Page, action: Action) -> Result<String, String> {
    let done = match action {
        Action::Register => {
            let credentials = read_form(page, action)?;
            let done = session::register(&credentials).await;
            done.map(|()| {
                page.clear_password();
                messages::REGISTERED.to_owned()
            })
        }
        Action::Login => {
            let credentials = read_form(page, action)?;
            let done = session::sign_in(credentials, page.wants_to_stay()).await;
            done.map(|()| {
                page.clear_password();
                messages::LOGGED_IN.to_owned()
            })
        }
        Action::AccessProtected => session::protected().await.map(|greeting| greeting.message),
        Action::Logout => session::sign_out()
            .await
            .map(|()| messages::LOGGED_OUT.to_owned()),
    };
    done.map_err(|error| messages::failure(action, &error))
}

/// The input, if it is valid.
fn read_form(page: &Page, action: Action) -> Result<Credentials, String> {
    let (username, password) = page.typed();
    messages::check(action, &username, password.expose()).map_err(|(field, message)| {
        page.focus(field);
        message
    })?;
    Ok(Credentials { username, password })
}

async fn show_session_status(page: &Page) -> Result<(), Error> {
    let status = session::status().await;
    match &status {
        Ok(SessionStatus {
            user: Some(user), ..
        }) => page.show_signed_in(user.name.as_deref()),
        Ok(SessionStatus { user: None, .. }) | Err(_) => page.show_signed_out(),
    }
    page.show_server(&status?.server.to_string());
    Ok(())
}

/// Shows who is signed in. A failure is reported by the next action.
async fn refresh_view(page: &Page) {
    let _ = show_session_status(page).await;
}
