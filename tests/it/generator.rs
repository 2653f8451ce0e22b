//! Random work in git by agents and people, and an oracle that knows whose each line is: every line that is written
//! carries a token of its own. No line of a person may be called an agent's; agents' lines must be found.
//!
//! `TRACEVAULT_SEQUENCES` says how many sequences (a few without it), `TRACEVAULT_SEED` where to begin. A sequence that
//! goes wrong is made as short as it can be, and told as a script.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::agent::Agent;
use crate::ledger::Team;
use crate::support::World;

/// What may be done; the number decides all that is left open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    AgentEdit,
    AgentShell,
    HumanEdit,
    Format,
    StageSome,
    Commit,
    CommitAll,
    Amend,
    Branch,
    Switch,
    Merge,
    SquashMerge,
    Rebase,
    RebaseInteractive,
    CherryPick,
    Revert,
    Stash,
    StashPop,
    Reset,
    Rename,
    Worktree,
    /// In a clone without hooks somebody squashes a branch into main and pushes; it is pulled here.
    ServerSquash,
    /// In a clone without hooks somebody commits lines of their own and pushes; they are pulled here.
    OthersCommit,
}

use Kind::*;

/// Kinds and how often they are chosen.
const WEIGHTS: [(Kind, u64); 23] = [
    (AgentEdit, 24),
    (AgentShell, 4),
    (HumanEdit, 14),
    (Format, 4),
    (StageSome, 5),
    (Commit, 6),
    (CommitAll, 16),
    (Amend, 5),
    (Branch, 5),
    (Switch, 6),
    (Merge, 5),
    (SquashMerge, 3),
    (Rebase, 4),
    (RebaseInteractive, 4),
    (CherryPick, 4),
    (Revert, 3),
    (Stash, 3),
    (StashPop, 3),
    (Reset, 4),
    (Rename, 3),
    (Worktree, 2),
    (ServerSquash, 3),
    (OthersCommit, 3),
];

#[derive(Debug, Clone, Copy)]
struct Op {
    kind: Kind,
    seed: u64,
}

/// Splitmix64 (Steele, Lea, Flood 2014).
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

fn sequence(seed: u64) -> Vec<Op> {
    let mut rng = Rng(seed);
    let total: u64 = WEIGHTS.iter().map(|(_, weight)| weight).sum();
    let length = 8 + rng.below(18);
    let op = |rng: &mut Rng| {
        let mut at = rng.next() % total;
        let kind = WEIGHTS.iter().find(|(_, weight)| {
            let here = at < *weight;
            at = at.saturating_sub(*weight);
            here
        });
        Op { kind: kind.map_or(Commit, |(kind, _)| *kind), seed: rng.next() }
    };
    (0..length).map(|_| op(&mut rng)).collect()
}

/// What a line's token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Writer {
    Human,
    Agent { session: String, call: String },
}

/// A place where somebody works: the clone, or a further work tree of it.
struct Play<'t> {
    team: &'t Team,
    others: World,
    bare_clone: PathBuf,
    agents: [Agent<'t>; 2],
    tokens: HashMap<String, Writer>,
    script: Vec<String>,
    count: u32,
}

const FILES: [&str; 3] = ["one.py", "src/two.py", "three words.txt"];

impl<'t> Play<'t> {
    fn new(team: &'t Team) -> Self {
        let others = team.ada.other("Olga");
        let bare_clone = others.clone(&team.remote, "olga");
        let agents = ["s1", "s2"].map(|session| {
            let agent = Agent::start(&team.ada, &team.work, session);
            agent.prompt("Write.");
            agent
        });
        Play { team, others, bare_clone, agents, tokens: HashMap::new(), script: Vec::new(), count: 0 }
    }

    fn work(&self) -> &'t Path {
        &self.team.work
    }

    /// Runs git in the clone; whether it went well.
    fn git(&mut self, args: &[&str]) -> bool {
        self.git_env(args, &[])
    }

    fn git_env(&mut self, args: &[&str], env: &[(&str, &str)]) -> bool {
        let told: Vec<String> = env.iter().map(|(name, value)| format!("{name}={value:?} ")).collect();
        self.script.push(format!("{}git {}", told.concat(), args.join(" ")));
        self.team.ada.pass(1);
        let mut command = self.team.ada.command("git", self.work());
        command.args(args).env("GIT_EDITOR", "true").envs(env.iter().copied());
        command.output().unwrap().status.success()
    }

    fn ask(&self, args: &[&str]) -> String {
        let output = self.team.ada.command("git", self.work()).args(args).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    fn olga(&mut self, args: &[&str]) -> bool {
        self.script.push(format!("(in a clone without hooks) git {}", args.join(" ")));
        self.others.pass(1);
        let mut command = self.others.command("git", &self.bare_clone);
        command.args(args).env("GIT_EDITOR", "true").output().unwrap().status.success()
    }

    fn branches(&self) -> Vec<String> {
        self.ask(&["for-each-ref", "--format=%(refname:short)", "refs/heads"]).lines().map(str::to_owned).collect()
    }

    fn is_clean(&self) -> bool {
        self.ask(&["status", "--porcelain"]).is_empty()
    }

    /// A line with a token of its own; a short one, a long one, or one with a call in it.
    fn line(&mut self, rng: &mut Rng, letter: char) -> (String, String) {
        self.count += 1;
        let token = format!("{letter}{:05}", self.count);
        let line = match rng.below(3) {
            0 => format!("{token}\n"),
            1 => format!("    {token} = something(longer, than = {})\n", rng.below(10)),
            _ => format!("{token}(a, b)\n"),
        };
        (token, line)
    }

    /// The file's text after one change: lines put in, replaced or taken out.
    fn changed(&mut self, rng: &mut Rng, text: &str, letter: char) -> (String, Vec<String>) {
        let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
        if let Some(last) = lines.last_mut()
            && !last.ends_with('\n')
        {
            last.push('\n');
        }
        let at = rng.below(lines.len() + 1);
        let gone = match rng.below(4) {
            0 => rng.below(3).min(lines.len() - at),
            1 => 1.min(lines.len() - at),
            _ => 0,
        };
        let mut tokens = Vec::new();
        let mut new = Vec::new();
        let several = 1 + rng.below(3);
        for _ in 0..several {
            let (token, line) = self.line(rng, letter);
            tokens.push(token);
            new.push(line);
            if rng.below(6) == 0 {
                new.push("}\n".to_owned());
            }
        }
        lines.splice(at..at + gone, new);
        (lines.concat(), tokens)
    }

    /// A file of the work tree, or one to make.
    fn file(&self, rng: &mut Rng) -> String {
        let there: Vec<String> =
            self.ask(&["-c", "core.quotePath=false", "ls-files"]).lines().map(str::to_owned).collect();
        let there: Vec<&String> = there.iter().filter(|name| name.ends_with(".py") || name.ends_with(".txt")).collect();
        match rng.below(4) {
            0 => FILES[rng.below(FILES.len())].to_owned(),
            _ if there.is_empty() => FILES[0].to_owned(),
            _ => there[rng.below(there.len())].clone(),
        }
    }

    fn text(&self, dir: &Path, file: &str) -> String {
        fs::read_to_string(dir.join(file)).unwrap_or_default()
    }

    fn agent_edit(&mut self, rng: &mut Rng, file: &str) {
        let old = self.text(self.work(), file);
        let (new, tokens) = self.changed(rng, &old, 'a');
        let who = rng.below(2);
        self.script.push(format!("agent {who} writes {file}:\n{new}"));
        let call = self.agents[who].write(file, &new);
        self.know(who, tokens, &call);
    }

    fn agent_shell(&mut self, rng: &mut Rng, file: &str) {
        let (token, line) = self.line(rng, 'a');
        let who = rng.below(2);
        let command = format!("mkdir -p \"$(dirname '{file}')\" && cat >> '{file}' <<'EOF'\n{line}EOF\n");
        self.script.push(format!("agent {who} runs {command}"));
        let call = self.agents[who].bash(&command);
        self.know(who, vec![token], &call);
    }

    fn know(&mut self, who: usize, tokens: Vec<String>, call: &str) {
        let session = ["s1", "s2"][who].to_owned();
        for token in tokens {
            self.tokens.insert(token, Writer::Agent { session: session.clone(), call: call.to_owned() });
        }
    }

    fn human_edit(&mut self, rng: &mut Rng, dir: &Path, file: &str) {
        let old = self.text(dir, file);
        let (new, tokens) = self.changed(rng, &old, 'h');
        self.script.push(format!("a person writes {file}:\n{new}"));
        self.team.ada.pass(1);
        self.team.ada.write(dir, file, &new);
        self.tokens.extend(tokens.into_iter().map(|token| (token, Writer::Human)));
    }

    /// A formatter run by a person: indents or unindents every line.
    fn format(&mut self, rng: &mut Rng, file: &str) {
        let old = self.text(self.work(), file);
        let new: String = match rng.below(3) {
            0 => old.split_inclusive('\n').map(|line| format!("  {line}")).collect(),
            1 => old.split_inclusive('\n').map(|line| line.trim_start_matches(' ').to_owned()).collect(),
            _ => old.replace("(a, b)", "(\n    a,\n    b\n)"),
        };
        self.script.push(format!("{file} is formatted:\n{new}"));
        self.team.ada.pass(1);
        if !old.is_empty() {
            self.team.ada.write(self.work(), file, &new);
        }
    }

    /// Ends what git could not end alone: both sides are kept, or one, or it is given up.
    fn resolve(&mut self, rng: &mut Rng, go_on: &[&str], give_up: &[&str]) {
        for _ in 0..6 {
            let unmerged = self.ask(&["-c", "core.quotePath=false", "diff", "--name-only", "--diff-filter=U"]);
            let how = rng.below(5);
            if how == 0 {
                break;
            }
            for file in unmerged.lines() {
                let text = self.text(self.work(), file);
                let both: String = text.split_inclusive('\n').filter(|line| !is_marker(line)).collect();
                self.script.push(format!("a person keeps both sides in {file}:\n{both}"));
                self.team.ada.pass(1);
                if how == 1 {
                    self.git(&["checkout", "--ours", "--", file]);
                } else if !text.is_empty() {
                    self.team.ada.write(self.work(), file, &both);
                }
            }
            self.git(&["add", "-A"]);
            if self.git_env(go_on, &[("GIT_EDITOR", "true")]) {
                return;
            }
            if self.ask(&["status", "--porcelain"]).is_empty() && go_on.contains(&"--continue") {
                let skip: Vec<&str> =
                    go_on.iter().map(|arg| if *arg == "--continue" { "--skip" } else { arg }).collect();
                if self.git(&skip) {
                    return;
                }
            }
        }
        self.git(give_up);
    }

    fn other_branch(&self, rng: &mut Rng) -> Option<String> {
        let here = self.ask(&["branch", "--show-current"]);
        let branches: Vec<String> = self.branches().into_iter().filter(|name| *name != here).collect();
        (!branches.is_empty()).then(|| branches[rng.below(branches.len())].clone())
    }

    /// Some commit of the last few, of any branch.
    fn some_commit(&self, rng: &mut Rng, of: &str) -> Option<String> {
        let log = self.ask(&["log", "--no-merges", "--format=%H", "-n", "6", of]);
        let commits: Vec<&str> = log.lines().collect();
        (commits.len() > 1).then(|| commits[rng.below(commits.len() - 1)].to_owned())
    }

    fn play(&mut self, op: Op) {
        let rng = &mut Rng(op.seed);
        match op.kind {
            AgentEdit => {
                let file = self.file(rng);
                self.agent_edit(rng, &file);
            }
            AgentShell => {
                let file = self.file(rng);
                self.agent_shell(rng, &file);
            }
            HumanEdit => {
                let file = self.file(rng);
                self.human_edit(rng, self.work(), &file);
            }
            Format => {
                let file = self.file(rng);
                self.format(rng, &file);
            }
            StageSome => {
                let file = self.file(rng);
                self.git(&["add", "--", &file]);
            }
            Commit => drop(self.git(&["commit", "--quiet", "-m", "staged"])),
            CommitAll => {
                self.git(&["add", "-A"]);
                self.git(&["commit", "--quiet", "-m", "all"]);
            }
            Amend => {
                if rng.below(2) == 0 {
                    self.git(&["add", "-A"]);
                }
                self.git(&["commit", "--quiet", "--amend", "--allow-empty", "-m", "amended"]);
            }
            Branch => {
                self.count += 1;
                let name = format!("topic{}", self.count);
                self.git(&["switch", "--quiet", "-c", &name]);
            }
            Switch => {
                if let Some(branch) = self.other_branch(rng) {
                    self.git(&["switch", "--quiet", &branch]);
                }
            }
            Merge | SquashMerge | Rebase | RebaseInteractive | CherryPick | Revert if !self.is_clean() => {
                self.git(&["add", "-A"]);
                self.git(&["commit", "--quiet", "-m", "before"]);
                self.rewrite(op.kind, rng);
            }
            Merge | SquashMerge | Rebase | RebaseInteractive | CherryPick | Revert => self.rewrite(op.kind, rng),
            Stash => drop(self.git(&["stash", "--quiet", "-u"])),
            StashPop => {
                if !self.git(&["stash", "pop", "--quiet"]) {
                    self.git(&["checkout", "--quiet", "-f", "HEAD"]);
                    self.git(&["clean", "-fdq"]);
                }
            }
            Reset => {
                let how = ["--soft", "--mixed", "--hard"][rng.below(3)];
                let back = ["HEAD", "HEAD~1"][rng.below(2)];
                self.git(&["reset", "--quiet", how, back]);
            }
            Rename => {
                let file = self.file(rng);
                self.count += 1;
                let name = format!("moved{}.py", self.count);
                self.git(&["mv", &file, &name]);
            }
            Worktree => self.worktree(rng),
            ServerSquash => self.server_squash(rng),
            OthersCommit => self.others_commit(rng),
        }
    }

    fn rewrite(&mut self, kind: Kind, rng: &mut Rng) {
        let Some(branch) = self.other_branch(rng) else { return };
        match kind {
            Merge => {
                if !self.git(&["merge", "--quiet", "--no-edit", &branch]) {
                    self.resolve(rng, &["commit", "--quiet", "--no-edit"], &["merge", "--abort"]);
                }
            }
            SquashMerge => {
                if !self.git(&["merge", "--quiet", "--squash", &branch]) {
                    self.resolve(rng, &["commit", "--quiet", "-m", "squashed"], &["reset", "--quiet", "--hard"]);
                } else {
                    self.git(&["commit", "--quiet", "-m", "squashed"]);
                }
            }
            Rebase => {
                if !self.git(&["rebase", "--quiet", &branch]) {
                    self.resolve(rng, &["rebase", "--continue"], &["rebase", "--abort"]);
                }
            }
            RebaseInteractive => {
                let edit = ["sed -i 2s/pick/squash/", "sed -i 2s/pick/fixup/", "sed -i 1d", "sed -i '1h;1d;2G'"];
                let edit = edit[rng.below(edit.len())];
                if !self.git_env(&["rebase", "--quiet", "-i", "HEAD~3"], &[("GIT_SEQUENCE_EDITOR", edit)]) {
                    self.resolve(rng, &["rebase", "--continue"], &["rebase", "--abort"]);
                }
            }
            CherryPick => {
                let Some(commit) = self.some_commit(rng, &branch) else { return };
                if rng.below(3) == 0 {
                    if self.git(&["cherry-pick", "-n", &commit]) {
                        self.git(&["commit", "--quiet", "-m", "picked"]);
                    } else {
                        self.git(&["reset", "--quiet", "--hard"]);
                    }
                } else if !self.git(&["cherry-pick", &commit]) {
                    self.resolve(rng, &["cherry-pick", "--continue"], &["cherry-pick", "--abort"]);
                }
            }
            _ => {
                let Some(commit) = self.some_commit(rng, "HEAD") else { return };
                if !self.git(&["revert", "--no-edit", &commit]) {
                    self.resolve(rng, &["revert", "--continue"], &["revert", "--abort"]);
                }
            }
        }
    }

    /// A person and an agent work in a further work tree, on a branch of its own.
    fn worktree(&mut self, rng: &mut Rng) {
        self.count += 1;
        let (name, dir) = (format!("tree{}", self.count), self.team.ada.path(format!("tree{}", self.count)));
        if !self.git(&["worktree", "add", "--quiet", "-b", &name, dir.to_str().unwrap()]) {
            return;
        }
        let file = self.file(rng);
        self.human_edit(rng, &dir, &file);
        let session = format!("w{}", self.count);
        let agent = Agent::start(&self.team.ada, &dir, &session);
        agent.prompt("Write.");
        let old = self.text(&dir, &file);
        let (new, tokens) = self.changed(rng, &old, 'a');
        self.script.push(format!("in {name} agent {session} writes {file}:\n{new}"));
        let call = agent.write(&file, &new);
        for token in tokens {
            self.tokens.insert(token, Writer::Agent { session: session.clone(), call: call.clone() });
        }
        for args in [&["add", "-A"][..], &["commit", "--quiet", "-m", "in a work tree"]] {
            self.script.push(format!("in {name}: git {}", args.join(" ")));
            self.team.ada.pass(1);
            self.team.ada.command("git", &dir).args(args).output().unwrap();
        }
    }

    fn push(&mut self) {
        self.git(&["push", "--quiet", "--force", "--all", "origin"]);
    }

    fn server_squash(&mut self, rng: &mut Rng) {
        let Some(branch) = self.branches().into_iter().filter(|name| name != "main").nth(rng.below(2)) else { return };
        self.push();
        self.olga(&["fetch", "--quiet", "origin"]);
        self.olga(&["switch", "--quiet", "-C", "main", "origin/main"]);
        let topic = format!("origin/{branch}");
        if self.olga(&["merge", "--quiet", "--squash", &topic]) {
            self.olga(&["commit", "--quiet", "-m", "squashed on the server"]);
            self.olga(&["push", "--quiet", "origin", "main"]);
        } else {
            self.olga(&["reset", "--quiet", "--hard"]);
        }
        self.pull(rng);
    }

    fn others_commit(&mut self, rng: &mut Rng) {
        self.push();
        self.olga(&["fetch", "--quiet", "origin"]);
        self.olga(&["switch", "--quiet", "-C", "main", "origin/main"]);
        let file = FILES[rng.below(FILES.len())];
        let dir = self.bare_clone.clone();
        self.human_edit(rng, &dir, file);
        self.olga(&["add", "-A"]);
        self.olga(&["commit", "--quiet", "-m", "another's"]);
        self.olga(&["push", "--quiet", "origin", "main"]);
        self.pull(rng);
    }

    fn pull(&mut self, rng: &mut Rng) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "--quiet", "-m", "before the pull"]);
        self.git(&["switch", "--quiet", "main"]);
        let how = ["--rebase", "--no-rebase"][rng.below(2)];
        if !self.git(&["pull", "--quiet", how, "--no-edit", "origin", "main"]) {
            match how {
                "--rebase" => self.resolve(rng, &["rebase", "--continue"], &["rebase", "--abort"]),
                _ => self.resolve(rng, &["commit", "--quiet", "--no-edit"], &["merge", "--abort"]),
            }
        }
    }

    /// Compares what blame says of every line at HEAD with what is true.
    fn judge(&mut self) -> Verdict {
        for give_up in
            [&["rebase", "--abort"][..], &["merge", "--abort"], &["cherry-pick", "--abort"], &["revert", "--abort"]]
        {
            self.git(give_up);
        }
        self.git(&["add", "-A"]);
        self.git(&["commit", "--quiet", "-m", "end"]);
        let mut verdict = Verdict::default();
        let files = self.ask(&["-c", "core.quotePath=false", "ls-files"]);
        for file in files.lines().filter(|name| name.ends_with(".py") || name.ends_with(".txt")) {
            let answer = self.team.ada.run(self.work(), ["blame", "--json", "HEAD", "--", file]);
            assert_eq!(answer.code, Some(0), "blame of {file}: {}", answer.stderr);
            for line in answer.stdout.lines() {
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
                let text = line["text"].as_str().unwrap();
                let Some((token, writer)) = token_of(text).and_then(|token| self.tokens.get_key_value(token)) else {
                    continue;
                };
                verdict.see(file, token, writer, &line);
            }
        }
        verdict
    }
}

fn is_marker(line: &str) -> bool {
    ["<<<<<<< ", "=======", ">>>>>>> ", "||||||| "].iter().any(|marker| line.starts_with(marker))
}

/// The token in a line: a letter and five digits.
fn token_of(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
    (end >= 6).then(|| &text[..end])
}

#[derive(Debug, Default)]
struct Verdict {
    agent: u64,
    found: u64,
    human: u64,
    /// Lines that are not the agent's, or another call's.
    wrong: Vec<String>,
    missed: Vec<String>,
    evidence: BTreeMap<String, u64>,
}

impl Verdict {
    fn see(&mut self, file: &str, token: &str, writer: &Writer, line: &serde_json::Value) {
        let said_agent = line["origin"] == "agent";
        let told = || format!("{file} {token}: {writer:?}, blame says {line}");
        match writer {
            Writer::Human => {
                self.human += 1;
                if said_agent {
                    self.wrong.push(told());
                }
            }
            Writer::Agent { session, call } => {
                self.agent += 1;
                if !said_agent {
                    self.missed.push(told());
                } else if line["session"] == **session && line["call"] == **call {
                    self.found += 1;
                    *self.evidence.entry(line["evidence"].as_str().unwrap().to_owned()).or_default() += 1;
                } else {
                    self.wrong.push(told());
                }
            }
        }
    }

    fn is_bad(&self) -> bool {
        !self.wrong.is_empty() || !self.missed.is_empty()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} agents' lines, {} found; {} people's", self.agent, self.found, self.human)?;
        self.wrong.iter().try_for_each(|line| writeln!(f, "WRONG  {line}"))?;
        self.missed.iter().try_for_each(|line| writeln!(f, "MISSED {line}"))
    }
}

fn run(ops: &[Op]) -> (Verdict, Vec<String>) {
    let team = Team::new();
    let mut play = Play::new(&team);
    for op in ops {
        play.play(*op);
    }
    let verdict = play.judge();
    (verdict, play.script)
}

/// The shortest sequence of these that is wrong as well.
fn shrink(ops: Vec<Op>) -> (Vec<Op>, Verdict, Vec<String>) {
    let (verdict, script) = run(&ops);
    let mut best = (ops, verdict, script);
    let mut size = best.0.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < best.0.len() {
            let mut less = best.0.clone();
            less.drain(at..(at + size).min(less.len()));
            let (verdict, script) = run(&less);
            match verdict.is_bad() {
                true => best = (less, verdict, script),
                false => at += size,
            }
        }
        size /= 2;
    }
    best
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn lines_are_found_whatever_is_done_in_git() {
    let (count, first) = (number("TRACEVAULT_SEQUENCES", 10), number("TRACEVAULT_SEED", 1));
    let next = AtomicU64::new(first);
    let total: Mutex<Verdict> = Mutex::default();
    let bad: Mutex<Vec<u64>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let seed = next.fetch_add(1, Ordering::Relaxed)
                    && seed < first + count
                {
                    let (verdict, _) = run(&sequence(seed));
                    if verdict.is_bad() {
                        bad.lock().unwrap().push(seed);
                    }
                    let mut total = total.lock().unwrap();
                    total.agent += verdict.agent;
                    total.found += verdict.found;
                    total.human += verdict.human;
                    total.wrong.extend(verdict.wrong);
                    total.missed.extend(verdict.missed);
                    for (evidence, lines) in verdict.evidence {
                        *total.evidence.entry(evidence).or_default() += lines;
                    }
                }
            });
        }
    });
    let (total, mut bad) = (total.into_inner().unwrap(), bad.into_inner().unwrap());
    bad.sort_unstable();
    #[allow(clippy::print_stdout)]
    {
        println!(
            "{count} sequences: {} agents' lines, {} found ({:?}), {} wrong, {} missed; {} people's lines; bad: {bad:?}",
            total.agent,
            total.found,
            total.evidence,
            total.wrong.len(),
            total.missed.len(),
            total.human
        );
    }
    let enough = total.wrong.is_empty() && total.found * 1000 >= total.agent * 999;
    if let (false, Some(seed)) = (enough, bad.first()) {
        let (ops, verdict, script) = shrink(sequence(*seed));
        panic!("sequence {seed}, shortened to {ops:?}:\n{}\n{verdict}", script.join("\n"));
    }
    assert!(total.agent > 0 && total.human > 0, "nothing was written");
}
