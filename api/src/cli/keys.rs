//! `keys`: the keys that sign access tokens.

use password_auth_model::PUBLISHED_BEFORE;

use super::backend::Backend;
use super::log::start_log;
use super::table::Table;
use super::user::{CONFUSED, Common, minute, show_json};
use super::{output, runtime};
use crate::operator::{Command as Asked, KeyView, Reply};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// List the keys: which one signs, which will, and which still verify
    List(List),
    /// Add a key that signs after some minutes. Until then it is only published
    Rotate(Rotate),
    /// Remove a key at once: its tokens are refused, and clients refresh them. If it signs, the next key signs from now on
    Retire(Retire),
}

#[derive(clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    common: Common,
}

#[derive(clap::Args)]
pub(super) struct Rotate {
    /// Minutes until the new key signs. Services may keep the published keys for 5 minutes: with fewer, they may refuse
    /// new tokens meanwhile
    #[arg(long, value_name = "MINUTES", default_value_t = DEFAULT_MINUTES)]
    after: u32,
    #[command(flatten)]
    common: Common,
}

#[derive(clap::Args)]
pub(super) struct Retire {
    /// The id of the key, as `keys list` shows it
    id: String,
    #[command(flatten)]
    common: Common,
}

const DEFAULT_MINUTES: u32 = {
    #[expect(clippy::cast_possible_truncation, reason = "it is ten minutes")]
    let minutes = (PUBLISHED_BEFORE.as_secs() / 60) as u32;
    minutes
};

pub(super) fn run(command: Command) -> Result<(), String> {
    let (asked, common) = match command {
        Command::List(List { common }) => (Asked::Keys, common),
        Command::Rotate(Rotate { after, common }) => (Asked::RotateKeys(after), common),
        Command::Retire(Retire { id, common }) => (Asked::RetireKey(id), common),
    };
    let config = common.settings.config_of_command()?;
    start_log(&config)?;
    let reply = runtime()?.block_on(async {
        let mut backend = Backend::with_keys(&config);
        let reply = backend.carry_out(asked).await;
        backend.close().await;
        reply
    });
    match reply? {
        Reply::Keys(keys) if common.json => show_json(&keys),
        Reply::Keys(keys) => show(&keys),
        _ => Err(CONFUSED.to_owned()),
    }
}

fn show(keys: &[KeyView]) -> Result<(), String> {
    let rows: Vec<_> = keys
        .iter()
        .map(|key| {
            [
                key.id.clone(),
                key.state.clone(),
                minute(&key.created_at),
                minute(&key.signs_from),
                key.verifies_until
                    .as_deref()
                    .map_or_else(String::new, minute),
            ]
        })
        .collect();
    let heads = ["id", "state", "created", "signs from", "verifies until"];
    output::answer(|out| Table::new(heads).write(out, &rows))
}
