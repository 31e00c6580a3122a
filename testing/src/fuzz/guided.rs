//! Hands a target to libFuzzer, which is linked into the test and calls it back with one input after the other.

use std::cell::OnceCell;
use std::ffi::{CString, c_char, c_int};
use std::path::Path;
use std::ptr::null_mut;
use std::{env, fs, process, slice, thread};

// Links libFuzzer; its own entry point is not used, since a target is a closure of a test.
use libfuzzer_sys as _;

/// What libFuzzer is called with: flags, then folders with inputs. Paths are relative to the workspace.
const ARGUMENTS: &str = "PASSWORD_AUTH_FUZZ";

type Check = Box<dyn Fn(&[u8])>;

thread_local! {
    static CHECK: OnceCell<Check> = const { OnceCell::new() };
}

#[expect(unsafe_code, reason = "libFuzzer is C++")]
unsafe extern "C" {
    fn LLVMFuzzerRunDriver(
        argc: *mut c_int,
        argv: *mut *mut *mut c_char,
        test: unsafe extern "C" fn(*const u8, usize) -> c_int,
    ) -> c_int;
}

#[expect(unsafe_code, reason = "libFuzzer is C++")]
unsafe extern "C" fn test(data: *const u8, size: usize) -> c_int {
    // SAFETY: libFuzzer gives `size` bytes at `data`, which stay until this returns.
    let input = unsafe { slice::from_raw_parts(data, size) };
    CHECK.with(|check| {
        if let Some(check) = check.get() {
            check(input);
        }
    });
    0
}

/// Does not return: libFuzzer ends the process, with what it found as its status.
pub(super) fn run(target: &str, seeds: &[Vec<u8>], check: impl Fn(&[u8]) + 'static) {
    env::set_current_dir(super::root()).expect("the workspace");
    let folder = Path::new("target/fuzz").join(target);
    for (number, seed) in seeds.iter().enumerate() {
        fs::write(folder.join("seeds").join(number.to_string()), seed).expect("a seed");
    }
    let arguments =
        env::var(ARGUMENTS).expect("arguments for libFuzzer: ./build.sh fuzz gives them");
    // To merge corpora, libFuzzer starts itself again, by the name it was started with.
    let again = folder.join("again.sh");
    let own = env::current_exe().expect("a name");
    let thread = thread::current();
    let name = thread
        .name()
        .expect("the test runs in a thread of its name");
    let script = format!(
        "#!/bin/sh\n{ARGUMENTS}=\"$*\" exec \"{}\" --nocapture --exact \"{name}\"\n",
        own.display()
    );
    fs::write(&again, script).expect("a script");

    assert!(CHECK.with(|own| own.set(Box::new(check)).is_ok()));
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        hook(panic);
        // libFuzzer keeps the input when it sees the signal.
        process::abort();
    }));
    let started = format!("sh {}", again.display());
    let mut words: Vec<*mut c_char> = std::iter::once(started.as_str())
        .chain(arguments.split_whitespace())
        .map(|word| CString::new(word).expect("no NUL").into_raw())
        .collect();
    let mut count = c_int::try_from(words.len()).expect("few words");
    words.push(null_mut());
    let mut words = words.as_mut_ptr();
    #[expect(unsafe_code, reason = "libFuzzer is C++")]
    // SAFETY: `words` are `count` strings that are never freed, and a null.
    let status = unsafe { LLVMFuzzerRunDriver(&raw mut count, &raw mut words, test) };
    process::exit(status);
}
