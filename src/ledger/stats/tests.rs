//! Tests of what sessions and commits add up to.

use super::*;
use crate::chain::Kind;
use crate::digest::Digest;
use crate::id::RecordId;
use crate::ledger::payload::Payloads;
use crate::ledger::verify::Chain;
use crate::record::body::{Agent, GapCount, Link, SessionRef};
use crate::roster::History;

fn at(text: &str) -> Time {
    text.parse().unwrap()
}

fn used(model: &str, requests: u64, input: u64) -> ModelUsage {
    ModelUsage { model: model.into(), requests, input, ..ModelUsage::default() }
}

fn session(id: &str, ended: &str, models: &[ModelUsage], tools: &[(&str, u64, u64)]) -> Session {
    Session {
        session: SessionId::from_agent(id),
        segment: 0,
        agent: Agent { name: "claude-code".into(), version: String::new() },
        started: at("2026-01-01T00:00:00Z"),
        ended: at(ended),
        active_seconds: 0,
        prompts: 0,
        turns: 0,
        plans: 0,
        compactions: 0,
        subagents: 0,
        models: models.to_vec(),
        tools: tools
            .iter()
            .map(|(name, calls, failed)| ToolUsage { name: (*name).into(), calls: *calls, failed: *failed })
            .collect(),
        mcp_servers: Vec::new(),
        skills: Vec::new(),
        programs: Vec::new(),
        files: Vec::new(),
        redactions: Vec::new(),
        rules: None,
        gaps: Vec::new(),
        payloads: Vec::new(),
        cut: Vec::new(),
    }
}

fn commit_id(n: u8) -> GitId {
    format!("{n:040x}").parse().unwrap()
}

fn commit(n: u8, sessions: &[&str]) -> Body {
    let record = RecordId(Digest::ZERO);
    let drawn = sessions.iter().map(|id| SessionRef { session: SessionId::from_agent(id), record });
    Body::Commit(Box::new(Commit {
        commit: commit_id(n),
        sha256: Digest::ZERO,
        tree: commit_id(0),
        parents: Vec::new(),
        patch_id: None,
        patch_id_u0: None,
        sessions: drawn.collect(),
        files: Vec::new(),
        total: Lines { added: u64::from(n), agent: 1, human: 0, unattributed: u64::from(n) - 1 },
        trace: Digest::ZERO,
        cut: Vec::new(),
    }))
}

fn link(old: u8, new: u8, level: u32) -> Body {
    Body::Link(Link { old: commit_id(old), new: commit_id(new), found_by: "amend".into(), level })
}

/// What a verification found on one chain; `false`: the record is bad.
fn report(bodies: Vec<(Body, bool)>) -> Report {
    let id = ChainId::Writer([1; 16]);
    let entries = bodies.into_iter().enumerate().map(|(seq, (body, good))| Entry {
        chain: id,
        seq: seq as u64,
        id: RecordId(Digest::of(&[seq as u8])),
        commit: commit_id(0),
        time: at("2026-01-02T00:00:00Z"),
        policy: None,
        seal: None,
        body,
        good,
    });
    let chain = Chain { member: Some("ada".into()), entries: entries.collect(), ..Chain::new(id, Kind::Log, 0) };
    Report {
        ledger: None,
        chains: vec![chain],
        history: History::default(),
        keeping: Default::default(),
        findings: Vec::new(),
        records: 0,
        payloads: Payloads::default(),
        witnesses: Vec::new(),
        policy_tail: None,
    }
}

#[test]
fn numbers_add_up_in_all_and_by_what_they_belong_to() {
    let table = PriceTable::embedded();
    let long = ModelUsage { prompt_over: 100_000.try_into().unwrap(), ..used("claude-haiku-5-5", 1, 110_000) };
    let mut stats = Stats::default();
    let read = ModelUsage { cache_read: 500_000, ..used("claude-haiku-5-5", 9, 1000) };
    let first = session("s1", "2026-01-01T10:00:00Z", &[read, long], &[("Edit", 3, 1)]);
    stats.add_session(&first, "ada", table);
    let second = session(
        "s1",
        "2026-01-02T10:00:00Z",
        &[used("claude-opus-5-5", 1, 1_000_000)],
        &[("Edit", 1, 0), ("Bash", 2, 2)],
    );
    stats.add_session(&second, "ada", table);
    let mut third = session("s2", "2026-01-02T11:00:00Z", &[used("nobody's", 4, 7)], &[]);
    third.gaps.push(GapCount { kind: "usage_unlisted".into(), count: 1 });
    stats.add_session(&third, "bea", table);
    stats.add_commit(&Lines { added: 9, agent: 5, human: 1, unattributed: 3 }, "bea", at("2026-01-02T12:00:00Z"));

    assert_eq!(stats.untold, 1);
    let json = serde_json::to_value(&stats).unwrap();
    let ours = serde_json::json!({
        "sessions": 2, "requests": 15, "input": 1_111_007, "output": 0, "cache_read": 500_000, "cache_write_5m": 0,
        "cache_write_1h": 0, "cost_usd": 4.0601, "cost_unknown_requests": 4, "cache_saved_usd": 0.045,
        "calls": 6, "failed": 3, "added": 9, "agent": 5, "human": 1, "unattributed": 3,
    });
    assert_eq!(json["total"], ours);
    // 500,000 at 0.01 and 1,000 at 0.1 a million; 110,000 at the 0.5 of long prompts.
    let haiku = serde_json::json!({
        "sessions": 1, "requests": 10, "input": 111_000, "output": 0, "cache_read": 500_000, "cache_write_5m": 0,
        "cache_write_1h": 0, "cost_usd": 0.0601, "cost_unknown_requests": 0, "cache_saved_usd": 0.045,
    });
    assert_eq!(json["by_model"]["claude-haiku-5-5"], haiku);
    assert_eq!(json["by_model"]["nobody's"]["cost_unknown_requests"], 4);
    assert_eq!(
        json["by_tool"],
        serde_json::json!({
            "Bash": {"sessions": 1, "calls": 2, "failed": 2},
            "Edit": {"sessions": 1, "calls": 4, "failed": 1},
        })
    );
    let of = |group: &str, name: &str, key: &str| json[group][name][key].as_f64().unwrap();
    assert_eq!((of("by_author", "ada", "cost_usd"), of("by_author", "ada", "added")), (4.0601, 0.0));
    assert_eq!((of("by_author", "bea", "cost_usd"), of("by_author", "bea", "added")), (0.0, 9.0));
    assert_eq!((of("by_day", "2026-01-01", "sessions"), of("by_day", "2026-01-02", "sessions")), (1.0, 2.0));
    assert_eq!((of("by_day", "2026-01-01", "calls"), of("by_day", "2026-01-02", "unattributed")), (3.0, 3.0));
    assert_eq!((of("by_agent", "claude-code", "calls"), json["by_agent"]["claude-code"].get("added")), (6.0, None));
}

#[test]
fn a_commit_counts_once_in_its_newest_form() {
    let count = |bodies: Vec<(Body, bool)>, range: Option<&[u8]>| -> Vec<(GitId, u64)> {
        let report = report(bodies);
        let range = range.map(|range| range.iter().map(|n| commit_id(*n)).collect());
        let mut found: Vec<_> =
            counted(&report, range.as_ref()).into_iter().map(|c| (c.commit, c.body.total.added)).collect();
        found.sort();
        found
    };
    let amended = || vec![(commit(1, &[]), true), (commit(2, &[]), true), (link(1, 2, 1), true)];
    assert_eq!(count(amended(), None), [(commit_id(2), 2)]);
    assert_eq!(count(amended(), Some(&[1])), [(commit_id(1), 1)], "the old form was asked for");
    assert_eq!(count(amended(), Some(&[2])), [(commit_id(2), 2)]);
    assert_eq!(count(amended(), Some(&[1, 2])).len(), 2);
    // The new form has no record of its own: the old one's speaks for it, also over two steps.
    let linked = || vec![(commit(1, &[]), true), (link(1, 2, 3), true), (link(2, 3, 3), true)];
    assert_eq!(count(linked(), None), [(commit_id(3), 1)]);
    assert_eq!(count(linked(), Some(&[3])), [(commit_id(3), 1)]);
    assert_eq!(count(linked(), Some(&[4])), []);
    // What is bad counts for nothing, and neither does a link that shares nothing.
    assert_eq!(count(vec![(commit(1, &[]), false)], None), []);
    let unlike = vec![(commit(1, &[]), true), (commit(2, &[]), true), (link(1, 2, 0), true)];
    assert_eq!(count(unlike, None).len(), 2);
    // Round in a circle.
    let circle = vec![(commit(1, &[]), true), (link(1, 2, 3), true), (link(2, 1, 3), true)];
    assert_eq!(count(circle, None), [(commit_id(2), 1)]);
    // Recorded twice.
    assert_eq!(count(vec![(commit(1, &[]), true), (commit(1, &[]), true)], None), [(commit_id(1), 1)]);
}

#[test]
fn a_session_is_found_by_the_beginning_of_its_id() {
    let body = |id: &str| Body::Session(Box::new(session(id, "2026-01-01T10:00:00Z", &[], &[])));
    let ids = ["abcd-1", "abcd-2", "abcd", "x"];
    let report = report(ids.iter().map(|id| (body(id), true)).chain([(body("bad-session"), false)]).collect());
    let find = |prefix: &str| match find_session(&report, prefix) {
        Ok(id) => id.to_string(),
        Err(error) => error.to_string(),
    };
    assert_eq!(find("abcd-1"), "abcd-1");
    assert_eq!((find("abcd"), find("x")), ("abcd".into(), "x".into()), "an id in full names it");
    assert_eq!(find("abcd-"), "2 sessions begin with \"abcd-\": abcd-1, abcd-2");
    assert!(find("abc").contains("too short"));
    assert!(find("bad-").contains("no session"), "{}", find("bad-"));
}
