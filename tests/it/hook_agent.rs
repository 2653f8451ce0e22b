//! `git-tracevault hook claude-code` as an agent runs it: a process a call, the payload on standard input.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// A repository of its own, in a world of its own.
struct World {
    root: PathBuf,
    repo: PathBuf,
    _dir: tempfile::TempDir,
}

impl World {
    fn new() -> World {
        let dir = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(dir.path()).unwrap();
        let world = World { repo: root.join("repo"), root, _dir: dir };
        world.init("repo");
        world.enrol("repo");
        world.write("repo/app.py", "one\n");
        world.write("repo/.gitignore", "*.env\n");
        world.git("repo", &["add", "."]);
        world.git("repo", &["commit", "-qm", "start"]);
        world
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>, dir: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.root.join(dir))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", &self.root)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1");
        command
    }

    fn git(&self, dir: &str, args: &[&str]) -> String {
        let output = self.command("git", dir).args(args).output().unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn init(&self, name: &str) {
        self.git(".", &["init", "-q", "-b", "main", name]);
        self.git(name, &["config", "user.name", "Tess"]);
        self.git(name, &["config", "user.email", "tess@example.com"]);
    }

    fn enrol(&self, name: &str) {
        let dir = self.root.join(name).join(".git/tracevault");
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("enrolled"), "").unwrap();
    }

    fn write(&self, path: &str, text: &str) -> String {
        let file = self.root.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    }

    fn path(&self, path: &str) -> String {
        self.root.join(path).to_str().unwrap().to_owned()
    }

    /// Runs the hook as an agent that is in `dir`, and sees that it says nothing and succeeds.
    fn hook(&self, dir: &str, payload: &[u8]) {
        let mut command = self.command(env!("CARGO_BIN_EXE_git-tracevault"), dir);
        silent(run(command.args(["hook", "claude-code"]), payload));
    }

    fn event(&self, dir: &str, session: &str, name: &str, more: Value) {
        let mut payload = json!({"session_id": session, "cwd": self.path(dir), "hook_event_name": name});
        payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.hook(dir, payload.to_string().as_bytes());
    }

    /// Both events of a call, with what the tool does in between.
    fn call(&self, dir: &str, tool: &str, input: Value, act: impl FnOnce()) {
        let more = json!({"tool_name": tool, "tool_input": input, "tool_use_id": "t1"});
        self.event(dir, "s", "PreToolUse", more.clone());
        act();
        self.event(dir, "s", "PostToolUse", more);
    }

    fn journal_of(&self, repo: &str, session: &str) -> Vec<Value> {
        let file = self.root.join(repo).join(format!(".git/tracevault/journal/{session}.jsonl"));
        let text = fs::read_to_string(file).unwrap_or_default();
        assert!(text.is_empty() || text.ends_with('\n'));
        text.lines().map(|line| without_file_ids(serde_json::from_str(line).unwrap())).collect()
    }

    fn journal(&self) -> Vec<Value> {
        self.journal_of("repo", "s")
    }

    fn is_kept(&self, text: &str) -> bool {
        let hex = hex(text);
        let file = self.repo.join(".git/tracevault/states").join(&hex[..2]).join(&hex[2..]);
        fs::read(file).is_ok_and(|bytes| bytes == text.as_bytes())
    }

    fn error_log(&self) -> String {
        fs::read_to_string(self.repo.join(".git/tracevault/hook-errors.log")).unwrap_or_default()
    }
}

/// An event without the inodes and times of its files, which are others at every run.
fn without_file_ids(mut event: Value) -> Value {
    for name in ["before", "files"] {
        for state in event.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten() {
            state.as_object_mut().unwrap().remove("file");
        }
    }
    event
}

fn run(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn silent(output: Output) {
    assert_eq!(output.status.code(), Some(0));
    assert_eq!((&*output.stdout, &*output.stderr), (&b""[..], &b""[..]));
}

fn hex(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

fn state(path: &str, text: &str) -> Value {
    json!([{"path": path, "state": hex(text)}])
}

#[test]
fn an_edit_is_taken_down_with_the_states_around_it() {
    let w = World::new();
    w.call("repo", "Edit", json!({"file_path": w.path("repo/app.py")}), || drop(w.write("repo/app.py", "two\n")));
    w.call("repo", "Write", json!({"file_path": w.path("repo/new/f")}), || drop(w.write("repo/new/f", "new\n")));
    let events = w.journal();
    assert_eq!(events.len(), 4);
    assert_eq!((&events[0]["files"], &events[1]["files"]), (&state("app.py", "one\n"), &state("app.py", "two\n")));
    assert_eq!(events[2]["files"], json!([{"path": "new/f"}]), "there was no such file");
    assert_eq!(events[3]["files"], state("new/f", "new\n"));
    assert_eq!(events[1]["raw"]["tool_name"], "Edit");
    assert!(w.is_kept("one\n") && w.is_kept("two\n") && w.is_kept("new\n"));
    assert!(events.iter().all(|event| event.get("gaps").is_none()));
    assert_eq!(w.error_log(), "");
    assert_eq!(w.git("repo", &["status", "--porcelain"]), "M app.py\n?? new/", "nothing of ours is in the way");
}

#[test]
fn where_nobody_enrolled_nothing_is_written() {
    let w = World::new();
    w.init("other");
    let before = w.git("other", &["rev-parse", "--git-dir"]);
    for dir in ["other", "."] {
        w.call(dir, "Write", json!({"file_path": w.path("other/f")}), || ());
        w.call(dir, "Bash", json!({"command": "true"}), || ());
    }
    assert!(!w.root.join("other").join(before).join("tracevault").exists());
    assert!(w.journal().is_empty());
}

#[test]
fn payloads_that_are_not_what_they_should_be() {
    let w = World::new();
    for odd in [&b""[..], b"not json", b"[]", b"\xff\xfe", b"{\"session_id\":\"s\",\"hook_event_name\":\"PreToolUse\""]
    {
        w.hook("repo", odd);
    }
    let unnamed = fs::read_dir(w.repo.join(".git/tracevault/journal")).unwrap().count();
    assert_eq!(unnamed, 2, "one for those without a session, one for `s`");
    assert_eq!(w.journal()[0]["gaps"], json!([{"kind": "payload_invalid", "count": 1}]));
    w.event("repo", "s", "NeverHeardOf", json!({"a": {"b": [1, 2.5e300, null]}}));
    assert_eq!(w.journal()[1]["raw"]["a"], json!({"b": [1, 2.5e300, null]}));

    w.event("repo", "../../../x", "Stop", json!({}));
    let names = fs::read_dir(w.repo.join(".git/tracevault/journal")).unwrap();
    assert_eq!(names.count(), 3);
    assert!(!w.root.join("x.jsonl").exists() && !w.repo.join("x.jsonl").exists());
    assert_eq!(w.error_log(), "");
}

#[test]
fn payloads_that_are_far_too_large() {
    let w = World::new();
    let large = "x".repeat(50 << 20);
    let input = json!({"file_path": w.path("repo/app.py"), "content": large});
    w.event("repo", "s", "PreToolUse", json!({"tool_name": "Write", "tool_input": input, "tool_use_id": "t"}));
    let event = w.journal().pop().unwrap();
    assert_eq!(event["files"], state("app.py", "one\n"), "understood all the same");
    assert_eq!(event["gaps"][0]["kind"], "payload_oversize");

    let head = format!("{{\"session_id\":\"s\",\"cwd\":{:?},\"hook_event_name\":\"Stop\",\"x\":\"", w.repo);
    let mut payload = head.into_bytes();
    payload.resize(70 << 20, b'y');
    w.hook("repo", &payload);
    let event = w.journal().pop().unwrap();
    assert_eq!(event["kind"], "stop");
    assert_eq!(event["gaps"], json!([{"kind": "payload_oversize", "count": 70 << 20}]));
}

#[test]
fn files_outside_and_files_that_git_ignores() {
    let w = World::new();
    for outside in ["outside.txt", "repo/../outside.txt", "repo/.git/config", "repo/none/../../x"] {
        fs::remove_file(w.repo.join(".git/tracevault/journal/s.jsonl")).unwrap_or_default();
        w.write("outside.txt", "outside\n");
        w.event(
            "repo",
            "s",
            "PreToolUse",
            json!({"tool_name": "Write", "tool_use_id": "t",
            "tool_input": {"file_path": w.path(outside)}}),
        );
        let event = &w.journal()[0];
        assert_eq!(event["gaps"], json!([{"kind": "outside_repository", "count": 1}]), "{outside}");
        assert!(event.get("files").is_none() && !w.is_kept("outside\n"));
    }
    w.write("repo/.env", "SECRET=1\n");
    w.call("repo", "Edit", json!({"file_path": w.path("repo/.env")}), || drop(w.write("repo/.env", "SECRET=2\n")));
    assert!(!w.is_kept("SECRET=1\n") && !w.is_kept("SECRET=2\n"));
    w.write("repo/.env", "TRACKED\n");
    w.git("repo", &["add", "-f", ".env"]);
    w.call("repo", "Edit", json!({"file_path": w.path("repo/.env")}), || ());
    assert!(w.is_kept("TRACKED\n"));
}

#[test]
fn subdirectories_links_and_files_that_go() {
    let w = World::new();
    w.write("repo/pkg/core/x.py", "x\n");
    w.call("repo/pkg/core", "Edit", json!({"file_path": w.path("repo/pkg/core/x.py")}), || {
        fs::remove_file(w.repo.join("pkg/core/x.py")).unwrap();
    });
    let events = w.journal();
    assert_eq!(events[0]["files"], state("pkg/core/x.py", "x\n"));
    assert_eq!(events[1]["files"], json!([{"path": "pkg/core/x.py"}]));

    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("app.py", w.repo.join("link")).unwrap();
        std::os::unix::fs::symlink(&w.repo, w.root.join("alias")).unwrap();
        w.call("alias", "Edit", json!({"file_path": w.path("alias/link")}), || drop(w.write("repo/app.py", "2\n")));
        let after = &w.journal()[3]["files"];
        assert_eq!(after[0], state("link", "app.py")[0]);
        assert_eq!(after[1], state("app.py", "2\n")[0], "what the tool changed is the file behind the link");
    }
}

#[test]
fn linked_work_trees_and_other_repositories() {
    let w = World::new();
    w.git("repo", &["worktree", "add", "-q", "../linked"]);
    w.call("linked", "Write", json!({"file_path": w.path("linked/app.py")}), || drop(w.write("linked/app.py", "l\n")));
    // The session is in the main work tree, the file in the linked one.
    w.call("repo", "Write", json!({"file_path": w.path("linked/app.py")}), || ());
    let events = w.journal();
    assert_eq!(events.len(), 4);
    assert!(events.iter().all(|event| event["work_tree"] == "linked"));
    assert_eq!(events[3]["files"], state("app.py", "l\n"));

    w.init("other");
    w.enrol("other");
    w.call("repo", "Write", json!({"file_path": w.path("other/f")}), || drop(w.write("other/f", "f\n")));
    let (here, there) = (w.journal(), w.journal_of("other", "s"));
    assert_eq!((here.len(), there.len()), (6, 2), "both are told");
    assert!(here[5].get("files").is_none() && here[5].get("gaps").is_none());
    assert_eq!(there[1]["files"], state("f", "f\n"));

    // What a git hook around us says of another repository is not believed.
    let payload = json!({"session_id": "g", "cwd": w.repo, "hook_event_name": "PreToolUse", "tool_name": "Bash",
        "tool_input": {}, "tool_use_id": "t"});
    let mut command = w.command(env!("CARGO_BIN_EXE_git-tracevault"), "repo");
    command.env("GIT_DIR", w.root.join("other/.git")).env("GIT_INDEX_FILE", "/nowhere");
    silent(run(command.args(["hook", "claude-code"]), payload.to_string().as_bytes()));
    assert_eq!(w.journal_of("repo", "g").len(), 1);
    assert_eq!(w.error_log(), "");
}

#[test]
fn shells_are_followed_by_what_they_change() {
    let w = World::new();
    let sh = |script: &str| {
        let output = w.command("sh", "repo").args(["-c", script]).output().unwrap();
        assert!(output.status.success());
    };
    let shell = |script: &str| w.call("repo", "Bash", json!({"command": script}), || sh(script));
    shell("sed -i.bak 's/one/two/' app.py && rm app.py.bak");
    w.call("repo", "mcp__files__put", json!({}), || sh("cat > gen.txt <<'EOF'\nline\nEOF\necho k > s.env"));
    shell("rm gen.txt; echo 3 >> app.py; git commit -qam x");
    let events = w.journal();
    assert_eq!((&events[1]["before"], &events[1]["files"]), (&state("app.py", "one\n"), &state("app.py", "two\n")));
    assert_eq!(events[3]["before"], json!([{"path": "gen.txt"}]));
    assert_eq!(events[3]["files"], state("gen.txt", "line\n"));
    assert!(!w.is_kept("k\n"));
    assert_eq!(events[5]["before"], json!([state("app.py", "two\n")[0], state("gen.txt", "line\n")[0]]));
    assert_eq!(events[5]["files"], json!([state("app.py", "two\n3\n")[0], {"path": "gen.txt"}]));
    assert!(events.iter().all(|event| event.get("gaps").is_none()), "{events:?}");

    // A shell that leaves: the agent's project is still where it was.
    let more = json!({"session_id": "s", "tool_name": "Bash", "tool_input": {}, "tool_use_id": "t9"});
    w.event("repo", "s", "PreToolUse", more.clone());
    w.write("repo/app.py", "four\n");
    let payload = json!({"session_id": "s", "cwd": w.root, "hook_event_name": "PostToolUseFailure",
        "tool_name": "Bash", "tool_input": {}, "tool_use_id": "t9"});
    let mut command = w.command(env!("CARGO_BIN_EXE_git-tracevault"), ".");
    command.env("CLAUDE_PROJECT_DIR", &w.repo);
    silent(run(command.args(["hook", "claude-code"]), payload.to_string().as_bytes()));
    assert_eq!(w.journal().pop().unwrap()["files"], state("app.py", "four\n"));

    // A call that began unseen.
    let more = json!({"tool_name": "Bash", "tool_input": {}, "tool_use_id": "unseen"});
    w.event("repo", "s", "PostToolUse", more);
    assert_eq!(w.journal().pop().unwrap()["gaps"], json!([{"kind": "snapshot_failed", "count": 1}]));
    w.event("repo", "s", "SessionEnd", json!({"reason": "other"}));
    assert_eq!(w.error_log(), "seal s: this clone has no key\n", "nobody but `init` makes one");
}

#[test]
fn eight_hooks_at_once() {
    let w = World::new();
    std::thread::scope(|scope| {
        for n in 0..8 {
            let w = &w;
            scope.spawn(move || {
                for i in 0..10 {
                    let session = if i % 2 == 0 { "s" } else { "other" };
                    w.event("repo", session, "Notification", json!({"n": n, "i": i, "pad": "p".repeat(n * 10_000)}));
                }
            });
        }
    });
    for session in ["s", "other"] {
        let mut seen: Vec<(u64, u64)> = w
            .journal_of("repo", session)
            .iter()
            .map(|event| (event["raw"]["n"].as_u64().unwrap(), event["raw"]["i"].as_u64().unwrap()))
            .collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 40);
    }
}

#[test]
#[cfg(unix)]
fn what_cannot_be_written_breaks_nothing() {
    let w = World::new();
    let dir = w.repo.join(".git/tracevault");
    fs::write(dir.join("journal"), "a file where a folder should be").unwrap();
    for _ in 0..3 {
        w.event("repo", "s", "Stop", json!({}));
    }
    assert_eq!(w.error_log().lines().count(), 3);
    assert!(w.error_log().contains("cannot append to the journal"));
    // The log is bounded, and the newest stays.
    fs::write(dir.join("hook-errors.log"), "old line\n".repeat(7281)).unwrap();
    w.event("repo", "s", "Stop", json!({}));
    assert!(w.error_log().len() < 40_000 && w.error_log().ends_with(")\n") && w.error_log().starts_with("old line\n"));
    fs::remove_file(dir.join("hook-errors.log")).unwrap();
    fs::create_dir(dir.join("hook-errors.log")).unwrap();
    w.event("repo", "s", "Stop", json!({}));
}

#[test]
fn a_folder_that_is_gone_lies_where_it_lay() {
    let w = World::new();
    for gone in ["gone", "repo/gone/deeper"] {
        let payload = json!({"session_id": "s", "cwd": w.path(gone), "hook_event_name": "Stop"});
        w.hook(".", payload.to_string().as_bytes());
        assert!(!Path::new(&w.path(gone)).exists());
    }
    assert_eq!(w.journal().len(), 1);
}
