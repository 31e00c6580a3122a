//! The web page that the server shows at `/`: the popup's form in a dialog.

use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlDialogElement, HtmlElement, Node};

use crate::{
    controller::{self, Listeners},
    dom::{self, Listener},
    messages,
    page::{Page, focus},
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
            page.first_empty()
        } else {
            &self.open
        }
    }

    fn show_signed_in(&self, page: &Page, signed_in: bool) {
        self.open.set_hidden(signed_in);
        if signed_in && self.dialog.open() {
            self.dialog.close();
            focus(page.button(messages::Action::AccessProtected));
        }
    }
}

/// The server that the page is from. Without encryption, nobody can sign in at another computer.
fn server() -> Result<Server, InvalidAddress> {
    let location = dom::window().map_err(|_| InvalidAddress)?.location();
    let part = |part: Result<String, JsValue>| part.map_err(|_| InvalidAddress);
    let (origin, path) = (part(location.origin())?, part(location.pathname())?);
    Server::parse(&format!("{origin}{path}"))
}

/// Starts the web page, with the texts of the user's language.
///
/// # Errors
/// An element is missing: the build is broken.
pub fn start(translations: JsValue) -> Result<(), JsValue> {
    texts::translate_by(translations);
    let document = dom::window()?.document().ok_or("no document")?;
    let dialog: HtmlDialogElement = dom::element(&document, "dialog")?;
    let open: HtmlElement = dom::element(&document, "openDialog")?;
    let close: HtmlElement = dom::element(&document, "closeDialog")?;
    let news: HtmlElement = dom::element(&document, "news")?;
    let main: HtmlElement = dom::element(&document, "main")?;

    let mut listeners = Listeners::new();
    // What is outside of an open dialog is not announced.
    let (opened, inside) = (dialog.clone(), news.clone());
    listeners.push(Listener::new(&open, "click", move |_| {
        move_into(&opened, &inside);
        let _ = opened.show_modal();
    })?);
    let closing = dialog.clone();
    listeners.push(Listener::new(&close, "click", move |_| closing.close())?);
    listeners.push(Listener::new(&dialog, "close", move |_| {
        move_into(&main, &news);
    })?);
    controller::start_with(WebPage { dialog, open }, listeners)?;
    // There is no worker here that would do it.
    spawn_local(async { drop(session::finish_sign_outs().await) });
    Ok(())
}

fn move_into(parent: &Node, child: &Node) {
    let _ = parent.append_child(child);
}
