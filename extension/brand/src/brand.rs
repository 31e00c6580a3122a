//! What `brand.toml` says, checked.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use toml_edit::{Document, Item};

use crate::color::Color;

/// The files of an icon.
pub(crate) const ICONS: [&str; 5] = [
    "icon.svg",
    "icon-16.png",
    "icon-32.png",
    "icon-48.png",
    "icon-128.png",
];

/// Text on the accent colour is readable from this contrast on (WCAG 2.2, 1.4.3).
const READABLE: f64 = 4.5;

/// What somebody wants to be different. What is absent stays as it is.
#[derive(Debug, Default)]
pub(crate) struct Brand {
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) server: Option<String>,
    pub(crate) firefox_id: Option<String>,
    pub(crate) icons: Option<PathBuf>,
    /// For each variable of popup.css, without its dashes: light, dark.
    pub(crate) colors: BTreeMap<String, [String; 2]>,
    /// For each language: keys and texts.
    pub(crate) texts: BTreeMap<String, Vec<(String, String)>>,
}

impl Brand {
    /// # Errors
    /// The file cannot be read, or says something that cannot be meant.
    pub(crate) fn read(file: &Path) -> Result<Self> {
        let shown = file.display();
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {shown}"))?;
        let folder = file.parent().unwrap_or(Path::new(""));
        Self::parse(&text, folder).with_context(|| format!("{shown} is wrong"))
    }

    /// # Errors
    /// It says something that cannot be meant. Icons are looked for below `folder`.
    pub(crate) fn parse(text: &str, folder: &Path) -> Result<Self> {
        let document = Document::parse(text)?;
        let mut brand = Self::default();
        for (key, item) in document.iter() {
            match key {
                "name" => brand.name = Some(line(key, item, 45)?),
                "description" => brand.description = Some(line(key, item, 132)?),
                "server" => brand.server = Some(server(&line(key, item, 200)?)?),
                "firefox_id" => brand.firefox_id = Some(line(key, item, 80)?),
                "icons" => brand.icons = Some(icons(&folder.join(line(key, item, 200)?))?),
                "colors" => {
                    for (name, item) in entries(key, item)? {
                        brand.colors.insert(name.to_owned(), shades(name, item)?);
                    }
                }
                "texts" => {
                    for (language, item) in entries(key, item)? {
                        let texts = entries(language, item)?
                            .map(|(key, item)| Ok((key.to_owned(), line(key, item, 500)?)))
                            .collect::<Result<_>>()?;
                        brand.texts.insert(language.to_owned(), texts);
                    }
                }
                other => bail!("there is no setting \"{other}\""),
            }
        }
        brand.is_readable()?;
        Ok(brand)
    }

    /// The host permission for the server, which the manifest does not have for servers elsewhere.
    pub(crate) fn host_pattern(&self) -> Option<String> {
        let host = self.server.as_deref()?.strip_prefix("https://")?;
        let host = host.split(['/', ':']).next()?;
        Some(format!("https://{host}/*"))
    }

    /// # Errors
    /// The text on a button could not be read.
    fn is_readable(&self) -> Result<()> {
        let (Some(ground), Some(text)) = (self.colors.get("accent"), self.colors.get("on-accent"))
        else {
            if self.colors.contains_key("accent") {
                bail!("[colors]: \"accent\" needs \"on-accent\", the colour of text on it");
            }
            return Ok(());
        };
        for (ground, text) in ground.iter().zip(text) {
            let contrast = Color::parse(ground)?.contrast(Color::parse(text)?);
            if contrast < READABLE {
                bail!(
                    "[colors]: {text} on {ground} has a contrast of {contrast:.1}; text needs {READABLE}"
                );
            }
        }
        Ok(())
    }
}

fn entries<'a>(key: &str, item: &'a Item) -> Result<impl Iterator<Item = (&'a str, &'a Item)>> {
    let table = item.as_table_like();
    Ok(table
        .with_context(|| format!("\"{key}\" must be a table"))?
        .iter())
}

/// A text of one line.
fn line(key: &str, item: &Item, longest: usize) -> Result<String> {
    let Some(text) = item.as_str() else {
        bail!("\"{key}\" must be a text, in quotes");
    };
    let length = text.chars().count();
    if text.trim().is_empty() || length > longest || text.chars().any(char::is_control) {
        bail!("\"{key}\" must be one line of 1 to {longest} characters");
    }
    Ok(text.to_owned())
}

fn server(address: &str) -> Result<String> {
    let address = address.trim_end_matches('/');
    let is_local = ["http://127.0.0.1", "http://localhost"]
        .iter()
        .any(|start| {
            address
                .strip_prefix(start)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
        });
    let host = address.strip_prefix("https://").unwrap_or_default();
    let is_safe = !host.is_empty() && !host.starts_with(['/', ':']);
    let is_plain = address
        .chars()
        .all(|symbol| symbol.is_ascii_graphic() && !"\"'\\<>@?#*".contains(symbol));
    if !is_plain || !(is_local || is_safe) {
        bail!("\"server\" must start with https://, or with http://127.0.0.1 or http://localhost");
    }
    Ok(address.to_owned())
}

fn icons(folder: &Path) -> Result<PathBuf> {
    for name in ICONS {
        if !folder.join(name).is_file() {
            bail!("\"icons\" names {}, which has no {name}", folder.display());
        }
    }
    Ok(folder.to_owned())
}

/// A colour, for light and dark; or two.
fn shades(name: &str, item: &Item) -> Result<[String; 2]> {
    let both = match (item.as_str(), item.as_array()) {
        (Some(one), _) => vec![one, one],
        (None, Some(list)) => list.iter().filter_map(|value| value.as_str()).collect(),
        (None, None) => Vec::new(),
    };
    let [light, dark] = both.as_slice() else {
        bail!("[colors]: \"{name}\" must be a colour, or [\"light\", \"dark\"]");
    };
    for color in [light, dark] {
        Color::parse(color)?;
    }
    Ok([(*light).to_owned(), (*dark).to_owned()])
}
