//! The web page that the server shows at `/`: the popup's form in a dialog.

use js_sys::{Object, Promise};
use password_auth_wire::Secret;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{future_to_promise, spawn_local};
use web_sys::{HtmlDialogElement, HtmlElement, Response};

use crate::{
    controller::{self, Listeners},
    dom::{self, Finder, Listener, focus},
    http::{self, bearer},
    json::{self, object},
    messages::{self, Action},
    page::Page,
    response::{Failure, Why},
    server::{InvalidAddress, Server},
    session::{self, Session},
    surface::Surface,
    texts,
};

struct WebPage {
    dialog: HtmlDialogElement,
    open: HtmlElement,
}

impl Surface for WebPage {
    const PROTECTED: &'static str = "/protected-data";

    fn session() -> Session {
        Session::of(server())
    }

    fn who(name: &str) -> String {
        texts::WELCOME.with(&[name])
    }

    fn ended(message: &str) -> String {
        messages::expired(message)
    }

    fn signed_out_focus<'a>(&'a self, page: &'a Page) -> &'a HtmlElement {
        if self.dialog.open() {
            page.form.first_empty()
        } else {
            &self.open
        }
    }

    fn show_signed_in(&self, page: &Page, signed_in: bool) {
        self.open.set_hidden(signed_in);
        if signed_in && self.dialog.open() {
            self.dialog.close();
            focus(page.button(Action::AccessProtected));
        }
    }
}

/// The server that the page is from. Without encryption, nobody can sign in at another computer.
fn server() -> Result<Server, InvalidAddress> {
    let location = dom::window().map_err(|_| InvalidAddress)?.location();
    let part = |part: Result<String, JsValue>| part.map_err(|_| InvalidAddress);
    let (origin, path) = (part(location.origin())?, part(location.pathname())?);
    Server::parse(&[origin, path].concat())
}

/// Starts the web page, with the texts of the user's language.
///
/// # Errors
/// An element is missing: the build is broken.
pub fn start(translations: JsValue) -> Result<(), JsValue> {
    texts::translate_by(translations);
    let find = Finder::new()?;
    let dialog: HtmlDialogElement = find.element("dialog");
    let [open, close, news, factors]: [HtmlElement; 4] =
        ["openDialog", "closeDialog", "news", "factors"].map(|id| find.element(id));
    find.check(())?;

    let mut listeners = Listeners::new();
    // What is outside of an open dialog is not announced.
    let (opened, inside) = (dialog.clone(), news.clone());
    listeners.push(Listener::new(&open, "click", move |_| {
        let _ = opened.append_child(&inside);
        let _ = opened.show_modal();
    })?);
    let closing = dialog.clone();
    listeners.push(Listener::new(&close, "click", move |_| closing.close())?);
    listeners.push(Listener::new(&dialog, "close", move |_| {
        let _ = factors.before_with_node_1(&news);
    })?);
    controller::start_with(WebPage { dialog, open }, listeners)?;
    // There is no worker here that would do it.
    spawn_local(async { drop(session::finish_sign_outs().await) });
    Ok(())
}

/// How long a request of the rest of the page may take.
const TIME_OUT_MS: u32 = 15_000;

/// As the browser's `fetch`, of a path of the server and with the session: for what of the page is not WASM. `init` has
/// `headers` as a plain object.
pub fn request(path: String, init: JsValue) -> Promise {
    future_to_promise(async move {
        let answer = ask(&path, init.into()).await.map_err(|error| {
            let message = messages::failure(Action::AccessProtected, &error);
            js_sys::Error::new(&message)
        })?;
        Ok(answer.into())
    })
}

async fn ask(path: &str, init: Object) -> Result<Response, session::Error> {
    let session = WebPage::session();
    let server = session.server().await?;
    let options = object(&[("redirect", "error".into()), ("cache", "no-store".into())]);
    let options = Object::assign(&options, &init);
    let given = json::field(&options, "headers").unwrap_or_default();
    let send = async |token: &Secret| {
        let headers = object(&[("Authorization", bearer(token).into())]);
        let headers = Object::assign(&headers, given.unchecked_ref());
        let options = Object::assign(&options, &object(&[("headers", headers.into())]));
        let answer = http::fetch(&server.url(path), TIME_OUT_MS, &options).await;
        answer
            .map(Response::from)
            .map_err(|_| Failure::no_answer(server.clone(), Why::Unreachable).into())
    };
    session.with_token(send).await
}
