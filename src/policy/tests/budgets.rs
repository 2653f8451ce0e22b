//! `token-budget`.

use super::*;
use Verdict::{Fail, Inconclusive, Pass};

const BUDGET: &str = "token-budget";
const PER: [&str; 4] = ["session", "commit", "push", "author-day"];

fn one(tokens: u64, micro: Option<u64>) -> Range {
    Range::new().commit().draw("s", "anthropic/x", tokens, micro).earlier(Spending::none())
}

#[test]
fn a_limit_may_be_reached_and_not_exceeded() {
    for per in PER {
        for (tokens, micro, keys, verdict) in [
            (100, Some(5), "max_tokens = 100", Pass),
            (101, Some(5), "max_tokens = 100", Fail),
            (0, Some(0), "max_tokens = 0", Pass),
            (1, Some(0), "max_tokens = 0", Fail),
            (101, Some(1_500_000), "max_usd = 1.5", Pass),
            (101, Some(1_500_001), "max_usd = 1.5", Fail),
            (101, Some(2_000_000), "max_usd = 2", Pass),
            (101, Some(2_000_001), "max_usd = 2", Fail),
            (100, Some(2_000_001), "max_tokens = 100\nmax_usd = 2", Fail),
            (101, Some(1), "max_tokens = 100\nmax_usd = 2", Fail),
            (100, Some(1), "max_tokens = 100\nmax_usd = 2", Pass),
            // A model without a price costs an unknown sum.
            (100, None, "max_tokens = 100", Pass),
            (100, None, "max_usd = 1000", Inconclusive),
            (101, None, "max_tokens = 100\nmax_usd = 1000", Fail),
        ] {
            expect(BUDGET, &format!("per = \"{per}\"\n{keys}"), &one(tokens, micro), verdict);
        }
        let keys = format!("per = \"{per}\"\nmax_tokens = 9");
        expect(BUDGET, &keys, &Range::new(), Pass);
        expect(BUDGET, &keys, &Range::new().commit(), Pass);
    }
}

#[test]
fn each_budget_is_of_its_own_sum() {
    // Session s: 30 in two commits; t: 20 in the second.
    let range = Range::new().commit().draw("s", "a/x", 10, Some(10)).commit().draw("s", "a/x", 20, Some(20));
    let range = range.draw("t", "a/x", 20, Some(20)).earlier(Spending { tokens: Partly::whole(5), ..Spending::none() });
    for (per, most) in [("session", 30), ("commit", 40), ("push", 50), ("author-day", 55)] {
        expect(BUDGET, &format!("per = \"{per}\"\nmax_tokens = {most}"), &range, Pass);
        expect(BUDGET, &format!("per = \"{per}\"\nmax_tokens = {}", most - 1), &range, Fail);
    }
    // A session counts with what it used before the range.
    let mut long = one(10, Some(1));
    long.0.sessions[0].spent.tokens.known = 1000;
    expect(BUDGET, "per = \"session\"\nmax_tokens = 999", &long, Fail);
    expect(BUDGET, "per = \"push\"\nmax_tokens = 10", &long, Pass);
    // Days and authors are told apart.
    let mut days = one(10, Some(1)).commit().draw("s", "a/x", 10, Some(1));
    days.last().draws.known[0].day = "2026-11-22".into();
    let mut other = days.0.earlier[0].clone();
    other.day = "2026-11-22".into();
    days.0.earlier.push(other);
    expect(BUDGET, "per = \"author-day\"\nmax_tokens = 10", &days, Pass);
    let report = judge(BUDGET, "per = \"author-day\"\nmax_tokens = 9", &days);
    assert_eq!(report.findings.len(), 2);
    assert_eq!(
        report.findings[0].message,
        "the range: dev@example.org on 2026-11-21: 10 tokens were used, and at most 9 may be (rule r)"
    );
}

#[test]
fn what_is_not_known_may_exceed_any_budget() {
    for per in PER {
        let keys = |max: u64| format!("per = \"{per}\"\nmax_tokens = {max}");
        let cut = |tokens| {
            let mut range = one(tokens, Some(1));
            range.last().draws.known[0].models.whole = false;
            range.0.sessions[0].spent.tokens.whole = false;
            range
        };
        expect(BUDGET, &keys(1000), &cut(10), Inconclusive);
        // What is known is enough.
        expect(BUDGET, &keys(9), &cut(10), Fail);
        let mut draws = one(10, Some(1));
        draws.last().draws.whole = false;
        expect(BUDGET, &keys(1000), &draws, Inconclusive);
        for state in unrecorded() {
            expect(BUDGET, &keys(1000), &one(10, Some(1)).commit().state(state), Inconclusive);
        }
        let over = one(10, Some(1)).commit().state(RecordState::Missing);
        expect(BUDGET, &keys(9), &over, Fail);
    }
    let mut gone = one(10, Some(1));
    gone.0.sessions.clear();
    expect(BUDGET, "per = \"session\"\nmax_tokens = 1000", &gone, Inconclusive);
    let mut silent = one(10, Some(1));
    silent.0.earlier.clear();
    expect(BUDGET, "per = \"author-day\"\nmax_tokens = 1000", &silent, Inconclusive);
    expect(BUDGET, "per = \"author-day\"\nmax_tokens = 9", &silent, Fail);
    expect(
        BUDGET,
        "per = \"author-day\"\nmax_tokens = 1000",
        &one(10, None).earlier(Spending::unknown()),
        Inconclusive,
    );
}
