//! Aligned columns.

use std::io::{self, Write};

use password_auth_model::visible;
use unicode_width::UnicodeWidthStr as _;

/// Between two columns.
const GAP: usize = 2;

/// A table that is written in parts: a column is as wide as its widest cell so far.
pub(super) struct Table<const N: usize> {
    heads: [&'static str; N],
    widths: [usize; N],
    begun: bool,
}

impl<const N: usize> Table<N> {
    pub(super) fn new(heads: [&'static str; N]) -> Self {
        Self {
            heads,
            widths: heads.map(str::len),
            begun: false,
        }
    }

    /// Writes the next rows, and the header before the first.
    pub(super) fn write(&mut self, out: &mut dyn Write, rows: &[[String; N]]) -> io::Result<()> {
        let rows = rows
            .iter()
            .map(|row| row.each_ref().map(|cell| visible(cell)));
        let rows: Vec<_> = rows.collect();
        for row in &rows {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        if !self.begun {
            self.begun = true;
            self.line(out, self.heads)?;
        }
        for row in &rows {
            self.line(out, row.each_ref().map(AsRef::as_ref))?;
        }
        Ok(())
    }

    fn line(&self, out: &mut dyn Write, cells: [&str; N]) -> io::Result<()> {
        let mut line = String::new();
        for (cell, width) in cells.into_iter().zip(self.widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(
                ' ',
                width - cell.width().min(width) + GAP,
            ));
        }
        writeln!(out, "{}", line.trim_end())
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn columns_stand_below_each_other_in_every_script() {
        let mut out = Vec::new();
        let mut table = Table::new(["name", "role"]);
        let row = |name: &str| [name.to_owned(), "user".to_owned()];
        table
            .write(&mut out, &[row("alice"), row("用户用户")])
            .expect("written");
        table.write(&mut out, &[row("b")]).expect("written");
        assert_eq!(
            String::from_utf8(out).expect("text"),
            "name      role\nalice     user\n用户用户  user\nb         user\n"
        );
    }
}
