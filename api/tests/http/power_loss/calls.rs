//! Reading one call of a trace that was made with `-xx`: every string in hex, whole.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::strace::Call;

/// What the server may use, and [`Disk`](super::disk::Disk) knows.
const MODELLED: &str = "openat,close,write,pwrite64,ftruncate,fsync,fdatasync,mkdir,unlink,rename,\
                        accept4,read,recvfrom,sendto,writev,sendmsg";

/// What would change files in ways that [`Disk`](super::disk::Disk) does not know.
pub const NOT_MODELLED: [&str; 17] = [
    "creat",
    "dup",
    "dup2",
    "dup3",
    "fallocate",
    "link",
    "linkat",
    "mkdirat",
    "open",
    "pwritev",
    "pwritev2",
    "renameat",
    "renameat2",
    "rmdir",
    "truncate",
    "unlinkat",
    "copy_file_range",
];

/// strace's options for such a trace.
pub fn options() -> [String; 6] {
    let calls = format!("trace={MODELLED},{}", NOT_MODELLED.join(","));
    ["--seccomp-bpf", "-xx", "-s", "4194304", "-e", &calls].map(str::to_owned)
}

/// What calls did that a kill cut short: the folder tells, as the killed server left it.
pub fn settle(run: &mut [Call], folder: &Path) {
    for number in 0..run.len() {
        let call = &run[number];
        if call.result.is_none()
            && let Some(path) = call.file(run)
            && path.starts_with(folder)
        {
            let content = fs::read(path).expect("a file");
            run[number].result = Some(call.effect(&content));
        }
    }
}

impl Call {
    /// The file that was opened under its descriptor.
    fn file(&self, run: &[Self]) -> Option<PathBuf> {
        let number = Some(self.descriptor_number());
        let opened = run.iter().filter(|call| {
            ["openat", "accept4"].contains(&&*call.name)
                && call.result == number
                && call.ended < self.begun
        });
        let opened = opened.max_by_key(|call| call.ended)?;
        (opened.name == "openat").then(|| opened.path(0))
    }

    /// The result that it would have had, by the file's content after it.
    fn effect(&self, content: &[u8]) -> i64 {
        let done = match &*self.name {
            "pwrite64" => {
                let (bytes, there) = (self.bytes(), content.get(self.last_number()..));
                let pairs = bytes.iter().zip(there.unwrap_or_default());
                let taken = pairs.take_while(|(byte, there)| byte == there).count();
                (taken > 0).then_some(taken)
            }
            "ftruncate" => (content.len() == self.last_number()).then_some(0),
            // A sync may have happened, but nobody was told; nothing else of the server's is under way when it is killed.
            _ => None,
        };
        done.map_or(-1, |taken| i64::try_from(taken).expect("fits"))
    }

    pub fn succeeded(&self) -> bool {
        self.result.is_some_and(|result| result >= 0)
    }

    pub fn descriptor_number(&self) -> i64 {
        let first = self.arguments.split(',').next().unwrap_or_default();
        first.trim().parse().unwrap_or(-1)
    }

    pub fn may_have_succeeded(&self) -> bool {
        self.result.is_none() || self.succeeded()
    }

    /// As many of its bytes as the call took; all if nothing tells how many.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.strings().concat();
        if let Some(taken) = self.result {
            bytes.truncate(usize::try_from(taken).unwrap_or(0));
        }
        bytes
    }

    pub fn path(&self, number: usize) -> PathBuf {
        let path = self.strings().into_iter().nth(number).expect("a path");
        PathBuf::from(String::from_utf8(path).expect("text"))
    }

    pub fn last_number(&self) -> usize {
        let last = self.arguments.rsplit(", ").next().unwrap_or_default();
        last.trim().parse().expect("a number")
    }

    fn strings(&self) -> Vec<Vec<u8>> {
        let quoted = self.arguments.split('"').skip(1).step_by(2);
        quoted
            .map(|hex| {
                let bytes = hex.split("\\x").skip(1);
                bytes
                    .map(|byte| u8::from_str_radix(byte, 16).expect("hex"))
                    .collect()
            })
            .collect()
    }
}
