//! The popup: turns what people do on the page into calls of the session, and says how they went.
//!
//! It knows the page and the session; what a token is, and where it lies, it does not.

use std::{cell::RefCell, rc::Rc};

use password_auth_wire::Credentials;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

use crate::{
    browser::Watch,
    dom::Listener,
    page::Page,
    session::{self, Error, Standing},
    words::{self, Action},
};

thread_local! {
    /// The popup of this page. It lives as long as the page does, and no JavaScript has to hold it.
    static POPUP: RefCell<Option<Popup>> = const { RefCell::new(None) };
}

/// What listens while the popup is open.
struct Popup {
    _listeners: Vec<Listener>,
    _watch: Watch,
}

/// Finds the page's elements, listens, and shows who is signed in.
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
    let watch = session::watch(move || {
        let page = Rc::clone(&shown);
        spawn_local(async move { refresh_view(&page).await });
    });
    POPUP.replace(Some(Popup {
        _listeners: listeners,
        _watch: watch,
    }));

    spawn_local(async move {
        // At the start a broken setting is said at once; later it is the answer to what was asked for.
        if let Err(error) = show_standing(&page).await {
            page.say(false, &words::failure(Action::Login, &error));
        }
    });
    Ok(())
}

fn run(page: &Rc<Page>, action: Action) {
    let page = Rc::clone(page);
    spawn_local(async move {
        let Some(_turn) = page.begin(action) else {
            return;
        };
        let outcome = perform(&page, action).await;
        // Storage tells that it has changed, too, but perhaps later than the sentence is read.
        refresh_view(&page).await;
        match outcome {
            Ok(sentence) => page.say(true, &sentence),
            Err(sentence) => page.say(false, &sentence),
        }
    });
}

/// Does `action`, and says how it went: either way a sentence.
async fn perform(page: &Page, action: Action) -> Result<String, String> {
    let done = match action {
        Action::Register => {
            let credentials = read_form(page, action)?;
            let done = session::register(&credentials).await;
            done.map(|()| {
                page.clear_password();
                words::REGISTERED.to_owned()
            })
        }
        Action::Login => {
            let credentials = read_form(page, action)?;
            let done = session::sign_in(credentials, page.wants_to_stay()).await;
            done.map(|()| {
                page.clear_password();
                words::LOGGED_IN.to_owned()
            })
        }
        Action::AccessProtected => session::protected().await.map(|greeting| greeting.message),
        Action::Logout => session::sign_out()
            .await
            .map(|()| words::LOGGED_OUT.to_owned()),
    };
    done.map_err(|error| words::failure(action, &error))
}

/// What was typed, if it is worth sending.
fn read_form(page: &Page, action: Action) -> Result<Credentials, String> {
    let (username, password) = page.typed();
    words::check(action, &username, password.expose()).map_err(|(field, sentence)| {
        page.focus(field);
        sentence
    })?;
    Ok(Credentials { username, password })
}

async fn show_standing(page: &Page) -> Result<(), Error> {
    let standing = session::standing().await;
    match &standing {
        Ok(Standing {
            user: Some(user), ..
        }) => page.show_signed_in(user.name.as_deref()),
        Ok(Standing { user: None, .. }) | Err(_) => page.show_signed_out(),
    }
    page.show_server(&standing?.server.to_string());
    Ok(())
}

/// Shows where things stand; a failure is said by whatever is done next.
async fn refresh_view(page: &Page) {
    let _ = show_standing(page).await;
}
