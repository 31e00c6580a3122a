//! What a disk holds of a data folder, by the system calls that wrote it: what was synced, and what a power
//! loss may take.
//!
//! Stricter than any one file system. What `fsync` or `fdatasync` covered is there. Of the writes to a file after its last
//! one any are there, in any order, whole, torn between blocks of 512 bytes, or not at all; the file may have
//! got its new length without them. A name that was made, changed or removed in a folder after the folder's
//! last sync is there or not. `sync_file_range` is no sync: it leaves the disk's own cache as it is.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use super::calls;
use crate::support::Random;
use crate::support::strace::Call;

const BLOCK: usize = 512;

type Id = usize;

pub struct Disk {
    root: PathBuf,
    things: Vec<Thing>,
    /// Of the process that runs.
    open: HashMap<i64, Open>,
}

struct Open {
    id: Id,
    position: usize,
}

enum Thing {
    File(File),
    Folder(Folder),
}

#[derive(Default)]
struct File {
    synced: Vec<u8>,
    since: Vec<Change>,
}

#[derive(Clone)]
struct Change {
    what: Changed,
    /// The line at which the call came back.
    ended: usize,
}

#[derive(Clone)]
enum Changed {
    Written { at: usize, bytes: Vec<u8> },
    Length(usize),
}

#[derive(Default)]
struct Folder {
    synced: BTreeMap<String, Id>,
    since: Vec<Renaming>,
}

#[derive(Clone)]
enum Renaming {
    Made(String, Id),
    Removed(String),
    Moved(String, String),
}

/// How much of what was not synced a power loss leaves, in percent of the changes.
#[derive(Clone, Copy, Debug)]
pub struct Left(pub usize);

impl Disk {
    /// An empty folder, whose own name is safe.
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            things: vec![Thing::Folder(Folder::default())],
            open: HashMap::new(),
        }
    }

    /// Another process begins.
    pub fn next_process(&mut self) {
        self.open.clear();
    }

    /// Whether a call concerns these files, so that a loss before or after it is another one.
    pub fn concerns(&self, call: &Call) -> bool {
        const WRITING: [&str; 5] = ["pwrite64", "write", "ftruncate", "fsync", "fdatasync"];
        let names = matches!(&*call.name, "rename" | "unlink" | "mkdir");
        names || WRITING.contains(&&*call.name) && self.open.contains_key(&call.descriptor_number())
    }

    /// The call began: from now on it may have had its effect.
    pub fn begun(&mut self, call: &Call) {
        if !call.succeeded() {
            return;
        }
        let descriptor = call.descriptor_number();
        // Before it is back, another file may have its number.
        if call.name == "close" {
            self.open.remove(&descriptor);
        }
        let Some(open) = self.open.get_mut(&descriptor) else {
            return;
        };
        let what = match &*call.name {
            "write" => {
                let bytes = call.bytes();
                let at = open.position;
                open.position += bytes.len();
                Changed::Written { at, bytes }
            }
            "pwrite64" => Changed::Written {
                at: call.last_number(),
                bytes: call.bytes(),
            },
            "ftruncate" => Changed::Length(call.last_number()),
            _ => return,
        };
        let Thing::File(file) = &mut self.things[open.id] else {
            panic!("a folder was written to: {}", call.name);
        };
        let ended = call.ended;
        file.since.push(Change { what, ended });
    }

    /// The call came back.
    pub fn ended(&mut self, call: &Call) {
        if !call.succeeded() {
            return;
        }
        match &*call.name {
            "openat" => self.opened(call),
            "fsync" | "fdatasync" => self.synced(call),
            "mkdir" => {
                let path = call.path(0);
                if let Some((folder, name)) = self.place_of(&path) {
                    let id = self.things.len();
                    self.things.push(Thing::Folder(Folder::default()));
                    self.folder(folder).since.push(Renaming::Made(name, id));
                }
            }
            "unlink" => {
                if let Some((folder, name)) = self.place_of(&call.path(0)) {
                    self.folder(folder).since.push(Renaming::Removed(name));
                }
            }
            "rename" => {
                let (from, to) = (self.place_of(&call.path(0)), self.place_of(&call.path(1)));
                if let (Some((folder, from)), Some((other, to))) = (from, to) {
                    assert_eq!(
                        folder, other,
                        "moved between folders, which is not modelled"
                    );
                    self.folder(folder).since.push(Renaming::Moved(from, to));
                }
            }
            "write" | "pwrite64" | "ftruncate" => {}
            other => assert!(
                !calls::NOT_MODELLED.contains(&other)
                    || !self.open.contains_key(&call.descriptor_number()),
                "{other} is not modelled"
            ),
        }
    }

    fn opened(&mut self, call: &Call) {
        let descriptor = call.result.expect("it succeeded");
        self.open.remove(&descriptor);
        let path = call.path(0);
        let id = if path == self.root {
            0
        } else {
            let Some((folder, name)) = self.place_of(&path) else {
                return;
            };
            let there = self.now(folder).get(&name).copied();
            there.unwrap_or_else(|| {
                let id = self.things.len();
                self.things.push(Thing::File(File::default()));
                self.folder(folder).since.push(Renaming::Made(name, id));
                id
            })
        };
        if call.arguments.contains("O_TRUNC")
            && let Thing::File(file) = &mut self.things[id]
        {
            let (what, ended) = (Changed::Length(0), call.ended);
            file.since.push(Change { what, ended });
        }
        self.open.insert(descriptor, Open { id, position: 0 });
    }

    /// What had come back before the sync began is safe.
    fn synced(&mut self, call: &Call) {
        let Some(open) = self.open.get(&call.descriptor_number()) else {
            return;
        };
        match &mut self.things[open.id] {
            Thing::File(file) => {
                let since = std::mem::take(&mut file.since);
                for change in since {
                    if change.ended < call.begun {
                        change.what.apply(&mut file.synced);
                    } else {
                        file.since.push(change);
                    }
                }
            }
            Thing::Folder(folder) => {
                for renaming in std::mem::take(&mut folder.since) {
                    renaming.apply(&mut folder.synced);
                }
            }
        }
    }

    /// Writes into `folder` what a power loss now could leave.
    pub fn after_power_loss(&self, folder: &Path, left: Left, random: &mut Random) {
        self.write_out(0, folder, left, random);
    }

    fn write_out(&self, id: Id, path: &Path, left: Left, random: &mut Random) {
        match &self.things[id] {
            Thing::File(file) => {
                let mut content = file.synced.clone();
                for change in &file.since {
                    change.what.apply_some(&mut content, left, random);
                }
                fs::write(path, content).expect("written");
                if path.ends_with("keys.json") {
                    use std::os::unix::fs::PermissionsExt;
                    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("changed");
                }
            }
            Thing::Folder(folder) => {
                fs::create_dir_all(path).expect("made");
                let mut names = folder.synced.clone();
                for renaming in &folder.since {
                    if random.percent(left.0) {
                        renaming.apply(&mut names);
                    }
                }
                for (name, id) in names {
                    self.write_out(id, &path.join(name), left, random);
                }
            }
        }
    }

    fn folder(&mut self, id: Id) -> &mut Folder {
        match &mut self.things[id] {
            Thing::Folder(folder) => folder,
            Thing::File(_) => panic!("no folder"),
        }
    }

    /// The names in a folder as the running process sees them.
    fn now(&self, folder: Id) -> BTreeMap<String, Id> {
        match &self.things[folder] {
            Thing::Folder(folder) => {
                let mut names = folder.synced.clone();
                folder
                    .since
                    .iter()
                    .for_each(|renaming| renaming.apply(&mut names));
                names
            }
            Thing::File(_) => panic!("no folder"),
        }
    }

    /// The folder and the name of a path below the root.
    fn place_of(&self, path: &Path) -> Option<(Id, String)> {
        let mut steps: Vec<_> = path.strip_prefix(&self.root).ok()?.iter().collect();
        let name = steps.pop()?.to_str().expect("text").to_owned();
        let folder = steps.into_iter().try_fold(0, |folder, step| {
            let step = step.to_str().expect("text");
            self.now(folder).get(step).copied()
        })?;
        Some((folder, name))
    }
}

impl Changed {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Written { at, bytes } => {
                let end = at + bytes.len();
                content.resize(content.len().max(end), 0);
                content[*at..end].copy_from_slice(bytes);
            }
            Self::Length(length) => content.resize(*length, 0),
        }
    }

    fn apply_some(&self, content: &mut Vec<u8>, left: Left, random: &mut Random) {
        let torn = (1..100).contains(&left.0) && random.percent(30);
        let Self::Written { at, bytes } = self else {
            if random.percent(left.0) {
                self.apply(content);
            }
            return;
        };
        let end = at + bytes.len();
        if !torn {
            if random.percent(left.0) {
                self.apply(content);
            } else if left.0 > 0 && random.percent(30) {
                content.resize(content.len().max(end), 0);
            }
            return;
        }
        let mut start = *at;
        while start < end {
            let stop = end.min((start / BLOCK + 1) * BLOCK);
            if random.percent(50) {
                let bytes = bytes[start - at..stop - at].to_vec();
                Self::Written { at: start, bytes }.apply(content);
            }
            start = stop;
        }
    }
}

impl Renaming {
    fn apply(&self, names: &mut BTreeMap<String, Id>) {
        match self {
            Self::Made(name, id) => {
                names.insert(name.clone(), *id);
            }
            Self::Removed(name) => {
                names.remove(name);
            }
            // Of a name that did not survive nothing can be moved.
            Self::Moved(from, to) => {
                if let Some(id) = names.remove(from) {
                    names.insert(to.clone(), id);
                }
            }
        }
    }
}
