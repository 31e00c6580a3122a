//! What the glue holds for other browsers and other ways to start is left out. It weighed as much as a screen.

use anyhow::{Context as _, Result};

/// The one way to start that is used waits for the module.
const EXPORTS: [&str; 2] = [
    "export { initSync, __wbg_init as default };",
    "export { __wbg_init as default };",
];

/// Blocks that begin with these lines, and what stands in their place.
const BLOCKS: [(&str, &str); 4] = [
    ("function initSync(module) {", ""),
    // Every browser that the manifests allow has it.
    ("if (!('encodeInto' in cachedTextEncoder)) {", ""),
    // Safari's decoder ends after two gigabytes.
    (
        "function decodeText(bytes) {",
        "const decodeText = (bytes) => cachedTextDecoder.decode(bytes);\n",
    ),
    // The other ways are for servers that do not say what WASM is, and for modules that are there already.
    (
        "async function __wbg_load(module, imports) {",
        "const __wbg_load = (module, imports) => WebAssembly.instantiateStreaming(module, imports);\n",
    ),
];

/// `script` with what is used.
///
/// # Errors
/// It has not what is to be left out: wasm-bindgen writes another glue now.
pub(crate) fn slim(script: &str) -> Result<String> {
    let mut text = return_at_once(script);
    for (first, other) in BLOCKS {
        text = replace(&text, first, other).with_context(|| format!("no `{first}` in the glue"))?;
    }
    let [exports, used] = EXPORTS;
    anyhow::ensure!(text.contains(exports), "no `{exports}` in the glue");
    Ok(text.replace(exports, used))
}

/// `script` with `other` in place of the block that begins with this line and ends with the next brace at a line's start.
fn replace(script: &str, first: &str, other: &str) -> Option<String> {
    let (before, rest) = script.split_once(&format!("\n{first}\n"))?;
    let (_, after) = rest.split_once("\n}\n")?;
    Some(format!("{before}\n{other}{after}"))
}

/// `script` without `const ret = VALUE;` where `return ret;` is all that follows.
fn return_at_once(script: &str) -> String {
    let mut lines = script.lines().peekable();
    let mut text = String::with_capacity(script.len());
    while let Some(line) = lines.next() {
        let value = line.trim_start().strip_prefix("const ret = ");
        let returned = lines.next_if(|next| value.is_some() && next.trim_start() == "return ret;");
        match value.filter(|_| returned.is_some()) {
            Some(value) => text.extend(["return ", value]),
            None => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{replace, return_at_once, slim};

    #[test]
    fn a_result_that_is_only_returned_needs_no_name() {
        let script = "const ret = a.b(c);\n    return ret;\nconst ret = d;\nf(ret);\nreturn ret;\n";
        let expected = "return a.b(c);\nconst ret = d;\nf(ret);\nreturn ret;\n";
        assert_eq!(return_at_once(script), expected);
    }

    #[test]
    fn a_block_goes_with_what_is_inside_of_it_and_nothing_behind_it() {
        let script = "a\nif (b) {\n    if (c) {\n    }\n}\nif (d) {\n}\n";
        let replaced = replace(script, "if (b) {", "b;\n");
        assert_eq!(replaced.as_deref(), Some("a\nb;\nif (d) {\n}\n"));
        assert_eq!(replace(script, "if (e) {", ""), None);
    }

    #[test]
    fn another_glue_is_refused() {
        assert!(slim("export { __wbg_init as default };\n").is_err());
    }
}
