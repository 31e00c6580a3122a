//! The flags: one for each setting that is not secret, from the list of settings.

use std::collections::BTreeMap;
use std::path::Path;

use clap::{Arg, ArgAction, ArgMatches, Args, FromArgMatches};

use crate::config::{Config, Origin, Problem, SETTINGS, Setting, Sources};

/// The file in the working directory.
const ENV_FILE: &str = ".env";

const LOG_LEVEL: &str = "RUST_LOG";

/// The parsed flags.
pub(super) struct Arguments {
    dev: bool,
    flags: BTreeMap<String, String>,
}

impl Arguments {
    /// The unparsed settings, and whether this is development mode.
    pub(super) fn sources(&self) -> Result<(Sources, bool), String> {
        Sources::gather(self.flags.clone(), Path::new(ENV_FILE))
            .map(|sources| (sources, self.dev))
            .map_err(|problem| problem.to_string())
    }

    /// The parsed settings.
    pub(super) fn config(&self) -> Result<Config, String> {
        let (sources, dev) = self.sources()?;
        Config::load(&sources, dev).map_err(|problems| describe(&problems))
    }

    /// Like [`config_without_secret`](Self::config_without_secret), for a command with its own output: only logs
    /// warnings, unless a log filter is set.
    pub(super) fn config_of_command(&self) -> Result<Config, String> {
        let (sources, _) = self.sources()?;
        let level = SETTINGS.iter().find(|setting| setting.name == LOG_LEVEL);
        let nobody_asks = level.is_some_and(|level| sources.get(level).1 == Origin::Default);
        let mut config = self.config_without_secret()?;
        if nobody_asks {
            config.log_filter = "warn".to_owned();
        }
        Ok(config)
    }

    /// The parsed settings for a command that signs nothing.
    pub(super) fn config_without_secret(&self) -> Result<Config, String> {
        let (sources, dev) = self.sources()?;
        Config::load_without_secret(&sources, dev).map_err(|problems| describe(&problems))
    }
}

/// All mistakes, one per line.
pub(super) fn describe(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems
        .iter()
        .map(|problem| format!("  {problem}"))
        .collect();
    format!("these settings are wrong:\n{}", lines.join("\n"))
}

impl Args for Arguments {
    /// When the command is used: for all commands at each start, this took a millisecond.
    fn augment_args(command: clap::Command) -> clap::Command {
        command.defer(with_settings)
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Arguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let flags = public_settings()
            .filter_map(|setting| {
                let value = matches.get_one::<String>(setting.name)?;
                Some((setting.name.to_owned(), value.clone()))
            })
            .collect();
        Ok(Self {
            dev: matches.get_flag("dev"),
            flags,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn with_settings(command: clap::Command) -> clap::Command {
    let dev = Arg::new("dev")
        .long("dev")
        .action(ArgAction::SetTrue)
        .help("Development mode: any origin may call, and limits may be off");
    command.arg(dev).args(public_settings().map(|setting| {
        let default = match setting.default {
            "" => String::new(),
            default => format!(" [default: {default}]"),
        };
        Arg::new(setting.name)
            .long(clap::builder::Str::from(setting.flag()))
            .value_name("VALUE")
            .help(format!("{}{default} [env: {}]", setting.help, setting.name))
    }))
}

fn public_settings() -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().filter(|setting| !setting.secret)
}
