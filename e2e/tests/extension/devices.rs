//! The list of a user's devices, on the options page.

use serde_json::{Value, json};

use crate::support::{Browser, PASSWORD, Server};

fn blink(system: &str, more: &str) -> String {
    let engine = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
    format!("Mozilla/5.0 ({system}) {engine}{more}")
}

fn webkit(system: &str, more: &str) -> String {
    format!("Mozilla/5.0 ({system}) AppleWebKit/605.1.15 (KHTML, like Gecko) {more}")
}

fn gecko(system: &str) -> String {
    format!("Mozilla/5.0 ({system}; rv:153.0) Gecko/20100101 Firefox/153.0")
}

#[tokio::test]
async fn a_device_is_named_by_browser_and_system_and_an_unknown_one_by_a_part_of_what_it_says() {
    const MAC: &str = "Macintosh; Intel Mac OS X 10_15_7";
    const LINUX: &str = "X11; Linux x86_64";
    const ANDROID: &str = "Linux; Android 10; K";
    let on = |browser, system| json!({"browser": browser, "system": system});
    let unknown = |text: &str| json!({ "text": text });
    let cases = [
        (gecko(LINUX), on("Firefox", "Linux")),
        (gecko("Android 16; Mobile"), on("Firefox", "Android")),
        (blink(LINUX, ""), on("Chrome", "Linux")),
        (
            blink(LINUX, "").replace("Chrome", "HeadlessChrome"),
            on("Chrome", "Linux"),
        ),
        (
            blink("X11; CrOS x86_64 14541.0.0", ""),
            on("Chrome", "ChromeOS"),
        ),
        (blink(ANDROID, ""), on("Chrome", "Android")),
        (
            blink(ANDROID, " SamsungBrowser/27.0"),
            on("Samsung Internet", "Android"),
        ),
        (
            blink("Windows NT 10.0; Win64; x64", " Edg/156.0.0.0"),
            on("Edge", "Windows"),
        ),
        (blink(MAC, " OPR/120.0.0.0"), on("Opera", "macOS")),
        (blink(LINUX, " Vivaldi/7.5"), on("Vivaldi", "Linux")),
        (
            webkit(MAC, "Version/26.0 Safari/605.1.15"),
            on("Safari", "macOS"),
        ),
        (
            webkit(
                "iPhone; CPU iPhone OS 26_0 like Mac OS X",
                "Version/26.0 Mobile/15E148 Safari/604.1",
            ),
            on("Safari", "iOS"),
        ),
        (
            webkit(
                "iPad; CPU OS 26_0 like Mac OS X",
                "CriOS/156.0 Safari/604.1",
            ),
            on("Chrome", "iPadOS"),
        ),
        (gecko("Amiga"), json!({"browser": "Firefox"})),
        (String::new(), unknown("")),
        ("curl/8.5.0".to_owned(), unknown("curl/8.5.0")),
        (
            "  \u{202e}evil\u{200b}\u{feff}/1 ".to_owned(),
            unknown("evil/1"),
        ),
        ("\u{202e}\u{2066}".to_owned(), unknown("")),
        (
            "A client of somebody's own, with a long name / 1.0".to_owned(),
            unknown("A client of somebody's own, with a long…"),
        ),
        ("😀".repeat(41), unknown(&format!("{}…", "😀".repeat(40)))),
        (
            "a".repeat(100_000),
            unknown(&format!("{}…", "a".repeat(40))),
        ),
    ];
    let browser = Browser::start().await;
    let options = browser.extension_page(0, "options.html").await;
    // As JSON: what is undefined is missing there.
    let describe = "
        import('./device.js').then(({describe}) => done(argument.map(one => JSON.stringify(describe(one)))));";
    let agents: Vec<&String> = cases.iter().map(|(agent, _)| agent).collect();
    let described = options.run(describe, json!(agents)).await;
    let described = described.as_array().expect("a list");
    assert_eq!(described.len(), cases.len());
    for ((agent, expected), described) in cases.iter().zip(described) {
        let described = described.as_str().expect("JSON");
        let described: Value = serde_json::from_str(described).expect("JSON");
        assert_eq!(&described, expected, "{agent}");
    }
    browser.quit().await;
}

#[tokio::test]
async fn the_list_of_devices_names_them_and_has_all_of_what_they_say_behind_it() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let popup = browser.popup(&server.url).await;
    popup.sign_up("alice").await;
    let strange = "<b>Robot</b> $1 of somebody's own, with a long name";
    let signed_in = reqwest::Client::new()
        .post(format!("{}/authenticate", server.url))
        .header("user-agent", strange)
        .json(&json!({"username": "alice", "password": PASSWORD}))
        .send()
        .await;
    assert_eq!(signed_in.expect("an answer").status(), 200);
    let options = browser.extension_page(0, "options.html").await;
    let agent = options.run("done(navigator.userAgent)", Value::Null).await;
    for (language, this_device) in [
        ("en", "Chrome on Linux"),
        ("de", "Chrome auf Linux"),
        ("ar", "\u{2066}Chrome\u{2069} على \u{2066}Linux\u{2069}"),
    ] {
        let speak = "localStorage.setItem('language', argument); done()";
        options.run(speak, json!(language)).await;
        options.reload().await;
        options
            .until("document.querySelectorAll('#sessions li').length === 2")
            .await;
        let names = "
            const names = [...document.querySelectorAll('#sessions bdi')];
            done(names.map(one => [one.textContent, one.title]).sort());";
        let mut expected = [
            json!(["<b>Robot</b> $1 of somebody's own, with…", strange]),
            json!([this_device, agent]),
        ];
        expected.sort_by_key(ToString::to_string);
        assert_eq!(options.run(names, Value::Null).await, json!(expected));
    }
    browser.quit().await;
}
