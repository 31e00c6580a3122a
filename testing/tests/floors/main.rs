//! What the crates' own graph cannot hold: within a crate, no two modules need each other.
//!
//! Looked at level by level: of the modules beside each other, each taken with all that is below it, none leads back to
//! itself. A child may name its parent, and what a parent passes on is taken for where it comes from.

#![expect(
    clippy::expect_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod graph;
mod source;

use std::path::Path;

use graph::circle;
use source::Crate;

/// Every crate of the workspace that has more than one module.
const CRATES: [&str; 10] = [
    "wire/src",
    "api/model/src",
    "api/store/src",
    "api/core/src",
    "api/http/src",
    "api/guard/src",
    "api/src",
    "api/benches/report",
    "extension/src",
    "testing/src",
];

#[test]
fn no_two_modules_of_a_crate_need_each_other() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for folder in CRATES {
        let read = Crate::read(&root.join(folder));
        assert_eq!(circle(&read), None, "a circle in {folder}");
    }
}

/// The circle in a crate of these modules, by their paths.
fn circle_in(modules: &[(&str, &str)]) -> Option<String> {
    circle(&Crate::of(modules))
}

#[test]
fn two_modules_that_name_each_other_are_a_circle() {
    let found = circle_in(&[
        ("", "mod a; mod b;"),
        ("a", "use crate::b::B; struct A;"),
        (
            "b",
            "struct B; fn b(_: &super::a::A) -> impl Fn() + use<> {}",
        ),
    ]);
    assert_eq!(found.as_deref(), Some("a -> b -> a"));
}

#[test]
fn a_longer_way_back_is_a_circle_also_through_what_is_below() {
    let found = circle_in(&[
        ("", "mod a; mod b; mod c;"),
        ("a", "mod deep;"),
        ("a::deep", "use crate::{b::{B, Other as _}};"),
        ("b", "use super::c;"),
        ("c", "pub fn c() { crate::a::deep::go() }"),
    ]);
    assert_eq!(found.as_deref(), Some("a -> b -> c -> a"));
}

#[test]
fn what_a_module_passes_on_is_needed_from_where_it_comes() {
    let passes_on = [
        ("", "mod a; mod b; mod c; pub use c::C;"),
        ("a", "pub use crate::c::C as Renamed;"),
        ("b", "use crate::a::Renamed; use super::C;"),
        ("c", "pub struct C;"),
    ];
    assert_eq!(circle_in(&passes_on), None);
    let mut back = passes_on;
    back[3].1 = "use crate::b::B; pub struct C;";
    assert_eq!(circle_in(&back).as_deref(), Some("b -> c -> b"));
}

#[test]
fn a_child_names_its_parent_and_tests_name_everything() {
    let found = circle_in(&[
        ("", "mod a; mod b;"),
        (
            "a",
            "mod child; use child::Child; struct A; #[cfg(test)] mod tests { use crate::b::B; }",
        ),
        (
            "a::child",
            "use super::A; // crate::b::B\n const TEXT: &str = \"crate::b::B\"; const QUOTE: char = '\"';",
        ),
        ("b", "use crate::a::A; #[cfg(test)] mod tests;"),
        ("b::tests", "use crate::a::A;"),
    ]);
    assert_eq!(found, None);
}
