//! `budget`: what was spent beside what the policy allows.

use std::sync::Arc;

use rmcp::schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cost::Money;
use crate::host::clock;
use crate::index::{By, Filter, SessionRow};
use crate::ledger::rules::InForce;
use crate::mcp::desk::{Complete, Desk, Need};
use crate::mcp::refusal::Refusal;
use crate::policy::{Limit, Policy, limits};
use crate::time::Time;

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// A session's id, or its first 4 characters or more; without it your newest recorded session
    session: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub struct Told {
    /// Whose key this clone has: the author whose day is told.
    member: Option<String>,
    /// The day, in UTC.
    day: String,
    /// What this author's sessions used today.
    today: Spent,
    /// The session that is told, and what it used.
    session: Option<String>,
    in_session: Option<Spent>,
    /// The budgets that the policy sets.
    budgets: Vec<Budget>,
    /// What is counted here: records. What a session used since the last one is not among it yet.
    counted: &'static str,
    index: Complete,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Spent {
    /// Of every kind: input, output, cache reads and writes.
    tokens: u64,
    /// In US dollars, as far as prices are known.
    #[schemars(with = "f64")]
    cost_usd: Money,
    /// Requests of which nobody knows what they cost; they are not among the cost.
    requests_of_unknown_cost: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Budget {
    rule: String,
    /// block or warn.
    level: String,
    /// What it is for: session, commit, push or author-day.
    per: &'static str,
    max_tokens: Option<u64>,
    #[schemars(with = "Option<f64>")]
    max_usd: Option<Money>,
    /// How much of the nearer limit is used, in percent; absent for commits and pushes, which are judged when there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    used_percent: Option<u64>,
    /// What that means.
    says: String,
}

const COUNTED: &str = "records: what a session used since its last commit is not among them yet";

pub fn budget(desk: &Arc<Desk>, asked: Asked) -> Result<Told, Refusal> {
    let index = desk.ready(Need::Records)?;
    let day = clock::now().day();
    let member = member(desk)?;
    let today = match &member {
        Some(member) => spent_on(desk, member, &day)?,
        None => Spent::of(0, 0, 0),
    };
    let session = session(desk, asked.session.as_deref(), member.as_deref())?;
    let in_session = session.as_ref().map(|row| Spent::of(row.tokens, row.cost, row.unknown));
    let budgets = match desk.ledger()?.rules()? {
        InForce::None => Vec::new(),
        InForce::Rules(rules) => {
            let policy = Policy::read(&rules.toml);
            limits(&policy).iter().map(|limit| Budget::of(limit, &today, in_session.as_ref())).collect()
        }
        InForce::Untold(why) => return Err(Refusal::new(why, "until it is known, take it that there is a budget")),
    };
    let session = session.map(|row| row.session);
    Ok(Told { member, day, today, session, in_session, budgets, counted: COUNTED, index })
}

/// Whose key this clone has, as the index knows it.
fn member(desk: &Arc<Desk>) -> Result<Option<String>, Refusal> {
    let Some(own) = desk.local.ledger()?.own_chain() else { return Ok(None) };
    let chains = desk.ask(desk.database().chains(&desk.filter()?))?;
    let own = chains.into_iter().find(|row| row.chain == own.to_string() && row.pending == 0);
    Ok(own.and_then(|row| row.member))
}

fn spent_on(desk: &Arc<Desk>, member: &str, day: &str) -> Result<Spent, Refusal> {
    let begins = Time::from_rfc3339(&format!("{day}T00:00:00Z")).map_or(0, Time::unix);
    let (since, until) = (Some(begins), Some(begins + 86_400));
    let filter = Filter { member: Some(member.to_owned()), since, until, ..desk.filter()? };
    let sums = desk.ask(desk.database().usage(&filter, None, By::Member))?;
    let sum = |of: &dyn Fn(&crate::index::UsageSum) -> i64| sums.iter().map(of).fold(0, i64::saturating_add);
    Ok(Spent::of(sum(&|row| row.tokens()), sum(&|row| row.cost), sum(&|row| row.unknown)))
}

/// The session that is named, or the member's newest.
fn session(desk: &Arc<Desk>, name: Option<&str>, member: Option<&str>) -> Result<Option<SessionRow>, Refusal> {
    let filter = desk.filter()?;
    match (name, member) {
        (Some(name), _) => desk.session_named(name).map(Some),
        (None, Some(member)) => {
            let filter = Filter { member: Some(member.to_owned()), ..filter };
            Ok(desk.ask(desk.database().sessions(&filter, None, 1))?.into_iter().next())
        }
        (None, None) => Ok(None),
    }
}

impl Spent {
    fn of(tokens: i64, nano_dollars: i64, unknown: i64) -> Self {
        let whole = |number: i64| u64::try_from(number).unwrap_or_default();
        let cost = Money::from_micro_dollars(whole(nano_dollars) / 1000);
        Spent { tokens: whole(tokens), cost_usd: cost, requests_of_unknown_cost: whole(unknown) }
    }
}

impl Budget {
    fn of(limit: &Limit<'_>, today: &Spent, in_session: Option<&Spent>) -> Self {
        let spent = match limit.per {
            "session" => in_session,
            "author-day" => Some(today),
            _ => None,
        };
        let used = spent.map(|spent| used(limit, spent));
        Budget {
            rule: limit.rule.name.clone(),
            level: limit.rule.level.to_string(),
            per: limit.per,
            max_tokens: limit.max_tokens,
            max_usd: limit.max_cost,
            used_percent: used.map(|(percent, _)| percent),
            says: says(used, spent.is_some_and(|spent| spent.requests_of_unknown_cost > 0)),
        }
    }
}

/// How much of the nearer limit is used, in percent, rounded up; and whether that is more than may be.
fn used(limit: &Limit<'_>, spent: &Spent) -> (u64, bool) {
    let share = |used: u128, most: u128| {
        let percent = (used * 100).div_ceil(most.max(1));
        (u64::try_from(percent).unwrap_or(u64::MAX), used > most)
    };
    let tokens = limit.max_tokens.map(|most| share(spent.tokens.into(), most.into()));
    let cost = limit.max_cost.map(|most| share(spent.cost_usd.nano_dollars(), most.nano_dollars()));
    tokens.max(cost).unwrap_or_default()
}

fn says(used: Option<(u64, bool)>, is_open: bool) -> String {
    let said = match used {
        None => return "it is judged when there is a commit or a push: git tracevault check".to_owned(),
        Some((_, true)) => "more is used than may be",
        Some((80.., _)) => "little is left",
        Some(_) => "there is enough left",
    };
    let open = if is_open { ", beside an unknown sum: some requests have no known price" } else { "" };
    format!("{said}{open}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearer_limit_counts() {
        let policy = "[[rule]]\nname = \"b\"\ncondition = \"token-budget\"\nper = \"session\"\nmax_tokens = 1000\nmax_usd = 2\n\
            level = \"block\"\n";
        let policy = Policy::parse(policy).unwrap();
        let limits = limits(&policy);
        let told = |tokens, nano, unknown| {
            let spent = Spent::of(tokens, nano, unknown);
            let budget = Budget::of(&limits[0], &Spent::default(), Some(&spent));
            (budget.used_percent, budget.says)
        };
        assert_eq!(told(100, 1_900_000_000, 0), (Some(95), "little is left".into()));
        assert_eq!(told(1_020, 0, 0), (Some(102), "more is used than may be".into()));
        assert_eq!(told(1_001, 0, 0), (Some(101), "more is used than may be".into()));
        assert_eq!(told(1_000, 0, 0), (Some(100), "little is left".into()));
        let (used, says) = told(10, 0, 1);
        assert_eq!(used, Some(1));
        assert!(says.starts_with("there is enough left, beside an unknown sum"), "{says}");
        let none = Budget::of(&limits[0], &Spent::default(), None);
        assert_eq!(none.used_percent, None);
    }
}
