//! A crate's modules, and the paths that stand in them. Reads as much of Rust as that takes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

type Names = Vec<String>;

/// The modules of a crate without those of tests, by their paths.
pub(crate) struct Crate(BTreeMap<Names, Module>);

#[derive(Default)]
struct Module {
    children: Names,
    /// What `use` brings in: the name here, and the path.
    brought: BTreeMap<String, Names>,
    /// Every path that begins at the crate, at a parent, here, or at a child.
    paths: Vec<Names>,
}

impl Crate {
    /// The crate whose root is `lib.rs`, or `main.rs`, of a folder.
    pub(crate) fn read(folder: &Path) -> Self {
        let mut modules = BTreeMap::new();
        let root = ["lib.rs", "main.rs"].map(|name| folder.join(name));
        let root = root.iter().find(|file| file.exists()).expect("a root");
        add_file(&mut modules, Names::new(), root, folder);
        Self(modules)
    }

    /// A crate of these modules: path and text.
    pub(crate) fn of(modules: &[(&str, &str)]) -> Self {
        let parsed = modules.iter().map(|(path, text)| {
            let path = path.split("::").filter(|name| !name.is_empty());
            (
                path.map(str::to_owned).collect::<Names>(),
                Module::parse(text),
            )
        });
        let mut read = Self(parsed.collect());
        let known: Vec<Names> = read.0.keys().cloned().collect();
        read.0.retain(|path, _| {
            path.split_last()
                .is_none_or(|(name, parent)| known.contains(&parent.to_vec()) && name != "tests")
        });
        read
    }

    pub(crate) fn modules(&self) -> impl Iterator<Item = &Names> {
        self.0.keys()
    }

    /// Each module with each that it needs.
    pub(crate) fn needs(&self) -> Vec<(Names, Names)> {
        let mut needs = Vec::new();
        for (at, module) in &self.0 {
            for path in module.paths.iter().chain(module.brought.values()) {
                if let Some(to) = self.home_of(at, path, 0)
                    && !at.starts_with(&to)
                {
                    needs.push((at.clone(), to));
                }
            }
        }
        needs
    }

    /// The module in which what a path names is at home; `None` if that is not in this crate.
    fn home_of(&self, at: &Names, path: &[String], steps: usize) -> Option<Names> {
        let (mut here, mut rest) = (at.clone(), path);
        match path.first().map(String::as_str) {
            Some("crate") => (here, rest) = (Names::new(), &path[1..]),
            Some("self") => rest = &path[1..],
            Some("super") => {
                while rest.first().is_some_and(|name| name == "super") {
                    here.pop();
                    rest = &rest[1..];
                }
            }
            Some(name) if self.0.get(at)?.children.iter().any(|child| child == name) => {}
            _ => return None,
        }
        while let Some((name, behind)) = rest.split_first() {
            let module = self.0.get(&here)?;
            if module.children.contains(name) {
                here.push(name.clone());
                rest = behind;
                continue;
            }
            // A name that leads to itself is what two modules pass on to each other.
            return match module.brought.get(name) {
                Some(from) if steps < 32 => {
                    let further = [from, behind].concat();
                    self.home_of(&here, &further, steps + 1)
                }
                _ => Some(here),
            };
        }
        self.0.contains_key(&here).then_some(here)
    }
}

fn add_file(modules: &mut BTreeMap<Names, Module>, path: Names, file: &Path, folder: &Path) {
    let text = fs::read_to_string(file).expect("a file of source");
    let module = Module::parse(&text);
    for child in &module.children {
        let beside = folder.join(format!("{child}.rs"));
        let inside = folder.join(child).join("mod.rs");
        let file = if beside.exists() { beside } else { inside };
        let path = [path.clone(), vec![child.clone()]].concat();
        add_file(modules, path, &file, &folder.join(child));
    }
    modules.insert(path, module);
}

impl Module {
    fn parse(text: &str) -> Self {
        let tokens = tokens(text);
        let mut module = Self::default();
        let mut at = 0;
        let mut is_test = false;
        while at < tokens.len() {
            let word = |ahead: usize| tokens.get(at + ahead).map_or("", String::as_str);
            match word(0) {
                "#" => {
                    let end = closing(&tokens, at + 1);
                    is_test |= tokens[at..end].concat() == "#[cfg(test)";
                    at = end + 1;
                }
                "mod" if word(2) == ";" => {
                    if !is_test {
                        module.children.push(word(1).to_owned());
                    }
                    (at, is_test) = (at + 3, false);
                }
                "mod" if word(2) == "{" && is_test => {
                    (at, is_test) = (closing(&tokens, at + 2) + 1, false);
                }
                // Not what an `impl Trait` captures: `use<>`.
                "use" if word(1) != "<" => {
                    let end = tokens[at..].iter().position(|token| token == ";");
                    let end = at + end.expect("an end of `use`");
                    if !is_test {
                        module.bring(&mut tokens[at + 1..end].iter(), &[]);
                    }
                    (at, is_test) = (end + 1, false);
                }
                name if is_name(name) && word(1) == "::" && (at == 0 || tokens[at - 1] != "::") => {
                    let mut path = vec![name.to_owned()];
                    while word(2 * path.len() - 1) == "::" && is_name(word(2 * path.len())) {
                        path.push(word(2 * path.len()).to_owned());
                    }
                    at += 2 * path.len() - 1;
                    module.paths.push(path);
                }
                name => {
                    // Whatever is no attribute and no visibility ends what an attribute is about.
                    is_test &= matches!(name, "pub" | "(" | ")" | "crate" | "super" | "in");
                    at += 1;
                }
            }
        }
        module
    }

    /// One level of what `use` names, up to the end of its braces.
    fn bring<'a>(&mut self, tokens: &mut impl Iterator<Item = &'a String>, prefix: &[String]) {
        let mut path = prefix.to_vec();
        let mut alias = None;
        while let Some(token) = tokens.next() {
            match token.as_str() {
                "::" => {}
                "{" => {
                    self.bring(tokens, &path);
                    path.clear();
                }
                "as" => alias = tokens.next().cloned(),
                "," | "}" => {
                    self.note(
                        std::mem::replace(&mut path, prefix.to_vec()),
                        alias.take(),
                        prefix,
                    );
                    if token == "}" {
                        return;
                    }
                }
                name => path.push(name.to_owned()),
            }
        }
        self.note(path, alias, prefix);
    }

    fn note(&mut self, mut path: Names, alias: Option<String>, prefix: &[String]) {
        if path.len() <= prefix.len() {
            return;
        }
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        match alias.or_else(|| path.last().cloned()) {
            Some(name) if name != "_" => drop(self.brought.insert(name, path)),
            _ => self.paths.push(path),
        }
    }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Where the bracket at `open` closes.
fn closing(tokens: &[String], open: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.as_str() {
            "{" | "[" | "(" => depth += 1,
            "}" | "]" | ")" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    tokens.len()
}

/// Names, `::` and single signs; no comments, and no texts.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(raw) = raw_text(rest) {
            raw
        } else if first == '"' {
            1 + end_of_text(&rest[1..], '"')
        } else if let Some(character) = character(rest) {
            character
        } else {
            let name = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
            let length = match name.unwrap_or(rest.len()) {
                0 if rest.starts_with("::") => 2,
                0 => first.len_utf8(),
                length => length,
            };
            if !first.is_whitespace() {
                tokens.push(rest[..length].to_owned());
            }
            length
        };
        rest = &rest[length..];
    }
    tokens
}

/// The length of a raw text that begins here.
fn raw_text(rest: &str) -> Option<usize> {
    let behind = rest.strip_prefix('r').or_else(|| rest.strip_prefix("br"))?;
    let signs = behind.len() - behind.trim_start_matches('#').len();
    let inside = behind[signs..].strip_prefix('"')?;
    let end = format!("\"{}", &behind[..signs]);
    let length = inside.find(&end)? + end.len();
    Some(rest.len() - inside.len() + length)
}

/// The length of a character in quotes that begins here: what looks like one may be a lifetime.
fn character(rest: &str) -> Option<usize> {
    let inside = rest.strip_prefix('\'')?;
    if inside.starts_with('\\') {
        return Some(1 + end_of_text(inside, '\''));
    }
    let character = inside.chars().next()?;
    inside[character.len_utf8()..]
        .starts_with('\'')
        .then_some(2 + character.len_utf8())
}

/// The length up to the quote that ends it, with it.
fn end_of_text(inside: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == quote {
            return at + 1;
        }
    }
    inside.len()
}
