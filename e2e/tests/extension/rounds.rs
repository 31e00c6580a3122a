//! Rounds of refreshes by many contexts at once, each with something going wrong in the middle. Nobody is signed
//! out, nothing hangs, and no token leaves the extension's storage.
//!
//! A few rounds every day; 200 with `PASSWORD_AUTH_LONG=1`.

use serde_json::{Value, json};

use crate::support::{Browser, Popup, Proxy, Server};

/// With the worker, these race for every refresh.
const CONTEXTS: usize = 20;

/// Lets every context ask for what is protected at the same moment. `asked` counts how often it has: what a page says
/// before that is of the round before.
const LISTEN: &str = "
    window.asked = 0;
    window.ask = () => {
        document.getElementById('accessProtected').click();
        setTimeout(() => { asked++; document.body.dataset.asked = asked; });
    };
    new BroadcastChannel('go').onmessage = ask;
    done();";
const GO: &str = "new BroadcastChannel('go').postMessage('go'); ask(); done();";

/// What goes wrong.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    /// A popup closes while it waits for the lock.
    ClosesBeforeTheLock,
    /// A popup closes about when it sends its request.
    ClosesAboutTheRequest,
    /// A popup closes when the server has answered and the answer is on its way.
    ClosesBeforeTheAnswer,
    /// A popup closes about when it writes what the server has answered.
    ClosesAboutTheWrite,
    /// The worker is stopped in the middle of its own refresh.
    WorkerStopsInItsRefresh,
    /// The worker is stopped about when it writes.
    WorkerStopsAboutTheWrite,
    /// The server goes, everybody asks, and it comes back.
    ServerGoes,
    /// The clock was set back: the access token ends in a year, and the server takes it no more.
    ClockGoesBack,
    /// The machine was asleep: the access token ended long ago.
    MachineSleeps,
    /// A page that holds the lock is closed.
    HolderCloses,
}

const ALL: [Trouble; 10] = [
    Trouble::ClosesBeforeTheLock,
    Trouble::ClosesAboutTheRequest,
    Trouble::ClosesBeforeTheAnswer,
    Trouble::ClosesAboutTheWrite,
    Trouble::WorkerStopsInItsRefresh,
    Trouble::WorkerStopsAboutTheWrite,
    Trouble::ServerGoes,
    Trouble::ClockGoesBack,
    Trouble::MachineSleeps,
    Trouble::HolderCloses,
];

const HOLD_THE_LOCK: &str = "
    navigator.locks.request('password-auth.session', () => {
        done();
        return new Promise(release => { window.release = release; });
    });";

async fn click(popup: &Popup) {
    let click = "document.getElementById('accessProtected').click(); done()";
    popup.run(click, Value::Null).await;
}

/// Waits for `milliseconds` of the page's, to meet another moment each time.
async fn linger(popup: &Popup, milliseconds: usize) {
    popup
        .run("setTimeout(done, argument)", json!(milliseconds))
        .await;
}

/// Makes trouble; how often everybody has asked meanwhile.
async fn stir(
    trouble: Trouble,
    round: usize,
    browser: &Browser,
    server: &mut Server,
    proxy: &Proxy,
    first: &Popup,
) -> u32 {
    first.let_access_token_expire().await;
    let held = proxy.held();
    match trouble {
        Trouble::ClosesBeforeTheLock => {
            first.run(HOLD_THE_LOCK, Value::Null).await;
            let victim = browser.popup_as_it_is().await;
            click(&victim).await;
            victim.close().await;
            first.run("release(); done()", Value::Null).await;
        }
        Trouble::ClosesAboutTheRequest => {
            let victim = browser.popup_as_it_is().await;
            click(&victim).await;
            linger(&victim, round % 25).await;
            victim.close().await;
        }
        Trouble::ClosesBeforeTheAnswer | Trouble::ClosesAboutTheWrite => {
            proxy.hold_answers();
            let victim = browser.popup_as_it_is().await;
            click(&victim).await;
            proxy.until_held(held + 1).await;
            if matches!(trouble, Trouble::ClosesAboutTheWrite) {
                proxy.release_answers();
                linger(&victim, round % 9).await;
            }
            victim.close().await;
            proxy.release_answers();
        }
        Trouble::WorkerStopsInItsRefresh | Trouble::WorkerStopsAboutTheWrite => {
            proxy.hold_answers();
            let ring = "chrome.alarms.create('password-auth.refresh', {when: Date.now()}).then(() => done())";
            first.run(ring, Value::Null).await;
            proxy.until_held(held + 1).await;
            if matches!(trouble, Trouble::WorkerStopsAboutTheWrite) {
                proxy.release_answers();
                linger(first, round % 9).await;
            }
            browser.kill_workers().await;
            proxy.release_answers();
        }
        Trouble::ServerGoes => {
            server.stop().await;
            first.run(GO, Value::Null).await;
            first.expect_error_with(&["server"]).await;
            server.start_again().await;
            return 1;
        }
        Trouble::ClockGoesBack => {
            let year = json!({"access_token": "no.longer.good", "access_token_expiry": 1e14});
            first.change_tokens(year).await;
        }
        Trouble::MachineSleeps => {
            let long_ago = json!({"access_token_expiry": -1e12});
            first.change_tokens(long_ago).await;
        }
        Trouble::HolderCloses => {
            let holder = browser.popup_as_it_is().await;
            holder.run(HOLD_THE_LOCK, Value::Null).await;
            first.run(GO, Value::Null).await;
            holder.close().await;
            return 1;
        }
    }
    0
}

#[tokio::test]
async fn whatever_goes_wrong_in_a_refresh_nobody_is_signed_out() {
    let long = std::env::var_os("PASSWORD_AUTH_LONG").is_some();
    let rounds = if long { 200 } else { ALL.len() };
    let (mut server, browser) = tokio::join!(Server::start(), Browser::start());
    let proxy = Proxy::start(&server.url).await;
    let first = browser.popup(&proxy.url).await;
    first.sign_up("alice").await;
    first.run(LISTEN, Value::Null).await;
    let mut others = Vec::new();
    while others.len() + 1 < CONTEXTS {
        let popup = browser.popup_as_it_is().await;
        popup.run(LISTEN, Value::Null).await;
        others.push(popup);
    }
    let mut seen = Vec::new();
    let mut asked = 0;
    for round in 0..rounds {
        let trouble = ALL[round % ALL.len()];
        asked += stir(trouble, round, &browser, &mut server, &proxy, &first).await;
        first.run(GO, Value::Null).await;
        asked += 1;
        for popup in std::iter::once(&first).chain(&others) {
            // Whoever was told of trouble, or waits still, asks once more.
            let script = "
                const status = document.getElementById('status');
                const button = document.getElementById('accessProtected');
                let again = 0;
                const look = () => {
                    if (asked < argument) return;
                    if (status.textContent === 'Hello, alice!') { observer.disconnect(); return done(status.textContent); }
                    if (status.textContent && button.ariaBusy !== 'true') {
                        if (again++) { observer.disconnect(); return done(status.textContent); }
                        setTimeout(() => button.click());
                    }
                };
                const observer = new MutationObserver(look);
                observer.observe(document, {subtree: true, childList: true, attributes: true});
                look();";
            let said = popup.run(script, json!(asked)).await;
            assert_eq!(said, "Hello, alice!", "round {round}: {trouble:?}");
        }
        let tokens = first.stored("local").await["auth_tokens"].clone();
        seen.extend(["access_token", "refresh_token"].map(|name| tokens[name].clone()));
        println!("round {round}: {trouble:?}: kept");
    }
    // No token is on a page, or where pages keep things.
    for popup in std::iter::once(&first).chain(&others) {
        let script =
            "done(argument.filter(token => document.documentElement.outerHTML.includes(token)
            || JSON.stringify({...localStorage, ...sessionStorage}).includes(token)).length)";
        assert_eq!(popup.run(script, json!(seen)).await, 0);
    }
    browser.quit().await;
}
