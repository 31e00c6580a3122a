//! What the glue holds for other browsers and other ways to start is left out. It weighed as much as a screen.

use anyhow::{Context as _, Result};

/// The one way to start that is used waits for the module.
const EXPORTS: [&str; 2] = [
    "export { initSync, __wbg_init as default };",
    "export { __wbg_init as default };",
];

/// Nobody starts it in the old way.
const PARAMETERS: [&str; 2] = [
    "        if (Object.getPrototypeOf(module_or_path) === Object.prototype) {
            ({module_or_path} = module_or_path)
        } else {
            console.warn('using deprecated parameters for the initialization function; pass a single object instead')
        }
",
    "        ({module_or_path} = module_or_path)\n",
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

/// How the glue's first parameters and its helpers are called, and shorter names that it does not have.
const NAMES: [(&str, &str); 15] = [
    ("arg0", "a0"),
    ("arg1", "a1"),
    ("arg2", "a2"),
    ("arg3", "a3"),
    ("arg4", "a4"),
    ("WASM_VECTOR_LEN", "_l"),
    ("addToExternrefTable0", "_x"),
    ("cachedTextDecoder", "_d"),
    ("cachedTextEncoder", "_e"),
    ("getDataViewMemory0", "_v"),
    ("getStringFromWasm0", "_s"),
    ("handleError", "_h"),
    ("isLikeNone", "_n"),
    ("passStringToWasm0", "_p"),
    ("takeFromExternrefTable0", "_t"),
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
    let [both, named] = PARAMETERS;
    for known in [exports, both] {
        anyhow::ensure!(text.contains(known), "no `{known}` in the glue");
    }
    let text = text.replace(both, named);
    Ok(short_names(&text.replace(exports, used)))
}

/// `script` with [`NAMES`] shortened, where they are whole words.
fn short_names(script: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
    let mut text = String::with_capacity(script.len());
    let mut rest = script;
    while let Some(start) = rest.find(is_word) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c| !is_word(c)).unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        let short = NAMES.iter().find(|(long, _)| *long == word);
        text.extend([before, short.map_or(word, |(_, short)| short)]);
        rest = after;
    }
    text + rest
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
    use super::{replace, return_at_once, short_names, slim};

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
    fn names_are_shortened_where_they_are_whole_words() {
        let script = "f(arg0, arg10, $arg1, arg1.arg0x)\nisLikeNone(arg2)";
        let expected = "f(a0, arg10, $arg1, a1.arg0x)\n_n(a2)";
        assert_eq!(short_names(script), expected);
    }

    #[test]
    fn another_glue_is_refused() {
        assert!(slim("export { __wbg_init as default };\n").is_err());
    }
}
