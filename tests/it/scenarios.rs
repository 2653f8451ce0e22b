//! What agents, people and git do in turn, with a real git and the real hooks: of every line who wrote it, in which
//! session, by which call, and by what evidence that is known. `docs/attribution.md` tells the same in words.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::agent::Agent;
use crate::ledger::Team;
use crate::support::{Output, World};

mod alike;
mod amend;
mod by_agent;
mod carried;
mod content;
mod interactive;
mod merge;
mod rebase;
mod squash;
mod staging;
mod undo;
mod written;

/// Ada's clone, where agents and people work.
struct Scene {
    team: Team,
}

impl Scene {
    fn new() -> Scene {
        Scene { team: Team::new() }
    }

    fn ada(&self) -> &World {
        &self.team.ada
    }

    fn work(&self) -> &Path {
        &self.team.work
    }

    /// A session of an agent; its nth call is `toolu-<session>-<n>`.
    fn agent(&self, session: &str) -> Agent<'_> {
        let agent = Agent::start(self.ada(), self.work(), session);
        agent.prompt("Write.");
        agent
    }

    /// A person writes a file.
    fn human(&self, file: &str, text: &str) -> &Self {
        self.ada().pass(1);
        self.ada().write(self.work(), file, text);
        self
    }

    fn try_git(&self, args: &str) -> Output {
        self.ada().pass(1);
        self.ada().git(self.work(), ["-c", "core.editor=true"].into_iter().chain(args.split(' ')))
    }

    /// Git's command in words without spaces; no editor says anything else than git does.
    #[track_caller]
    fn git(&self, args: &str) -> &Self {
        self.try_git(args).ok();
        self
    }

    /// Git stops at a conflict.
    #[track_caller]
    fn stops(&self, args: &str) -> &Self {
        let stopped = self.try_git(args);
        assert_ne!(stopped.code, Some(0), "git {args} goes through: {stopped:?}");
        assert!(!self.try_git("diff --name-only --diff-filter=U").ok().is_empty(), "no conflict: {stopped:?}");
        self
    }

    /// Rebases with the list of steps as sed makes it.
    #[track_caller]
    fn rebase(&self, sed: &str, onto: &str) -> &Self {
        self.ada().pass(1);
        let editor = format!("sequence.editor=sed -i '{sed}'");
        let args = ["-c", &editor, "-c", "core.editor=true", "rebase", "--quiet", "--interactive", onto];
        self.ada().git(self.work(), args).ok();
        self
    }

    /// Commits all that is there; the commit.
    #[track_caller]
    fn commit(&self) -> String {
        self.ada().commit(self.work(), "x")
    }

    /// Stages a change that a person picked: `patch` has hunks without context.
    #[track_caller]
    fn stage(&self, file: &str, hunks: &str) -> &Self {
        let patch = format!("--- a/{file}\n+++ b/{file}\n{hunks}");
        let patch = self.ada().write(&self.ada().path("tmp"), "patch", &patch);
        self.git(&format!("apply --cached --unidiff-zero {}", patch.display()))
    }

    fn id(&self, rev: &str) -> String {
        self.try_git(&format!("rev-parse {rev}")).ok()
    }

    /// The sessions that the record of a commit names.
    #[track_caller]
    fn sessions(&self, rev: &str) -> Vec<String> {
        let record = self.ada().record_of(self.work(), &self.id(rev));
        let sessions = record["sessions"].as_array().unwrap().iter();
        sessions.map(|session| session["session"].as_str().unwrap().to_owned()).collect()
    }

    /// How many lines the record of a commit says that it adds, and how many of them are an agent's.
    #[track_caller]
    fn totals(&self, rev: &str) -> (u64, u64) {
        let total = self.ada().record_of(self.work(), &self.id(rev))["total"].clone();
        (total["added"].as_u64().unwrap(), total["agent"].as_u64().unwrap())
    }

    /// Demands of a file at HEAD what [`told`] says of it.
    #[track_caller]
    fn is(&self, file: &str, expected: &[&str]) -> &Self {
        self.is_at("HEAD", file, expected)
    }

    #[track_caller]
    fn is_at(&self, rev: &str, file: &str, expected: &[&str]) -> &Self {
        assert_eq!(told(self.ada(), self.work(), rev, file), expected, "{file} at {rev}");
        self
    }

    /// Demands that the ledger verifies, with a record for every commit up to HEAD.
    #[track_caller]
    fn holds(&self) {
        self.ada().passes(self.work(), "HEAD");
    }
}

/// Whose the lines of a file are, those of one origin together: `s:2 exact one|two` are two lines that call 2 of session
/// `s` wrote, by the record of the very commit; a `-` are lines of nobody known.
fn told(world: &World, dir: &Path, rev: &str, file: &str) -> Vec<String> {
    let answer = world.run(dir, ["blame", "--json", rev, "--", file]).ok();
    let mut groups: Vec<(String, String)> = Vec::new();
    for line in answer.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let field = |name: &str| line[name].as_str().unwrap_or_default();
        let who = match field("origin") {
            "agent" => {
                let call = field("call").strip_prefix(&format!("toolu-{}-", field("session")));
                format!("{}:{}", field("session"), call.unwrap_or_else(|| field("call")))
            }
            "unattributed" | "" => "-".to_owned(),
            other => other.to_owned(),
        };
        let head = format!("{who} {}", field("evidence"));
        match groups.last_mut() {
            Some((last, texts)) if *last == head => *texts = format!("{texts}|{}", field("text")),
            _ => groups.push((head, field("text").to_owned())),
        }
    }
    groups.into_iter().map(|(head, texts)| format!("{head} {texts}")).collect()
}

/// `docs/attribution.md` names these tests, by their modules.
#[test]
fn the_document_names_tests_that_there_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("docs/attribution.md")).unwrap();
    let mut named = 0;
    for row in text.lines().filter(|line| line.starts_with("| ")) {
        let Some(tests) = row.trim_end_matches(" |").rsplit(" | ").next() else { continue };
        let names: Vec<&str> = tests.split('`').skip(1).step_by(2).flat_map(|name| name.split("::")).collect();
        let Some((module, names)) = names.split_first() else { continue };
        let Ok(code) = fs::read_to_string(root.join(format!("tests/it/scenarios/{module}.rs"))) else { continue };
        for name in names.iter().filter(|name| !name.ends_with('_')) {
            assert!(code.contains(&format!("#[test]\nfn {name}() {{")), "{module}: no test {name}");
            named += 1;
        }
    }
    assert!(named > 70, "only {named} are named");
}
