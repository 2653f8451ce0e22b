//! Charts: bars over time as SVG, stacked where there are several series, with the same numbers as a table beneath.

use askama::Template;

use crate::web::table::{Cell, Column, Table};

/// How wide and high a chart is, in its own units.
const WIDTH: usize = 720;
const HEIGHT: usize = 180;
/// The widest bar.
const BAR: f64 = 40.0;
/// More series than these cannot be told apart: the rest is one.
const SERIES: usize = 6;

/// A number for each place of one thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    pub name: String,
    pub values: Vec<i64>,
}

/// A bar or a part of one.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    pub x: String,
    pub y: String,
    pub width: String,
    pub height: String,
    /// Which pattern and colour.
    pub series: usize,
    /// What it says, exactly.
    pub title: String,
    pub link: Option<String>,
}

/// Bars, side by side.
#[derive(Debug, Clone, Template)]
#[template(path = "blocks/chart.html")]
pub struct Chart {
    pub id: &'static str,
    pub title: String,
    pub width: usize,
    pub height: usize,
    pub marks: Vec<Mark>,
    /// What the series are called.
    pub legend: Vec<String>,
    /// The first and the last place, and the largest number.
    pub first: String,
    pub last: String,
    pub largest: String,
    pub table: Option<Table>,
}

impl Chart {
    /// Bars at these places; `shown` writes a number.
    pub fn bars(
        id: &'static str,
        title: impl Into<String>,
        places: &[String],
        mut series: Vec<Series>,
        shown: impl Fn(i64) -> String,
        link: impl Fn(usize) -> Option<String>,
    ) -> Self {
        series.sort_by_key(|series| std::cmp::Reverse(series.values.iter().sum::<i64>()));
        if series.len() > SERIES {
            let rest = series.split_off(SERIES - 1);
            let sum = |at: usize| rest.iter().map(|series| series.values[at]).sum();
            series
                .push(Series { name: format!("{} others", rest.len()), values: (0..places.len()).map(sum).collect() });
        }
        let total = |at: usize| series.iter().map(|series| series.values[at].max(0)).sum::<i64>();
        let largest = (0..places.len()).map(total).max().unwrap_or_default();
        let step = WIDTH as f64 / places.len().max(1) as f64;
        let width = (step * 0.84).min(BAR);
        let mut marks = Vec::new();
        for (at, place) in places.iter().enumerate() {
            let mut foot = HEIGHT as f64;
            for (which, series) in series.iter().enumerate() {
                let value = series.values[at].max(0);
                if value == 0 {
                    continue;
                }
                let height = (value as f64 / largest as f64) * HEIGHT as f64;
                foot -= height;
                let number = |n: f64| format!("{n:.1}");
                marks.push(Mark {
                    x: number(at as f64 * step + (step - width) / 2.0),
                    y: number(foot),
                    width: number(width),
                    height: number(height.max(0.5)),
                    series: which,
                    title: format!("{place}: {} {}", shown(value), series.name),
                    link: link(at),
                });
            }
        }
        Chart {
            id,
            title: title.into(),
            width: WIDTH,
            height: HEIGHT,
            marks,
            legend: series.iter().map(|series| series.name.clone()).collect(),
            first: places.first().cloned().unwrap_or_default(),
            last: places.last().cloned().unwrap_or_default(),
            largest: shown(largest),
            table: None,
        }
    }

    /// Whether bars lead anywhere.
    fn leads(&self) -> bool {
        self.marks.iter().any(|mark| mark.link.is_some())
    }

    /// The numbers that the chart is of.
    pub fn with(self, columns: &[Column], rows: Vec<Vec<Cell>>) -> Self {
        let table = Table::new(self.title.clone(), columns, "nothing").rows(rows);
        Chart { table: Some(table), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stand_on_each_other_and_few_series_are_told_apart() {
        let series = (1..=8).map(|n| Series { name: format!("s{n}"), values: vec![n, 0, 10 * n] }).collect();
        let places = ["a", "b", "c"].map(str::to_owned);
        let chart = Chart::bars("t", "T", &places, series, |n| n.to_string(), |_| None);
        assert_eq!(chart.legend, ["s8", "s7", "s6", "s5", "s4", "3 others"]);
        assert_eq!((chart.largest.as_str(), chart.marks.len()), ("360", 12), "nothing has no bar");
        let highest = chart.marks.iter().filter(|mark| mark.title.starts_with("c: "));
        let sum: f64 = highest.map(|mark| mark.height.parse::<f64>().unwrap()).sum();
        assert!((sum - HEIGHT as f64).abs() < 0.5, "{sum}");
        let none = Chart::bars("t", "T", &[], Vec::new(), |n| n.to_string(), |_| None);
        assert!(none.marks.is_empty() && none.render().is_ok());
    }
}
