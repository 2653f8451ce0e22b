//! Tests of git-ai's notes: the form, what is refused, and that nothing is lost between writing and reading.

use proptest::prelude::*;

use super::*;
use crate::record::body::LineAuthor;
use crate::{attribution::trace::call_uri, id::CallId};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn commit() -> GitId {
    COMMIT.parse().unwrap()
}

fn record() -> RecordId {
    RecordId(Digest::of(b"record"))
}

fn range(start: u32, end: u32, session: &str, call: &str, model: Option<&str>) -> TraceRange {
    let author = LineAuthor { session: SessionId::from_agent(session), call: CallId::from_agent(call) };
    TraceRange {
        start,
        end,
        contributor: Contributor::Ai,
        model: model.map(str::to_owned),
        url: Some(call_uri(&author)),
        content_hash: None,
    }
}

fn trace(files: Vec<(&str, Vec<TraceRange>)>) -> Trace {
    let file = |(path, ranges): (&str, _)| TraceFile { path: RepoPath::from_bytes(path.as_bytes()).unwrap(), ranges };
    let files = files.into_iter().map(file).collect();
    Trace { id: None, time: None, revision: None, tool: None, tool_version: None, files }
}

fn facts(_: &SessionId) -> SessionFacts {
    SessionFacts { agent: Some("claude-code".into()), added: 40, removed: 2 }
}

#[test]
fn a_note_is_these_very_bytes() {
    let opus = Some("anthropic/claude-opus-5-5");
    let human = TraceRange { contributor: Contributor::Human, url: None, ..range(4, 4, "", "", None) };
    let ranges = vec![
        range(1, 2, "s1", "c1", opus),
        range(3, 3, "s1", "c2", Some("anthropic/claude-haiku-5")),
        human,
        range(5, 5, "s2", "c3", None),
        range(7, 9, "s1", "c1", opus),
    ];
    let files = vec![("src/a.rs", ranges), ("a b.md", vec![range(1, 1, "s1", "c4", opus)]), ("none", vec![])];
    let (note, unheld) = of_trace(&trace(files), &commit(), facts);
    assert_eq!(unheld, []);
    let text = String::from_utf8(write(&note.unwrap(), record(), "0.1.0").unwrap()).unwrap();
    // printf claude:s1 | sha256sum | cut -c 1-16
    let (one, two) = ("e25e1af58555c8d7", "f6ea68aba2cfe68b");
    let (lines, json) = sections(&text).unwrap();
    assert_eq!(lines, format!("src/a.rs\n  {one} 1-3,7-9\n  {two} 5\n\"a b.md\"\n  {one} 1\n"));
    let mut json: serde_json::Value = serde_json::from_str(json).unwrap();
    let mark = json["tracevault"].take();
    let prompt = |id: &str, model: &str, accepted: u64| {
        serde_json::json!({"agent_id": {"tool": "claude", "id": id, "model": model}, "messages": [],
            "total_additions": 40, "total_deletions": 2, "accepted_lines": accepted, "overriden_lines": 0})
    };
    let expected = serde_json::json!({"schema_version": "authorship/3.0.0", "base_commit_sha": COMMIT,
        "prompts": {one: prompt("s1", "claude-opus-5-5", 7), two: prompt("s2", "unknown", 1)}, "tracevault": null});
    assert_eq!(json, expected);
    assert_eq!((&mark["record"], &mark["version"]), (&record().to_string().into(), &"0.1.0".into()));
}

#[test]
fn nothing_of_an_agent_is_no_note_and_odd_paths_are_told() {
    let human = TraceRange { contributor: Contributor::Human, ..range(1, 1, "s", "c", None) };
    assert_eq!(of_trace(&trace(vec![("a", vec![human])]), &commit(), facts), (None, vec![]));
    let lines = || vec![range(1, 1, "s", "c", None)];
    let (note, unheld) = of_trace(&trace(vec![("a\nb", lines()), ("caf\x1b", lines())]), &commit(), facts);
    assert_eq!((note, unheld.len()), (None, 2));
    let odd = ["---", "\"q\"", "a\"b", " lead", "trail ", "tab\tbed", "--- ", "\u{2003}wide"];
    let (note, unheld) = of_trace(&trace(odd.iter().map(|path| (*path, lines())).collect()), &commit(), facts);
    assert_eq!(unheld, []);
    let read = read(&write(&note.unwrap(), record(), "0").unwrap()).unwrap();
    let paths: Vec<_> = read.files.iter().map(|file| String::from_utf8(file.path.to_bytes()).unwrap()).collect();
    assert_eq!(paths, odd);
}

#[test]
fn our_notes_are_told_from_all_others() {
    let (note, _) = of_trace(&trace(vec![("a", vec![range(1, 5, "s", "c", None)])]), &commit(), facts);
    let ours = write(&note.unwrap(), record(), "0.1.0").unwrap();
    assert!(is_ours(&ours));
    let text = String::from_utf8(ours).unwrap();
    for (from, to) in [(" 1-5", " 1-6"), ("claude", "cursor"), ("\n", "\r\n"), ("0.1.0", "0.1.1"), ("}\n", "}\n\n")] {
        assert_ne!(text, text.replace(from, to));
        assert!(!is_ours(text.replace(from, to).as_bytes()), "{from:?}");
    }
    assert!(!is_ours(b"") && !is_ours(b"---\n{}") && !is_ours(b"\xff---\n"));
    let zeros = format!("---\n{{\"tracevault\":{{\"sha256\":\"{NO_DIGEST}\"}}}}");
    assert!(!is_ours(zeros.as_bytes()));
}

/// A note by hand, as the standard describes it and as newer versions of git-ai write it.
const THEIRS: &str = r#"src/main.rs
  abcd1234abcd1234 1-10,15
  s_0123456789abcd::t_fedcba98765432 20-21
"docs/a b.md"
  h_0123456789abcd 3
  abcd123 7

---
{
  "schema_version": "authorship/3.0.0",
  "git_ai_version": "1.0.23",
  "base_commit_sha": "0123456789abcdef0123456789abcdef01234567",
  "prompts": {
    "abcd1234abcd1234": {
      "agent_id": {"tool": "cursor", "id": "6ef2 299e/ü", "model": "gpt-9"},
      "human_author": "Ada <ada@example.com>",
      "messages": [{"type": "user", "text": "---\nmake it so"}],
      "total_additions": 25, "total_deletions": 5, "accepted_lines": 11, "overriden_lines": 1
    },
    "abcd123": {"agent_id": {"tool": "amp", "id": "T-1", "model": ""}, "messages": []}
  },
  "humans": {"h_0123456789abcd": {"author": "Ada <ada@example.com>"}},
  "sessions": {"s_0123456789abcd": {"agent_id": {"tool": "claude", "id": "c", "model": "m"}}}
}
"#;

#[test]
fn others_notes_are_read() {
    let note = read(THEIRS.as_bytes()).unwrap();
    assert_eq!((note.version.as_deref(), note.base_commit.as_deref()), (Some("1.0.23"), Some(COMMIT)));
    let cursor = &note.sessions["abcd1234abcd1234"];
    assert_eq!((cursor.additions, cursor.deletions, cursor.accepted, cursor.overridden), (25, 5, 11, 1));
    let trace = note.to_trace(&commit());
    assert_eq!((trace.tool.as_deref(), trace.tool_version.as_deref()), (Some("git-ai"), Some("1.0.23")));
    let said = |file: usize| {
        let ranges = trace.files[file].ranges.iter();
        ranges.map(|r| (r.start, r.end, r.contributor, r.model.as_deref(), r.url.as_deref())).collect::<Vec<_>>()
    };
    let url = "git-ai:session/cursor/6ef2%20299e%2F%C3%BC";
    assert_eq!(parse_session_uri(url), Some(("cursor".into(), "6ef2 299e/ü".into())));
    assert_eq!(
        said(0),
        [(3, 3, Contributor::Human, None, None), (7, 7, Contributor::Ai, None, Some("git-ai:session/amp/T-1"))]
    );
    assert_eq!(
        said(1),
        [
            (1, 10, Contributor::Ai, Some("gpt-9"), Some(url)),
            (15, 15, Contributor::Ai, Some("gpt-9"), Some(url)),
            (20, 21, Contributor::Ai, Some("m"), Some("git-ai:session/claude/c")),
        ]
    );
    // Another tool's claim is none of our calls.
    assert!(trace.files.iter().flat_map(|file| &file.ranges).all(|range| range.author().is_none()));
    assert!(!is_ours(THEIRS.as_bytes()));
}

#[test]
fn nonsense_is_refused_with_its_line() {
    let broken = |from: &str, to: &str| {
        assert!(THEIRS.contains(from), "{from}");
        read(THEIRS.replacen(from, to, 1).as_bytes()).unwrap_err().to_string()
    };
    for (from, to, expected) in [
        ("\n---\n", "\n--\n", "line 24: no line \"---\""),
        ("  abcd1234abcd1234 1-10", "  nowhere 1-10", "line 2: nothing is said of the session \"nowhere\""),
        ("1-10,15", "0-10", "line 2: \"0-10\" are not lines"),
        ("1-10,15", "10-1", "line 2: \"10-1\" are not lines"),
        ("1-10,15", "1-10,,15", "line 2: \"\" are not lines"),
        ("1-10,15", "1-99999999999", "line 2: \"1-99999999999\" are not lines"),
        ("1-10,15", "+1", "line 2: \"+1\" are not lines"),
        ("abcd1234abcd1234 1-10,15", "abcd1234abcd1234", "line 2: \"abcd1234abcd1234\" is not a key"),
        ("  abcd1234abcd1234 1-10", "   abcd1234abcd1234 1-10", "line 2: \" abcd1234abcd1234 1-10,15\" is not a key"),
        ("src/main.rs\n", "", "line 1: lines before any file"),
        ("src/main.rs", "../main.rs", "line 1: \"../main.rs\" is not a path"),
        ("src/main.rs", "/etc/passwd", "line 1: \"/etc/passwd\" is not a path"),
        ("src/main.rs", ".git/config", "line 1: \".git/config\" is not a path"),
        ("b.md\"", "b.md", "line 4: a quoted path"),
        ("ship/3.0.0", "ship/4.0.0", "line 9: the note is of schema \"authorship/4.0.0\""),
        ("\"cursor\"", "7", "line 15: invalid type: integer `7`, expected a string"),
        ("\"messages\": [", "\"messages\": {", "line 17: "),
    ] {
        let found = broken(from, to);
        assert!(found.starts_with(expected) && !found.contains("column"), "{found} instead of {expected}");
    }
    for bytes in [&b""[..], b"---", b"---\n", b"---\n[]", b"a\n\xff\n---\n{}"] {
        assert!(read(bytes).is_err());
    }
    assert_eq!(read(b"a\n\xff\n---\n{}").unwrap_err().line, 2);
    let deep = format!("---\n{}", "[".repeat(100_000));
    assert!(read(deep.as_bytes()).is_err());
}

fn sessions() -> impl Strategy<Value = Vec<Session>> {
    let text = || prop_oneof!["[a-z-]{1,9}", any::<String>()];
    let counts = (any::<u32>(), any::<u32>(), any::<u32>(), any::<u32>());
    let session = (text(), text(), text(), counts).prop_map(|(tool, id, model, (a, b, c, d))| Session {
        tool,
        id,
        model,
        additions: a.into(),
        deletions: b.into(),
        accepted: c.into(),
        overridden: d.into(),
    });
    prop::collection::vec(session, 1..4)
}

/// Paths that the form can hold.
fn paths() -> impl Strategy<Value = RepoPath> {
    "[a-zü\" \t\u{2003}-]{1,6}(/[a-z ]{1,4})?"
        .prop_filter_map("a path", |text| RepoPath::from_bytes(text.as_bytes()).ok())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn what_is_written_is_read(
        sessions in sessions(),
        files in prop::collection::btree_map(paths(), prop::collection::vec((any::<prop::sample::Index>(), prop::collection::vec((1..9u32, 0..9u32), 1..5)), 1..4), 0..4),
        version in prop::option::of(any::<String>()),
        human in any::<bool>(),
    ) {
        let keys: Vec<String> = sessions.iter().map(Session::key).collect();
        let mut lines = |(at, gaps): (prop::sample::Index, Vec<(u32, u32)>)| {
            let mut last = 0;
            let lines = gaps.into_iter().map(|(gap, more)| {
                let start = last + gap;
                last = start + more;
                (start, last)
            });
            let key = if human { "h_0123".to_owned() } else { keys[at.index(keys.len())].clone() };
            Entry { key, lines: lines.collect() }
        };
        let files = files.into_iter().map(|(path, entries)| NoteFile { path, entries: entries.into_iter().map(&mut lines).collect() });
        let files = files.collect();
        let sessions = keys.iter().cloned().zip(sessions).collect();
        let note = Note { base_commit: Some(COMMIT.into()), version, files, sessions };
        let bytes = write(&note, record(), "0.1.0").unwrap();
        prop_assert!(is_ours(&bytes));
        prop_assert_eq!(read(&bytes).unwrap(), note);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "(.{0,12}\n){0,6}---\n.{0,40}") {
        drop(read(&bytes));
        drop(read(text.as_bytes()));
        is_ours(text.as_bytes());
    }

    /// The lines of agents, with session and model, come back from our note as they were.
    #[test]
    fn a_trace_comes_back_from_its_note(
        lines in prop::collection::vec((2..5u32, 0..9u32, "[a-c]", "[x-z]"), 1..9),
    ) {
        let mut last = 0;
        let ranges: Vec<TraceRange> = lines.into_iter().map(|(gap, more, session, call)| {
            let start = last + gap;
            last = start + more;
            // One model a session is what the form can hold.
            range(start, last, &session, &call, Some(&format!("anthropic/claude-{session}")))
        }).collect();
        let (note, _) = of_trace(&trace(vec![("f", ranges.clone())]), &commit(), facts);
        let back = read(&write(&note.unwrap(), record(), "0").unwrap()).unwrap().to_trace(&commit());
        let said: Vec<_> = ranges.iter().map(|r| (r.start, r.end, r.author().unwrap().session.to_string(), r.model.clone().unwrap())).collect();
        let heard: Vec<_> = back.files[0].ranges.iter().map(|r| {
            let (tool, id) = parse_session_uri(r.url.as_deref().unwrap()).unwrap();
            assert_eq!(tool, "claude");
            (r.start, r.end, id, format!("anthropic/{}", r.model.clone().unwrap()))
        }).collect();
        prop_assert_eq!(said, heard);
    }
}
