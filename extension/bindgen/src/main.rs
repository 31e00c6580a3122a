//! Makes the JavaScript glue of the extension's WASM: what the command-line tool `wasm-bindgen` does, as a
//! program of this workspace, so that `Cargo.lock` holds it at wasm-bindgen's own version and nothing has to be
//! installed.
//!
//! It must not know what the extension is made of: it takes a WASM file and a folder.

use std::path::Path;

use anyhow::{Result, bail};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [wasm, folder, name] = arguments.as_slice() else {
        bail!("usage: password-auth-bindgen WASM-FILE FOLDER NAME");
    };
    Bindgen::new()
        .input_path(Path::new(wasm))
        .web(true)?
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .omit_default_module_path(false)
        .out_name(name)
        .generate(Path::new(folder))
}
