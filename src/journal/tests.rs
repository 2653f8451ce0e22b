//! Tests of the journal's files.

use super::*;
use crate::id::CallId;
use crate::journal::squash::Squash;
use crate::session::event::{EventKind, FileState, Reach, ToolCall};
use serde_json::value::RawValue;

fn journal(dir: &Path) -> Journal {
    fs::create_dir_all(dir.join("tracevault")).unwrap();
    fs::write(dir.join("tracevault/enrolled"), "").unwrap();
    Journal::open(dir).unwrap()
}

fn event(session: &str, at: i64, kind: EventKind, raw: &str) -> AgentEvent {
    AgentEvent {
        at,
        agent: "claude-code".into(),
        session: SessionId::from_agent(session),
        kind,
        name: "X".into(),
        cwd: None,
        work_tree: None,
        transcript: None,
        subagent: None,
        call: None,
        before: Vec::new(),
        files: Vec::new(),
        gaps: Vec::new(),
        raw: Some(RawValue::from_string(raw.to_owned()).unwrap()),
    }
}

fn ats(journal: &Journal, session: &str) -> Vec<Option<i64>> {
    let reader = journal.read(&SessionId::from_agent(session), 0).unwrap();
    reader.map(|(_, event)| event.ok().map(|event| event.at)).collect()
}

#[test]
fn without_enrolment_there_is_no_journal() {
    let dir = tempfile::tempdir().unwrap();
    assert!(Journal::open(dir.path()).is_none());
    fs::create_dir(dir.path().join("tracevault")).unwrap();
    assert!(Journal::open(dir.path()).is_none());
    assert!(journal(dir.path()).sessions().unwrap().is_empty());
}

#[test]
fn the_last_squash_is_remembered() {
    let dir = tempfile::tempdir().unwrap();
    let journal = journal(dir.path());
    assert_eq!(journal.squash(), None);
    let id = |letter: &str| letter.repeat(40).parse().unwrap();
    let first = Squash { at: 1, head: id("a"), tip: id("b") };
    let second = Squash { at: 2, head: id("b"), tip: id("c") };
    for squash in [first, second] {
        journal.note_squash(&squash).unwrap();
        assert_eq!(journal.squash(), Some(squash));
    }
    for spoilt in ["", "2", "2 nonsense", "two a b"] {
        fs::write(journal.squash_file(), spoilt).unwrap();
        assert_eq!(journal.squash(), None, "{spoilt}");
    }
}

#[test]
fn events_are_read_on_from_where_one_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let journal = journal(dir.path());
    let session = SessionId::from_agent("s");
    journal.append(&event("s", 1, EventKind::Start, "{\"a\":\r\n 1}")).unwrap();
    journal.append(&event("s", 2, EventKind::Other, r#"{"b":"\n,\"raw\":"}"#)).unwrap();
    let mut reader = journal.read(&session, 0).unwrap();
    let (offset, first) = reader.next().unwrap();
    assert_eq!(first.unwrap().raw.unwrap().get(), "{\"a\":   1}");
    let mut reader = journal.read(&session, offset).unwrap();
    let (end, second) = reader.next().unwrap();
    assert_eq!(second.unwrap().raw.unwrap().get(), r#"{"b":"\n,\"raw\":"}"#);
    assert!(reader.next().is_none());
    assert_eq!(journal.sessions().unwrap()[0].size, end);
    assert!(journal.sessions().unwrap()[0].modified > 1_700_000_000_000);
    assert!(journal.read(&SessionId::from_agent("none"), 0).unwrap().next().is_none());
}

#[test]
#[cfg(unix)]
fn the_journal_is_the_users_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let journal = journal(dir.path());
    journal.append(&event("s", 1, EventKind::Start, "{}")).unwrap();
    journal.states().keep(b"x").unwrap();
    let mode = |path: &str| fs::metadata(journal.dir().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("journal"), mode("journal/s.jsonl"), mode("states")), (0o700, 0o600, 0o700));
}

#[test]
fn a_torn_line_spoils_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let journal = journal(dir.path());
    let path = journal.file(&SessionId::from_agent("s"));
    let tear = |bytes: &[u8]| fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(bytes).unwrap();
    journal.append(&event("s", 1, EventKind::Start, "{}")).unwrap();
    tear(br#"{"at":2,"agent":"cla"#);
    assert_eq!(ats(&journal, "s"), [Some(1)], "not there yet");
    journal.append(&event("s", 3, EventKind::Stop, "{}")).unwrap();
    assert_eq!(ats(&journal, "s"), [Some(1), None, Some(3)]);
    tear(b"\xff\xfe\0\n\nnull\n");
    assert_eq!(ats(&journal, "s"), [Some(1), None, Some(3), None, None, None]);

    // A line that lacks nothing but its end is not lost.
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.iter().position(|b| *b == b'\n').unwrap()]).unwrap();
    journal.append(&event("s", 4, EventKind::End, "{}")).unwrap();
    assert_eq!(ats(&journal, "s"), [Some(1), Some(4)]);
}

#[test]
fn eight_writers_at_once_lose_and_tear_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let journal = journal(dir.path());
    let long = format!("\"{}\"", "x".repeat(100_000));
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let (journal, long) = (&journal, &long);
            scope.spawn(move || {
                for i in 0..50 {
                    let raw = if i % 5 == 0 { long } else { "{}" };
                    journal.append(&event("s", writer * 1000 + i, EventKind::Other, raw)).unwrap();
                    journal.states().keep(format!("state {i}").as_bytes()).unwrap();
                }
            });
        }
    });
    let mut found: Vec<i64> = ats(&journal, "s").into_iter().flatten().collect();
    assert_eq!(found.len(), 400);
    for writer in 0..8 {
        let of_writer: Vec<i64> = found.iter().copied().filter(|at| at / 1000 == writer).collect();
        assert!(of_writer.is_sorted(), "each writer's events are in order");
    }
    found.sort_unstable();
    found.dedup();
    assert_eq!(found.len(), 400);
}

#[test]
fn a_lock_that_is_never_given_up_does_not_hold_us() {
    let dir = tempfile::tempdir().unwrap();
    let journal = journal(dir.path());
    journal.append(&event("s", 1, EventKind::Start, "{}")).unwrap();
    let holder = File::open(journal.file(&SessionId::from_agent("s"))).unwrap();
    holder.lock().unwrap();
    journal.append(&event("s", 2, EventKind::Stop, "{}")).unwrap();
    assert_eq!(ats(&journal, "s"), [Some(1), Some(2)]);
}

#[test]
fn a_files_edits_come_from_all_sessions_in_order_of_time() {
    let dir = tempfile::tempdir().unwrap();
    let journal = journal(dir.path());
    let call = |session: &str, at: i64, kind: EventKind, id: &str, text: &str| {
        let state = Some(journal.states().keep(text.as_bytes()).unwrap());
        journal
            .append(&AgentEvent {
                call: Some(ToolCall { id: CallId::from_agent(id), tool: "Edit".into(), reach: Reach::Named }),
                files: vec![FileState { path: "f".parse().unwrap(), state, file: None }],
                ..event(session, at, kind, r#"{"files":[],"raw":{}}"#)
            })
            .unwrap();
    };
    call("b", 1, EventKind::ToolBefore, "1", "one");
    call("b", 2, EventKind::ToolAfter, "1", "two");
    call("a", 3, EventKind::ToolBefore, "1", "two");
    call("b", 5, EventKind::ToolAfter, "2", "four");
    call("a", 4, EventKind::ToolFailed, "1", "three");
    let edits = journal.edits(&"f".parse().unwrap()).unwrap();
    let found: Vec<_> = edits.iter().map(|edit| (edit.at, edit.session.as_str(), edit.call.as_str())).collect();
    assert_eq!(found, [(2, "b", "1"), (4, "a", "1"), (5, "b", "2")]);
    let after = edits[1].after.unwrap();
    assert_eq!(journal.states().load(&after).unwrap().unwrap(), b"three");
}

proptest::proptest! {
    #[test]
    fn whatever_is_in_the_file_each_line_is_read_once(bytes: Vec<u8>, cuts in "[\n{}a]{0,20}") {
        let dir = tempfile::tempdir().unwrap();
        let journal = journal(dir.path());
        fs::create_dir(journal.dir().join("journal")).unwrap();
        let session = SessionId::from_agent("s");
        let bytes = [&bytes[..], cuts.as_bytes()].concat();
        fs::write(journal.file(&session), &bytes).unwrap();
        let offsets: Vec<u64> = journal.read(&session, 0).unwrap().map(|(offset, _)| offset).collect();
        let ends = bytes.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(at, _)| at as u64 + 1);
        proptest::prop_assert_eq!(offsets, ends.collect::<Vec<_>>());
    }
}

#[test]
fn a_renamed_file_has_the_edits_of_its_old_names_until_it_was_renamed() {
    let dir = tempfile::tempdir().unwrap();
    let journal = journal(dir.path());
    let path = |text: &str| text.parse::<RepoPath>().unwrap();
    let edit = |at: i64, file: &str| {
        let call = ToolCall { id: CallId::from_agent(&at.to_string()), tool: "Write".into(), reach: Reach::Named };
        let state = FileState { path: path(file), state: Some(Digest::of(file.as_bytes())), file: None };
        let mut event = event("s", at, EventKind::ToolAfter, "{}");
        (event.call, event.files) = (Some(call), vec![state]);
        journal.append(&event).unwrap();
    };
    edit(1, "a b");
    journal.renamed(&path("a b"), &path("b"), 2).unwrap();
    edit(3, "a b");
    edit(4, "b");
    journal.renamed(&path("b"), &path("c"), 5).unwrap();
    journal.renamed(&path("never seen"), &path("d"), 5).unwrap();
    // Round and round.
    journal.renamed(&path("c"), &path("a b"), 6).unwrap();
    let ats = |name| journal.edits(&path(name)).unwrap().iter().map(|edit| edit.at).collect::<Vec<_>>();
    assert_eq!((ats("b"), ats("c"), ats("d")), (vec![1, 4], vec![1, 4], vec![]));
    assert_eq!(ats("a b"), [1, 3, 4]);
}
