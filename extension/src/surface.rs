//! What differs between the surfaces that [`controller`](crate::controller) drives.

use web_sys::HtmlElement;

use crate::{page::Page, session::Session};

/// A popup, or a page.
pub(crate) trait Surface: Sized + 'static {
    /// The route that "access protected" asks.
    const PROTECTED: &'static str;

    /// The session that it shows.
    fn session() -> Session;

    /// How it shows who is signed in.
    fn who(name: &str) -> String;

    /// The message when the session has ended, and the server's `message` is all that is known.
    fn ended(message: &str) -> String;

    /// What takes the focus when nobody is signed in any more.
    fn signed_out_focus<'a>(&'a self, page: &'a Page) -> &'a HtmlElement;

    /// Nobody, or somebody, is signed in from now on.
    fn show_signed_in(&self, page: &Page, signed_in: bool);
}
