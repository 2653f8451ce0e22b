//! The price table: who asks what for a million tokens, and when.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use serde::Deserialize;
use toml::Spanned;

use crate::digest::Digest;
use crate::record::body::PromptClass;
use crate::time::Time;

static EMBEDDED: LazyLock<PriceTable> = LazyLock::new(|| {
    // The text is ours and a test reads it; without it everything would cost unknown, which is true.
    PriceTable::from_toml(include_str!("prices.toml")).unwrap_or_default()
});

/// Prices by model and time.
#[derive(Debug, Clone, Default)]
pub struct PriceTable {
    /// The first that has a price at the time decides.
    layers: Vec<Layer>,
}

/// The prices of one file.
#[derive(Debug, Clone)]
struct Layer {
    /// Of the file's text.
    digest: Digest,
    prices: Vec<Price>,
    /// Which prices each name has.
    names: HashMap<String, Vec<usize>>,
}

/// What a model costs for some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Price {
    provider: String,
    /// Unix seconds.
    valid: Range<i64>,
    pub rates: Rates,
    pub long: Option<Long>,
}

/// Micro-dollars for a million tokens. What may be missing, some providers do not sell.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rates {
    pub input: u64,
    pub output: u64,
    pub cache_read: Option<u64>,
    pub cache_write_5m: Option<u64>,
    pub cache_write_1h: Option<u64>,
}

/// The rates for requests with long prompts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Long {
    /// They hold for prompts of this size class and of larger ones.
    pub above: PromptClass,
    pub rates: Rates,
}

/// Why a price table cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct PriceError {
    pub line: usize,
    pub message: String,
}

impl PriceTable {
    /// The table that comes with the program.
    pub fn embedded() -> &'static PriceTable {
        &EMBEDDED
    }

    /// A table of the form of `prices.toml`.
    pub fn from_toml(text: &str) -> Result<PriceTable, PriceError> {
        let error = |at: usize, message: String| PriceError {
            line: text.as_bytes()[..at.min(text.len())].iter().filter(|b| **b == b'\n').count() + 1,
            message,
        };
        let file: File = toml::from_str(text)
            .map_err(|e| error(e.span().map_or(0, |span| span.start), e.message().trim().to_owned()))?;
        let digest = Digest::of(text.as_bytes());
        let mut layer = Layer { digest, prices: Vec::new(), names: HashMap::new() };
        for entry in file.price {
            let at = entry.span().start;
            layer.add(entry.into_inner()).map_err(|message| error(at, message))?;
        }
        Ok(PriceTable { layers: vec![layer] })
    }

    /// This table with `over` on top: where `over` has a price of a model at a time, it counts.
    pub fn merge(self, over: PriceTable) -> PriceTable {
        PriceTable { layers: over.layers.into_iter().chain(self.layers).collect() }
    }

    /// Which table it is: one of other texts has another digest.
    pub fn digest(&self) -> Digest {
        let layers: Vec<&[u8]> = self.layers.iter().map(|layer| &layer.digest.as_bytes()[..]).collect();
        Digest::of_parts(&layers)
    }

    /// Who sells a model, if all who have its name in the table are one; also when its price is over.
    pub fn provider(&self, model: &str) -> Option<&str> {
        self.layers.iter().find_map(|layer| layer.provider(model))
    }

    /// The price of a model at a time.
    pub(super) fn price(&self, model: &str, at: Time) -> Option<&Price> {
        self.layers.iter().find_map(|layer| layer.price(model, at))
    }
}

impl Layer {
    fn add(&mut self, entry: Entry) -> Result<(), String> {
        let day = |day: &Option<String>, open: i64| match day {
            None => Ok(open),
            Some(day) => match format!("{day}T00:00:00Z").parse::<Time>() {
                Ok(time) => Ok(time.unix()),
                Err(_) => Err(format!("{day:?} is not a day of the form 2026-11-21")),
            },
        };
        if entry.long.as_ref().is_some_and(|long| long.above == PromptClass::default()) {
            return Err("long.above is 0: then the rates are those of all prompts".to_owned());
        }
        let valid = day(&entry.from, i64::MIN)?..day(&entry.to, i64::MAX)?;
        if valid.is_empty() {
            return Err("the price ends before it begins".to_owned());
        }
        for name in std::iter::once(&entry.model).chain(&entry.also) {
            if name.is_empty() {
                return Err("a model without a name".to_owned());
            }
            let places = self.names.entry(name.clone()).or_default();
            let overlaps = |other: &Price| {
                other.provider == entry.provider && other.valid.start < valid.end && valid.start < other.valid.end
            };
            if places.iter().any(|place| *place == self.prices.len() || overlaps(&self.prices[*place])) {
                return Err(format!("{name} has another price for the same time"));
            }
            places.push(self.prices.len());
        }
        let long = entry.long.map(|long| Long {
            above: long.above,
            rates: Rates {
                input: long.input,
                output: long.output,
                cache_read: long.cache_read,
                cache_write_5m: long.cache_write_5m,
                cache_write_1h: long.cache_write_1h,
            },
        });
        self.prices.push(Price { provider: entry.provider, valid, rates: entry.rates, long });
        Ok(())
    }

    fn provider(&self, model: &str) -> Option<&str> {
        let model = without_mark(model);
        let places = self.names.get(model).or_else(|| self.names.get(undated(model)?))?;
        let mut providers = places.iter().map(|place| self.prices[*place].provider.as_str());
        let first = providers.next()?;
        providers.all(|other| other == first).then_some(first)
    }

    /// By the exact name, else by the name without its date.
    fn price(&self, model: &str, at: Time) -> Option<&Price> {
        let model = without_mark(model);
        let (provider, model) = match model.split_once('/') {
            Some((provider, model)) => (Some(provider), model),
            None => (None, model),
        };
        let named = |name: &str| {
            let prices = self.names.get(name)?.iter().map(|place| &self.prices[*place]);
            let mut fitting = prices.filter(|price| {
                price.valid.contains(&at.unix()) && provider.is_none_or(|provider| provider == price.provider)
            });
            // Two providers that ask for the same name: whose it was is not known.
            fitting.next().filter(|price| fitting.all(|other| other.rates == price.rates && other.long == price.long))
        };
        // A dated name that has prices of its own has no other's, not even when they are over.
        if self.names.contains_key(model) { named(model) } else { named(undated(model)?) }
    }
}

/// Claude Code marks a model's larger context: `claude-opus-4-8[1m]`.
fn without_mark(model: &str) -> &str {
    model.strip_suffix(']').and_then(|model| model.rsplit_once('[')).map_or(model, |(model, _)| model)
}

/// A model's name without the date at its end: `-20250805`, `-2025-08-05`.
fn undated(model: &str) -> Option<&str> {
    let form = |tail: &str| -> String { tail.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect() };
    ["-00000000", "-0000-00-00"].into_iter().find_map(|date| {
        let (name, tail) = model.split_at_checked(model.len().checked_sub(date.len())?)?;
        (form(tail) == date && !name.is_empty()).then_some(name)
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    price: Vec<Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    provider: String,
    model: String,
    #[serde(default)]
    also: Vec<String>,
    from: Option<String>,
    to: Option<String>,
    rates: Rates,
    long: Option<LongEntry>,
}

/// As it stands in the file: serde cannot flatten and refuse unknown keys at once.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LongEntry {
    above: PromptClass,
    input: u64,
    output: u64,
    cache_read: Option<u64>,
    cache_write_5m: Option<u64>,
    cache_write_1h: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_290_800;

    fn input(table: &PriceTable, model: &str, unix: i64) -> Option<u64> {
        table.price(model, Time::from_unix(unix)).map(|price| price.rates.input)
    }

    #[test]
    fn the_embedded_table_is_read_whole() {
        let table = PriceTable::from_toml(include_str!("prices.toml")).unwrap();
        assert_eq!(table.layers[0].prices.len(), include_str!("prices.toml").matches("\n[[price]]").count());
        for price in &table.layers[0].prices {
            let rates = &price.rates;
            assert!(rates.input < rates.output && rates.cache_read.is_none_or(|read| read < rates.input), "{price:?}");
            assert!(price.long.as_ref().is_none_or(|long| long.rates.input > rates.input), "{price:?}");
        }
        assert_eq!(PriceTable::embedded().layers[0].prices, table.layers[0].prices);
    }

    #[test]
    fn a_model_is_found_by_its_exact_name_or_the_one_without_a_date() {
        let table = PriceTable::embedded();
        for model in [
            "claude-opus-4-1",
            "claude-opus-4-1-20250805",
            "claude-opus-4-1-20250805[1m]",
            "anthropic/claude-opus-4-1",
            "claude-opus-4.1",
            "claude-opus-4-20250514",
        ] {
            assert_eq!(input(table, model, NOW), Some(15_000_000), "{model}");
        }
        assert_eq!(input(table, "gpt-5-2025-08-07", NOW), Some(1_250_000));
        // A dated name with a price of its own.
        assert_eq!(input(table, "gpt-4o-2024-08-06", NOW), Some(2_500_000));
        assert_eq!(input(table, "gpt-4o-2024-05-13", NOW), Some(5_000_000));
        for model in [
            "openai/claude-opus-4-1",
            "claude-opus-4-1-2025",
            "claude-opus-4-1-x",
            "Claude-Opus-4-1",
            "-20250805",
            "é-2025080é",
        ] {
            assert_eq!(input(table, model, NOW), None, "{model}");
        }
    }

    #[test]
    fn prices_change_at_midnight() {
        let unix = |text: &str| text.parse::<Time>().unwrap().unix();
        let read =
            |at| PriceTable::embedded().price("claude-sonnet-5-5", Time::from_unix(at)).unwrap().rates.cache_read;
        assert_eq!(read(unix("2026-10-06T23:59:59Z")), Some(200_000));
        assert_eq!(read(unix("2026-10-07T00:00:00Z")), Some(100_000));
    }

    #[test]
    fn an_own_table_goes_first() {
        let own = r#"
            [[price]]
            provider = "anthropic"
            model = "claude-opus-5-5"
            from = "2026-06-01"
            rates = { input = 3, output = 4 }

            [[price]]
            provider = "ours"
            model = "llama"
            rates = { input = 1, output = 2, cache_read = 0 }
        "#;
        let table = PriceTable::embedded().clone().merge(PriceTable::from_toml(own).unwrap());
        assert_eq!(input(&table, "claude-opus-5-5-20260922", NOW), Some(3));
        assert_eq!(input(&table, "claude-opus-5-5", 0), Some(4_000_000));
        assert_eq!(input(&table, "claude-opus-4-8", NOW), Some(5_000_000));
        assert_eq!(input(&table, "llama", NOW), Some(1));
        assert_eq!(input(&table, "ours/llama", NOW), Some(1));
    }

    #[test]
    fn two_providers_of_one_name_are_told_apart_or_unknown() {
        let row = |provider: &str, input: u32| {
            format!("[[price]]\nprovider = \"{provider}\"\nmodel = \"m\"\nrates = {{ input = {input}, output = 9 }}\n")
        };
        let table = PriceTable::from_toml(&(row("a", 1) + &row("b", 2))).unwrap();
        assert_eq!(
            (input(&table, "a/m", NOW), input(&table, "b/m", NOW), input(&table, "m", NOW)),
            (Some(1), Some(2), None)
        );
    }

    #[test]
    fn errors_name_the_line() {
        let row = "[[price]]\nprovider = \"a\"\nmodel = \"m\"\nrates = { input = 1, output = 2 }\n";
        let cases = [
            ("x = 1", 1, "unknown field"),
            ("[[price]]\nprovider = \"a\"\n", 1, "missing field"),
            ("[[price]]\nprovider = \"a\"\nmodel = \"m\"\nrates = { input = 1.5, output = 2 }\n", 4, "floating point"),
            ("[[price]]\nprovider = \"a\"\nmodel = \"m\"\nrates = { input = -1, output = 2 }\n", 4, "-1"),
            (
                "[[price]]\nprovider = \"a\"\nmodel = \"m\"\nrates = { input = 1, output = 2, outptu = 3 }\n",
                4,
                "outptu",
            ),
            ("[[price\n", 1, ""),
            (&format!("\n\n{row}\n{row}"), 8, "m has another price"),
            (&format!("{row}from = \"2026-13-01\"\n"), 1, "2026-13-01"),
            (&format!("{row}from = \"2026-02-01\"\nto = \"2026-02-01\"\n"), 1, "ends before"),
            (&row.replace("\"m\"", "\"\""), 1, "without a name"),
            (&format!("{row}also = [\"m\"]\n"), 1, "another price"),
            (
                &format!("{row}long = {{ above = 128_000, input = 2, output = 4 }}\n"),
                5,
                "128000 is not a size class of prompts (they are 0, 100000, 200000, 272000)",
            ),
            (&format!("{row}long = {{ above = 0, input = 2, output = 4 }}\n"), 1, "long.above is 0"),
        ];
        for (text, line, message) in cases {
            let error = PriceTable::from_toml(text).unwrap_err();
            assert_eq!(error.line, line, "{error}");
            assert!(error.to_string().contains(message), "{error}");
        }
    }
}
