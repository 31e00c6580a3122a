//! Gives what was built the name, icons, colours, texts and server of `brand.toml`, so that nobody edits code for
//! that. `brand.toml` stands beside the manifest and not in it, since a manifest holds neither colours nor texts, and
//! the server's pages have none.
//!
//! It knows the files that `scripts/extension.sh` lays out, and leaves those alone that a folder does not have.

mod brand;
mod color;

use std::{env, fs, path::Path, process::ExitCode};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use brand::Brand;

/// What the extension is called until somebody calls it otherwise.
const NAME: &str = "Password Auth Demo";
/// Where the extension looks for its server until somebody says otherwise.
const SERVER: &str = "http://127.0.0.1:8000";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        // One line, and no trace of calls: mistakes in `brand.toml` are its reader's to mend.
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [file, "get", what] => {
            let brand = Brand::read(Path::new(file))?;
            let icons = brand.icons.map(|folder| folder.display().to_string());
            let value = match *what {
                "name" => brand.name,
                "server" => brand.server,
                "icons" => icons,
                other => bail!("there is no \"{other}\" to get"),
            };
            println!("{}", value.unwrap_or_default());
        }
        [file, "apply", folder] => apply(&Brand::read(Path::new(file))?, Path::new(folder))?,
        _ => bail!("usage: password-auth-brand BRAND.toml get name|server|icons, or apply FOLDER"),
    }
    Ok(())
}

fn apply(brand: &Brand, folder: &Path) -> Result<()> {
    edit(&folder.join("manifest.json"), |text| manifest(brand, text))?;
    for page in ["popup.html", "options.html"] {
        edit(&folder.join(page), |text| Ok(html(brand, text)))?;
    }
    edit(&folder.join("popup.css"), |text| css(brand, text))?;
    edit(&folder.join("options.js"), |text| {
        let server = brand.server.as_deref().unwrap_or(SERVER);
        Ok(text.replace(SERVER, server))
    })?;
    for (language, texts) in &brand.texts {
        let file = folder.join("_locales").join(language).join("messages.json");
        edit(&file, |text| {
            messages(texts, text).with_context(|| format!("[texts.{language}]"))
        })?;
    }
    if brand.texts.contains_key("en") {
        // English stands in the pages; its file is read only if it says something else.
        edit(&folder.join("looks.js"), |text| {
            Ok(text.replace("language === \"en\" ? Promise.resolve() : ", ""))
        })?;
    }
    if let Some(icons) = &brand.icons {
        for name in brand::ICONS {
            for target in [folder.join("icons").join(name), folder.join(name)] {
                if target.exists() {
                    fs::copy(icons.join(name), &target)
                        .with_context(|| format!("icons: {}", icons.join(name).display()))?;
                }
            }
        }
    }
    Ok(())
}

/// Writes what `change` makes of a file, if there is such a file.
fn edit(file: &Path, change: impl FnOnce(&str) -> Result<String>) -> Result<()> {
    if !file.exists() {
        return Ok(());
    }
    let before = fs::read_to_string(file)?;
    let after = change(&before)?;
    if after != before {
        fs::write(file, after)?;
    }
    Ok(())
}

fn manifest(brand: &Brand, text: &str) -> Result<String> {
    let mut manifest: Value = serde_json::from_str(text)?;
    if let Some(name) = &brand.name {
        manifest["name"] = name.as_str().into();
        manifest["action"]["default_title"] = name.as_str().into();
    }
    if let Some(description) = &brand.description {
        manifest["description"] = description.as_str().into();
    }
    if let Some(pattern) = brand.host_pattern()
        && let Some(hosts) = manifest["host_permissions"].as_array_mut()
        && !hosts.contains(&pattern.as_str().into())
    {
        hosts.push(pattern.into());
    }
    if let Some(id) = &brand.firefox_id
        && let Some(gecko) = manifest.pointer_mut("/browser_specific_settings/gecko/id")
    {
        *gecko = id.as_str().into();
    }
    let before: Value = serde_json::from_str(text)?;
    if manifest == before {
        return Ok(text.to_owned());
    }
    Ok(serde_json::to_string_pretty(&manifest)? + "\n")
}

fn html(brand: &Brand, text: &str) -> String {
    let name = brand.name.as_deref().unwrap_or(NAME);
    let escaped = name.replace('&', "&amp;").replace('<', "&lt;");
    text.replace(NAME, &escaped)
}

/// Replaces colours where they are first defined: the variants for more contrast stay.
fn css(brand: &Brand, text: &str) -> Result<String> {
    let mut text = text.to_owned();
    for (name, [light, dark]) in &brand.colors {
        let variable = format!("--{name}:");
        let Some((before, after)) = text.split_once(&variable) else {
            bail!("[colors]: popup.css has no colour \"{name}\"");
        };
        let Some((_, rest)) = after.split_once(';') else {
            bail!("popup.css: {variable} has no end");
        };
        text = format!("{before}{variable} light-dark({light}, {dark});{rest}");
    }
    Ok(text)
}

fn messages(texts: &[(String, String)], text: &str) -> Result<String> {
    let mut all: Value = serde_json::from_str(text)?;
    for (key, own) in texts {
        let Some(message) = all.get_mut(key).and_then(|entry| entry.get_mut("message")) else {
            bail!("there is no text \"{key}\"");
        };
        let before = message.as_str().unwrap_or_default();
        for place in ["$1", "$2", "$3"] {
            if before.contains(place) != own.contains(place) {
                bail!("\"{key}\" must hold {place} as in: {before}");
            }
        }
        *message = own.as_str().into();
    }
    Ok(serde_json::to_string_pretty(&all)? + "\n")
}

#[cfg(test)]
mod tests;
