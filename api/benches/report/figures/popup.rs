//! How soon the popup is painted, and how soon a click on Login is handled, beside a popup in plain JavaScript with the same
//! markup and style. Both are opened in one Chromium, in turn; their workers are stopped first.

use std::fs;
use std::path::Path;

use tokio::runtime::Runtime;
use tokio::sync::Mutex;

use crate::browser::{Browser, extension_id};
use crate::machine::folder;
use crate::report::{Figure, Goal};
use crate::stats::{Spread, duel};
use crate::{Outcome, Settings};

pub(super) const NAME: &str = "popup";

const BESIDE: &str = "plain JavaScript";

/// Openings in one round.
const OPENINGS: usize = 5;

/// Presses Login until the popup says that nothing was typed, and it is known who is signed in.
const WATCH: &str = "
    globalThis.opened = new Promise((done) => {
        const seen = {};
        const tell = () => { if (seen.painted && seen.ready) done(seen); };
        new PerformanceObserver((entries) => {
            for (const entry of entries.getEntriesByName('first-contentful-paint')) seen.painted = entry.startTime;
            tell();
        }).observe({type: 'paint', buffered: true});
        const press = () => {
            const handled = document.getElementById('status')?.textContent;
            if (handled && !document.getElementById('main').hasAttribute('data-unknown')) {
                seen.ready = performance.now();
                return tell();
            }
            if (!handled) document.getElementById('login')?.click();
            setTimeout(press);
        };
        press();
    });";

pub(super) fn measure(runtime: &Runtime, settings: &Settings) -> Outcome<Vec<Figure>> {
    let Some(ours) = super::package::folder() else {
        return not_measured("no extension; ./build.sh bench builds it");
    };
    let Some(program) = Browser::program() else {
        return not_measured("no Chromium; ./build.sh bench says where it is, by CHROMIUM");
    };
    let scratch = folder()?;
    let (ours, plain) = (ours.canonicalize()?, scratch.path().join("plain"));
    make_plain(&ours, &plain)?;
    let plain = plain.canonicalize()?;
    let browser = runtime.block_on(Browser::start(&program, &[&ours, &plain]))?;
    let browser = Mutex::new(browser);
    // The median of some openings.
    let open = |extension: &Path, moment: &str| {
        let url = format!("chrome-extension://{}/popup.html", extension_id(extension));
        let openings = if settings.rounds == 1 { 1 } else { OPENINGS };
        let mut times = Vec::new();
        for _ in 0..openings {
            let seen = runtime.block_on(async {
                let mut browser = browser.lock().await;
                browser.stop_workers().await?;
                browser.visit(&url, WATCH, "opened").await
            })?;
            times.push(seen[moment].as_f64().ok_or("the popup was not measured")?);
        }
        Ok(Spread::of(&times).median)
    };
    let figure = |what: &str, moment: &str, goal: f64| -> Outcome<Figure> {
        let times = duel(settings, &mut || open(&ours, moment), &mut || {
            open(&plain, moment)
        })?;
        let goal = Some(Goal::RatioAtMost(goal));
        let what = format!("popup: {what}");
        Ok(Figure::duel(NAME, what, "ms", &times, BESIDE, goal))
    };
    Ok(vec![
        figure("first contentful paint", "painted", 1.0)?,
        figure("a click on Login is handled", "ready", 1.5)?,
    ])
}

fn not_measured(why: &str) -> Outcome<Vec<Figure>> {
    let what = "popup: painted and ready".to_owned();
    Ok(vec![Figure::not_measured(NAME, what, why.to_owned())])
}

/// The popup in plain JavaScript, with our markup, style and icons.
fn make_plain(ours: &Path, plain: &Path) -> Outcome<()> {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/report/plain_popup");
    fs::create_dir_all(plain.join("icons"))?;
    for name in ["manifest.json", "popup.js"] {
        fs::copy(fixture.join(name), plain.join(name))?;
    }
    for name in ["popup.css", "icons/icon.svg"] {
        fs::copy(ours.join(name), plain.join(name))?;
    }
    let page = fs::read_to_string(ours.join("popup.html"))?;
    let own = |line: &&str| !line.contains("<script") && !line.contains("preload");
    let lines: Vec<&str> = page.lines().filter(own).collect();
    let page = lines.join("\n").replace(" data-unknown", "").replace(
        "</head>",
        "<script src=\"popup.js\" defer></script>\n</head>",
    );
    fs::write(plain.join("popup.html"), page)?;
    Ok(())
}
