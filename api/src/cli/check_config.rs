//! `check-config`: prints the settings in force and their sources.

use std::io::{self, Write};

use password_auth_core::accounts::Registration;
use password_auth_model::visible;

use super::settings::{Arguments, describe};
use crate::config::{Config, SETTINGS, Setting, Sources};

pub(super) fn run(arguments: &Arguments) -> Result<(), String> {
    let (sources, dev) = arguments.sources()?;
    let config = Config::load(&sources, dev);
    // The exit code says whether the settings are right, even if nobody reads the output.
    print(
        &mut io::stdout().lock(),
        &sources,
        config.as_ref().ok(),
        dev,
    )
    .ok();
    config.map(|_| ()).map_err(|problems| describe(&problems))
}

fn print(
    out: &mut impl Write,
    sources: &Sources,
    config: Option<&Config>,
    dev: bool,
) -> io::Result<()> {
    writeln!(out, "{:<38} {:<40} from", "setting", "value")?;
    for setting in SETTINGS {
        let (value, origin) = sources.get(setting);
        writeln!(
            out,
            "{:<38} {:<40} {origin}",
            setting.name,
            visible(&shown(setting, value, config))
        )?;
    }
    let dev_text = if dev { "on" } else { "off" };
    writeln!(out, "{:<38} {dev_text:<40} flag", "--dev")?;
    // It is the default, and right for many; who keeps a server for a few should know.
    if !dev && config.is_some_and(|config| config.registration == Registration::Open) {
        writeln!(
            out,
            "\nREGISTRATION is open: everybody who reaches this server may register. invite and closed ask for an invitation."
        )?;
    }
    out.flush()
}

fn shown(setting: &Setting, value: &str, config: Option<&Config>) -> String {
    let is_secret = setting.secret && !value.is_empty();
    // A wrong URL may contain a password too.
    if is_secret || (value.contains("://") && value.contains('@')) {
        return "(set, hidden)".to_owned();
    }
    match (config, value) {
        (Some(config), value) => config.in_force(setting, value),
        (None, "") => "(not set)".to_owned(),
        (None, value) => value.to_owned(),
    }
}
