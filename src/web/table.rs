//! Tables: the same rows as HTML, as CSV (RFC 4180) and as JSON.

use askama::Template;
use serde_json::Value;

use crate::web::show;

/// A column: its name in CSV and JSON, and its heading on the page.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    pub name: &'static str,
    pub title: &'static str,
    /// Numbers stand to the right.
    pub number: bool,
}

/// A column of words.
pub const fn words(name: &'static str, title: &'static str) -> Column {
    Column { name, title, number: false }
}

/// A column of numbers.
pub const fn numbers(name: &'static str, title: &'static str) -> Column {
    Column { name, title, number: true }
}

/// What a cell says: on the page, and in data.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    pub text: String,
    pub link: Option<String>,
    /// A word that decides how it looks: `pass`, `fail`, `warn`, `none`, `id`, `time`, `said`.
    pub look: &'static str,
    pub data: Value,
}

impl Cell {
    /// A text of somebody else's.
    pub fn text(text: &str) -> Self {
        Cell { text: show::visible(text), link: None, look: "", data: text.into() }
    }

    pub fn id(id: &str) -> Self {
        Cell { text: show::short(id).to_owned(), link: None, look: "id", data: id.into() }
    }

    pub fn count(number: i64) -> Self {
        Cell { text: show::count(number), link: None, look: "", data: number.into() }
    }

    pub fn time(seconds: i64) -> Self {
        let data = crate::time::Time::from_unix(seconds).to_string();
        Cell { text: show::time(seconds), link: None, look: "time", data: data.into() }
    }

    /// Money whose data are dollars; nothing where no part of it is known.
    pub fn cost(nano: i64, unknown: i64) -> Self {
        let dollars = if unknown > 0 && nano == 0 { Value::Null } else { dollars(nano) };
        Cell { text: show::cost(nano, unknown), link: None, look: "", data: dollars }
    }

    /// How much of a whole; its data are a number from 0 to 1.
    pub fn share(part: i64, whole: i64) -> Self {
        let data = if whole > 0 { (part as f64 / whole as f64).into() } else { Value::Null };
        Cell { text: show::percent(part, whole), link: None, look: "", data }
    }

    pub fn seconds(seconds: i64) -> Self {
        Cell { text: show::duration(seconds), link: None, look: "", data: seconds.into() }
    }

    pub fn none() -> Self {
        Cell { text: "–".to_owned(), link: None, look: "none", data: Value::Null }
    }

    pub fn looks(self, look: &'static str) -> Self {
        Cell { look, ..self }
    }

    pub fn to(self, link: impl Into<String>) -> Self {
        Cell { link: Some(link.into()), ..self }
    }
}

/// Billionths as a JSON number of dollars, digit for digit.
fn dollars(nano: i64) -> Value {
    let text = format!("{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000);
    serde_json::from_str(text.trim_end_matches('0').trim_end_matches('.')).unwrap_or(Value::Null)
}

/// Rows under headings.
#[derive(Debug, Clone, Template)]
#[template(path = "blocks/table.html")]
pub struct Table {
    /// What the table is of, for those who hear the page.
    pub caption: String,
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Cell>>,
    /// What is said where there are no rows.
    pub empty: &'static str,
    /// Where the rows after these are.
    pub next: Option<String>,
    /// Where the same is as CSV and JSON.
    pub export: Option<Export>,
    /// It is the beginning of another page's table: that one is as CSV and JSON.
    pub is_excerpt: bool,
}

/// Where a table's data are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    pub csv: String,
    pub json: String,
}

impl Table {
    pub fn new(caption: impl Into<String>, columns: &[Column], empty: &'static str) -> Self {
        let (caption, columns) = (caption.into(), columns.to_vec());
        Table { caption, columns, rows: Vec::new(), empty, next: None, export: None, is_excerpt: false }
    }

    pub fn rows(mut self, rows: impl IntoIterator<Item = Vec<Cell>>) -> Self {
        self.rows.extend(rows);
        self
    }

    pub fn excerpt(self) -> Self {
        Table { is_excerpt: true, ..self }
    }

    /// With a heading line; a text that a spreadsheet would run as a formula is quoted by an apostrophe.
    pub fn csv(&self) -> String {
        let line =
            |fields: Vec<String>| fields.iter().map(|field| quoted(field)).collect::<Vec<_>>().join(",") + "\r\n";
        let mut out = line(self.columns.iter().map(|column| column.name.to_owned()).collect());
        for row in &self.rows {
            let field = |cell: &Cell| match &cell.data {
                Value::Null => String::new(),
                Value::String(text) => harmless(text),
                other => other.to_string(),
            };
            out.push_str(&line(row.iter().map(field).collect()));
        }
        out
    }

    /// `rows`, an object each, and `next`, where the rows after these are.
    pub fn json(&self) -> Value {
        let row = |row: &Vec<Cell>| {
            let fields = self.columns.iter().zip(row).map(|(column, cell)| (column.name.to_owned(), cell.data.clone()));
            Value::Object(fields.collect())
        };
        let rows: Vec<Value> = self.rows.iter().map(row).collect();
        serde_json::json!({ "rows": rows, "next": self.next })
    }
}

fn quoted(field: &str) -> String {
    match field.contains(['"', ',', '\n', '\r']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field.to_owned(),
    }
}

fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_the_same_in_every_form() {
        let table = Table::new("t", &[words("who", "Who"), numbers("cost_usd", "Cost"), words("at", "At")], "none")
            .rows([
                vec![Cell::text("a \"b\", c\n<x>"), Cell::cost(1_500_000_000, 0), Cell::time(0)],
                vec![Cell::text("=1+1"), Cell::cost(0, 3), Cell::none()],
            ]);
        assert_eq!(table.csv(), "who,cost_usd,at\r\n\"a \"\"b\"\", c\n<x>\",1.5,1970-01-01T00:00:00Z\r\n'=1+1,,\r\n");
        let rows = serde_json::json!([
            {"who": "a \"b\", c\n<x>", "cost_usd": 1.5, "at": "1970-01-01T00:00:00Z"},
            {"who": "=1+1", "cost_usd": null, "at": null},
        ]);
        assert_eq!(table.json()["rows"], rows);
        let html = table.render().unwrap();
        assert!(html.contains("&#60;x&#62;") && html.contains("$1.50") && html.contains("unknown"), "{html}");
    }
}
