//! axe-core, which finds what people with a screen reader, a keyboard or weak eyes cannot use.

use std::fs;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use super::{Page, workspace};

/// The source of axe-core, as `e2e/axe` pins it; `None` where npm cannot install it.
fn source() -> Option<&'static str> {
    static SOURCE: OnceLock<Option<String>> = OnceLock::new();
    let install = || {
        let folder = workspace().join("target/axe");
        let script = folder.join("node_modules/axe-core/axe.min.js");
        if !script.exists() {
            fs::create_dir_all(&folder).ok()?;
            for name in ["package.json", "package-lock.json"] {
                fs::copy(workspace().join("e2e/axe").join(name), folder.join(name)).ok()?;
            }
            let npm = Command::new("npm")
                .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
                .current_dir(&folder)
                .status();
            npm.ok().filter(std::process::ExitStatus::success)?;
        }
        fs::read_to_string(script).ok()
    };
    SOURCE.get_or_init(install).as_deref()
}

/// Asserts that axe-core finds nothing in the page as it is now. `state` is for the report.
pub async fn expect_accessible(page: &Page, state: &str) {
    let Some(source) = source() else {
        println!("skipped: npm cannot install axe-core here");
        return;
    };
    let script = format!(
        "if (!window.axe) {{ {source} }}
         window.axe.run(document, {{resultTypes: ['violations']}}).then(
             found => done(found.violations.map(one => [one.id, one.help, one.nodes.map(node => node.html + ' ' + node.failureSummary)])),
             error => done(String(error)));"
    );
    let found = page.run(&script, Value::Null).await;
    assert_eq!(found, serde_json::json!([]), "{state}: {found:#}");
}
