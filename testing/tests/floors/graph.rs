//! Who needs whom, and whether that leads back.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::Crate;

type Needs = BTreeMap<String, BTreeSet<String>>;

/// The first circle among modules beside each other.
pub(crate) fn circle(read: &Crate) -> Option<String> {
    let needed = read.needs();
    read.modules().find_map(|parent| {
        let mut needs = Needs::new();
        for (from, to) in &needed {
            if let (Some(from), Some(to)) = (child_of(parent, from), child_of(parent, to))
                && from != to
            {
                needs.entry(from).or_default().insert(to);
            }
        }
        needs.keys().find_map(|start| way_back(&needs, start))
    })
}

/// The child of `parent` that `module` is, or is below.
fn child_of(parent: &[String], module: &[String]) -> Option<String> {
    module.strip_prefix(parent)?.first().cloned()
}

/// The shortest way from a module back to it.
fn way_back(needs: &Needs, start: &str) -> Option<String> {
    let mut ways = vec![vec![start]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            let last = way.last()?;
            for next in needs.get(*last).into_iter().flatten() {
                let mut way = way.clone();
                way.push(next);
                if next == start {
                    return Some(way.join(" -> "));
                }
                if seen.insert(next) {
                    longer.push(way);
                }
            }
        }
        ways = longer;
    }
    None
}
