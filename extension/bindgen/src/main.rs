//! Makes the JavaScript glue of the extension's WASM: what the command-line tool `wasm-bindgen` does, as a
//! program of this workspace, so that `Cargo.lock` holds it at wasm-bindgen's own version and nothing has to be
//! installed.
//!
//! It must not know what the extension is made of: it takes a WASM file and a folder.

mod names;
mod slim;
mod table;

use std::{collections::BTreeMap, env, fs, path::Path};

use anyhow::{Result, bail};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [wasm, folder, name] = arguments.as_slice() else {
        bail!("usage: password-auth-bindgen WASM-FILE FOLDER NAME");
    };
    let folder = Path::new(folder);
    // With their names, functions can be weighed.
    let keeps_names = env::var_os("KEEP_NAMES").is_some();
    let mut output = Bindgen::new()
        .input_path(Path::new(wasm))
        .web(true)?
        .typescript(false)
        .remove_name_section(!keeps_names)
        .remove_producers_section(true)
        .omit_default_module_path(false)
        .out_name(name)
        .generate_output()?;

    // Between the module and its glue alone.
    let glue = format!("./{name}_bg.js");
    let mut short = BTreeMap::new();
    let module = output.wasm_mut();
    for import in module
        .imports
        .iter_mut()
        .filter(|import| import.module == glue)
    {
        import.name = names::shorten(&mut short, &import.name);
    }
    for export in module.exports.iter_mut() {
        if names::is_generated(&export.name) {
            export.name = names::shorten(&mut short, &export.name);
        }
    }
    table::shake(module);
    // No browser reads it.
    module.customs.remove_raw("target_features");
    output.emit(folder)?;
    let script = folder.join(format!("{name}.js"));
    let text = names::replace(&fs::read_to_string(&script)?, &short);
    fs::write(script, slim::slim(&text)?)?;
    Ok(())
}
