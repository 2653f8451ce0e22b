//! Tests of what a segment's entries count for.

use super::*;
use crate::session::entry::Prompt;
use crate::session::event::Gap;
use proptest::prelude::*;

const NOBODY: &dyn Fn(u64) -> bool = &|_| false;

fn line(at: i64, entries: Vec<Entry>) -> Line {
    Line { at: Some(at * 1000), entries, ..Line::default() }
}

fn input(input: u64) -> Tokens {
    Tokens { input, ..Tokens::default() }
}

fn message(id: &str, tokens: u64) -> Entry {
    Entry::Message(Message { id: id.into(), model: "m".into(), tokens: input(tokens) })
}

fn tool(call: &str, name: &str, reach: Reach) -> Entry {
    Entry::ToolUse(ToolUse {
        call: CallId::from_agent(call),
        tool: name.into(),
        reach,
        mcp_server: None,
        skill: None,
        programs: Vec::new(),
        plan: false,
    })
}

fn result(call: &str, outcome: Outcome, paths: &[&str]) -> Entry {
    let files = paths.iter().map(|path| FileChange { path: (*path).into(), added: 2, removed: 1 }).collect();
    Entry::ToolResult(ToolResult { call: CallId::from_agent(call), outcome, files })
}

fn prompt(id: &str) -> Entry {
    Entry::Prompt(Prompt { id: id.into(), human: true })
}

fn count(state: TallyState, lines: &[Line], known: &dyn Fn(u64) -> bool, ended: bool) -> Segment {
    let roots = ["/r".to_owned(), "/r/.trees/x/".to_owned()];
    let mut tally = Tally::new(state, &roots, known);
    lines.iter().for_each(|line| tally.add(line));
    tally.finish(ended)
}

fn all(lines: &[Line]) -> Facts {
    count(TallyState::default(), lines, NOBODY, true).facts
}

#[test]
fn a_message_counts_once_at_its_largest() {
    let lines = [
        line(1, vec![message("a", 5)]),
        line(2, vec![message("b", 1)]),
        line(3, vec![message("a", 9)]),
        line(4, vec![message("a", 2)]),
    ];
    let facts = all(&lines);
    assert_eq!((facts.models[0].requests, facts.models[0].input), (2, 10));
    // The growth of a message belongs to the segment that saw it.
    let first = count(TallyState::default(), &lines[..2], NOBODY, false);
    let second = count(first.state, &lines[2..], NOBODY, true);
    assert_eq!((second.facts.models[0].requests, second.facts.models[0].input), (0, 4));
    assert_eq!((first.ids, second.ids), (vec![id_hash("a"), id_hash("b")], vec![]));
}

#[test]
fn tokens_are_kept_by_the_size_of_the_prompt() {
    let sent = |id: &str, tokens: Tokens| Entry::Message(Message { id: id.into(), model: "m".into(), tokens });
    let cached = Tokens { input: 1, cache_read: 90_000, cache_write_5m: 5_000, cache_write_1h: 5_000, output: 7 };
    let lines = [
        line(1, vec![message("a", 100_000)]),
        line(2, vec![sent("b", cached)]),
        line(3, vec![sent("c", Tokens { output: 1, ..input(300_000) })]),
        line(4, vec![sent("a", Tokens { output: 5, ..input(250_000) })]),
    ];
    let classes = |facts: &Facts| -> Vec<_> {
        facts.models.iter().map(|m| (m.prompt_over.over(), m.requests, m.input, m.output)).collect()
    };
    let expected = [(0, 1, 250_000, 5), (100_000, 1, 1, 7), (272_000, 1, 300_000, 1)];
    assert_eq!(classes(&all(&lines)), expected, "what a message grows by stays where it was counted first");
    let first = count(TallyState::default(), &lines[..3], NOBODY, false);
    assert_eq!(classes(&count(first.state, &lines[3..], NOBODY, true).facts), [(0, 0, 150_000, 5)]);
}

#[test]
fn unlisted_requests_have_the_size_that_they_have_on_average() {
    let compacted = |id: &str| line(2, vec![Entry::Compaction { id: id.into() }]);
    let totals = |n| line(3, vec![Entry::Totals([("m".to_owned(), input(n))].into())]);
    let classes = |lines: &[Line]| -> Vec<_> {
        all(lines).models.iter().map(|m| (m.prompt_over.over(), m.requests, m.input)).collect()
    };
    let one = [line(1, vec![message("a", 5)]), compacted("c"), totals(200_007)];
    assert_eq!(classes(&one), [(0, 1, 5), (200_000, 1, 200_002)]);
    let two = [line(1, vec![message("a", 5)]), compacted("c"), compacted("d"), totals(200_006)];
    assert_eq!(classes(&two), [(0, 1, 5), (100_000, 2, 200_001)]);
    let shorter = [line(1, vec![message("a", 5)]), compacted("c"), compacted("d"), totals(200_005)];
    assert_eq!(classes(&shorter), [(0, 3, 200_005)]);
}

#[test]
fn copies_of_another_session_count_for_nothing() {
    let original = [
        line(10, vec![prompt("p1")]),
        line(11, vec![message("a", 5), tool("t1", "Edit", Reach::Named)]),
        line(12, vec![result("t1", Outcome::Ok, &["/r/x"])]),
        line(13, vec![Entry::Compaction { id: "c1".into() }]),
    ];
    let first = count(TallyState::default(), &original, NOBODY, true);
    let own = [
        line(5000, vec![prompt("p2")]),
        line(5001, vec![message("b", 7), tool("t2", "Edit", Reach::Named)]),
        line(5002, vec![result("t2", Outcome::Failed, &[])]),
    ];
    let known = |id| first.ids.contains(&id);
    let fork = [&original[..], &own[..]].concat();
    let facts = count(TallyState::default(), &fork, &known, true).facts;
    assert_eq!(facts, count(TallyState::default(), &own, &known, true).facts);
    assert_eq!((facts.prompts, facts.compactions, facts.active_seconds), (1, 0, 2));
    assert_eq!(facts.span, Some((Time::from_unix(5000), Time::from_unix(5002))));
    assert_eq!((facts.files.len(), facts.models[0].input), (0, 7));
    // Wherever the copied part is cut.
    for at in 0..=fork.len() {
        let first = count(TallyState::default(), &fork[..at], &known, false);
        let second = count(first.state, &fork[at..], &known, true);
        assert_eq!(first.facts.active_seconds + second.facts.active_seconds, 2, "cut at {at}");
        assert_eq!(first.facts.prompts + second.facts.prompts, 1, "cut at {at}");
    }
}

#[test]
fn a_result_belongs_to_its_call_in_whatever_segment() {
    let call = [line(1, vec![message("a", 1), tool("t1", "Write", Reach::Named)])];
    let first = count(TallyState::default(), &call, NOBODY, false);
    assert_eq!(first.facts.tools, [ToolUsage { name: "Write".into(), calls: 1, failed: 0 }]);
    let late = [line(9, vec![result("t1", Outcome::Rejected, &[])]), line(9, vec![result("t1", Outcome::Failed, &[])])];
    let second = count(first.state.clone(), &late, NOBODY, true);
    assert_eq!(second.facts.tools, [ToolUsage { name: "Write".into(), calls: 0, failed: 1 }]);
    let never = count(first.state, &[], NOBODY, true);
    assert_eq!(never.facts.tools, second.facts.tools, "a call without a result was interrupted");
}

#[test]
fn files_are_named_within_their_work_tree() {
    let uses = ["t1", "t2", "t3", "t4", "t5"].map(|call| tool(call, "Edit", Reach::Named));
    let facts = all(&[
        line(1, uses.to_vec()),
        line(1, vec![tool("sh", "Bash", Reach::Any)]),
        line(2, vec![result("t1", Outcome::Ok, &["/r/src/./b", "/r/a"])]),
        line(2, vec![result("t2", Outcome::Ok, &["/r/.trees/x/src/b"])]),
        line(2, vec![result("t3", Outcome::Ok, &["/etc/x", "/rx", "/r"])]),
        line(2, vec![result("t4", Outcome::Ok, &["/r/../etc/x", "relative"])]),
        line(2, vec![result("t5", Outcome::Ok, &["/r/.git/config"])]),
        line(2, vec![result("sh", Outcome::Ok, &["/r/made-up"])]),
    ]);
    let files: Vec<_> =
        facts.files.iter().map(|file| (file.path.as_str(), file.edits, file.added, file.removed)).collect();
    assert_eq!(files, [("a", 1, 2, 1), ("src/b", 2, 4, 2)]);
    assert_eq!(facts.gaps, [GapCount { kind: "outside_repository".into(), count: 6 }]);
}

#[test]
fn threads_side_by_side_do_not_count_twice() {
    let mut sub = [line(5, vec![message("s", 3)]), line(15, vec![])];
    sub.iter_mut().for_each(|line| line.subagent = Some("a1".into()));
    let main = [line(0, vec![prompt("p")]), line(20, vec![message("m", 1)])];
    let facts = all(&[&main[..], &sub[..]].concat());
    assert_eq!((facts.active_seconds, facts.subagents, facts.models[0].requests), (20, 1, 2));
}

#[test]
fn a_compaction_is_accounted_for_or_a_gap() {
    let compacted = [line(1, vec![message("a", 5)]), line(2, vec![Entry::Compaction { id: "c".into() }])];
    assert_eq!(all(&compacted).gaps, [GapCount { kind: "usage_unlisted".into(), count: 1 }]);
    let open = count(TallyState::default(), &compacted, NOBODY, false);
    assert!(open.facts.gaps.is_empty(), "it may still be told");
    let totals = Line { entries: vec![Entry::Totals([("m".to_owned(), input(8))].into())], ..Line::default() };
    let facts = count(open.state, &[totals], NOBODY, true).facts;
    assert!(facts.gaps.is_empty());
    assert_eq!((facts.models[0].requests, facts.models[0].input), (1, 3));
}

#[test]
fn names_are_made_harmless_and_lists_end() {
    let long = "x".repeat(300);
    let mut lines: Vec<Line> =
        (0..MAX_NAMES + 5).map(|i| line(1, vec![tool(&format!("t{i}"), &format!("Tool{i}"), Reach::None)])).collect();
    lines.push(line(
        1,
        vec![Entry::Message(Message { id: "a".into(), model: format!("\x1b[31m{long}"), tokens: input(u64::MAX) })],
    ));
    lines.push(Line { gaps: vec![Gap { kind: GapKind::LineInvalid, count: u64::MAX }], ..Line::default() });
    let facts = all(&lines);
    assert_eq!(facts.tools.len(), MAX_NAMES);
    assert_eq!(facts.cut, [Cut { list: "tools".into(), count: 5 + 5 }], "uses, and those left open at the end");
    assert!(facts.tools.is_sorted_by(|a, b| a.name < b.name));
    assert_eq!((facts.models[0].model.chars().count(), facts.models[0].input), (200, MAX_INTEGER));
    assert_eq!(facts.gaps[0].count, MAX_INTEGER);
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut lines = Vec::new();
    for i in 0..3 * MAX_PENDING {
        let mut next =
            line(i as i64 * 1000, vec![message(&format!("m{i}"), 1), tool(&format!("t{i}"), "Bash", Reach::Any)]);
        next.subagent = Some(format!("a{}", i % 7));
        lines.push(next);
    }
    let state = count(TallyState::default(), &lines, NOBODY, false).state;
    assert!(serde_json::to_string(&state).unwrap().len() < 400_000);
}

/// Of every class.
fn prompt_size() -> impl Strategy<Value = u64> {
    prop_oneof![0..50u64, 0..400_000u64]
}

/// A line of a session in which ids recur.
fn any_line() -> impl Strategy<Value = Line> {
    let id = || (0..12u8).prop_map(|n| format!("id{n}"));
    let outcome = prop_oneof![Just(Outcome::Ok), Just(Outcome::Failed)];
    let entry = prop_oneof![
        (id(), prompt_size()).prop_map(|(id, n)| vec![message(&id, n)]),
        (id(), prompt_size(), id()).prop_map(|(id, n, call)| vec![message(&id, n), tool(&call, "Edit", Reach::Named)]),
        (id(), outcome).prop_map(|(call, outcome)| vec![result(&call, outcome, &["/r/x"])]),
        id().prop_map(|id| vec![prompt(&format!("p-{id}"))]),
        id().prop_map(|id| vec![Entry::Compaction { id: format!("c-{id}") }]),
    ];
    (0..2_000i64, entry, prop::option::weighted(0.3, "[ab]"))
        .prop_map(|(at, entries, subagent)| Line { subagent, ..line(at, entries) })
}

proptest! {
    #[test]
    fn segments_sum_up_to_the_session(
        lines in prop::collection::vec(any_line(), 0..40),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        counted in prop::collection::hash_set(0..12u8, 0..4),
    ) {
        let known = |id| counted.iter().any(|n| id == id_hash(&format!("id{n}")));
        let whole = count(TallyState::default(), &lines, &known, true);
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(lines.len() + 1)).chain([0, lines.len()]).collect();
        at.sort();
        let (mut state, mut ids, mut parts) = (TallyState::default(), Vec::new(), Vec::new());
        for pair in at.windows(2) {
            let segment = count(state, &lines[pair[0]..pair[1]], &known, pair[1] == lines.len());
            state = segment.state;
            ids.extend(segment.ids);
            parts.push(segment.facts);
        }
        let sum = |of: &dyn Fn(&Facts) -> u64| parts.iter().map(of).sum::<u64>();
        type Count<'a> = &'a dyn Fn(&Facts) -> u64;
        let same: [(&str, Count<'_>); 9] = [
            ("input", &|f| f.models.iter().map(|m| m.input).sum()),
            ("requests", &|f| f.models.iter().map(|m| m.requests).sum()),
            ("calls", &|f| f.tools.iter().map(|t| t.calls).sum()),
            ("failed", &|f| f.tools.iter().map(|t| t.failed).sum()),
            ("edits", &|f| f.files.iter().map(|f| f.edits).sum()),
            ("prompts", &|f| f.prompts),
            ("compactions and gaps", &|f| f.compactions * 1000 + f.gaps.iter().map(|g| g.count).sum::<u64>()),
            ("subagents", &|f| f.subagents),
            ("active", &|f| f.active_seconds),
        ];
        for (name, of) in same {
            prop_assert_eq!(sum(of), of(&whole.facts), "{}", name);
        }
        let by_class = |parts: &mut dyn Iterator<Item = &Facts>| {
            let mut sums = BTreeMap::<_, (u64, u64)>::new();
            for m in parts.flat_map(|facts| &facts.models) {
                let sum = sums.entry((m.model.clone(), m.prompt_over)).or_default();
                *sum = (sum.0 + m.requests, sum.1 + m.input);
            }
            sums
        };
        prop_assert_eq!(by_class(&mut parts.iter()), by_class(&mut [&whole.facts].into_iter()));
        let order: Vec<_> = whole.facts.models.iter().map(|m| (&m.model, m.prompt_over)).collect();
        prop_assert!(order.is_sorted_by(|a, b| a < b));
        prop_assert_eq!(ids, whole.ids);
    }
}
