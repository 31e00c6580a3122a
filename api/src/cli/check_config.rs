//! `check-config`: what is in force, and where it comes from.

use super::settings::{Arguments, describe};
use crate::config::{Config, Origin, SETTINGS, Setting};

pub(super) fn run(arguments: &Arguments) -> Result<(), String> {
    let (sources, dev) = arguments.sources()?;
    println!("{:<28} {:<40} from", "setting", "value");
    for setting in SETTINGS {
        let (value, origin) = sources.get(setting);
        println!(
            "{:<28} {:<40} {origin}",
            setting.name,
            shown(setting, value, origin)
        );
    }
    println!(
        "{:<28} {:<40} flag",
        "--dev",
        if dev { "on" } else { "off" }
    );
    Config::load(&sources, dev)
        .map(|_| ())
        .map_err(|problems| describe(&problems))
}

/// A database's URL holds a password too.
fn shown<'a>(setting: &Setting, value: &'a str, origin: Origin) -> &'a str {
    let hidden = setting.secret || setting.name == "DATABASE_URL";
    match (value, origin) {
        ("", _) => "(not set)",
        (_, _) if hidden => "(set, hidden)",
        (value, _) => value,
    }
}
