//! Who the servers run as: PostgreSQL refuses to run as root.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

/// An account without rights.
#[derive(Clone, Copy)]
pub(crate) struct Account {
    user: u32,
    group: u32,
}

impl Account {
    /// Whom to become: `None` unless we are root.
    pub(crate) fn to_become() -> Option<Self> {
        let ourselves = fs::metadata("/proc/self").expect("/proc/self");
        if ourselves.uid() != 0 {
            return None;
        }
        let accounts = fs::read_to_string("/etc/passwd").expect("/etc/passwd");
        let account = ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| accounts.lines().find_map(|line| Self::of(name, line)));
        Some(account.expect("neither postgres nor nobody is in /etc/passwd"))
    }

    /// `name:password:user:group:…`, passwd(5).
    fn of(name: &str, line: &str) -> Option<Self> {
        let mut fields = line.strip_prefix(name)?.strip_prefix(':')?.split(':');
        let (user, group) = (fields.nth(1)?, fields.next()?);
        Some(Self {
            user: user.parse().ok()?,
            group: group.parse().ok()?,
        })
    }

    pub(crate) fn give(self, path: &Path) {
        std::os::unix::fs::chown(path, Some(self.user), Some(self.group)).expect("chown");
    }

    pub(crate) fn run(self, command: &mut Command) {
        command.uid(self.user).gid(self.group);
    }
}
