//! Cost: money from tokens and a dated price table; derived on reading, never stored.
//!
//! A model without a price costs *unknown* (`None`). It is never charged at another model's price, and neither are
//! tokens of a kind without a rate.

mod table;

use std::fmt;
use std::ops::AddAssign;

use table::{Price, Rates};
pub use table::{PriceError, PriceTable};

use crate::record::body::ModelUsage;
use crate::time::Time;

/// Millionths of a dollar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MicroDollars(pub u64);

impl AddAssign for MicroDollars {
    fn add_assign(&mut self, other: MicroDollars) {
        self.0 = self.0.saturating_add(other.0);
    }
}

/// As a JSON number in dollars, `1.234567`, without the zeros at its end.
impl fmt::Display for MicroDollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 1_000_000, format!("{:06}", self.0 % 1_000_000));
        match rest.trim_end_matches('0') {
            "" => write!(f, "{whole}"),
            rest => write!(f, "{whole}.{rest}"),
        }
    }
}

/// Tokens of one request, or of several of one model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// What was not read from a cache, nor written to one.
    pub input: u64,
    pub output: u64,
    pub cache_read: u64,
    pub cache_write_5m: u64,
    pub cache_write_1h: u64,
    pub requests: u64,
    /// The longest prompt of any request in it, where that is known: some prices are higher for long prompts.
    pub longest_prompt: Option<u64>,
}

impl From<&ModelUsage> for Usage {
    fn from(usage: &ModelUsage) -> Self {
        Usage {
            input: usage.input,
            output: usage.output,
            cache_read: usage.cache_read,
            cache_write_5m: usage.cache_write_5m,
            cache_write_1h: usage.cache_write_1h,
            requests: usage.requests,
            longest_prompt: None,
        }
    }
}

impl Usage {
    /// The rates by the length of the prompts, if that can be told: no request's prompt is longer than all together.
    fn rates(self, price: &Price) -> Option<&Rates> {
        let Some(long) = &price.long else { return Some(&price.rates) };
        let writes = self.cache_write_5m.saturating_add(self.cache_write_1h);
        let prompts = self.input.saturating_add(self.cache_read).saturating_add(writes);
        let longest = self.longest_prompt.unwrap_or(prompts).min(prompts);
        if longest <= long.above {
            Some(&price.rates)
        } else {
            // Of several requests some may have been short.
            (self.requests <= 1).then_some(&long.rates)
        }
    }
}

/// What `usage` of `model` cost at the time; half a micro-dollar and more is rounded up, once.
///
/// `None`: the model has no price then, tokens of a kind that has no rate were used, or several requests of a model that
/// costs more for long prompts cannot be told apart.
pub fn cost(table: &PriceTable, model: &str, at: Time, usage: Usage) -> Option<MicroDollars> {
    let rates = usage.rates(table.price(model, at)?)?;
    let parts = [
        (usage.input, Some(rates.input)),
        (usage.output, Some(rates.output)),
        (usage.cache_read, rates.cache_read),
        (usage.cache_write_5m, rates.cache_write_5m),
        (usage.cache_write_1h, rates.cache_write_1h),
    ];
    // At most 5 products of 64 bits by 40: far from 128.
    let used = parts.into_iter().filter(|(tokens, _)| *tokens > 0);
    let sum = used.map(|(tokens, rate)| Some(u128::from(tokens) * u128::from(rate?))).sum::<Option<u128>>()?;
    round(sum)
}

/// What the tokens read from caches would have cost more as plain input. What it cost to write them there is not taken
/// off. `None` as for [`cost`].
pub fn cache_saved(table: &PriceTable, model: &str, at: Time, usage: Usage) -> Option<MicroDollars> {
    let rates = usage.rates(table.price(model, at)?)?;
    if usage.cache_read == 0 {
        return Some(MicroDollars(0));
    }
    round(u128::from(usage.cache_read) * u128::from(rates.input.saturating_sub(rates.cache_read?)))
}

/// From millionths of a micro-dollar.
fn round(sum: u128) -> Option<MicroDollars> {
    u64::try_from((sum + 500_000) / 1_000_000).ok().map(MicroDollars)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        text.parse().unwrap()
    }

    fn embedded(model: &str, when: &str, usage: Usage) -> Option<u64> {
        cost(PriceTable::embedded(), model, at(when), usage).map(|cost| cost.0)
    }

    const NOW: &str = "2026-11-01T00:00:00Z";

    #[test]
    fn money_is_tokens_by_rates_rounded_once() {
        let usage = Usage {
            input: 3,
            output: 1000,
            cache_read: 20_000,
            cache_write_5m: 100,
            cache_write_1h: 7,
            requests: 2,
            longest_prompt: None,
        };
        // 3 * 5 + 1000 * 25 + 20000 * 0.5 + 100 * 6.25 + 7 * 10 = 35710; with 5.5: 12 + 20000 + 4000 + 500 + 56.
        assert_eq!(embedded("claude-opus-4-8", NOW, usage), Some(35_710));
        assert_eq!(embedded("claude-opus-5-5", NOW, usage), Some(24_568));
        // 0.3 + 500 + 200 + 12.5 + 1.4 = 714.2; with 4 more of a 5 minute write 714.7.
        assert_eq!(embedded("claude-haiku-5-5", NOW, usage), Some(714));
        assert_eq!(embedded("claude-haiku-5-5", NOW, Usage { cache_write_5m: 104, ..usage }), Some(715));
        // Half is up.
        assert_eq!(embedded("claude-opus-4-8", NOW, Usage { cache_read: 1, ..Usage::default() }), Some(1));
        assert_eq!(embedded("claude-opus-4-8", NOW, Usage::default()), Some(0));
    }

    #[test]
    fn unknown_is_unknown() {
        let usage = Usage { input: 1000, requests: 1, ..Usage::default() };
        for model in ["<synthetic>", "", "claude-opus-9", "claude-opus-5-55", "gpt", "anthropic.claude-opus-5-5-v1:0"] {
            assert_eq!(embedded(model, NOW, usage), None, "{model}");
        }
        // Before its first price, and of a kind that has none.
        assert_eq!(embedded("claude-3-5-haiku", "2024-12-01T00:00:00Z", usage), None);
        assert_eq!(embedded("gpt-5", NOW, usage), Some(1250));
        assert_eq!(embedded("gpt-5", NOW, Usage { cache_write_1h: 1, ..usage }), None);
        assert_eq!(cache_saved(PriceTable::embedded(), "o3-pro", at(NOW), Usage { cache_read: 1, ..usage }), None);
        // More than a number holds.
        assert_eq!(embedded("claude-opus-5-5", NOW, Usage { output: u64::MAX, ..usage }), None);
    }

    #[test]
    fn long_prompts_cost_more_where_the_table_says_so() {
        let one = Usage { input: 100_000, output: 1000, requests: 1, ..Usage::default() };
        assert_eq!(embedded("claude-haiku-5-5", NOW, one), Some(10_500));
        let longer = Usage { input: 100_001, ..one };
        assert_eq!(embedded("claude-haiku-5-5", NOW, longer), Some(52_501));
        // Of two requests nobody knows which was long, unless somebody says that none was.
        let two = Usage { requests: 2, ..longer };
        assert_eq!(embedded("claude-haiku-5-5", NOW, two), None);
        assert_eq!(embedded("claude-haiku-5-5", NOW, Usage { longest_prompt: Some(90_000), ..two }), Some(10_500));
        assert_eq!(embedded("claude-haiku-5-5", NOW, Usage { longest_prompt: Some(100_001), ..two }), None);
        // The prompt is all that was read, written and sent.
        let cached = Usage { cache_read: 90_000, cache_write_5m: 10_000, input: 1, requests: 1, ..Usage::default() };
        assert_eq!(embedded("claude-haiku-5-5", NOW, cached), Some(4500 + 6250 + 1));
        // A price that ended this surcharge.
        let usage = Usage { input: 300_000, requests: 1, ..Usage::default() };
        assert_eq!(embedded("claude-opus-4-6", "2026-03-12T23:59:59Z", usage), Some(3_000_000));
        assert_eq!(embedded("claude-opus-4-6", "2026-03-13T00:00:00Z", usage), Some(1_500_000));
    }

    #[test]
    fn what_caches_saved() {
        let saved = |model, usage| cache_saved(PriceTable::embedded(), model, at(NOW), usage).map(|saved| saved.0);
        let usage = Usage { cache_read: 1_000_000, cache_write_1h: 50, requests: 9, ..Usage::default() };
        assert_eq!(saved("claude-opus-5-5", usage), Some(3_800_000));
        assert_eq!(saved("claude-opus-5-5", Usage::default()), Some(0));
        assert_eq!(saved("nobody's", usage), None);
    }

    #[test]
    fn dollars_are_plain_decimals() {
        for (micro, text) in [(0, "0"), (1, "0.000001"), (200_599, "0.200599"), (1_500_000, "1.5"), (7_000_000, "7")] {
            assert_eq!(MicroDollars(micro).to_string(), text);
        }
        let mut sum = MicroDollars(u64::MAX);
        sum += MicroDollars(1);
        assert_eq!(sum, MicroDollars(u64::MAX));
    }

    /// Claude Code counts its own cost: ours is the same wherever it says how the cache writes divide.
    #[test]
    fn costs_are_those_that_claude_code_counts() {
        #[allow(clippy::disallowed_methods)]
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
                    let usage = Usage {
                        input: tokens("inputTokens").unwrap(),
                        output: tokens("outputTokens").unwrap(),
                        cache_read: tokens("cacheReadInputTokens").unwrap(),
                        cache_write_5m: short,
                        cache_write_1h: writes - short,
                        requests: 2,
                        longest_prompt: None,
                    };
                    let theirs = (used["costUSD"].as_f64().unwrap() * 1e6 + 1e-6).round() as u64;
                    assert_eq!(embedded(model, NOW, usage), Some(theirs), "{model} in {}", file.display());
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
