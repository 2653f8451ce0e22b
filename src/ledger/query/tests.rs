//! Tests of what records tell of commits and sessions.

use super::*;
use crate::chain::Kind;
use crate::digest::Digest;
use crate::ledger::verify::Chain;
use crate::record::body::{GapCount, Lines, ModelUsage, SessionRef};
use crate::roster::History;
use crate::time::Time;

fn session(name: &str, segment: u64, model: &str, output: u64) -> Body {
    let json = serde_json::json!({"session": name, "segment": segment, "agent": {"name": "claude-code", "version": ""},
        "started": "2026-01-01T00:00:00Z", "ended": "2026-01-01T00:00:00Z", "active_seconds": 1, "prompts": 1,
        "turns": 1, "plans": 0, "compactions": 0, "subagents": 0, "models": [], "tools": [], "mcp_servers": [],
        "skills": [], "programs": [], "files": [], "redactions": [], "gaps": [], "payloads": []});
    let mut body: Session = serde_json::from_value(json).unwrap();
    body.models.push(ModelUsage { model: model.into(), requests: 1, output, ..ModelUsage::default() });
    Body::Session(Box::new(body))
}

fn id(n: u8) -> RecordId {
    RecordId(Digest::of(&[n]))
}

fn git(n: u8) -> GitId {
    format!("{n:040x}").parse().unwrap()
}

/// A record of commit `n` that cites records by their numbers.
fn commit(n: u8, cites: &[(&str, u8)]) -> Body {
    let sessions =
        cites.iter().map(|(name, record)| SessionRef { session: SessionId::from_agent(name), record: id(*record) });
    Body::Commit(Box::new(Commit {
        commit: git(n),
        sha256: Digest::ZERO,
        tree: git(0),
        parents: Vec::new(),
        patch_id: None,
        patch_id_u0: None,
        sessions: sessions.collect(),
        files: Vec::new(),
        total: Lines { added: u64::from(n), ..Lines::default() },
        trace: Digest::ZERO,
        cut: Vec::new(),
    }))
}

fn link(old: u8, new: u8, level: u32) -> Body {
    Body::Link(Link { old: git(old), new: git(new), found_by: "rebase".into(), level })
}

/// A chain whose record at place n has the id `id(n)`; those in `bad` do not hold.
fn report(bodies: Vec<Body>, bad: &[usize]) -> Report {
    let chain = ChainId::Writer([1; 16]);
    let entry = |(n, body): (usize, Body)| Entry {
        chain,
        seq: n as u64,
        id: id(n as u8),
        commit: git(100 + n as u8),
        time: Time::from_unix(n as i64),
        policy: None,
        seal: None,
        body,
        good: !bad.contains(&n),
    };
    let entries: Vec<Entry> = bodies.into_iter().enumerate().map(entry).collect();
    let records = entries.len() as u64;
    let chain = Chain { entries, ..Chain::new(chain, Kind::Log, records as usize) };
    Report {
        ledger: None,
        chains: vec![chain],
        history: History::default(),
        keeping: Default::default(),
        findings: Vec::new(),
        records,
        payloads: Payloads::default(),
        witnesses: Vec::new(),
        policy_tail: None,
    }
}

const OPUS: &str = "claude-opus-4-5";

/// Cents of each commit; 25 dollars are a million tokens of output.
fn costs(report: &Report, commits: &[u8]) -> Vec<Option<String>> {
    let book = Book::new(report, PriceTable::embedded());
    commits.iter().map(|n| book.commit(&git(*n)).cost.map(|cost| cost.to_string())).collect()
}

fn dollars(texts: &[&str]) -> Vec<Option<String>> {
    texts.iter().map(|text| (*text != "?").then(|| (*text).to_owned())).collect()
}

#[test]
fn each_segment_is_paid_by_the_first_commit_after_it() {
    let report = report(
        vec![
            session("a", 0, OPUS, 40_000),
            session("a", 1, OPUS, 80_000),
            commit(1, &[("a", 1)]),
            session("b", 0, OPUS, 4_000),
            session("a", 2, OPUS, 40_000),
            commit(2, &[("a", 4), ("b", 3)]),
            commit(3, &[("a", 4)]),
            commit(4, &[]),
            session("a", 3, "unheard-of", 1),
            commit(5, &[("a", 8)]),
            commit(6, &[("a", 99)]),
        ],
        &[],
    );
    assert_eq!(costs(&report, &[1, 2, 3, 4, 5, 6, 7]), dollars(&["3", "1.1", "0", "0", "?", "?", "?"]));
    let book = Book::new(&report, PriceTable::embedded());
    assert_eq!(book.commit(&git(3)).sessions[0].models, [OPUS], "of the session so far");
    assert_eq!(book.commit(&git(6)).sessions[0].agent, None, "what it cites is not here");
}

#[test]
fn only_enrolled_writers_tell_of_a_session_that_one_of_them_has() {
    let told = |report: &Report| {
        let book = Book::new(report, PriceTable::embedded());
        let session = SessionId::from_agent("a");
        (book.telling(&session).iter().map(|told| told.entry.chain).collect::<Vec<_>>(), book.telling_notes(&session))
    };
    let (ada, mal) = (ChainId::Writer([1; 16]), ChainId::Writer([2; 16]));
    let mut report = report(vec![session("a", 0, OPUS, 1)], &[]);
    let mut other = self::report(vec![session("a", 0, OPUS, 1)], &[]).chains.remove(0);
    (other.id, other.pending) = (mal, true);
    other.entries.iter_mut().for_each(|entry| entry.chain = mal);
    report.chains.push(other);
    assert_eq!((told(&report).0, told(&report).1.len()), (vec![ada], 1));
    report.chains.remove(0);
    assert_eq!(told(&report).0, [mal]);
    assert!(told(&report).1[0].starts_with("nobody has enrolled"));
}

#[test]
fn a_rewritten_commit_takes_over_what_was_paid() {
    let report = report(
        vec![
            session("a", 0, OPUS, 40_000),
            commit(1, &[("a", 0)]),
            session("a", 1, OPUS, 40_000),
            commit(2, &[("a", 2)]),
            commit(3, &[("a", 2)]),
            link(1, 3, 1),
            link(2, 3, 1),
            // Round and round is no endless way.
            link(3, 1, 3),
        ],
        &[],
    );
    assert_eq!(costs(&report, &[3]), dollars(&["2"]));
}

#[test]
fn only_what_holds_is_believed() {
    let body = vec![session("a", 0, OPUS, 40_000), commit(1, &[("a", 0)]), link(2, 3, 3), commit(2, &[])];
    let bad = report(body.clone(), &[1]);
    let book = Book::new(&bad, PriceTable::embedded());
    let known = book.commit(&git(1));
    assert_eq!((known.state, known.cost, known.sessions.len()), (State::Bad, None, 0));
    assert!(known.body.is_none() && known.entry.is_some());
    assert!(book.record_of(&git(1)).is_none());

    let bad = report(body.clone(), &[0]);
    let book = Book::new(&bad, PriceTable::embedded());
    let known = book.commit(&git(1));
    assert_eq!((known.state, known.cost, known.sessions[0].agent), (State::Signed, None, None));
    assert!(book.segments(&SessionId::from_agent("a")).is_empty());
    assert_eq!(book.bad_segments(&SessionId::from_agent("a")).len(), 1);

    let bad = report(body, &[2]);
    assert_eq!(Book::new(&bad, PriceTable::embedded()).commit(&git(3)).state, State::Missing);
}

#[test]
fn links_say_how_much_they_know() {
    let report =
        report(vec![commit(1, &[]), link(1, 2, 2), link(2, 3, 3), link(1, 4, 1), link(4, 5, 3), link(1, 6, 0)], &[]);
    let book = Book::new(&report, PriceTable::embedded());
    for (n, state, lines) in [
        (2, State::Linked, true),
        (3, State::Linked, true),
        (4, State::Linked, false),
        (5, State::Linked, false),
        (6, State::Missing, false),
    ] {
        let known = book.commit(&git(n));
        assert_eq!((known.state, known.body.is_some()), (state, lines), "{n}");
        assert_eq!(book.linked_from(&git(n)).is_some_and(|(_, level)| level >= SAME_PATCH), lines);
    }
}

#[test]
fn tokens_that_nobody_told_are_not_free() {
    let Body::Session(mut body) = session("a", 0, OPUS, 0) else { panic!() };
    let prices = PriceTable::embedded();
    assert_eq!(segment_cost(prices, &body), Some(Money::default()));
    body.gaps.push(GapCount { kind: GapKind::TranscriptMissing.as_str().into(), count: 1 });
    assert_eq!(segment_cost(prices, &body), None);
}
