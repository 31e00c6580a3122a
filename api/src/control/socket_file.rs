//! Where the socket is.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};

const FILE_NAME: &str = "admin.sock";

/// The longest path that a socket's address holds (unix(7)), without the NUL.
const MAX_PATH: usize = 107;

pub(super) fn path(data_dir: &Path) -> PathBuf {
    data_dir.join(FILE_NAME)
}

/// Calls `with` with a path of the socket that is short enough.
pub(super) fn with_short_path<T>(
    data_dir: &Path,
    with: impl FnOnce(&Path) -> io::Result<T>,
) -> io::Result<T> {
    let path = path(data_dir);
    if path.as_os_str().len() <= MAX_PATH {
        return with(&path);
    }
    // By way of a descriptor of the folder.
    let folder = File::open(data_dir)?;
    let short = format!("/proc/self/fd/{}/{FILE_NAME}", folder.as_raw_fd());
    with(Path::new(&short))
}
