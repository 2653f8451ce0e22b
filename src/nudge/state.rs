//! `State`: what a session did so far, as far as nudges ask for it, and which of them wait for what comes of them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Kind, Moment, Nudge, Rule};
use crate::cost::Money;
use crate::id::RepoPath;

/// A session names no more things than this; those beyond are not counted.
const MAX_NAMES: usize = 500;
/// At most one hint in so many tool calls.
pub const CALLS_BETWEEN_HINTS: u64 = 10;
/// So many failures of the same command are told.
pub const FAILURES: u64 = 3;

/// What a session did so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// Tool calls that were about to run.
    pub calls: u64,
    /// How many there were when the last hint was given.
    pub hinted: Option<u64>,
    /// Nudges so far.
    pub shown: u64,
    /// What is said once in a session, by rule and what it is about; the rules under which anything was said.
    said: BTreeSet<String>,
    spoke: BTreeSet<Rule>,
    open: Vec<Open>,
    /// The model that the agent says is chosen.
    pub model: Option<String>,
    /// Files of the repository that calls changed.
    pub edited: BTreeSet<RepoPath>,
    /// What succeeded, by what it is called in [`Called::uses`](super::Called::uses).
    succeeded: BTreeMap<String, Successes>,
    /// What was used at all.
    used: BTreeSet<String>,
    /// Commands that failed, and how often since they last succeeded.
    failing: BTreeMap<String, u64>,
    /// How far the transcript was read, and what it told.
    pub spent: Spent,
    /// What is known of models, by the names that they have without a `[1m]`.
    pub prices: BTreeMap<String, Price>,
    /// The session's own state could not be had.
    #[serde(skip)]
    is_unknown: bool,
}

/// Who sells a model, and what its tokens cost: looked up once in a session, since a price table is long.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    pub provider: Option<String>,
    /// Micro-dollars for a million tokens: of input, output, cache reads, cache writes for five minutes and for an hour.
    pub rates: [Option<u64>; 5],
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Successes {
    all: u64,
    since_edit: u64,
}

/// What the session's own messages used, as far as its transcript was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Spent {
    /// Where the transcript goes on.
    pub offset: u64,
    /// The message that was read last: its id, and its tokens of every kind.
    pub message: String,
    pub last: [u64; 5],
    /// By model: input, output, cache reads, cache writes for five minutes and for an hour.
    pub models: BTreeMap<String, [u64; 5]>,
    /// Tokens that the last message wrote to the cache although an earlier one had read or written them.
    pub again: u64,
}

impl Spent {
    /// Counts a message, of which each line tells the tokens so far.
    pub fn add(&mut self, id: &str, model: &str, tokens: [u64; 5]) {
        const MANY: u64 = 50_000;
        let before = if self.message == id { self.last } else { [0; 5] };
        let sum = self.models.entry(model.to_owned()).or_default();
        for (sum, (now, before)) in sum.iter_mut().zip(tokens.iter().zip(before)) {
            *sum = sum.saturating_add(now.saturating_sub(before));
        }
        if self.message != id {
            let [input, _, read, five, hour] = self.last;
            let known = [input, read, five, hour].into_iter().fold(0, u64::saturating_add);
            let [_, _, read, five, hour] = tokens;
            let written = five.saturating_add(hour);
            let lost = known >= MANY && written >= MANY && read < written / 10;
            self.again = if lost { written.min(known) } else { 0 };
        }
        (self.message, self.last) = (id.to_owned(), tokens);
    }

    /// Tokens of every kind.
    pub fn tokens(&self) -> u64 {
        self.models.values().flatten().copied().fold(0, u64::saturating_add)
    }
}

/// A nudge that was shown, and of which it is not known yet what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Open {
    n: u64,
    rule: Rule,
    about: Vec<String>,
}

/// What came of a nudge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Followed,
    Ignored,
}

/// What came of the `n`th nudge of the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    pub n: u64,
    pub outcome: Outcome,
}

impl State {
    /// Takes in what happens; what is known now of earlier nudges. `allowed`: whether the model that the moment names is
    /// allowed.
    pub fn note(&mut self, moment: &Moment, allowed: Option<bool>) -> Vec<Settled> {
        let mut settled = Vec::new();
        self.open.retain_mut(|open| {
            let outcome = came_of(open, moment, allowed);
            settled.extend(outcome.map(|outcome| Settled { n: open.n, outcome }));
            outcome.is_none()
        });
        match moment {
            Moment::Start { model, .. } => self.model = model.clone().or(self.model.take()),
            Moment::Before { .. } => self.calls += 1,
            Moment::After { call, succeeded, edited } => {
                for name in &call.uses {
                    insert(&mut self.used, name.clone());
                }
                if let Some(command) = &call.command {
                    self.ran(command, *succeeded);
                }
                if *succeeded {
                    self.succeeded(&call.uses);
                }
                self.edited(edited);
            }
            Moment::Prompt { .. } | Moment::Stop { .. } | Moment::End => {}
        }
        settled
    }

    fn ran(&mut self, command: &str, succeeded: bool) {
        if succeeded {
            self.failing.remove(command);
        } else if self.failing.contains_key(command) || self.failing.len() < MAX_NAMES {
            *self.failing.entry(command.to_owned()).or_default() += 1;
        }
    }

    fn succeeded(&mut self, uses: &[String]) {
        for name in uses {
            if self.succeeded.contains_key(name) || self.succeeded.len() < MAX_NAMES {
                let count = self.succeeded.entry(name.clone()).or_default();
                (count.all, count.since_edit) = (count.all + 1, count.since_edit + 1);
            }
        }
    }

    /// A call that edits does not count as one after the last edit.
    fn edited(&mut self, files: &[RepoPath]) {
        if files.is_empty() {
            return;
        }
        self.succeeded.values_mut().for_each(|count| count.since_edit = 0);
        for file in files {
            insert(&mut self.edited, file.clone());
        }
    }

    /// The state of a session of which nothing is known just now: only what blocks is said.
    pub fn unknown() -> State {
        State { is_unknown: true, ..State::default() }
    }

    /// Remembers that a nudge was shown; its number, and what that says of earlier ones. It has none, 0, where nothing can be
    /// remembered.
    pub fn show(&mut self, nudge: &Nudge) -> (u64, Vec<Settled>) {
        if self.is_unknown {
            return (0, Vec::new());
        }
        self.shown += 1;
        let mut settled = Vec::new();
        if nudge.rule == Rule::Budget {
            let more = self.open.extract_if(.., |open| open.rule == Rule::Budget);
            settled.extend(more.map(|open| Settled { n: open.n, outcome: Outcome::Ignored }));
        }
        if nudge.rule.kind() == Kind::Hint {
            self.hinted = Some(self.calls);
        }
        self.spoke.insert(nudge.rule);
        // These are said however often they are due.
        if !matches!(nudge.rule, Rule::Secret | Rule::Path) {
            insert(&mut self.said, key(nudge.rule, &nudge.about));
        }
        self.open.push(Open { n: self.shown, rule: nudge.rule, about: nudge.about.clone() });
        (self.shown, settled)
    }

    /// Whether this was said before, or may have been: no more is remembered than so much.
    pub fn has_said(&self, rule: Rule, about: &[String]) -> bool {
        self.said.len() >= MAX_NAMES || self.said.contains(&key(rule, about))
    }

    /// Whether anything was said under this rule before.
    pub fn has_said_any(&self, rule: Rule) -> bool {
        self.spoke.contains(&rule)
    }

    /// Whether a hint may be given now.
    pub fn may_hint(&self) -> bool {
        !self.is_unknown && self.hinted.is_none_or(|then| self.calls >= then + CALLS_BETWEEN_HINTS)
    }

    pub fn has_used(&self, name: &str) -> bool {
        self.used.contains(name)
    }

    /// How often something succeeded, in all or since the last edit.
    pub fn successes(&self, name: &str, after_last_edit: bool) -> u64 {
        let count = self.succeeded.get(name).copied().unwrap_or_default();
        if after_last_edit { count.since_edit } else { count.all }
    }

    /// What the session's own messages cost; `None` where tokens have no price.
    pub fn cost(&self) -> Option<Money> {
        let mut sum = 0;
        for (model, tokens) in &self.spent.models {
            let rates = self.prices.get(plain(model)).map_or([None; 5], |price| price.rates);
            for (tokens, rate) in tokens.iter().zip(rates).filter(|(tokens, _)| **tokens > 0) {
                sum += u128::from(*tokens) * u128::from(rate?);
            }
        }
        Some(Money::from_micro_dollars(u64::try_from(sum / 1_000_000).unwrap_or(u64::MAX)))
    }

    pub fn failures(&self, command: &str) -> u64 {
        self.failing.get(command).copied().unwrap_or_default()
    }
}

/// A model's name without what an agent says behind it of its context, `[1m]`.
pub fn plain(model: &str) -> &str {
    model.split('[').next().unwrap_or_default()
}

fn insert<T: Ord>(set: &mut BTreeSet<T>, value: T) {
    if set.len() < MAX_NAMES {
        set.insert(value);
    }
}

fn key(rule: Rule, about: &[String]) -> String {
    format!("{} {}", rule.word(), about.join("\n"))
}

/// What is known of a nudge now. Whatever is still open when the session ends was heeded, unless something had to be done.
fn came_of(open: &mut Open, moment: &Moment, allowed: Option<bool>) -> Option<Outcome> {
    use Outcome::{Followed, Ignored};
    let about = |name: &str| open.about.iter().any(|about| about == name);
    let names = |files: &[RepoPath]| files.iter().any(|file| about(file.as_str()));
    match (open.rule, moment) {
        (Rule::Secret, Moment::Prompt { secret: Some(_) }) => Some(Ignored),
        (Rule::Secret, Moment::Prompt { secret: None }) => Some(Followed),
        (Rule::Model, Moment::Before { .. } | Moment::Start { .. }) => {
            allowed.map(|allowed| if allowed { Followed } else { Ignored })
        }
        (Rule::Path, Moment::Before { files, .. } | Moment::After { edited: files, .. }) if names(files) => {
            Some(Ignored)
        }
        (Rule::Path, Moment::Stop { .. }) => Some(Followed),
        // Only the review itself tells.
        (Rule::Review, _) => None,
        (Rule::Tool, Moment::After { call, succeeded: true, .. }) => {
            open.about.retain(|name| !call.uses.contains(name));
            open.about.is_empty().then_some(Followed)
        }
        (Rule::Tool, Moment::Stop { .. } | Moment::End) => Some(Ignored),
        // That 80 % were used is a warning; what comes of it is told by the 100 %.
        (Rule::Budget, Moment::Prompt { .. }) if open.about.iter().any(|about| about.ends_with("100 %")) => {
            Some(Ignored)
        }
        (Rule::Cache, Moment::Start { cleared: true, .. }) => Some(Followed),
        (Rule::Cache, Moment::Prompt { .. }) => Some(Ignored),
        (Rule::Repeat, Moment::After { call, succeeded, .. }) if call.command.as_deref().is_some_and(about) => {
            Some(if *succeeded { Followed } else { Ignored })
        }
        (Rule::Repeat, Moment::Stop { .. }) => Some(Followed),
        (Rule::Others, Moment::After { call, .. }) if call.uses.iter().any(|name| about(name)) => Some(Followed),
        (Rule::Others, Moment::End) => Some(Ignored),
        (_, Moment::End) => Some(Followed),
        _ => None,
    }
}
