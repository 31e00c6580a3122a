//! Short names for what a module and its glue call each other: the generated ones hold hashes, which do not
//! compress. They were a tenth of what the popup weighed.

use std::collections::BTreeMap;

/// Old names and new ones.
pub(crate) type Short = BTreeMap<String, String>;

/// Whether wasm-bindgen has made up the name of an export.
pub(crate) fn is_generated(name: &str) -> bool {
    ["__wb", "__ext", "wasm_bindgen_"]
        .iter()
        .any(|start| name.starts_with(start))
}

/// The short name for `name`: no identifier of the glue begins with `$`.
pub(crate) fn shorten(short: &mut Short, name: &str) -> String {
    let next = format!("${}", short.len());
    short.entry(name.to_owned()).or_insert(next).clone()
}

/// `script` with the short names.
pub(crate) fn replace(script: &str, short: &Short) -> String {
    let is_part = |symbol: char| symbol.is_alphanumeric() || symbol == '_' || symbol == '$';
    let mut text = String::with_capacity(script.len());
    let mut rest = script;
    while !rest.is_empty() {
        let start = rest.find(is_part).unwrap_or(rest.len());
        let (before, from_word) = rest.split_at(start);
        let end = from_word
            .find(|symbol| !is_part(symbol))
            .unwrap_or(from_word.len());
        let (word, after) = from_word.split_at(end);
        text.push_str(before);
        text.push_str(short.get(word).map_or(word, String::as_str));
        rest = after;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Short, is_generated, replace, shorten};

    #[test]
    fn whole_names_are_replaced_and_nothing_else() {
        let mut short = Short::new();
        for name in ["__wbg_get_1", "__wbg_get_12", "__wbg_get_1"] {
            shorten(&mut short, name);
        }
        let script =
            "{ __wbg_get_1: f, __wbg_get_12: g }; wasm.__wbg_get_1(\"é\"); __wbg_get_imports()";
        let expected = "{ $0: f, $1: g }; wasm.$0(\"é\"); __wbg_get_imports()";
        assert_eq!(replace(script, &short), expected);
    }

    #[test]
    fn what_people_call_keeps_its_name() {
        for (name, expected) in [
            ("startPopup", false),
            ("memory", false),
            ("__wbindgen_start", true),
            ("__externref_table_alloc", true),
            ("wasm_bindgen_bb___invoke", true),
        ] {
            assert_eq!(is_generated(name), expected, "{name}");
        }
    }
}
