//! A Markdown file, as far as its commands and its links go.

use std::path::{Path, PathBuf};

/// One document.
pub(crate) struct Document {
    path: PathBuf,
    text: String,
}

/// A fenced block.
pub(crate) struct Block {
    /// Of its first line, from 1.
    pub(crate) line: usize,
    /// The words behind the fence.
    info: Vec<String>,
    pub(crate) text: String,
}

/// How a shell block is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Run,
    Server,
    Stopped,
    Long,
    Elsewhere,
}

impl Block {
    /// `None` for what is no shell.
    pub(crate) fn how(&self) -> Option<Result<How, String>> {
        let words: Vec<&str> = self.info.iter().map(String::as_str).collect();
        let ["sh", rest @ ..] = words.as_slice() else {
            return None;
        };
        Some(match rest {
            [] => Ok(How::Run),
            ["server"] => Ok(How::Server),
            ["stopped"] => Ok(How::Stopped),
            ["long"] => Ok(How::Long),
            ["elsewhere"] => Ok(How::Elsewhere),
            _ => Err(format!("`{}` means nothing", self.info.join(" "))),
        })
    }
}

impl Document {
    pub(crate) fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).expect("a document");
        Self {
            path: path.to_owned(),
            text,
        }
    }

    pub(crate) fn name(&self) -> String {
        let name = self.path.file_name().expect("a name");
        name.to_string_lossy().into_owned()
    }

    pub(crate) fn has_commands(&self) -> bool {
        self.blocks().iter().any(|block| block.how().is_some())
    }

    pub(crate) fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<Block> = None;
        for (number, line) in self.text.lines().enumerate() {
            match (line.strip_prefix("```"), &mut open) {
                (Some(info), None) => {
                    open = Some(Block {
                        line: number + 2,
                        info: info.split_whitespace().map(str::to_owned).collect(),
                        text: String::new(),
                    });
                }
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (None, Some(block)) => {
                    block.text.push_str(line);
                    block.text.push('\n');
                }
                (None, None) => {}
            }
        }
        blocks
    }

    /// What keeps commands from being run.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems: Vec<String> = self
            .blocks()
            .iter()
            .filter_map(|block| match block.how() {
                Some(Err(problem)) => Some(format!("{}:{}: {problem}", self.name(), block.line)),
                None if block.info.is_empty() => Some(format!(
                    "{}:{}: a fence without a language",
                    self.name(),
                    block.line
                )),
                _ => None,
            })
            .collect();
        let mut fenced = false;
        let mut before = "";
        for (number, line) in self.text.lines().enumerate() {
            if line.starts_with("```") {
                fenced = !fenced;
            }
            if !fenced && before.is_empty() && line.starts_with("    ") {
                let place = format!("{}:{}", self.name(), number + 1);
                problems.push(format!("{place}: indented code; use a fence"));
            }
            before = line;
        }
        if fenced {
            problems.push(format!("{}: a fence stays open", self.name()));
        }
        problems
    }

    /// Links to files that are not there, or to headings that are not in them.
    pub(crate) fn broken_links(&self) -> Vec<String> {
        let folder = self.path.parent().expect("a folder");
        let targets = self.text.split("](").skip(1);
        let targets = targets.filter_map(|rest| rest.split(')').next());
        targets
            .filter(|target| !target.contains("://") && !target.starts_with("mailto:"))
            .filter(|target| {
                let (file, heading) = target.split_once('#').unwrap_or((target, ""));
                let path = if file.is_empty() {
                    self.path.clone()
                } else {
                    folder.join(file)
                };
                !path.exists() || !(heading.is_empty() || Self::read(&path).has_heading(heading))
            })
            .map(|target| format!("{}: {target} leads nowhere", self.name()))
            .collect()
    }

    fn has_heading(&self, anchor: &str) -> bool {
        self.text
            .lines()
            .filter_map(|line| line.strip_prefix('#'))
            .any(|heading| anchor_of(heading.trim_start_matches('#').trim()) == anchor)
    }
}

/// As GitHub makes them.
fn anchor_of(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}
