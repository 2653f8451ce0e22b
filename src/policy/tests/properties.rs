//! What holds for all texts and all evidence.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;

/// Pieces that policies are made of, so that random texts come near to being policies.
const PIECES: &[&str] = &[
    "[[rule]]",
    "[rule]",
    "[[",
    "]",
    "name",
    "level",
    "condition",
    "message",
    " = ",
    "=",
    "\"a\"",
    "\"b-1\"",
    "\"block\"",
    "\"warn\"",
    "\"trace-completeness\"",
    "\"ai-percentage\"",
    "\"model-allowlist\"",
    "\"sensitive-paths\"",
    "\"required-tool\"",
    "\"conditional-tool\"",
    "\"token-budget\"",
    "max_percent",
    "paths",
    "allow",
    "tools",
    "programs",
    "min_calls",
    "per",
    "\"push\"",
    "max_usd",
    "max_tokens",
    "[\"**\"]",
    "[\"a/{b,c}\", \"!*.md\"]",
    "[\"anthropic/*\"]",
    "[\"[\"]",
    "[]",
    "[[]]",
    "{}",
    "{a=1}",
    "\n",
    "\r\n",
    "\n\n",
    " ",
    "#",
    "'''",
    "\"\"\"",
    "1",
    "-1",
    "0.5",
    "1e999",
    "0xff",
    "true",
    "1979-05-27",
    "ü",
    "\u{feff}",
    "\0",
    "日本",
    "a.b",
    "rule",
    ",",
];

/// A rule of every condition, with the keys it may have.
const RULES: &[(&str, &str)] = &[
    ("trace-completeness", ""),
    ("trace-completeness", "min_link_level = 3"),
    ("ai-percentage", "max_percent = 40"),
    ("ai-percentage", "max_percent = 0\nper = \"commit\""),
    ("ai-percentage", "max_percent = 60\nper = \"path\"\npaths = [\"a\", \"b\"]"),
    ("ai-percentage", "max_percent = 60\npaths = [\"a\"]\nunattributed = \"agent\""),
    ("model-allowlist", "allow = [\"anthropic/*\", \"*/local\"]"),
    ("sensitive-paths", "paths = [\"a\"]"),
    ("sensitive-paths", "paths = [\"a\", \"b\"]\nreviewer = \"auditor\"\nunattributed = \"agent\""),
    ("required-tool", "programs = [\"cargo\"]"),
    ("required-tool", "programs = [\"cargo\"]\nafter_last_edit = false"),
    ("conditional-tool", "programs = [\"cargo\"]\npaths = [\"a\"]\nmin_calls = 2"),
    ("token-budget", "per = \"session\"\nmax_tokens = 30\nmax_usd = 0.00003"),
    ("token-budget", "per = \"commit\"\nmax_tokens = 30"),
    ("token-budget", "per = \"push\"\nmax_usd = 0.00005"),
    ("token-budget", "per = \"author-day\"\nmax_tokens = 60"),
];

const MODELS: &[&str] = &["anthropic/x", "openai/y", "x", "local", ""];
const FILES: &[&str] = &["a", "b", "c"];

/// A commit: its files with their lines, its sessions with their models and use, whether it has a record.
type Step = (Vec<(usize, u64, u64, u64)>, Vec<(usize, usize, u64)>, u8);

fn range() -> impl Strategy<Value = Range> {
    let files = prop::collection::vec((0..FILES.len(), 0..5u64, 0..5u64, 0..5u64), 0..4);
    let draws = prop::collection::vec((0..3usize, 0..MODELS.len(), 0..30u64), 0..3);
    let commits = prop::collection::vec((files, draws, 0..12u8), 0..4);
    let sessions = prop::collection::vec((0..5i64, prop::collection::vec(0..8i64, 0..3)), 3);
    (commits, sessions, 0..3usize).prop_map(|(commits, sessions, approved)| build(&commits, &sessions, approved))
}

fn build(commits: &[Step], sessions: &[(i64, Vec<i64>)], approved: usize) -> Range {
    let mut range = Range::new();
    for (files, draws, state) in commits {
        range = range.commit();
        let mut named = std::collections::BTreeSet::new();
        for (file, agent, human, nobody) in files.iter().filter(|(file, ..)| named.insert(*file)) {
            range = range.file(FILES[*file], *agent, *human, *nobody);
        }
        for (session, model, used) in draws {
            range = range.draw(&format!("s{session}"), MODELS[*model], *used, Some(*used));
        }
        range = match state {
            0 => range.state(RecordState::Missing),
            1 => range.state(valid(Some(1))),
            _ => range,
        };
    }
    for (session, (edited, called_at)) in range.0.sessions.iter_mut().zip(sessions) {
        session.last_edit = if *edited == 0 { LastEdit::Never } else { LastEdit::At(*edited) };
        session.programs.known.push(called("cargo", called_at, 1));
    }
    range = range.earlier(Spending { tokens: Partly::whole(20), ..Spending::none() });
    (0..approved).fold(range, |range, n| range.approved(n + 1, "rev@example.org", Role::Auditor))
}

/// Forgets one thing, and says that it may be more than is known.
fn forget(range: &mut Range, what: u8, which: &Index) {
    fn pick<'a, T>(list: &'a mut [T], which: &Index) -> Option<&'a mut T> {
        if list.is_empty() { None } else { Some(which.get_mut(list)) }
    }
    fn drop_one<T>(list: &mut Partly<Vec<T>>, which: &Index) {
        list.whole = false;
        if !list.known.is_empty() {
            list.known.remove(which.index(list.known.len()));
        }
    }
    let evidence = &mut range.0;
    if let 0..=7 = what {
        let Some(commit) = pick(&mut evidence.commits, which) else { return };
        match what {
            0 => commit.record = unrecorded()[which.index(3)].clone(),
            1 => commit.lines = None,
            2 => drop_one(&mut commit.files, which),
            3 => drop_one(&mut commit.draws, which),
            4 => pick(&mut commit.files.known, which).into_iter().for_each(|file| file.lines = None),
            5 => pick(&mut commit.draws.known, which).into_iter().for_each(|draw| drop_one(&mut draw.models, which)),
            _ => {
                for used in pick(&mut commit.draws.known, which).into_iter().flat_map(|draw| &mut draw.models.known) {
                    match what {
                        6 => used.cost = None,
                        _ if which.index(2) == 0 => used.model.provider = None,
                        _ => used.model.name.clear(),
                    }
                }
            }
        }
        return;
    }
    match what {
        8 => drop_one(&mut evidence.approvals, which),
        9 => evidence.earlier.clear(),
        10 => evidence.earlier.iter_mut().for_each(|earlier| earlier.spent.tokens = Partly::part(0)),
        11 if !evidence.sessions.is_empty() => drop(evidence.sessions.remove(which.index(evidence.sessions.len()))),
        _ => {
            let Some(session) = pick(&mut evidence.sessions, which) else { return };
            match what {
                12 => session.last_edit = LastEdit::Unknown,
                13 => drop_one(&mut session.programs, which),
                14 => session.spent = Spending::unknown(),
                15 => session.programs.known.iter_mut().for_each(|used| used.succeeded_at.clear()),
                16 => session.programs.known.iter_mut().for_each(|used| used.succeeded = Partly::part(0)),
                _ => {}
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn any_text_is_read_without_harm(text in "\\PC*|(?s).{0,200}") {
        read_without_harm(&text)?;
    }

    #[test]
    fn any_mix_of_pieces_is_read_without_harm(pieces in prop::collection::vec(select(PIECES), 0..40)) {
        read_without_harm(&pieces.concat())?;
    }

    #[test]
    fn a_broken_policy_is_read_without_harm(rule in select(RULES), at: Index, piece in select(PIECES), removed in 0..9usize) {
        let mut text = format!("[[rule]]\nname = \"r\"\ncondition = \"{}\"\nlevel = \"block\"\n{}\n", rule.0, rule.1);
        let at = at.index(text.len());
        text.replace_range(at..(at + removed).min(text.len()), piece);
        read_without_harm(&text)?;
    }

    #[test]
    fn patterns_match_without_harm(pattern in "[a-z*?{},\\[\\]!/\\\\.ü-]{1,20}", name in "[a-zü.]{1,5}(/[a-zü.]{1,5}){0,3}") {
        if let (Ok(globs), Ok(path)) = (globs::PathGlobs::compile(&[&pattern]), RepoPath::from_bytes(name.as_bytes())) {
            globs.matches(&path);
        }
    }

    #[test]
    fn one_more_line_of_an_agents_never_makes_a_share_pass(
        range in range(), rule in select(&RULES[2..6]), commit: Index, forgotten in prop::collection::vec((0..8u8, any::<Index>()), 0..3),
    ) {
        let mut before = range;
        forgotten.iter().for_each(|(what, which)| forget(&mut before, *what, which));
        if before.0.commits.is_empty() {
            return Ok(());
        }
        let mut after = before.clone();
        let commit = commit.get_mut(&mut after.0.commits);
        let Some(file) = commit.files.known.first_mut() else { return Ok(()) };
        for lines in file.lines.iter_mut().chain(&mut commit.lines) {
            lines.added += 1;
            lines.agent += 1;
        }
        let (before, after) = (judge(rule.0, rule.1, &before).verdict, judge(rule.0, rule.1, &after).verdict);
        prop_assert!(after >= before, "{before} became {after}");
    }

    #[test]
    fn knowing_less_never_makes_a_range_pass(
        range in range(), rule in select(RULES), forgotten in prop::collection::vec((0..17u8, any::<Index>()), 1..4),
    ) {
        let mut less = range.clone();
        forgotten.iter().for_each(|(what, which)| forget(&mut less, *what, which));
        let (before, after) = (judge(rule.0, rule.1, &range).verdict, judge(rule.0, rule.1, &less).verdict);
        prop_assert!(before == Verdict::Pass || after != Verdict::Pass, "{before} became a pass without {forgotten:?}");
    }

    #[test]
    fn order_decides_nothing(range in range(), rule in select(RULES)) {
        let mut turned = range.clone();
        turned.0.sessions.reverse();
        turned.0.approvals.known.reverse();
        turned.0.commits.iter_mut().for_each(|commit| commit.files.known.reverse());
        prop_assert_eq!(judge(rule.0, rule.1, &range), judge(rule.0, rule.1, &turned));
    }
}

fn read_without_harm(text: &str) -> Result<(), TestCaseError> {
    let lines: Vec<&str> = text.split('\n').collect();
    let parsed = Policy::parse(text);
    for error in parsed.as_ref().err().into_iter().flatten() {
        let line = error.line.checked_sub(1).and_then(|line| lines.get(line));
        prop_assert!(
            line.is_some_and(|line| (1..=line.chars().count() + 1).contains(&error.column)),
            "{error} {text:?}"
        );
        prop_assert!(!error.message.is_empty() && !error.allowed.is_empty());
        prop_assert!(!error.to_string().chars().any(char::is_control), "{error:?}");
    }
    let read = Policy::read(text);
    let report = evaluate(&read, &Range::new().commit().0);
    let understood = report.rules.iter().all(|rule| rule.outcome == Verdict::Pass);
    prop_assert!(parsed.is_ok() || !understood, "{report:?}");
    prop_assert!(parsed.is_err() || read.rules.len() == parsed.unwrap().rules.len());
    Ok(())
}

/// That the properties are about something: every rule passes, fails and cannot tell on some of the ranges.
#[test]
fn the_ranges_that_properties_try_are_of_every_kind() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for (condition, keys) in RULES {
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..3000 {
            let range = range().new_tree(&mut runner).unwrap().current();
            seen.insert(judge(condition, keys, &range).verdict);
            if seen.len() == 3 {
                break;
            }
        }
        // Nothing but an unknown record leaves it open whether a commit is recorded, and a missing one does not.
        let expected = if *condition == "trace-completeness" { 2 } else { 3 };
        assert_eq!(seen.len(), expected, "{condition} {keys}: {seen:?}");
    }
}
