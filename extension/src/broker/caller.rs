//! Who sent a message. The browser says so (`runtime.MessageSender`), never the message itself.

use wasm_bindgen::JsValue;

use crate::json;

/// What a caller is, and so what it may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// A page of this extension: popup, options, side panel, tab.
    Page,
    /// A content script of this extension, in somebody else's page.
    ContentScript,
}

/// What the browser tells about a sender.
#[derive(Default)]
pub(super) struct Sender {
    /// The extension's id.
    id: Option<String>,
    /// The address of the page or frame.
    url: Option<String>,
    /// The origin of the page or frame. Older browsers do not tell.
    origin: Option<String>,
}

impl Sender {
    pub(super) fn read(sender: &JsValue) -> Self {
        let text = |name| json::text_field(sender, name);
        Self {
            id: text("id"),
            url: text("url"),
            origin: text("origin"),
        }
    }
}

/// Classifies `sender` for the extension `id`, whose pages have addresses that start with `root`
/// (`chrome-extension://ID/`). `None`: a stranger, who gets no answer.
///
/// What is not surely a page counts as a content script, which may do less.
pub(super) fn classify(sender: &Sender, id: &str, root: &str) -> Option<Caller> {
    if sender.id.as_deref() != Some(id) {
        return None;
    }
    let url_is_ours = sender
        .url
        .as_deref()
        .is_some_and(|url| url.starts_with(root));
    let origin_is_ours = sender
        .origin
        .as_deref()
        .is_none_or(|origin| Some(origin) == root.strip_suffix('/'));
    Some(if url_is_ours && origin_is_ours {
        Caller::Page
    } else {
        Caller::ContentScript
    })
}

#[cfg(test)]
mod tests {
    use super::{Caller, Sender, classify};

    const ID: &str = "abcdefghijklmnopabcdefghijklmnop";
    const ROOT: &str = "chrome-extension://abcdefghijklmnopabcdefghijklmnop/";
    const ORIGIN: &str = "chrome-extension://abcdefghijklmnopabcdefghijklmnop";

    fn check(id: Option<&str>, url: Option<&str>, origin: Option<&str>, expected: Option<Caller>) {
        let sender = Sender {
            id: id.map(String::from),
            url: url.map(String::from),
            origin: origin.map(String::from),
        };
        assert_eq!(classify(&sender, ID, ROOT), expected, "{url:?} {origin:?}");
    }

    #[test]
    fn a_page_has_our_address_and_our_origin() {
        let page = Some(Caller::Page);
        check(
            Some(ID),
            Some(&format!("{ROOT}popup.html")),
            Some(ORIGIN),
            page,
        );
        check(Some(ID), Some(&format!("{ROOT}popup.html?a#b")), None, page);
    }

    #[test]
    fn everything_else_of_ours_is_a_content_script() {
        let script = Some(Caller::ContentScript);
        for url in [
            "https://example.org/",
            "about:blank",
            "about:srcdoc",
            "data:text/html,x",
            "chrome-extension://abcdefghijklmnopabcdefghijklmnop.example/",
            "https://example.org/chrome-extension://abcdefghijklmnopabcdefghijklmnop/",
            "blob:chrome-extension://abcdefghijklmnopabcdefghijklmnop/1",
            "",
        ] {
            check(Some(ID), Some(url), None, script);
            check(Some(ID), Some(url), Some(ORIGIN), script);
        }
        check(Some(ID), None, None, script);
        // A sandboxed page of ours, and an address that contradicts the origin.
        check(
            Some(ID),
            Some(&format!("{ROOT}sandbox.html")),
            Some("null"),
            script,
        );
        check(
            Some(ID),
            Some(&format!("{ROOT}popup.html")),
            Some("https://example.org"),
            script,
        );
    }

    #[test]
    fn a_stranger_gets_no_answer() {
        let url = format!("{ROOT}popup.html");
        check(
            Some("ponmlkjihgfedcbaponmlkjihgfedcba"),
            Some(&url),
            Some(ORIGIN),
            None,
        );
        check(None, Some(&url), Some(ORIGIN), None);
        check(Some(""), Some(&url), None, None);
    }
}
