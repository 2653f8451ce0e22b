//! Tests of what is found to have changed around a call, with a real git.

use super::*;
use crate::git::testing::Repo;
use crate::id::CallId;
use crate::session::event::Reach;

struct Fixture {
    repo: Repo,
    journal: Journal,
    session: SessionId,
}

impl Fixture {
    fn new() -> Fixture {
        let repo = Repo::new();
        let common = repo.path().join(".git");
        fs::create_dir(common.join("tracevault")).unwrap();
        fs::write(common.join("tracevault/enrolled"), "").unwrap();
        let journal = Journal::open(&common).unwrap();
        repo.commit("a.txt", "one\ntwo\n");
        repo.commit("b.txt", "b\n");
        repo.commit(".gitignore", "*.log\n");
        Fixture { repo, journal, session: SessionId::from_agent("s") }
    }

    fn before(&self, call: &str) {
        let location = Location::of(self.repo.path()).unwrap();
        self.snapshot(&location, call);
    }

    fn snapshot(&self, location: &Location, call: &str) {
        let call = tool_call(call);
        let event = event(&self.session, &call);
        self.journal.snapshot(location, &event, &call).unwrap();
    }

    fn after(&self, call: &str) -> Changes {
        self.journal.changes(&self.session, &tool_call(call)).unwrap()
    }

    /// What `act` changes: path, bytes before (`?` unknown, `-` none), bytes after.
    fn changes(&self, act: impl FnOnce(&Repo)) -> Vec<(String, String, String)> {
        self.before("c");
        act(&self.repo);
        let changes = self.after("c");
        assert_eq!(changes.gaps, [], "no gaps");
        self.shown(&changes)
    }

    fn shown(&self, changes: &Changes) -> Vec<(String, String, String)> {
        let text = |state: Option<Digest>| match state {
            Some(digest) => String::from_utf8(self.journal.states().load(&digest).unwrap().unwrap()).unwrap(),
            None => "-".to_owned(),
        };
        let shown = |file: &FileState| {
            let before = changes.before.iter().find(|before| before.path == file.path);
            let before = before.map_or("?".to_owned(), |before| text(before.state));
            (file.path.to_string(), before, text(file.state))
        };
        changes.files.iter().map(shown).collect()
    }
}

fn tool_call(id: &str) -> ToolCall {
    ToolCall { id: CallId::from_agent(id), tool: "Bash".into(), reach: Reach::Any }
}

fn event(session: &SessionId, call: &ToolCall) -> AgentEvent {
    AgentEvent {
        at: clock::now_millis(),
        agent: "claude-code".into(),
        session: session.clone(),
        kind: EventKind::ToolBefore,
        name: String::new(),
        cwd: None,
        work_tree: None,
        transcript: None,
        subagent: None,
        call: Some(call.clone()),
        before: Vec::new(),
        files: Vec::new(),
        gaps: Vec::new(),
        raw: None,
    }
}

fn expect(found: Vec<(String, String, String)>, expected: &[(&str, &str, &str)]) {
    let found: Vec<_> = found.iter().map(|(path, before, after)| (&**path, &**before, &**after)).collect();
    assert_eq!(found, expected);
}

#[test]
fn files_that_were_clean() {
    let f = Fixture::new();
    let found = f.changes(|repo| {
        repo.write("a.txt", "one\nTWO\n");
        repo.write("new/gen.py", "print()\n");
        repo.write("x.log", "secret\n");
        fs::remove_file(repo.path().join("b.txt")).unwrap();
    });
    let expected = [("a.txt", "one\ntwo\n", "one\nTWO\n"), ("b.txt", "b\n", "-"), ("new/gen.py", "-", "print()\n")];
    expect(found, &expected);
    // The ignored file's bytes are nowhere.
    assert!(f.journal.states().load(&Digest::of(b"secret\n")).unwrap().is_none());
    // The next call starts from there.
    expect(f.changes(|repo| drop(repo.write("a.txt", "1\n"))), &[("a.txt", "one\nTWO\n", "1\n")]);
    expect(f.changes(|_| ()), &[]);
}

#[test]
fn files_that_were_dirty_and_untracked() {
    let f = Fixture::new();
    f.repo.write("a.txt", "human\n");
    f.repo.write("u.txt", "mine\n");
    f.repo.write("same.txt", "same\n");
    let found = f.changes(|repo| {
        repo.write("a.txt", "human\nagent\n");
        fs::remove_file(repo.path().join("u.txt")).unwrap();
        repo.write("same.txt", "same\n");
    });
    expect(found, &[("a.txt", "human\n", "human\nagent\n"), ("u.txt", "mine\n", "-")]);
    // Restored: what was there before is known though nothing differs from HEAD any more.
    let found = f.changes(|repo| drop(repo.git(&["checkout", "-q", "--", "a.txt"])));
    expect(found, &[("a.txt", "human\nagent\n", "one\ntwo\n")]);
}

#[test]
fn what_the_call_commits_is_its_own() {
    let f = Fixture::new();
    f.repo.write("b.txt", "human\n");
    let found = f.changes(|repo| {
        repo.commit("a.txt", "agent\n");
        repo.commit("new.txt", "agent\n");
        repo.git(&["commit", "-q", "--amend", "-m", "better"]);
        repo.commit("b.txt", "human\nagent\n");
        fs::remove_file(repo.path().join("new.txt")).unwrap();
    });
    let expected = [("a.txt", "one\ntwo\n", "agent\n"), ("b.txt", "human\n", "human\nagent\n")];
    expect(found, &expected);
}

#[test]
fn committing_what_a_human_wrote_is_no_edit() {
    let f = Fixture::new();
    f.repo.write("a.txt", "human\n");
    f.repo.write("h.txt", "human\n");
    expect(f.changes(|repo| drop((repo.git(&["add", "."]), repo.git(&["commit", "-qam", "x"])))), &[]);
}

#[test]
fn the_first_commit_of_a_repository() {
    let f = Fixture::new();
    f.repo.git(&["checkout", "-q", "--orphan", "fresh"]);
    f.repo.git(&["rm", "-rfq", "."]);
    let found = f.changes(|repo| repo.commit("first", "1\n"));
    expect(found, &[("first", "-", "1\n")]);
}

#[test]
fn what_others_committed_is_not_the_calls() {
    let f = Fixture::new();
    f.repo.git(&["checkout", "-q", "-b", "other"]);
    f.repo.commit("theirs.txt", "theirs\n");
    f.repo.commit("b.txt", "theirs\n");
    f.repo.git(&["checkout", "-q", "main"]);
    f.repo.write("a.txt", "human\n");
    let found = f.changes(|repo| {
        repo.git(&["merge", "-q", "other"]);
        repo.write("b.txt", "theirs\nagent\n");
        repo.write("a.txt", "human\nagent\n");
        repo.commit("n.txt", "agent\n");
    });
    let expected =
        [("a.txt", "human\n", "human\nagent\n"), ("b.txt", "theirs\n", "theirs\nagent\n"), ("n.txt", "-", "agent\n")];
    expect(found, &expected);
    // There and back again.
    expect(
        f.changes(|repo| drop(repo.git(&["reset", "-q", "--hard", "HEAD~1"]))),
        &[("a.txt", "human\nagent\n", "one\ntwo\n"), ("b.txt", "theirs\nagent\n", "theirs\n")],
    );
}

#[test]
fn names_that_are_odd_and_links() {
    let f = Fixture::new();
    let found = f.changes(|repo| {
        repo.write("sp ace/\"q\"\tü.txt", "x\n");
        #[cfg(unix)]
        std::os::unix::fs::symlink("a.txt", repo.path().join("link")).unwrap();
    });
    #[cfg(unix)]
    expect(found, &[("\"sp ace/\\\"q\\\"\\011\\303\\274.txt\"", "-", "x\n"), ("link", "-", "a.txt")]);
    #[cfg(not(unix))]
    assert_eq!(found.len(), 1);
}

#[test]
fn line_ends_that_git_adds_are_no_change() {
    let f = Fixture::new();
    f.repo.commit(".gitattributes", "*.txt eol=crlf\n");
    f.repo.git(&["checkout", "-q", "--", "."]);
    let found = f.changes(|repo| drop(repo.write("a.txt", "one\r\n2\r\n")));
    expect(found, &[("a.txt", "one\r\ntwo\r\n", "one\r\n2\r\n")]);
}

#[test]
fn a_linked_work_tree_is_compared_though_the_shell_has_left_it() {
    let f = Fixture::new();
    let linked = f.repo.outside().join("linked");
    f.repo.git(&["worktree", "add", "-q", linked.to_str().unwrap()]);
    f.snapshot(&Location::of(&linked).unwrap(), "c");
    fs::write(linked.join("a.txt"), "linked\n").unwrap();
    let changes = f.after("c");
    assert_eq!(changes.work_tree.as_deref(), Some("linked"));
    expect(f.shown(&changes), &[("a.txt", "one\ntwo\n", "linked\n")]);
}

#[test]
fn calls_at_the_same_time_have_snapshots_of_their_own() {
    let f = Fixture::new();
    f.before("1");
    f.repo.write("a.txt", "1\n");
    f.before("2");
    f.repo.write("a.txt", "2\n");
    expect(f.shown(&f.after("2")), &[("a.txt", "1\n", "2\n")]);
    expect(f.shown(&f.after("1")), &[("a.txt", "one\ntwo\n", "2\n")]);
    let again = f.after("1");
    assert_eq!(again.gaps, [Gap { kind: GapKind::SnapshotFailed, count: 1 }]);
}

#[test]
fn what_a_call_commits_is_told_before_it_is_over() {
    let f = Fixture::new();
    let so_far = |session: &SessionId, dir: &Path| f.journal.changes_so_far(session, dir).unwrap();
    assert!(so_far(&f.session, f.repo.path()).is_none(), "no call is under way");
    f.before("1");
    f.repo.commit("a.txt", "one\n2\n");
    f.repo.write("b.txt", "not committed\n");
    assert!(so_far(&SessionId::from_agent("other"), f.repo.path()).is_none());
    assert!(so_far(&f.session, f.repo.outside()).is_none());
    let told = so_far(&f.session, f.repo.path()).unwrap();
    assert_eq!((told.kind, told.call.as_ref()), (EventKind::ToolCommitted, Some(&tool_call("1"))));
    let changes = Changes { before: told.before, files: told.files, ..Changes::default() };
    expect(f.shown(&changes), &[("a.txt", "one\ntwo\n", "one\n2\n"), ("b.txt", "b\n", "not committed\n")]);
    // The end brings what came after.
    f.repo.write("b.txt", "in the end\n");
    expect(f.shown(&f.after("1")), &[("b.txt", "not committed\n", "in the end\n")]);
}

#[test]
fn more_files_than_are_kept_are_told_of() {
    let f = Fixture::new();
    for i in 0..KEPT_LIMIT + 3 {
        f.repo.write(&format!("d/{i:04}"), format!("{i}"));
    }
    std::thread::sleep(CLOCK_TICK * 2);
    f.before("1");
    let changes = f.after("1");
    assert_eq!((changes.files.len(), changes.gaps.len()), (0, 0), "what has not changed is not missed");
    f.before("2");
    for i in 0..KEPT_LIMIT + 5 {
        f.repo.write(&format!("d/{i:04}"), format!("{i} more"));
    }
    let changes = f.after("2");
    assert_eq!((changes.files.len(), changes.before.len()), (KEPT_LIMIT, KEPT_LIMIT));
    assert_eq!(changes.gaps, [Gap { kind: GapKind::SnapshotLimited, count: 5 }]);
}

#[test]
fn a_file_that_is_too_large_is_a_gap() {
    let f = Fixture::new();
    f.before("1");
    fs::File::create(f.repo.path().join("big")).unwrap().set_len(FILE_LIMIT + 1).unwrap();
    let changes = f.after("1");
    assert_eq!(changes.gaps, [Gap { kind: GapKind::FileOversize, count: 1 }]);
    assert!(changes.files.is_empty());
}

#[test]
fn snapshots_are_forgotten_with_their_session() {
    let f = Fixture::new();
    f.before("1");
    f.before("2");
    f.after("2");
    let count = || fs::read_dir(f.journal.snapshots()).unwrap().count();
    assert_eq!(count(), 2, "that of the open call, and the newest of the work tree");
    f.journal.forget_snapshots(&SessionId::from_agent("other")).unwrap();
    assert_eq!(count(), 2);
    f.journal.forget_snapshots(&f.session).unwrap();
    assert_eq!(count(), 1);
}
