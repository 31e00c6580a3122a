//! What nothing calls any more goes. Descriptions of closures put functions into the table, and are gone themselves once the
//! glue is made; so each closure that js-sys could make stayed. They weighed 3 KB in each module.

use walrus::{ElementItems, Module};

/// How the functions that JavaScript calls for closures begin. Those in use are exported, and nothing calls them by the
/// table.
const INVOKES: &str = "::convert::closures::_::invoke::<";

/// Takes these functions out of the table, and out of the module where nothing else needs them.
pub(crate) fn shake(module: &mut Module) {
    let invokes = |name: &Option<String>| {
        let name = name.as_deref().unwrap_or_default();
        name.starts_with("wasm_bindgen") && name.contains(INVOKES)
    };
    let funcs = &module.funcs;
    for element in module.elements.iter_mut() {
        let ElementItems::Functions(items) = &mut element.items else {
            continue;
        };
        let is_needed = |id: &&walrus::FunctionId| !invokes(&funcs.get(**id).name);
        // Another one keeps the place: the others must not move.
        let Some(other) = items.iter().find(is_needed).copied() else {
            continue;
        };
        for item in items.iter_mut() {
            if !is_needed(&&*item) {
                *item = other;
            }
        }
    }
    walrus::passes::gc::run(module);
}
