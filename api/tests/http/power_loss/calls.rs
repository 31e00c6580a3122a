//! Reading one call of a trace that was made with `-xx`: every string in hex, whole.

use std::path::PathBuf;

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

impl Call {
    pub fn succeeded(&self) -> bool {
        self.result.is_some_and(|result| result >= 0)
    }

    pub fn descriptor_number(&self) -> i64 {
        let first = self.arguments.split(',').next().unwrap_or_default();
        first.trim().parse().unwrap_or(-1)
    }

    /// As many of its bytes as the call took.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.strings().concat();
        let taken = self.result.and_then(|taken| usize::try_from(taken).ok());
        bytes.truncate(taken.unwrap_or(0));
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
