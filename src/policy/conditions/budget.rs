//! `token-budget`: how many tokens, or how much money, a session, commit, push, or an author on one day may use.

use std::collections::{BTreeMap, BTreeSet};

use crate::cost::Money;
use crate::policy::evaluate::{Findings, Place, RECORD_IT};
use crate::policy::evidence::{Commit, Evidence, Spending};
use crate::policy::foresee::{Answer, Sayings};
use crate::policy::parse::{Keys, MAX_INTEGER};

#[derive(Debug, Clone)]
pub struct Budget {
    per: Per,
    max_tokens: Option<u64>,
    max_cost: Option<Money>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Per {
    Session,
    Commit,
    Push,
    AuthorDay,
}

const PER: &[(&str, Per)] =
    &[("session", Per::Session), ("commit", Per::Commit), ("push", Per::Push), ("author-day", Per::AuthorDay)];

const ADVICE: &str = "ask a policy-admin for a higher budget; next time a shorter session, a smaller task or a cheaper \
    model uses less";
const NO_PRICE: &str = "fetch the ledger (git tracevault fetch), and give models without a price one in the price table \
    (git config tracevault.prices)";

impl Budget {
    pub fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        let allowed = PER.iter().map(|(word, _)| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
        let per = keys.required("per", &allowed, |keys, key| keys.choice(key, PER));
        let max_tokens = keys.number("max_tokens", 0..=MAX_INTEGER);
        let max_cost = keys.dollars("max_usd");
        if !keys.has("max_tokens") && !keys.has("max_usd") {
            keys.lacks("the rule has no limit", "max_tokens, max_usd, or both");
            return None;
        }
        Some(Budget { per: per?, max_tokens, max_cost })
    }

    /// What is limited, in the policy's word, and how many tokens and how much money it may use.
    pub fn limit(&self) -> (&'static str, Option<u64>, Option<Money>) {
        let per = PER.iter().find(|(_, per)| *per == self.per).map_or("", |(word, _)| word);
        (per, self.max_tokens, self.max_cost)
    }

    pub fn foresee(&self, sayings: &mut Sayings<'_>) {
        let (per, tokens, cost) = self.limit();
        let tokens = tokens.map(|tokens| format!("{tokens} tokens"));
        let limits: Vec<String> = tokens.into_iter().chain(cost.map(|cost| format!("{cost} USD"))).collect();
        sayings.add(Answer::Asks, format!("per {per} at most {} may be used", limits.join(" and ")), Vec::new());
    }

    /// How many tokens, and how much money, one session may use; `None`: the rule is about something else.
    pub fn of_session(&self) -> Option<(Option<u64>, Option<Money>)> {
        (self.per == Per::Session).then_some((self.max_tokens, self.max_cost))
    }

    pub fn judge(&self, evidence: &Evidence, findings: &mut Findings<'_>) {
        match self.per {
            Per::Session => self.judge_sessions(evidence, findings),
            Per::Commit => {
                for commit in &evidence.commits {
                    if commit.unknown().is_none() {
                        self.weigh(spent(commit), Place::commit(commit), "", findings);
                    }
                }
            }
            Per::Push => {
                let mut sum = Spending::none();
                evidence.commits.iter().for_each(|commit| sum += spent(commit));
                self.weigh(sum, Place::default(), "", findings);
            }
            Per::AuthorDay => self.judge_days(evidence, findings),
        }
        for commit in &evidence.commits {
            findings.unrecorded(commit, "what it used");
        }
    }

    fn judge_sessions(&self, evidence: &Evidence, findings: &mut Findings<'_>) {
        let mut seen = BTreeSet::new();
        for commit in &evidence.commits {
            for draw in commit.drawn().known.iter().filter(|draw| seen.insert(&draw.session)) {
                let spent = evidence.session(&draw.session).map_or(Spending::unknown(), |session| session.spent);
                let who = format!("session {}: ", draw.session.short());
                self.weigh(spent, Place::commit(commit), &who, findings);
            }
            self.open_sessions(commit, findings);
        }
    }

    fn judge_days(&self, evidence: &Evidence, findings: &mut Findings<'_>) {
        let mut days: BTreeMap<(&str, &str), Spending> = BTreeMap::new();
        for commit in &evidence.commits {
            for draw in commit.drawn().known {
                *days.entry((&draw.author, &draw.day)).or_insert_with(Spending::none) += Spending::of(&draw.models);
            }
            self.open_sessions(commit, findings);
        }
        for ((author, day), mut sum) in days {
            let mut earlier = evidence.earlier.iter().filter(|e| e.author == author && e.day == day).peekable();
            if earlier.peek().is_none() {
                sum += Spending::unknown();
            }
            earlier.for_each(|earlier| sum += earlier.spent);
            self.weigh(sum, Place::default(), &format!("{author} on {day}: "), findings);
        }
    }

    fn open_sessions(&self, commit: &Commit, findings: &mut Findings<'_>) {
        if commit.unknown().is_none() && !commit.draws.whole {
            findings.unknown(Place::commit(commit), "the sessions it draws on are not all known", RECORD_IT);
        }
    }

    fn weigh(&self, spent: Spending, place: Place<'_>, who: &str, findings: &mut Findings<'_>) {
        if let Some(max) = self.max_tokens {
            let known = spent.tokens.known;
            if known > max {
                let more = if spent.tokens.whole { "" } else { "at least " };
                findings.violated(
                    place,
                    format!("{who}{more}{known} tokens were used, and at most {max} may be"),
                    ADVICE,
                );
            } else if !spent.tokens.whole {
                let what =
                    format!("{who}{known} tokens and an unknown number more were used, and at most {max} may be");
                findings.unknown(place, what, RECORD_IT);
            }
        }
        if let Some(max) = self.max_cost {
            let known = spent.cost.known;
            if known > max {
                let more = if spent.cost.whole { "" } else { "at least " };
                let what = format!("{who}{more}{known} USD was spent, and at most {max} USD may be");
                findings.violated(place, what, ADVICE);
            } else if !spent.cost.whole {
                let what = format!("{who}{known} USD and an unknown sum more was spent, and at most {max} USD may be");
                findings.unknown(place, what, NO_PRICE);
            }
        }
    }
}

/// What a commit is the first to draw on; all of it open without a valid record.
fn spent(commit: &Commit) -> Spending {
    let draws = commit.drawn();
    let mut sum = if draws.whole { Spending::none() } else { Spending::unknown() };
    draws.known.iter().for_each(|draw| sum += Spending::of(&draw.models));
    sum
}
