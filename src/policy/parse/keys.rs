//! `Keys`: the keys of one rule's table, each asked for by name; what nobody asked for is an error.

use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Errors, shown};
use crate::cost::Money;
use crate::policy::globs::{BadPattern, PathGlobs, RefGlobs};

/// A list in a rule is never longer.
const MAX_LIST: usize = 100;
/// The largest number that a rule holds, as in records.
pub const MAX_INTEGER: u64 = (1 << 53) - 1;
/// No budget is larger, in dollars.
const MAX_DOLLARS: f64 = 1e9;

/// A rule's table, and where its errors go.
pub struct Keys<'t, 'e> {
    table: &'t DeTable<'t>,
    /// Where the table begins.
    at: usize,
    asked: Vec<&'static str>,
    errors: &'e mut Errors,
}

impl<'t, 'e> Keys<'t, 'e> {
    pub fn new(table: &'t DeTable<'t>, at: usize, errors: &'e mut Errors) -> Self {
        Keys { table, at, asked: Vec::new(), errors }
    }

    pub fn error(&mut self, at: usize, message: impl Into<String>, allowed: impl Into<String>) {
        self.errors.add(at, message, allowed);
    }

    /// An error of the rule as a whole.
    pub fn lacks(&mut self, message: impl Into<String>, allowed: impl Into<String>) {
        self.errors.add(self.at, message, allowed);
    }

    fn get(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    fn wrong_type(&mut self, key: &str, value: &Spanned<DeValue<'_>>, allowed: &str) {
        self.error(value.span().start, format!("`{key}` is a {}", value.get_ref().type_str()), allowed);
    }

    /// What `read` makes of a key that must be there.
    pub fn required<T>(
        &mut self,
        key: &'static str,
        allowed: &str,
        read: impl FnOnce(&mut Self, &'static str) -> Option<T>,
    ) -> Option<T> {
        if self.get(key).is_none() {
            self.lacks(format!("the rule has no `{key}`"), allowed);
            return None;
        }
        read(self, key)
    }

    /// A text, and where it stands.
    pub fn text(&mut self, key: &'static str) -> Option<(&'t str, usize)> {
        let value = self.get(key)?;
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.wrong_type(key, value, "a text in quotes");
        }
        text.map(|text| (text, value.span().start))
    }

    /// A text of one line that people are to read.
    pub fn line(&mut self, key: &'static str, max: usize) -> Option<String> {
        let (text, at) = self.text(key)?;
        let fits = (1..=max).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        if !fits {
            self.error(at, format!("`{key}` is no such text"), format!("one line of 1 to {max} characters"));
        }
        fits.then(|| text.to_owned())
    }

    /// One of a few words.
    pub fn choice<T: Copy>(&mut self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let (text, at) = self.text(key)?;
        let found = choices.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            self.error(at, format!("`{key}` is \"{}\"", shown(text)), super::quoted(&words));
        }
        found.map(|(_, value)| *value)
    }

    /// A whole number.
    pub fn number(&mut self, key: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
        let value = self.get(key)?;
        let number = value.get_ref().as_integer().and_then(|n| u64::from_str_radix(n.as_str(), n.radix()).ok());
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            let written = match value.get_ref() {
                DeValue::Integer(n) => shown(n.as_str()),
                other => format!("a {}", other.type_str()),
            };
            let allowed = format!("a whole number from {} to {}", range.start(), range.end());
            self.error(value.span().start, format!("`{key}` is {written}"), allowed);
        }
        number
    }

    /// Dollars, with at most six digits after the point.
    pub fn dollars(&mut self, key: &'static str) -> Option<Money> {
        let value = self.get(key)?;
        let dollars = match value.get_ref() {
            DeValue::Integer(n) => u64::from_str_radix(n.as_str(), n.radix()).ok().map(|n| n as f64),
            DeValue::Float(f) => f.as_str().parse::<f64>().ok(),
            _ => None,
        };
        let micro = dollars.filter(|dollars| (0.0..=MAX_DOLLARS).contains(dollars)).map(|dollars| dollars * 1e6);
        // Up to this size a double holds every micro-dollar, so a decimal of six digits comes back to itself.
        let micro = micro.filter(|micro| (micro - micro.round()).abs() < 1e-3).map(|micro| micro.round() as u64);
        if micro.is_none() {
            let allowed = "dollars from 0 to 1000000000, with at most six digits after the point, such as 12.50";
            self.error(value.span().start, format!("`{key}` is no amount"), allowed);
        }
        micro.map(Money::from_micro_dollars)
    }

    pub fn flag(&mut self, key: &'static str) -> Option<bool> {
        let value = self.get(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong_type(key, value, "true or false");
        }
        flag
    }

    /// A list of texts, each with its place, neither empty nor holding an empty text.
    fn texts(&mut self, key: &'static str) -> Option<Vec<(&'t str, usize)>> {
        let allowed = format!("a list of 1 to {MAX_LIST} texts, such as [\"…\"]");
        let value = self.get(key)?;
        let Some(list) = value.get_ref().as_array() else {
            self.wrong_type(key, value, &allowed);
            return None;
        };
        if !(1..=MAX_LIST).contains(&list.len()) {
            self.error(value.span().start, format!("`{key}` has {} entries", list.len()), allowed);
            return None;
        }
        let mut texts = Vec::new();
        for entry in list.iter() {
            match entry.get_ref().as_str() {
                Some(text) if !text.is_empty() && !text.chars().any(char::is_control) => {
                    texts.push((text, entry.span().start));
                }
                _ => self.error(entry.span().start, format!("an entry of `{key}` is no such text"), &allowed),
            }
        }
        (texts.len() == list.len()).then_some(texts)
    }

    /// Names; an empty list if the key is not there.
    pub fn names(&mut self, key: &'static str) -> Option<Vec<String>> {
        if self.get(key).is_none() {
            return Some(Vec::new());
        }
        self.texts(key).map(|texts| texts.into_iter().map(|(text, _)| text.to_owned()).collect())
    }

    /// Some of a few words, each once.
    pub fn choices<T: Copy>(&mut self, key: &'static str, choices: &[(&str, T)]) -> Option<Vec<T>> {
        let mut found = Vec::new();
        let mut seen = Vec::new();
        for (text, at) in self.texts(key)? {
            match choices.iter().find(|(word, _)| *word == text) {
                Some((_, value)) if !seen.contains(&text) => found.push(*value),
                Some(_) => self.error(at, format!("`{key}` has \"{text}\" twice"), "each once"),
                None => {
                    let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
                    self.error(at, format!("`{key}` has \"{}\"", shown(text)), super::quoted(&words));
                }
            }
            seen.push(text);
        }
        Some(found)
    }

    /// Patterns, compiled.
    pub fn globs<G>(
        &mut self,
        key: &'static str,
        allowed: &str,
        compile: impl FnOnce(&[&str]) -> Result<G, BadPattern>,
    ) -> Option<G> {
        let texts = self.texts(key)?;
        let patterns: Vec<&str> = texts.iter().map(|(text, _)| *text).collect();
        let compiled = compile(&patterns);
        compiled.map_err(|(at, why)| self.error(texts[at].1, shown_long(&why), allowed)).ok()
    }

    pub fn paths(&mut self, key: &'static str) -> Option<PathGlobs> {
        self.globs(key, "patterns such as \"src/**\", \"*.pem\", \"!docs/**\"", PathGlobs::compile)
    }

    pub fn refs(&mut self, key: &'static str) -> Option<RefGlobs> {
        self.globs(key, "branches such as \"main\", \"release/*\", or \"refs/tags/v*\"", RefGlobs::compile)
    }

    /// Whether the key is there at all.
    pub fn has(&mut self, key: &'static str) -> bool {
        self.get(key).is_some()
    }

    /// Keys that nobody asked for are errors.
    pub fn no_others(&mut self, condition: &str) {
        let allowed = self.asked.join(", ");
        let others = self.table.iter().filter(|(key, _)| !self.asked.contains(&key.get_ref().as_ref()));
        for (key, _) in others {
            let message = format!("{condition} has no key `{}`", shown(key.get_ref()));
            self.errors.add(key.span().start, message, &*allowed);
        }
    }
}

fn shown_long(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(700).collect()
}
