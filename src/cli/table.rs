//! Tables for eyes: a name at the left, numbers aligned at the right.

use crate::host::output::{self, Out};

/// A table with a line of headings.
pub struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(head: &[&str]) -> Self {
        Table { head: head.iter().map(|text| (*text).to_owned()).collect(), rows: Vec::new() }
    }

    /// Adds a row; its name may be of unknown origin.
    pub fn row(&mut self, name: &str, cells: impl IntoIterator<Item = String>) {
        let name = output::visible(name).replace(['\n', '\t'], " ");
        self.rows.push(std::iter::once(name).chain(cells).collect());
    }

    /// Prints it after an empty line; nothing where it has no rows.
    pub fn print(&self, out: &mut Out) -> std::io::Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let mut widths: Vec<usize> = Vec::new();
        for row in std::iter::once(&self.head).chain(&self.rows) {
            widths.resize(widths.len().max(row.len()), 0);
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let line = |row: &[String]| {
            let cells = row.iter().zip(&widths).enumerate().map(|(i, (cell, width))| match i {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        out.line("")?;
        out.line(out.paint(output::HEAD, line(&self.head)))?;
        self.rows.iter().try_for_each(|row| out.line(line(row)))
    }
}

/// A number with separators between thousands: `1,234,567`.
pub fn number(n: impl Into<u128>) -> String {
    let digits = n.into().to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated() {
        for (n, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (12_345, "12,345"), (1_234_567, "1,234,567")] {
            assert_eq!(number(n as u64), text);
        }
    }
}
