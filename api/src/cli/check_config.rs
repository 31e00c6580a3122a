//! `check-config`: what is in force, and where it comes from.

use std::io::{self, Write};

use password_auth_model::visible;

use super::settings::{Arguments, describe};
use crate::config::{Config, SETTINGS, Setting, Sources};

pub(super) fn run(arguments: &Arguments) -> Result<(), String> {
    let (sources, dev) = arguments.sources()?;
    // Whether they are right is what is asked, whoever reads on.
    print(&mut io::stdout().lock(), &sources, dev).ok();
    Config::load(&sources, dev)
        .map(|_| ())
        .map_err(|problems| describe(&problems))
}

fn print(out: &mut impl Write, sources: &Sources, dev: bool) -> io::Result<()> {
    writeln!(out, "{:<38} {:<40} from", "setting", "value")?;
    for setting in SETTINGS {
        let (value, origin) = sources.get(setting);
        writeln!(
            out,
            "{:<38} {:<40} {origin}",
            setting.name,
            visible(shown(setting, value))
        )?;
    }
    let dev = if dev { "on" } else { "off" };
    writeln!(out, "{:<38} {dev:<40} flag", "--dev")?;
    out.flush()
}

fn shown<'a>(setting: &Setting, value: &'a str) -> &'a str {
    match value {
        "" => "(not set)",
        // A mistaken URL may hold a password too.
        url if setting.secret || (url.contains("://") && url.contains('@')) => "(set, hidden)",
        value => value,
    }
}
