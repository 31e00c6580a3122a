//! The key file in the data folder, which the server creates on its first start.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::keys::{SigningKey, SigningKeys};

const FILE_NAME: &str = "keys.json";
const VERSION: u32 = 1;

/// The stored form of keys, in the key file and in a backup: the first key signs, all keys verify. To rotate, add a key
/// at the front.
#[derive(Serialize, Deserialize)]
pub struct WrittenKeys {
    version: u32,
    keys: Vec<StoredKey>,
}

impl WrittenKeys {
    /// These keys, for writing.
    #[must_use]
    pub fn of(keys: &SigningKeys) -> Self {
        let keys = keys.all().map(|key| StoredKey {
            secret: URL_SAFE_NO_PAD.encode(key.secret()),
            kid: Some(key.kid().to_string()),
        });
        Self {
            version: VERSION,
            keys: keys.collect(),
        }
    }

    /// The keys. `None` if they have another version or are damaged.
    #[must_use]
    pub fn read(&self) -> Option<SigningKeys> {
        if self.version != VERSION {
            return None;
        }
        let mut keys = self
            .keys
            .iter()
            .map(|key| {
                let secret = Zeroizing::new(URL_SAFE_NO_PAD.decode(&key.secret).ok()?);
                let signing = SigningKey::new(&secret)?;
                let fits = key
                    .kid
                    .as_deref()
                    .is_none_or(|kid| kid == signing.kid().to_string());
                fits.then_some(signing)
            })
            .collect::<Option<Vec<_>>>()
            .filter(|keys| !keys.is_empty())?;
        let current = keys.remove(0);
        Some(SigningKeys::new(current, keys))
    }
}

#[derive(Serialize, Deserialize)]
struct StoredKey {
    /// Base64url.
    secret: String,
    /// The id of the key, as a checksum: otherwise a changed character would silently sign out all users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
}

impl Drop for StoredKey {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

/// Why there are no keys. The messages say what to do, and contain no secret.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file cannot be read or written.
    #[error("the key file {path} cannot be used: {cause}{}", advice(cause))]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// Other users can read the file.
    #[error("other users can read the key file {0}: run `chmod 600 {0}`")]
    Exposed(PathBuf),
    /// The file holds something else.
    #[error(
        "the key file {0} is damaged or has a newer version. Restore it from a backup. Or remove \
         it: the server then makes a new key, and all users have to sign in again"
    )]
    Damaged(PathBuf),
    /// The system provides no random bytes.
    #[error("the system provides no random bytes: {0}")]
    Randomness(getrandom::Error),
}

fn advice(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            ": free space there and start again"
        }
        _ => "",
    }
}

/// The keys in `data_dir`. Creates them (mode 0600) if there are none.
///
/// # Errors
/// If the file cannot be used. It is never replaced.
pub fn load_or_create(data_dir: &Path) -> Result<SigningKeys, KeyFileError> {
    match load(data_dir)? {
        Some(keys) => Ok(keys),
        None => create(data_dir),
    }
}

/// The keys in `data_dir`, if there are any.
///
/// # Errors
/// If the file cannot be used.
pub fn load(data_dir: &Path) -> Result<Option<SigningKeys>, KeyFileError> {
    let path = data_dir.join(FILE_NAME);
    match fs::read(&path) {
        Ok(content) => {
            let content = Zeroizing::new(content);
            read(&path, &content).map(Some)
        }
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(KeyFileError::Io { path, cause }),
    }
}

/// Writes these keys (mode 0600) to `data_dir`, which has none yet. Returns the path of the file.
///
/// # Errors
/// If there are keys, or the file cannot be written.
pub fn install(data_dir: &Path, keys: &SigningKeys) -> Result<PathBuf, KeyFileError> {
    let path = data_dir.join(FILE_NAME);
    let written = if path.exists() {
        Err(io::ErrorKind::AlreadyExists.into())
    } else {
        write_new(data_dir, &path, &WrittenKeys::of(keys))
    };
    match written {
        Ok(()) => Ok(path),
        Err(cause) => Err(KeyFileError::Io { path, cause }),
    }
}

fn read(path: &Path, content: &[u8]) -> Result<SigningKeys, KeyFileError> {
    let io_error = |cause| KeyFileError::Io {
        path: path.to_owned(),
        cause,
    };
    let mode = fs::metadata(path).map_err(io_error)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Exposed(path.to_owned()));
    }
    serde_json::from_slice::<WrittenKeys>(content)
        .ok()
        .and_then(|keys| keys.read())
        .ok_or_else(|| KeyFileError::Damaged(path.to_owned()))
}

fn create(data_dir: &Path) -> Result<SigningKeys, KeyFileError> {
    let key = SigningKey::random().map_err(KeyFileError::Randomness)?;
    let keys = SigningKeys::new(key, Vec::new());
    install(data_dir, &keys)?;
    Ok(keys)
}

/// Writes a temporary file, syncs, renames, syncs the folder: after a crash there is no file or a complete one.
fn write_new(data_dir: &Path, path: &Path, content: &WrittenKeys) -> io::Result<()> {
    let beside = path.with_extension("json.new");
    let json = Zeroizing::new(serde_json::to_vec_pretty(content)?);
    match fs::remove_file(&beside) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(&json)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    File::open(data_dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::{KeyFileError, load_or_create};
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_first_start_makes_a_key_that_only_the_owner_reads_and_later_ones_keep_it() {
        let dir = tempfile::tempdir().expect("a folder");
        let first = load_or_create(dir.path()).expect("made");
        let mode = fs::metadata(dir.path().join("keys.json"))
            .expect("there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        let second = load_or_create(dir.path()).expect("read");
        assert_eq!(first.current().kid(), second.current().kid());
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let dir = tempfile::tempdir().expect("a folder");
        load_or_create(dir.path()).expect("made");
        let path = dir.path().join("keys.json");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("changed");
        assert!(matches!(
            load_or_create(dir.path()),
            Err(KeyFileError::Exposed(_))
        ));
    }

    #[test]
    fn a_secret_one_character_of_which_changed_is_damaged() {
        let dir = tempfile::tempdir().expect("a folder");
        load_or_create(dir.path()).expect("made");
        let path = dir.path().join("keys.json");
        let content = fs::read_to_string(&path).expect("there");
        let place = content.find("secret").expect("a secret") + 12;
        let mut changed = content.into_bytes();
        changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
        fs::write(&path, changed).expect("written");
        assert!(matches!(
            load_or_create(dir.path()),
            Err(KeyFileError::Damaged(_))
        ));
    }

    #[test]
    fn a_damaged_file_is_named_and_kept() {
        let dir = tempfile::tempdir().expect("a folder");
        load_or_create(dir.path()).expect("made");
        let path = dir.path().join("keys.json");
        for content in [
            "",
            "{}",
            r#"{"version":1,"keys":[]}"#,
            r#"{"version":1,"keys":[{"secret":"AAAA"}]}"#,
        ] {
            fs::write(&path, content).expect("written");
            let error = load_or_create(dir.path()).expect_err("damaged");
            assert!(error.to_string().contains("keys.json"), "{error}");
            assert_eq!(fs::read_to_string(&path).expect("there"), content);
        }
    }
}
