//! Columns for eyes: aligned by what a terminal shows of a text, cut and thinned out where a terminal is narrow.

use std::borrow::Cow;
use std::io;

use anstyle::Style;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::cli::format::one_line;
use crate::host::output::{self, Out};

/// A column. The last of a table takes what room is left.
#[derive(Clone, Copy)]
pub struct Column {
    pub head: &'static str,
    /// Numbers stand on the right.
    pub right: bool,
    /// How wide it is at the most, where a person looks.
    pub most: usize,
    /// Whether its texts are never cut; only for the last.
    pub whole: bool,
    /// Where there is no room, columns go in this order; 0 for those that stay.
    pub goes: u8,
}

/// A column that stays and is as wide as it must.
pub const COLUMN: Column = Column { head: "", right: false, most: usize::MAX, whole: false, goes: 0 };

/// A text on one line, in one style or several, made safe to show.
pub struct Cell {
    spans: Vec<(String, Style)>,
}

impl Cell {
    pub fn new(text: impl AsRef<str>, style: Style) -> Self {
        Cell { spans: vec![(one_line(text.as_ref()), style)] }
    }

    pub fn plain(text: impl AsRef<str>) -> Self {
        Cell::new(text, Style::new())
    }

    /// A line of a file, its tabs kept.
    pub fn code(line: &str) -> Self {
        Cell { spans: vec![(output::visible(line).replace('\n', " "), Style::new())] }
    }

    /// One cell after the other, as one.
    pub fn joined(cells: impl IntoIterator<Item = Cell>) -> Self {
        Cell { spans: cells.into_iter().flat_map(|cell| cell.spans).collect() }
    }

    /// The text without its styles.
    pub fn text(&self) -> String {
        self.spans.iter().map(|(text, _)| text.as_str()).collect()
    }

    fn width(&self) -> usize {
        self.spans.iter().map(|(text, _)| width(text)).sum()
    }

    /// Adds the painted text to a line, at most `room` wide; how wide it is.
    fn add_to(&self, line: &mut String, room: usize, out: &Out) -> usize {
        let mut taken = 0;
        for (text, style) in &self.spans {
            let text = cut(text, room - taken);
            taken += width(&text);
            match text.is_empty() || *style == Style::new() {
                true => line.push_str(&text),
                false => line.push_str(&out.paint(*style, text)),
            }
        }
        taken
    }
}

/// Rows of cells.
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
    indent: usize,
}

/// The last column is not squeezed below this by columns that can go.
const LEAST_REST: usize = 20;

impl Table {
    pub fn new(columns: &[Column]) -> Self {
        Table { columns: columns.to_vec(), rows: Vec::new(), indent: 0 }
    }

    /// Each line begins with so many spaces.
    pub fn indented(self, indent: usize) -> Self {
        Table { indent, ..self }
    }

    /// Adds a row, a cell a column.
    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// Prints the rows: for a person under the columns' heads and within the width that is seen, else whole.
    pub fn print(&self, out: &mut Out) -> io::Result<()> {
        let seen = out.width();
        let mut widths = self.widths(seen.is_some());
        let headed = seen.is_some() && self.columns.iter().any(|column| !column.head.is_empty());
        let mut shown = vec![true; self.columns.len()];
        if let Some(seen) = seen {
            self.thin_out(seen, &mut widths, &mut shown);
        }
        if headed && !self.rows.is_empty() {
            let head = self.columns.iter().map(|column| Cell::new(column.head, output::DIM)).collect::<Vec<_>>();
            self.line(&head, &widths, &shown, out)?;
        }
        self.rows.iter().try_for_each(|row| self.line(row, &widths, &shown, out))
    }

    fn widths(&self, headed: bool) -> Vec<usize> {
        let width = |(at, column): (usize, &Column)| {
            let cells = self.rows.iter().filter_map(|row| row.get(at)).map(Cell::width);
            let head = if headed { column.head.width() } else { 0 };
            let widest = cells.chain([head]).max().unwrap_or_default();
            if headed { widest.min(column.most) } else { widest }
        };
        self.columns.iter().enumerate().map(width).collect()
    }

    /// Hides columns until the last has room, and gives it what is left.
    fn thin_out(&self, seen: usize, widths: &mut [usize], shown: &mut [bool]) {
        let Some(last) = widths.len().checked_sub(1) else { return };
        let taken = |widths: &[usize], shown: &[bool]| {
            let fixed = widths[..last].iter().zip(shown).filter(|(_, shown)| **shown);
            self.indent + fixed.map(|(width, _)| width + GAP).sum::<usize>()
        };
        while taken(widths, shown) + widths[last].min(LEAST_REST) > seen {
            let next = (0..last).filter(|at| shown[*at] && self.columns[*at].goes > 0);
            let Some(next) = next.min_by_key(|at| self.columns[*at].goes) else { break };
            shown[next] = false;
        }
        if !self.columns[last].whole {
            widths[last] = widths[last].min(seen.saturating_sub(taken(widths, shown)));
        }
    }

    fn line(&self, cells: &[Cell], widths: &[usize], shown: &[bool], out: &mut Out) -> io::Result<()> {
        let mut line = " ".repeat(self.indent);
        let last = widths.len().saturating_sub(1);
        for (at, cell) in cells.iter().enumerate().filter(|(at, _)| shown[*at]) {
            let start = line.len();
            let taken = cell.add_to(&mut line, widths[at], out);
            let spaces = || std::iter::repeat_n(' ', widths[at].saturating_sub(taken));
            match (self.columns[at].right, at == last) {
                (true, _) => line.insert_str(start, &spaces().collect::<String>()),
                (false, true) => {}
                (false, false) => line.extend(spaces()),
            }
            if at != last {
                line.extend(std::iter::repeat_n(' ', GAP));
            }
        }
        out.line(line.trim_end())
    }
}

/// Between two columns.
const GAP: usize = 2;

/// How many columns a text takes; most texts are simple.
fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}

/// At most `width` columns of a text; what is cut is marked.
pub fn cut(text: &str, width: usize) -> Cow<'_, str> {
    if self::width(text) <= width {
        return text.into();
    }
    let mut room = width.saturating_sub(1);
    let fits = |c: &char| {
        let needs = c.width().unwrap_or_default();
        let fits = needs <= room;
        room = room.saturating_sub(needs);
        fits
    };
    let kept: String = text.chars().take_while(fits).collect();
    if width == 0 { "".into() } else { format!("{kept}…").into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn printed(table: &Table, width: Option<usize>, color: bool) -> Vec<String> {
        let sink = Sink::default();
        table.print(&mut Out::to(Box::new(sink.clone()), color).with_width(width)).unwrap();
        let text = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn table() -> Table {
        let mut table = Table::new(&[
            Column { head: "WHO", most: 6, goes: 2, ..COLUMN },
            Column { head: "N", right: true, ..COLUMN },
            Column { head: "MODEL", goes: 1, ..COLUMN },
            Column { head: "SUBJECT", ..COLUMN },
        ]);
        for (who, n, subject) in [
            ("Ada", "7", "short"),
            ("山田太郎", "1200", "日本語の長い長い長い長い題名です"),
            ("Eve\x1b[2J", "5", "\x1b[31mred\x1b[0m \u{202e}gnitceles"),
        ] {
            table.row(vec![Cell::plain(who), Cell::plain(n), Cell::plain("m-1"), Cell::plain(subject)]);
        }
        table
    }

    #[test]
    fn columns_stand_below_each_other_whatever_is_in_them() {
        let lines = printed(&table(), None, false);
        let starts: Vec<usize> = lines.iter().map(|line| line[..line.find("m-1").unwrap()].width()).collect();
        assert!(starts.iter().all(|start| *start == starts[0]), "{lines:#?}");
        assert!(
            lines[1].contains("山田太郎") && lines[1].ends_with("題名です"),
            "whole where nobody looks: {lines:#?}"
        );
        assert!(lines.iter().all(|line| !line.chars().any(char::is_control)), "{lines:#?}");
        assert!(!lines[2].contains('\u{202e}'));
    }

    #[test]
    fn a_terminal_cuts_and_loses_columns_before_it_wraps() {
        for width in [30, 40, 50, 80, 200] {
            let lines = printed(&table(), Some(width), false);
            assert_eq!(lines.len(), 4, "with a head");
            assert!(lines.iter().all(|line| line.width() <= width), "{width}: {lines:#?}");
            assert_eq!(lines[0].contains("MODEL"), width >= 50, "{width}: {lines:#?}");
            assert!(lines[0].contains("SUBJECT") && lines[2].contains("1200"));
        }
        assert!(printed(&table(), Some(200), false)[2].starts_with("山田… "), "a column has its own limit");
    }

    #[test]
    fn colours_take_no_room() {
        let (plain, painted) = (printed(&table(), Some(80), false), printed(&table(), Some(80), true));
        assert!(painted[0].contains("\x1b[2m"));
        let mut colourless = painted.join("\n");
        for code in ["\x1b[2m", "\x1b[0m"] {
            colourless = colourless.replace(code, "");
        }
        assert_eq!(colourless.lines().map(str::trim_end).collect::<Vec<_>>(), plain);
    }

    #[test]
    fn texts_are_cut_between_characters() {
        for (text, width, expected) in [
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("日本語", 4, "日…"),
            ("日本語", 5, "日本…"),
            ("e\u{301}xyz", 3, "e\u{301}x…"),
            ("abc", 0, ""),
            ("", 0, ""),
        ] {
            assert_eq!(cut(text, width), expected, "{text} {width}");
        }
    }
}
