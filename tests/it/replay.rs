//! Recorded sessions of Claude Code, replayed through the real hooks into a ledger. Skipped where there are none.
//!
//! The recordings are in the folder that TRACEVAULT_CAPTURES names, or beside the repository.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::ledger::everything;
use crate::support::World;

/// The scenarios of a version.
fn scenarios(version: &str) -> Vec<PathBuf> {
    let dir = std::env::var_os("TRACEVAULT_CAPTURES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures"), PathBuf::from);
    let entries = fs::read_dir(dir.join(version)).into_iter().flatten();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    found.retain(|dir| dir.join("hooks.jsonl").is_file());
    found.sort();
    found
}

/// A scenario in a world of its own.
struct Replay {
    world: World,
    work: PathBuf,
    remote: PathBuf,
    payloads: Vec<Value>,
    /// What is left of each transcript, by the path it has here.
    transcripts: BTreeMap<PathBuf, Vec<String>>,
}

impl Replay {
    fn new(scenario: &Path) -> Replay {
        let world = World::new();
        let remote = world.bare_remote("remote.git");
        let work = world.repository("repo");
        let bundle = scenario.join("repo.bundle");
        world.git(&work, ["fetch", "--quiet", bundle.to_str().unwrap(), "HEAD"]).ok();
        let seed = world.git(&work, ["rev-list", "--max-parents=0", "FETCH_HEAD"]).ok();
        world.git(&work, ["reset", "--quiet", "--hard", seed.lines().next().unwrap()]).ok();
        world.git(&work, ["remote", "add", "origin", remote.to_str().unwrap()]).ok();
        world.run(&work, ["init"]).ok();
        world.commit(&work, "Enrol");
        // What was said went to a model, secrets and all; nobody stops it now.
        world.git(&work, ["config", "tracevault.nudge", "block,-secret"]).ok();
        let mut replay = Replay { world, work, remote, payloads: Vec::new(), transcripts: BTreeMap::new() };
        let hooks = replay.moved(&fs::read_to_string(scenario.join("hooks.jsonl")).unwrap());
        replay.payloads = hooks.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        replay.read_transcripts(&scenario.join("transcripts"), &replay.world.home().join(".claude/projects"));
        replay.add_work_trees();
        replay
    }

    /// A recorded text with this world's paths.
    fn moved(&self, text: &str) -> String {
        let path = |path: PathBuf| path.to_str().unwrap().to_owned();
        text.replace("/home/dev/repo", &path(self.work.clone())).replace("/home/dev", &path(self.world.home()))
    }

    fn read_transcripts(&mut self, from: &Path, to: &Path) {
        for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
            let to = to.join(entry.file_name());
            if entry.path().is_dir() {
                fs::create_dir_all(&to).unwrap();
                self.read_transcripts(&entry.path(), &to);
            } else if to.extension().is_some_and(|extension| extension == "jsonl") {
                let text = self.moved(&fs::read_to_string(entry.path()).unwrap());
                self.transcripts.insert(to, text.split_inclusive('\n').rev().map(str::to_owned).collect());
            }
        }
    }

    /// The linked work trees that the sessions were in.
    fn add_work_trees(&self) {
        let folders: BTreeSet<&str> = self.payloads.iter().filter_map(|payload| payload["cwd"].as_str()).collect();
        for folder in folders {
            let outside = !Path::new(folder).starts_with(&self.work) || folder.contains("/.claude/worktrees/");
            if outside && !Path::new(folder).exists() {
                self.world.git(&self.work, ["worktree", "add", "--quiet", "--detach", folder]).ok();
            }
            fs::create_dir_all(folder).unwrap();
        }
    }

    /// The agent has written on: of each transcript, what it takes to be done after the last of `left` events.
    fn write_on(&mut self, left: usize) {
        for (path, lines) in &mut self.transcripts {
            let count = lines.len().div_ceil(left);
            let text: String = (0..count).filter_map(|_| lines.pop()).collect();
            let old = fs::read_to_string(path).unwrap_or_default();
            fs::write(path, old + &text).unwrap();
        }
    }

    /// What the tool did, as far as its input tells.
    fn act(&self, payload: &Value) {
        let input = &payload["tool_input"];
        let text = |name: &str| input[name].as_str().unwrap_or_default();
        let path = Path::new(text("file_path"));
        match payload["tool_name"].as_str() {
            Some("Write") if path.starts_with(self.world.path("")) => {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text("content")).unwrap();
            }
            Some("Edit") => {
                let Ok(was) = fs::read_to_string(path) else { return };
                let times = if input["replace_all"] == true { usize::MAX } else { 1 };
                fs::write(path, was.replacen(text("old_string"), text("new_string"), times)).unwrap();
            }
            Some("Bash") if text("command").starts_with("git ") => {
                let script = format!("{} >/dev/null 2>&1", text("command"));
                self.world.command("sh", &self.work).args(["-c", &script]).status().unwrap();
            }
            _ => {}
        }
    }

    fn run(&mut self) {
        let payloads = std::mem::take(&mut self.payloads);
        let done: BTreeSet<&str> = payloads
            .iter()
            .filter(|payload| payload["hook_event_name"] == "PostToolUse")
            .filter_map(|payload| payload["tool_use_id"].as_str())
            .collect();
        for (n, payload) in payloads.iter().enumerate() {
            self.world.pass(1);
            self.write_on(payloads.len() - n);
            let cwd = PathBuf::from(payload["cwd"].as_str().unwrap());
            let heard = self.world.hook(&cwd, payload).exits(0);
            assert_eq!((&*heard.stdout, &*heard.stderr), ("", ""));
            let call = payload["tool_use_id"].as_str().unwrap_or_default();
            if payload["hook_event_name"] == "PreToolUse" && done.contains(call) {
                self.act(payload);
            }
            // Wherever it is cut, the sum is the session.
            if n % 7 == 6 {
                self.world.run(&self.work, ["push"]).ok();
            }
        }
        assert!(self.transcripts.values().all(Vec::is_empty));
        self.world.commit(&self.work, "What the agent did");
        self.world.git(&self.work, ["push", "--quiet", "origin", "main"]).ok();
        self.world.passes(&self.work, "main");
        let log = self.work.join(".git/tracevault/hook-errors.log");
        assert!(!log.exists(), "{}", fs::read_to_string(log).unwrap());
    }
}

/// The sums of tokens by model: requests, input, output, cache read, written for 5 minutes, for an hour.
fn counted(replay: &Replay) -> BTreeMap<String, [u64; 6]> {
    let mut sums: BTreeMap<String, [u64; 6]> = BTreeMap::new();
    for record in replay.world.records_of(&replay.work, "session") {
        for model in record["models"].as_array().unwrap() {
            let sum = sums.entry(model["model"].as_str().unwrap().to_owned()).or_default();
            let fields = ["requests", "input", "output", "cache_read", "cache_write_5m", "cache_write_1h"];
            for (sum, field) in sum.iter_mut().zip(fields) {
                *sum += model[field].as_u64().unwrap();
            }
        }
    }
    sums
}

/// What the models were really asked, by the recording.
fn served(scenario: &Path) -> BTreeMap<String, [u64; 6]> {
    let text = fs::read_to_string(scenario.join("tokens.json")).unwrap();
    let tokens: Value = serde_json::from_str(&text).unwrap();
    let fields = [
        "requests",
        "input_tokens",
        "output_tokens",
        "cache_read_input_tokens",
        "ephemeral_5m_input_tokens",
        "ephemeral_1h_input_tokens",
    ];
    let sum = |model: &Value| fields.map(|field| model[field].as_u64().unwrap_or_default());
    tokens["mock"].as_object().unwrap().iter().map(|(name, model)| (name.clone(), sum(model))).collect()
}

fn gaps(replay: &Replay) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    for record in replay.world.records_of(&replay.work, "session") {
        for gap in record["gaps"].as_array().unwrap() {
            *sums.entry(gap["kind"].as_str().unwrap().to_owned()).or_default() += gap["count"].as_u64().unwrap();
        }
    }
    sums
}

/// Words of a text that are secrets by their form.
fn secrets(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
    let secret = |word: &&str| ["ghp_", "xoxb-", "sk-ant-", "eyJ"].iter().any(|form| word.starts_with(form));
    words.filter(secret).filter(|word| word.len() > 20).map(str::to_owned).collect()
}

fn replay_all(version: &str) {
    for scenario in scenarios(version) {
        let name = scenario.file_name().unwrap().to_str().unwrap().to_owned();
        let mut replay = Replay::new(&scenario);
        let mut secrets = secrets(&fs::read_to_string(scenario.join("hooks.jsonl")).unwrap());
        if name == "K-secrets" {
            // Some of them are plain examples (a row of the alphabet), which the redactor lets stand.
            let world = &replay.world;
            secrets.retain(|secret| world.feed(&replay.work, ["redact"], secret.as_bytes()).ok() != *secret);
            assert!(!secrets.is_empty());
            // What a person commits is theirs to look after; what the agent did is ours.
            replay.world.write(&replay.work, ".git/info/exclude", "config.py\n");
        }
        replay.run();

        let expected = served(&scenario);
        match (version, &*name) {
            ("claude-code-2.1.197", "J-compact") => {
                // What the summary cost is written nowhere by this version: a gap says so.
                let (expected, counted) = (expected.into_values().next().unwrap(), counted(&replay));
                assert_eq!(counted.into_values().next().unwrap()[0], expected[0] - 1);
                assert_eq!(gaps(&replay), BTreeMap::from([("usage_unlisted".to_owned(), 1)]));
            }
            _ => {
                assert_eq!(counted(&replay), expected, "{name}: tokens");
                // Plans are written beside the repository.
                let lost: Vec<String> = gaps(&replay).into_keys().collect();
                let known: &[&str] = if name == "F-plan-mode" { &["outside_repository"] } else { &[] };
                assert_eq!(lost, known, "{name}: gaps");
            }
        }
        if !secrets.is_empty() {
            for place in [&replay.work, &replay.remote] {
                let all = everything(&replay.world, place);
                let found = |secret: &&String| all.windows(secret.len()).any(|part| part == secret.as_bytes());
                assert_eq!(secrets.iter().find(found), None, "{name}: in {}", place.display());
            }
        }
        if name == "I-commits" {
            let commits = replay.world.records_of(&replay.work, "commit");
            let drawn: Vec<&Value> = commits.iter().filter(|r| r["sessions"] != serde_json::json!([])).collect();
            assert!(drawn.len() >= 3, "commits of the agent's own draw on its session: {commits:#?}");
            assert!(!replay.world.records_of(&replay.work, "link").is_empty(), "it amended one");
        }
    }
}

#[test]
fn version_2_1_197() {
    replay_all("claude-code-2.1.197");
}

#[test]
fn version_2_1_330() {
    replay_all("claude-code-2.1.330");
}
