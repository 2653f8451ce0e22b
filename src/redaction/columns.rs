//! Columns: values under a name in a table's head (CSV, psql, markdown).

use super::names::Class;
use super::prefix::prefix;
use super::span::{Rank, Span};
use super::value::{self, Setting};

const MAX_ROWS: usize = 200;
const MAX_LINE: usize = 2048;

/// Looks for values below the name from `start` to before `end`, if its line is a table's head. Returns
/// where the rows begin and end.
pub(super) fn find(
    text: &[u8],
    (start, end): (usize, usize),
    class: Class,
    spans: &mut Vec<Span>,
) -> Option<(usize, usize)> {
    let from = start.saturating_sub(MAX_LINE);
    let line = memchr::memrchr(b'\n', &text[from..start]).map_or(from, |n| from + n + 1);
    let stop = line_end(text, end);
    let head = &text[line..stop];
    let sign = separator(head)?;
    let column = head[..start - line].iter().filter(|b| **b == sign).count();
    let fields = head.split(|b| *b == sign).count();
    let mut at = stop + 1;
    for _ in 0..MAX_ROWS {
        if at >= text.len() {
            return Some((stop, text.len()));
        }
        let row_end = line_end(text, at);
        let row = &text[at..row_end];
        if !row.iter().all(|b| matches!(b, b'-' | b'+' | b'|' | b':' | b' ' | b'\r')) {
            if row.split(|b| *b == sign).count() != fields {
                return Some((stop, at));
            }
            let begin = row.split(|b| *b == sign).take(column).map(|f| f.len() + 1).sum::<usize>();
            cell(text, at + begin, row.split(|b| *b == sign).nth(column).unwrap_or_default(), class, spans);
        }
        at = row_end + 1;
    }
    Some((stop, at))
}

/// Adds a cell that can be a secret.
fn cell(text: &[u8], at: usize, cell: &[u8], class: Class, spans: &mut Vec<Span>) {
    let skip = cell.iter().take_while(|b| b.is_ascii_whitespace() || matches!(b, b'"' | b'\'' | b'`')).count();
    let end = cell.iter().rev().take_while(|b| b.is_ascii_whitespace() || matches!(b, b'"' | b'\'' | b'`')).count();
    if skip + end >= cell.len() {
        return;
    }
    let (start, end) = (at + skip, at + cell.len() - end);
    let value = &text[start..end];
    if value::drawn(class, value) && value::plausible(class, value, Setting::Quoted) {
        spans.push(Span::new(start, end, class.rule(), Rank::Named));
    }
}

/// What stands between the names of a table's head; `None` where a line is none.
fn separator(head: &[u8]) -> Option<u8> {
    let head = &head[prefix(head).min(head.len())..];
    let sign = [b'\t', b',', b';', b'|'].into_iter().find(|sign| head.contains(sign))?;
    let name = |field: &[u8]| {
        let field = field.trim_ascii();
        field.len() <= 32
            && field
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b' ' | b'"' | b'`' | b'.' | b'-' | b'\''))
    };
    // One name and a comma is an item of a list.
    let several = head.split(|b| *b == sign).filter(|field| !field.trim_ascii().is_empty()).count() > 1;
    (several && head.len() < MAX_LINE && head.split(|b| *b == sign).all(name)).then_some(sign)
}

fn line_end(text: &[u8], at: usize) -> usize {
    let limit = text.len().min(at + MAX_LINE);
    memchr::memchr(b'\n', &text[at..limit]).map_or(limit, |n| at + n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_below_a_name_are_found() {
        for text in [
            "user,password,host\nsvc,Gr4nite!71,db\nx,,y\nx\n",
            " user | password   \n------+------------\n svc  | Gr4nite!71 \n(1 row)\n",
            "| user | password |\n|---|---|\n| svc | `Gr4nite!71` |\n",
        ] {
            let at = text.find("password").unwrap();
            let mut spans = Vec::new();
            find(text.as_bytes(), (at, at + 8), Class::Password, &mut spans);
            assert_eq!(spans.iter().map(|s| &text[s.start..s.end]).collect::<Vec<_>>(), ["Gr4nite!71"], "{text}");
        }
        let mut spans = Vec::new();
        find(b"password,\nearly_data_ack,\n", (0, 8), Class::Password, &mut spans);
        find(b"f(user, password)\nGr4nite!71, Gr4nite!72\n", (8, 16), Class::Password, &mut spans);
        assert!(spans.is_empty());
    }
}
