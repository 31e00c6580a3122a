//! `check-config`: what is in force, and where it comes from.

use std::io::{self, Write as _};

use super::settings::{Arguments, describe};
use crate::config::{Config, SETTINGS, Setting, Sources};

pub(super) fn run(arguments: &Arguments) -> Result<(), String> {
    let (sources, dev) = arguments.sources()?;
    print(&sources, dev).map_err(|error| format!("the settings can not be printed: {error}"))?;
    Config::load(&sources, dev)
        .map(|_| ())
        .map_err(|problems| describe(&problems))
}

fn print(sources: &Sources, dev: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{:<38} {:<40} from", "setting", "value")?;
    for setting in SETTINGS {
        let (value, origin) = sources.get(setting);
        writeln!(
            out,
            "{:<38} {:<40} {origin}",
            setting.name,
            shown(setting, value)
        )?;
    }
    let dev = if dev { "on" } else { "off" };
    writeln!(out, "{:<38} {dev:<40} flag", "--dev")
}

fn shown<'a>(setting: &Setting, value: &'a str) -> &'a str {
    match value {
        "" => "(not set)",
        // A mistaken URL may hold a password too.
        url if setting.secret || (url.contains("://") && url.contains('@')) => "(set, hidden)",
        value => value,
    }
}
