//! Turns events of a page into calls of the session, and shows the results. Popup and web page are driven alike.
//!
//! It knows the page and the session, and no token.

use std::{any::Any, cell::RefCell, rc::Rc};

use password_auth_wire::Credentials;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

use crate::{
    browser,
    dom::Listener,
    messages::{self, Action, Field},
    page::{Page, SecondStep, Typed},
    response::{Failure, Refusal},
    session::{self, Error, SignIn},
    step::Step,
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
    listeners.push(Listener::new(
        page.form.element(),
        "submit",
        move |event| {
            event.prevent_default();
            run(&submitted, Action::Login);
        },
    )?);
    for action in [
        Action::Register,
        Action::Passkey,
        Action::AccessProtected,
        Action::Logout,
    ] {
        let clicked = Rc::clone(&driven);
        listeners.push(Listener::new(page.button(action), "click", move |_| {
            run(&clicked, action);
        })?);
    }
    let typed = Rc::clone(&driven);
    listeners.push(Listener::new(page.form.element(), "input", move |_| {
        typed.page.form.clear_wrong_fields();
    })?);
    // The storage listener shows the first step.
    listeners.push(Listener::new(
        page.form.start_again(),
        "click",
        move |_| {
            spawn_local(async { drop(Step::forget().await) });
        },
    )?);
    let toggled = Rc::clone(&driven);
    listeners.push(Listener::new(
        page.form.show_password(),
        "click",
        move |_| {
            toggled.page.form.toggle_password();
        },
    )?);
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
            driven.page.status.show(false, &message);
        }
        driven.page.reveal();
        if let Some(stay) = browser::wish_of_popup() {
            driven.page.form.set_stay(stay);
            run(&driven, Action::Passkey);
        }
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
        if page.is_unknown() {
            // A click that came first is for what the page comes to show.
            refresh_view(&driven).await;
        }
        let outcome = perform::<S>(page, action).await;
        // The storage listener does this too, but perhaps later.
        refresh_view(&driven).await;
        drop(pending);
        match outcome {
            Ok(message) => page.status.show(true, &message),
            Err((field, message)) => {
                page.status.show(false, &message);
                if let Some(field) = field {
                    page.form.show_wrong(field);
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
            let invite = typed.invite();
            if invite.is_none() && page.form.asks_for_invite() {
                return Err((Some(Field::Invite), texts::INVITE_REQUIRED.plain()));
            }
            let email = typed.email();
            let done = session.register(&typed.credentials, email, invite).await;
            done.map(|_| {
                page.form.clear_password();
                texts::REGISTERED.plain()
            })
        }
        Action::Login if page.form.is_second_step() => {
            let code = page.form.typed().code;
            let code = code.trim();
            if code.is_empty() {
                return Err((Some(Field::Code), texts::CODE_REQUIRED.plain()));
            }
            signed_in(page, session.sign_in_with_code(code).await)
        }
        Action::Login => {
            let Typed {
                credentials, stay, ..
            } = read_form(page, action)?;
            let name = credentials.username.trim().to_owned();
            let sign_in = SignIn {
                credentials,
                code: None,
                stay,
            };
            match session.sign_in(sign_in).await {
                Err(Error::Failed(Failure::Refused(refusal)))
                    if refusal.details.challenge.is_some() =>
                {
                    begin_second_step(page, *refusal, name, stay).await
                }
                done => signed_in(page, done),
            }
        }
        Action::Passkey => {
            let stay = page.form.typed().stay;
            if browser::go_on_in_tab(stay) {
                return Ok(String::new());
            }
            match session.passkey_options().await {
                Ok(options) => match browser::ask_for_passkey(&options).await {
                    Ok(passkey) => {
                        let done = session.sign_in_with_passkey(&options, passkey, stay);
                        signed_in(page, done.await)
                    }
                    Err(why) => return Err((None, messages::no_passkey(why).plain())),
                },
                Err(error) => Err(error),
            }
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

fn signed_in(page: &Page, done: Result<(), Error>) -> Result<String, Error> {
    done.map(|()| {
        page.form.clear_password();
        texts::LOGGED_IN.plain()
    })
}

/// The password was right. It is not needed any more: the challenge is kept instead, also if the surface closes.
async fn begin_second_step(
    page: &Page,
    Refusal {
        server, details, ..
    }: Refusal,
    name: String,
    stay: bool,
) -> Result<String, Error> {
    let step = Step::of(&server, &details, &name, stay, session::now_ms());
    let step = step.ok_or(Error::NotSignedIn)?;
    step.store().await?;
    page.form.clear_password();
    let (takes_code, _) = step.ways();
    let asked = if takes_code {
        texts::CODE_REQUIRED
    } else {
        texts::PASSKEY_REQUIRED
    };
    Ok(asked.plain())
}

/// The message for an `action` that failed.
fn failure<S: Surface>(action: Action, error: &Error) -> String {
    match error {
        Error::RefreshRefused(refusal) => S::ended(&refusal.message),
        error => messages::failure(action, error),
    }
}

/// The input, if it is valid.
fn read_form(page: &Page, action: Action) -> Result<Typed, Wrong> {
    let typed = page.form.typed();
    let Credentials { username, password } = &typed.credentials;
    messages::check(action, username, password.expose())
        .map_err(|(field, text)| (Some(field), text.plain()))?;
    Ok(typed)
}

async fn show_session_status<S: Surface>(driven: &Driven<S>) -> Result<(), Error> {
    let Driven { page, surface } = driven;
    let status = S::session().status().await;
    if let Ok(status) = &status
        && status.user.is_none()
    {
        page.form.show_server(&status.server.address());
        let step = Step::load(&status.server, session::now_ms()).await;
        page.form.show_step(step.ok().flatten().map(|step| {
            let (takes_code, takes_passkey) = step.ways();
            SecondStep {
                name: step.name(),
                takes_code,
                takes_passkey,
            }
        }));
    }
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
    let shown = texts::SERVER.with(&[&server.address()]);
    page.show_server(&shown, &server.url("/forgot-password"));
    if let Some(message) = status.end_message {
        page.status.show(false, &S::ended(&message));
        token_store::remove_end_message().await?;
    }
    Ok(())
}

/// Shows who is signed in. A failure is reported by the next action.
async fn refresh_view<S: Surface>(driven: &Driven<S>) {
    let _ = show_session_status(driven).await;
}
