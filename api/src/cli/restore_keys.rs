//! Decides what to do with the signing keys in a backup, before anything is written.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use password_auth_core::tokens::{self, SigningKeys};

use super::store;
use crate::config::Config;

/// What to do.
pub(super) enum KeyPlan {
    /// The file contains no keys.
    Absent,
    /// The operator does not want them restored.
    Left,
    /// They are already in use.
    Same,
    /// Write them to the data folder, which has none.
    Install(SigningKeys),
    /// Write them to a file, as a line for `.env`.
    Setting(SigningKeys, PathBuf),
}

/// The file that was created, to be removed if the restore fails.
pub(super) struct Made(Option<PathBuf>);

/// What to do with `keys`, or why the restore cannot begin.
pub(super) fn decide(
    keys: Option<SigningKeys>,
    config: &Config,
    without: bool,
    to: Option<&Path>,
) -> Result<KeyPlan, String> {
    let Some(keys) = keys else {
        return match to {
            None => Ok(KeyPlan::Absent),
            Some(_) => Err("the backup contains no keys: omit --keys-to".to_owned()),
        };
    };
    if without {
        return Ok(KeyPlan::Left);
    }
    if let Some(to) = to {
        return if to.symlink_metadata().is_ok() {
            Err(format!(
                "{} already exists: choose another name",
                to.display()
            ))
        } else {
            Ok(KeyPlan::Setting(keys, to.to_owned()))
        };
    }
    let (place, in_force) = match (config.signing_key.clone(), store::folder(config)) {
        (Some(key), _) => ("JWT_SECRET", Some(SigningKeys::new(key, Vec::new()))),
        (None, Some(folder)) => (
            "keys.json in the data folder",
            tokens::load(folder).map_err(|error| error.to_string())?,
        ),
        (None, None) => {
            return Err(
                "nothing was restored: the backup contains signing keys. With DATABASE_URL the key \
                 is the setting JWT_SECRET, which is not set. Write the keys of the backup to a \
                 file (--keys-to FILE), or restore without them (--without-keys): all users then \
                 have to sign in again"
                    .to_owned(),
            );
        }
    };
    match in_force {
        None => Ok(KeyPlan::Install(keys)),
        Some(in_force) if covers(&in_force, &keys) => Ok(KeyPlan::Same),
        Some(_) => Err(format!(
            "nothing was restored: the backup contains other signing keys than {place}, which are \
             not replaced. Remove those, or write the keys of the backup to a file (--keys-to \
             FILE), or restore without them (--without-keys): all users then have to sign in again"
        )),
    }
}

/// Whether `in_force` has the same current key as `keys`, and verifies all of them.
fn covers(in_force: &SigningKeys, keys: &SigningKeys) -> bool {
    let verifies = |kid| in_force.all().any(|key| key.kid() == kid);
    in_force.current().kid() == keys.current().kid() && keys.all().all(|key| verifies(key.kid()))
}

impl KeyPlan {
    /// Writes the keys.
    pub(super) fn carry_out(&self, config: &Config) -> Result<Made, String> {
        match self {
            Self::Absent | Self::Left | Self::Same => Ok(Made(None)),
            Self::Install(keys) => tokens::install(&config.data_dir, keys)
                .map(|path| Made(Some(path)))
                .map_err(|error| error.to_string()),
            Self::Setting(keys, path) => {
                let mut file = OpenOptions::new();
                let written = file
                    .write(true)
                    .create_new(true)
                    .mode(0o600)
                    .open(path)
                    .and_then(|mut file| {
                        let value = keys.current().to_setting();
                        writeln!(file, "JWT_SECRET={}", *value)?;
                        file.sync_all()
                    });
                written
                    .map(|()| Made(Some(path.clone())))
                    .map_err(|error| format!("cannot write {}: {error}", path.display()))
            }
        }
    }
}

impl Made {
    pub(super) fn undo(self) {
        if let Some(path) = self.0 {
            fs::remove_file(path).ok();
        }
    }
}

impl fmt::Display for KeyPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str(
                "The backup contains no signing keys. Unless this server has them, all users have to sign in again.",
            ),
            Self::Left => f.write_str(
                "The signing keys of the backup were not restored. Unless this server has them, all users have to sign in again.",
            ),
            Self::Same => f.write_str("The signing keys are already in use: users stay signed in."),
            Self::Install(_) => f.write_str("The signing keys were restored: users stay signed in."),
            Self::Setting(keys, path) => {
                let path = path.display();
                write!(f, "The signing key is in {path}. Set JWT_SECRET to it, so that users stay signed in.")?;
                if keys.all().nth(1).is_some() {
                    f.write_str(" Older keys cannot be set this way: users with tokens of those keys have to sign in again.")?;
                }
                Ok(())
            }
        }
    }
}
