//! What popup and web page share stands in two files. One source would need a template language for the popup, whose
//! file is shipped as it is, and the server's is a template already. So they are held equal here.

use std::{fs, path::Path};

/// What `file` has from `start` to the next `end`, without the blanks between tags, and without what `own` names.
fn part(file: &str, start: &str, end: &str, own: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = fs::read_to_string(&path).expect("a page");
    let (_, rest) = text.split_once(start).expect("its start");
    let (part, _) = rest.split_once(end).expect("its end");
    let words: Vec<&str> = part.split_whitespace().collect();
    let part = words.join(" ").replace("> <", "><");
    assert!(part.contains(own), "{file} without {own}");
    part.replace(own, "")
}

#[test]
fn popup_and_web_page_have_one_form() {
    let form = |file, own| part(file, "<form id=\"credentials\"", "</form>", own);
    // The popup's link leads to a server that it comes to know, in a tab.
    let popup = form("static/popup.html", " target=\"_blank\" rel=\"noreferrer\"");
    let page = form(
        "../api/http/src/pages/home.html",
        " href=\"forgot-password\"",
    );
    assert_eq!(popup, page);
}
