//! Where settings come from: flags over the environment over credentials over a `.env` file over the defaults.

use std::collections::BTreeMap;
use std::env::VarError;
use std::fmt;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::Problem;
use super::file::SettingsFile;
use super::setting::{SETTINGS, Setting};

/// The source of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A flag.
    Flag,
    /// An environment variable.
    Environment,
    /// A file of the service manager's.
    Credential,
    /// The `.env` file.
    File,
    /// The default.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flag => "flag",
            Self::Environment => "environment",
            Self::Credential => "credentials",
            Self::File => ".env",
            Self::Default => "default",
        })
    }
}

/// The unparsed values of all settings. It contains secrets, so it has no `Debug`.
#[derive(Clone, Default)]
pub struct Sources {
    flags: BTreeMap<String, String>,
    environment: BTreeMap<String, String>,
    credentials: BTreeMap<String, String>,
    file: SettingsFile,
}

impl Sources {
    /// Reads the given flags (by the setting's name), the environment, and the file if it exists.
    ///
    /// # Errors
    /// If a variable is not UTF-8, or the file exists but cannot be read.
    pub fn gather(flags: BTreeMap<String, String>, file: &Path) -> Result<Self, Problem> {
        Ok(Self {
            flags,
            environment: read_environment()?,
            credentials: read_credentials()?,
            file: SettingsFile::read(file)?,
        })
    }

    /// Only these values, as flags. For tests.
    pub fn of<'a>(values: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let flags = values
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Self {
            flags,
            ..Self::default()
        }
    }

    /// The problem, if other users can read the file and it contains a secret.
    pub(super) fn exposed_secret(&self) -> Option<Problem> {
        self.file.exposed_secret()
    }

    /// The value in force, and its source. An empty value counts as not set.
    #[must_use]
    pub fn get(&self, setting: &Setting) -> (&str, Origin) {
        let places = [
            (&self.flags, Origin::Flag),
            (&self.environment, Origin::Environment),
            (&self.credentials, Origin::Credential),
            (&self.file.values, Origin::File),
        ];
        for (values, origin) in places {
            match values.get(setting.name).map(|value| value.trim()) {
                Some(value) if !value.is_empty() => return (value, origin),
                _ => {}
            }
        }
        (setting.default, Origin::Default)
    }
}

/// Where the service manager has put files for this process alone: systemd's `LoadCredential=`, a container's secrets.
pub(super) fn credentials_directory() -> Option<PathBuf> {
    std::env::var_os("CREDENTIALS_DIRECTORY")
        .filter(|folder| !folder.is_empty())
        .map(PathBuf::from)
}

/// Each file there that has the name of a setting.
fn read_credentials() -> Result<BTreeMap<String, String>, Problem> {
    let mut credentials = BTreeMap::new();
    let Some(folder) = credentials_directory() else {
        return Ok(credentials);
    };
    for setting in SETTINGS {
        let path = folder.join(setting.name);
        match fs::read_to_string(&path) {
            Ok(value) => {
                credentials.insert(setting.name.to_owned(), value);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(Problem {
                    setting: setting.name.to_owned(),
                    message: format!("{} cannot be read: {error}", path.display()),
                });
            }
        }
    }
    Ok(credentials)
}

fn read_environment() -> Result<BTreeMap<String, String>, Problem> {
    let mut environment = BTreeMap::new();
    for setting in SETTINGS {
        match std::env::var(setting.name) {
            Ok(value) => {
                environment.insert(setting.name.to_owned(), value);
            }
            Err(VarError::NotPresent) => {}
            Err(VarError::NotUnicode(_)) => {
                return Err(Problem {
                    setting: setting.name.to_owned(),
                    message: "is not UTF-8".to_owned(),
                });
            }
        }
    }
    Ok(environment)
}
