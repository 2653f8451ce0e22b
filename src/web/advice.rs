//! Advice: what numbers of teams suggest, by rules that are the same for all. Values in, sentences out.

use std::collections::BTreeMap;

use crate::index::{HabitRow, UseRow};
use crate::web::show;

/// Fewer sessions than these say nothing of a habit.
const SESSIONS: i64 = 5;
/// Nor do fewer calls of whether they fail.
const CALLS: i64 = 20;
/// A difference that is worth a word, in percent.
const CHEAPER: i64 = 20;
/// A share of failing calls that is.
const FAILING: i64 = 30;
/// Less of what is sent came from a cache, in percent, in so many tokens or more.
const FROM_CACHE: i64 = 50;
const SENT: i64 = 1_000_000;

/// One suggestion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// Whom it concerns.
    pub repository: String,
    /// `try`, `mend` or `cache`.
    pub what: &'static str,
    pub about: String,
    pub why: String,
}

/// What a repository's models were sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sent {
    pub repository: String,
    /// Of it, what was read from a cache.
    pub read: i64,
    pub all: i64,
}

/// What some sessions cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Took {
    pub sessions: i64,
    pub cost: i64,
    pub lines: i64,
}

impl Took {
    /// Billionths of a dollar for a hundred lines that agents wrote; `None` where they wrote none.
    pub fn per_hundred(self) -> Option<i64> {
        (self.lines > 0)
            .then(|| i64::try_from(i128::from(self.cost) * 100 / i128::from(self.lines)).unwrap_or(i64::MAX))
    }
}

/// The sessions that used something, and those of the same repository that did not.
pub fn with_and_without(used: &UseRow, all: &[HabitRow]) -> (Took, Took) {
    let with = Took { sessions: used.sessions, cost: used.cost, lines: used.lines };
    let all = all.iter().find(|row| row.of == used.repository).cloned().unwrap_or_default();
    let less = |all: i64, with: i64| all.saturating_sub(with).max(0);
    let without = Took {
        sessions: less(all.sessions, with.sessions),
        cost: less(all.cost, with.cost),
        lines: less(all.lines, with.lines),
    };
    (with, without)
}

/// All that the numbers suggest: what to try, what to mend, and where caches are lost, each in order of repositories.
pub fn advise(uses: &[UseRow], all: &[HabitRow], sent: &[Sent]) -> Vec<Advice> {
    let mut advice = to_try(uses, all);
    advice.extend(uses.iter().filter(|used| used.calls >= CALLS && used.failed * 100 >= used.calls * FAILING).map(
        |used| {
            let failed = show::percent(used.failed, used.calls);
            let why = format!("{failed} of its {} calls fail: mend it, or take it out", show::count(used.calls));
            Advice { repository: used.repository.clone(), what: "mend", about: name(used), why }
        },
    ));
    advice.extend(caches(sent));
    let order = ["try", "mend", "cache"];
    advice.sort_by_key(|one| {
        (one.repository.clone(), order.iter().position(|what| *what == one.what), one.about.clone())
    });
    advice
}

fn name(used: &UseRow) -> String {
    match used.kind.as_str() {
        "server" => format!("MCP server {}", used.name),
        kind => format!("{kind} {}", used.name),
    }
}

/// What one repository does not use, and sessions of another were cheaper with than without.
fn to_try(uses: &[UseRow], all: &[HabitRow]) -> Vec<Advice> {
    let mut best: BTreeMap<String, (i64, &UseRow, Took, Took)> = BTreeMap::new();
    for used in uses {
        let (with, without) = with_and_without(used, all);
        let (Some(one), Some(other)) = (with.per_hundred(), without.per_hundred()) else { continue };
        let pays = one <= other / 100 * (100 - CHEAPER);
        if !pays || with.sessions < SESSIONS || without.sessions < SESSIONS {
            continue;
        }
        let found = best.entry(name(used)).or_insert((with.sessions, used, with, without));
        if with.sessions > found.0 {
            *found = (with.sessions, used, with, without);
        }
    }
    let mut advice = Vec::new();
    for (about, (_, used, with, without)) in best {
        let has = |repository: &str| uses.iter().any(|one| one.repository == repository && name(one) == about);
        for row in all.iter().filter(|row| row.sessions >= SESSIONS && !has(&row.of)) {
            let cost = |took: Took| show::money(took.per_hundred().unwrap_or_default());
            let why = format!(
                "in {}, {} sessions with it cost {} for 100 lines, {} without it {}",
                used.repository,
                show::count(with.sessions),
                cost(with),
                show::count(without.sessions),
                cost(without)
            );
            advice.push(Advice { repository: row.of.clone(), what: "try", about: about.clone(), why });
        }
    }
    advice
}

/// Where little of what models are sent comes from a cache.
fn caches(sent: &[Sent]) -> impl Iterator<Item = Advice> {
    let cold = sent.iter().filter(|sent| sent.all >= SENT && sent.read * 100 < sent.all * FROM_CACHE);
    cold.map(|sent| {
        let why = format!(
            "{} of {} tokens that models were sent came from a cache: shorter breaks, /compact or a new session after one, and \
             tools and models that stay the same within a session keep it",
            show::percent(sent.read, sent.all),
            show::count(sent.all)
        );
        Advice { repository: sent.repository.clone(), what: "cache", about: "caches".to_owned(), why }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn habit(of: &str, sessions: i64, cost: i64, lines: i64) -> HabitRow {
        HabitRow { of: of.into(), sessions, cost, lines, ..HabitRow::default() }
    }

    fn used(repository: &str, kind: &str, name: &str, sessions: i64, cost: i64, lines: i64) -> UseRow {
        let (repository, kind, name) = (repository.into(), kind.into(), name.into());
        UseRow { repository, kind, name, sessions, cost, lines, ..UseRow::default() }
    }

    fn told(advice: &[Advice]) -> Vec<String> {
        advice.iter().map(|one| format!("{} {} {}", one.repository, one.what, one.about)).collect()
    }

    #[test]
    fn what_pays_in_one_team_is_suggested_to_those_that_do_not_use_it() {
        let dollar = 1_000_000_000;
        let all = [habit("a", 20, 30 * dollar, 2_000), habit("b", 9, 9 * dollar, 900), habit("c", 4, dollar, 100)];
        let uses = [used("a", "skill", "review", 10, 8 * dollar, 1_000), used("c", "skill", "lint", 4, dollar, 100)];
        let advice = advise(&uses, &all, &[]);
        assert_eq!(told(&advice), ["b try skill review"], "c has too few sessions to say or to be told anything");
        assert_eq!(advice[0].why, "in a, 10 sessions with it cost $0.80 for 100 lines, 10 without it $2.20");
        let both = [uses[0].clone(), used("b", "skill", "review", 1, 0, 0)];
        assert!(advise(&both, &all, &[]).is_empty(), "b knows it");
        let dear = [used("a", "skill", "review", 10, 14 * dollar, 1_000)];
        assert!(advise(&dear, &all, &[]).is_empty(), "a small difference is none");
    }

    #[test]
    fn what_fails_often_is_to_be_mended() {
        let row = |calls, failed| UseRow { calls, failed, ..used("a", "server", "db", 3, 0, 0) };
        assert_eq!(told(&advise(&[row(20, 6)], &[], &[])), ["a mend MCP server db"]);
        assert!(advise(&[row(20, 5), row(19, 19)], &[], &[]).is_empty());
    }

    #[test]
    fn lost_caches_are_told() {
        let sent = |read, all| Sent { repository: "a".into(), read, all };
        assert_eq!(told(&advise(&[], &[], &[sent(400_000, 1_000_000)])), ["a cache caches"]);
        assert!(advise(&[], &[], &[sent(500_000, 1_000_000), sent(0, 999_999)]).is_empty());
    }
}
