//! A world of its own for a test: a folder with a home, a clock, git and this program, and nothing of the machine's user.

use std::cell::Cell;
use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;

use tempfile::TempDir;

/// One person at one machine. Others in the same world come from [`World::other`]; all is removed with the last of them.
pub struct World {
    root: Rc<TempDir>,
    clock: Rc<Cell<i64>>,
    name: String,
}

/// What a program did.
#[derive(Debug)]
pub struct Output {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    /// The command, for messages.
    shown: String,
}

impl Output {
    /// Standard output without the newline at its end, if the program succeeded; else the test fails.
    #[track_caller]
    pub fn ok(self) -> String {
        self.exits(0).stdout.trim_end_matches('\n').to_owned()
    }

    /// The same output, if the program ended with this code; else the test fails.
    #[track_caller]
    pub fn exits(self, code: i32) -> Output {
        let Output { shown, stdout, stderr, .. } = &self;
        assert_eq!(self.code, Some(code), "{shown}\n--- stdout\n{stdout}--- stderr\n{stderr}");
        self
    }

    /// Standard output as JSON, if the program succeeded.
    #[track_caller]
    pub fn json(self) -> serde_json::Value {
        serde_json::from_str(&self.ok()).unwrap()
    }
}

impl World {
    /// A new world on 2026-01-01 with Ada in it.
    pub fn new() -> World {
        let root = tempfile::Builder::new().prefix("tracevault-it-").tempdir().unwrap();
        World::of(Rc::new(root), Rc::new(Cell::new(1_767_225_600)), "Ada")
    }

    /// Somebody else in this world, with a home, a git identity and keys of their own.
    pub fn other(&self, name: &str) -> World {
        World::of(self.root.clone(), self.clock.clone(), name)
    }

    fn of(root: Rc<TempDir>, clock: Rc<Cell<i64>>, name: &str) -> World {
        let world = World { root, clock, name: name.to_owned() };
        fs::create_dir_all(world.home()).unwrap();
        fs::create_dir_all(world.path("tmp")).unwrap();
        world
    }

    /// A path in the world's folder.
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.path().canonicalize().unwrap().join(relative)
    }

    /// This person's home.
    pub fn home(&self) -> PathBuf {
        self.path("home").join(&self.name)
    }

    /// Lets time go by, for this program and for git.
    pub fn pass(&self, seconds: i64) {
        self.clock.set(self.clock.get() + seconds);
    }

    /// The time by this world's clock, in RFC 3339.
    pub fn now(&self) -> String {
        jiff::Timestamp::from_second(self.clock.get()).unwrap().to_string()
    }

    /// A program with this world's environment and no other.
    pub fn command(&self, program: impl AsRef<OsStr>, dir: &Path) -> Command {
        let home = self.home();
        let ours = Path::new(env!("CARGO_BIN_EXE_git-tracevault")).parent().unwrap().to_owned();
        let theirs = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths([ours].into_iter().chain(std::env::split_paths(&theirs))).unwrap();
        let email = format!("{}@example.com", self.name.to_lowercase());
        let now = self.clock.get();
        let mut command = Command::new(program);
        command
            .current_dir(dir)
            .env_clear()
            .env("PATH", path)
            .env("HOME", &home)
            .env("XDG_CONFIG_HOME", home.join(".config"))
            .env("XDG_STATE_HOME", home.join(".local/state"))
            .env("XDG_CACHE_HOME", home.join(".cache"))
            .env("TMPDIR", self.path("tmp"))
            .env("HOSTNAME", format!("{}-laptop", self.name.to_lowercase()))
            .env("LC_ALL", "C")
            .env("TERM", "dumb")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_AUTHOR_NAME", &self.name)
            .env("GIT_AUTHOR_EMAIL", &email)
            .env("GIT_AUTHOR_DATE", format!("{now} +0000"))
            .env("GIT_COMMITTER_NAME", &self.name)
            .env("GIT_COMMITTER_EMAIL", &email)
            .env("GIT_COMMITTER_DATE", format!("{now} +0000"))
            .env("TRACEVAULT_NOW", self.now());
        command
    }

    /// Runs git.
    pub fn git<S: AsRef<OsStr>>(&self, dir: &Path, args: impl IntoIterator<Item = S>) -> Output {
        finish(self.command("git", dir).args(args), b"")
    }

    /// Runs this program.
    pub fn run<S: AsRef<OsStr>>(&self, dir: &Path, args: impl IntoIterator<Item = S>) -> Output {
        finish(self.command(env!("CARGO_BIN_EXE_git-tracevault"), dir).args(args), b"")
    }

    /// Runs this program on an input.
    pub fn feed<S: AsRef<OsStr>>(&self, dir: &Path, args: impl IntoIterator<Item = S>, input: &[u8]) -> Output {
        finish(self.command(env!("CARGO_BIN_EXE_git-tracevault"), dir).args(args), input)
    }

    /// Runs git on an input.
    pub fn feed_git<S: AsRef<OsStr>>(&self, dir: &Path, args: impl IntoIterator<Item = S>, input: &[u8]) -> Output {
        finish(self.command("git", dir).args(args), input)
    }

    /// Gives a payload to the agent hook, as Claude Code would.
    pub fn hook(&self, dir: &Path, payload: &serde_json::Value) -> Output {
        self.feed(dir, ["hook", "claude-code"], payload.to_string().as_bytes())
    }

    /// A new repository with a work tree on `main`.
    pub fn repository(&self, name: &str) -> PathBuf {
        let dir = self.path(name);
        fs::create_dir_all(&dir).unwrap();
        self.git(&dir, ["init", "--quiet", "-b", "main"]).ok();
        dir
    }

    /// A new bare repository on `main`, for a remote.
    pub fn bare_remote(&self, name: &str) -> PathBuf {
        let dir = self.path(name);
        fs::create_dir_all(&dir).unwrap();
        self.git(&dir, ["init", "--quiet", "--bare", "-b", "main"]).ok();
        dir
    }

    /// A clone of a repository.
    pub fn clone(&self, from: &Path, name: &str) -> PathBuf {
        let dir = self.path(name);
        self.git(&self.path(""), ["clone".as_ref(), "--quiet".as_ref(), from.as_os_str(), dir.as_os_str()]).ok();
        dir
    }

    /// Writes a file, making the folders above it.
    pub fn write(&self, dir: &Path, file: &str, text: &str) -> PathBuf {
        let path = dir.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Writes a file and commits it and all that is staged; the new commit's id.
    pub fn commit_file(&self, dir: &Path, file: &str, text: &str) -> String {
        self.write(dir, file, text);
        self.git(dir, ["add", "--", file]).ok();
        self.git(dir, ["commit", "--quiet", "-m", &format!("Change {file}")]).ok();
        self.git(dir, ["rev-parse", "HEAD"]).ok()
    }
}

/// Feeds a program and waits for it.
pub fn finish(command: &mut Command, input: &[u8]) -> Output {
    let shown = format!("{command:?}").rsplit("TRACEVAULT_NOW=").next().unwrap_or_default().to_owned();
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        // A program need not read what it is given: a closed pipe is no failure.
        scope.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output().unwrap()
    });
    Output {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        shown,
    }
}

#[test]
fn a_world_is_apart_from_the_machine_and_its_people_from_each_other() {
    let ada = World::new();
    let bea = ada.other("Bea");
    let remote = ada.bare_remote("remote.git");
    let hers = ada.clone(&remote, "ada");
    ada.pass(60);
    let first = ada.commit_file(&hers, "src/a.txt", "1\n");
    ada.git(&hers, ["push", "--quiet", "origin", "main"]).ok();
    let his = bea.clone(&remote, "bea");
    assert_eq!(bea.git(&his, ["rev-parse", "HEAD"]).ok(), first);
    assert_eq!(bea.git(&his, ["log", "--format=%an %ae %ct"]).ok(), "Ada ada@example.com 1767225660");
    assert_eq!(bea.git(&his, ["var", "GIT_AUTHOR_IDENT"]).ok(), "Bea <bea@example.com> 1767225660 +0000");
    assert_ne!(ada.home(), bea.home());
    let scopes = ada.git(&hers, ["config", "--list", "--show-scope"]).ok();
    assert!(scopes.lines().all(|line| line.starts_with("local")), "no configuration but the repository's: {scopes}");

    let folder = ada.path("");
    drop(ada);
    assert!(folder.exists());
    drop(bea);
    assert!(!folder.exists());
}
