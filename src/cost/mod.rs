//! Cost: money from tokens and a dated price table; derived on reading, never stored.
//!
//! A model without a price costs *unknown* (`None`). It is never charged at another model's price, and neither are
//! tokens of a kind without a rate.

mod table;

use std::fmt;
use std::ops::AddAssign;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use table::{Price, Rates};
pub use table::{PriceError, PriceTable};

use crate::record::body::ModelUsage;
use crate::time::Time;

/// An amount of money in millionths of a micro-dollar: rates are micro-dollars for a million tokens, so nothing is
/// rounded until it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Money(u128);

impl Money {
    pub fn from_micro_dollars(micro: u64) -> Self {
        Money(u128::from(micro) * 1_000_000)
    }

    /// In micro-dollars; half a micro-dollar and more is rounded up.
    pub fn micro_dollars(self) -> u128 {
        (self.0 + 500_000) / 1_000_000
    }

    /// In billionths of a dollar; half a one and more is rounded up.
    pub fn nano_dollars(self) -> u128 {
        (self.0 + 500) / 1_000
    }

    /// In cents, half a cent rounded up.
    pub fn cents(self) -> u128 {
        (self.micro_dollars() + 5_000) / 10_000
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Money) {
        self.0 = self.0.saturating_add(other.0);
    }
}

/// As a JSON number in dollars, `1.234567`, without the zeros at its end.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micro = self.micro_dollars();
        let (whole, rest) = (micro / 1_000_000, format!("{:06}", micro % 1_000_000));
        match rest.trim_end_matches('0') {
            "" => write!(f, "{whole}"),
            rest => write!(f, "{whole}.{rest}"),
        }
    }
}

impl Serialize for Money {
    /// Digit for digit: no binary fraction comes between.
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.to_string()).map_err(serde::ser::Error::custom)?.serialize(s)
    }
}

/// What the tokens cost at the time.
///
/// `None`: the model has no price then, or tokens of a kind that has no rate were used.
pub fn cost(table: &PriceTable, usage: &ModelUsage, at: Time) -> Option<Money> {
    let rates = rates(table.price(&usage.model, at)?, usage);
    let parts = [
        (usage.input, Some(rates.input)),
        (usage.output, Some(rates.output)),
        (usage.cache_read, rates.cache_read),
        (usage.cache_write_5m, rates.cache_write_5m),
        (usage.cache_write_1h, rates.cache_write_1h),
    ];
    let used = parts.into_iter().filter(|(tokens, _)| *tokens > 0);
    // At most 5 products of 64 bits by 40: far from 128.
    used.map(|(tokens, rate)| Some(u128::from(tokens) * u128::from(rate?))).sum::<Option<u128>>().map(Money)
}

/// What the tokens read from caches would have cost more as plain input. What it cost to write them there is not taken
/// off. `None` as for [`cost`].
pub fn cache_saved(table: &PriceTable, usage: &ModelUsage, at: Time) -> Option<Money> {
    let rates = rates(table.price(&usage.model, at)?, usage);
    if usage.cache_read == 0 {
        return Some(Money::default());
    }
    Some(Money(u128::from(usage.cache_read) * u128::from(rates.input.saturating_sub(rates.cache_read?))))
}

/// The rates for prompts of the size that these were.
fn rates<'a>(price: &'a Price, usage: &ModelUsage) -> &'a Rates {
    match &price.long {
        Some(long) if usage.prompt_over >= long.above => &long.rates,
        _ => &price.rates,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::body::PromptClass;

    fn at(text: &str) -> Time {
        text.parse().unwrap()
    }

    fn of(model: &str, usage: ModelUsage) -> ModelUsage {
        ModelUsage { model: model.to_owned(), ..usage }
    }

    /// In micro-dollars.
    fn embedded(model: &str, when: &str, usage: &ModelUsage) -> Option<u128> {
        cost(PriceTable::embedded(), &of(model, usage.clone()), at(when)).map(Money::micro_dollars)
    }

    fn over(prompt: u64) -> PromptClass {
        PromptClass::try_from(prompt).unwrap()
    }

    const NOW: &str = "2026-11-01T00:00:00Z";

    #[test]
    fn money_is_tokens_by_rates_rounded_once() {
        let usage = ModelUsage {
            input: 3,
            output: 1000,
            cache_read: 20_000,
            cache_write_5m: 100,
            cache_write_1h: 7,
            requests: 2,
            ..ModelUsage::default()
        };
        // 3 * 5 + 1000 * 25 + 20000 * 0.5 + 100 * 6.25 + 7 * 10 = 35710; with 5.5: 12 + 20000 + 4000 + 500 + 56.
        assert_eq!(embedded("claude-opus-4-8", NOW, &usage), Some(35_710));
        assert_eq!(embedded("claude-opus-5-5", NOW, &usage), Some(24_568));
        // 0.3 + 500 + 200 + 12.5 + 1.4 = 714.2; with 4 more of a 5 minute write 714.7.
        assert_eq!(embedded("claude-haiku-5-5", NOW, &usage), Some(714));
        assert_eq!(embedded("claude-haiku-5-5", NOW, &ModelUsage { cache_write_5m: 104, ..usage.clone() }), Some(715));
        // Parts keep what is less than a micro-dollar: 714.2 twice.
        let part = cost(PriceTable::embedded(), &of("claude-haiku-5-5", usage), at(NOW)).unwrap();
        let mut sum = part;
        sum += part;
        sum += part;
        assert_eq!((part.micro_dollars(), sum.micro_dollars()), (714, 2143));
        // Half is up.
        let read = ModelUsage { cache_read: 1, ..ModelUsage::default() };
        assert_eq!(embedded("claude-opus-4-8", NOW, &read), Some(1));
        assert_eq!(embedded("claude-opus-4-8", NOW, &ModelUsage::default()), Some(0));
    }

    #[test]
    fn unknown_is_unknown() {
        let usage = ModelUsage { input: 1000, requests: 1, ..ModelUsage::default() };
        for model in ["<synthetic>", "", "claude-opus-9", "claude-opus-5-55", "gpt", "anthropic.claude-opus-5-5-v1:0"] {
            assert_eq!(embedded(model, NOW, &usage), None, "{model}");
        }
        // Before its first price, and of a kind that has none.
        assert_eq!(embedded("claude-3-5-haiku", "2024-12-01T00:00:00Z", &usage), None);
        assert_eq!(embedded("gpt-5", NOW, &usage), Some(1250));
        assert_eq!(embedded("gpt-5", NOW, &ModelUsage { cache_write_1h: 1, ..usage.clone() }), None);
        let read = of("o3-pro", ModelUsage { cache_read: 1, ..usage });
        assert_eq!(cache_saved(PriceTable::embedded(), &read, at(NOW)), None);
        let all = ModelUsage { output: u64::MAX, ..ModelUsage::default() };
        assert_eq!(embedded("claude-opus-5-5", NOW, &all), Some(u128::from(u64::MAX) * 20));
    }

    #[test]
    fn long_prompts_cost_more_where_the_table_says_so() {
        let usage = ModelUsage { input: 150_000, output: 1000, requests: 2, ..ModelUsage::default() };
        let cost =
            |model, when, prompt| embedded(model, when, &ModelUsage { prompt_over: over(prompt), ..usage.clone() });
        assert_eq!(cost("claude-haiku-5-5", NOW, 0), Some(15_500), "two requests of 75,000");
        for prompt in [100_000, 200_000, 272_000] {
            assert_eq!(cost("claude-haiku-5-5", NOW, prompt), Some(77_500));
        }
        assert_eq!(cost("gemini-2.5-pro", NOW, 100_000), Some(197_500));
        assert_eq!(cost("gemini-2.5-pro", NOW, 200_000), Some(390_000));
        assert_eq!(cost("gpt-6-luna", NOW, 200_000), Some(15_500));
        assert_eq!(cost("gpt-6-luna", NOW, 272_000), Some(30_750));
        // A price that ended this surcharge.
        assert_eq!(cost("claude-opus-4-6", "2026-03-12T23:59:59Z", 200_000), Some(1_537_500));
        assert_eq!(cost("claude-opus-4-6", "2026-03-13T00:00:00Z", 200_000), Some(775_000));
        assert_eq!(cost("claude-opus-5-5", NOW, 272_000), Some(620_000), "one price for all");
    }

    #[test]
    fn what_caches_saved() {
        let saved =
            |model, usage| cache_saved(PriceTable::embedded(), &of(model, usage), at(NOW)).map(Money::micro_dollars);
        let usage = ModelUsage { cache_read: 1_000_000, cache_write_1h: 50, requests: 9, ..ModelUsage::default() };
        assert_eq!(saved("claude-opus-5-5", usage.clone()), Some(3_800_000));
        let long = ModelUsage { prompt_over: over(100_000), ..usage.clone() };
        assert_eq!(
            (saved("claude-haiku-5-5", usage.clone()), saved("claude-haiku-5-5", long)),
            (Some(90_000), Some(450_000))
        );
        assert_eq!(saved("claude-opus-5-5", ModelUsage::default()), Some(0));
        assert_eq!(saved("nobody's", usage), None);
    }

    #[test]
    fn dollars_are_plain_decimals() {
        for (micro, text) in [(0, "0"), (1, "0.000001"), (200_599, "0.200599"), (1_500_000, "1.5"), (7_000_000, "7")] {
            assert_eq!(Money(micro * 1_000_000).to_string(), text);
            assert_eq!(serde_json::to_string(&Money(micro * 1_000_000)).unwrap(), text);
        }
        assert_eq!(
            [4_999, 5_000, 1_994_999, 1_995_000].map(|micro| Money(micro * 1_000_000).cents()),
            [0, 1, 199, 200]
        );
    }

    /// Claude Code counts its own cost: ours is the same wherever it says how the cache writes divide.
    #[test]
    fn costs_are_those_that_claude_code_counts() {
        #[allow(
            clippy::disallowed_methods,
            reason = "only tests look for captures, which lie beside a checkout or nowhere"
        )]
        let captures = std::env::var_os("TRACEVAULT_CAPTURES").map_or_else(
            || concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/captures").into(),
            std::path::PathBuf::from,
        );
        let Ok(agents) = std::fs::read_dir(&captures) else {
            eprint_skipped(&captures);
            return;
        };
        let mut models = std::collections::BTreeMap::new();
        for scenario in agents.flat_map(|agent| std::fs::read_dir(agent.unwrap().path()).unwrap()) {
            let Ok(files) = std::fs::read_dir(scenario.unwrap().path()) else { continue };
            for file in files.map(|file| file.unwrap().path()) {
                let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
                if !name.starts_with("result") {
                    continue;
                }
                let Ok(result) = serde_json::from_slice::<serde_json::Value>(&std::fs::read(&file).unwrap()) else {
                    continue;
                };
                for (model, used) in result["modelUsage"].as_object().into_iter().flatten() {
                    let tokens = |key: &str| used[key].as_u64();
                    let writes = tokens("cacheCreationInputTokens").unwrap();
                    // 2.1.197 does not divide them; the model it spoke to wrote ten times as much for an hour.
                    let short = tokens("cacheCreationEphemeral5mInputTokens").unwrap_or(writes / 11);
                    let usage = ModelUsage {
                        input: tokens("inputTokens").unwrap(),
                        output: tokens("outputTokens").unwrap(),
                        cache_read: tokens("cacheReadInputTokens").unwrap(),
                        cache_write_5m: short,
                        cache_write_1h: writes - short,
                        requests: 2,
                        ..ModelUsage::default()
                    };
                    let theirs = (used["costUSD"].as_f64().unwrap() * 1e6 + 1e-6).round() as u128;
                    assert_eq!(embedded(model, NOW, &usage), Some(theirs), "{model} in {}", file.display());
                    *models.entry(model.clone()).or_insert(0) += 1;
                }
            }
        }
        for model in ["claude-opus-5-5", "claude-haiku-5-5", "claude-opus-4-8", "claude-opus-4-8[1m]"] {
            assert!(models.contains_key(model), "{model} not among {models:?}");
        }
    }

    #[allow(clippy::print_stderr)]
    fn eprint_skipped(captures: &std::path::Path) {
        eprintln!("skipped: no captures in {}", captures.display());
    }
}
