//! Doing in git what a sequence says, and keeping account of who wrote which line.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use super::Kind::{self, *};
use super::{Op, Rng, Verdict};
use crate::agent::Agent;
use crate::ledger::Team;
use crate::lines;
use crate::support::World;

/// What a line's token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Writer {
    Human,
    Agent { session: String, call: String },
}

/// A place where somebody works: the clone, or a further work tree of it.
pub struct Play<'t> {
    team: &'t Team,
    others: World,
    bare_clone: PathBuf,
    agents: [Agent<'t>; 2],
    tokens: HashMap<String, Writer>,
    pub script: Vec<String>,
    count: u32,
}

const FILES: [&str; 3] = ["one.py", "src/two.py", "three words.txt"];

impl<'t> Play<'t> {
    pub fn new(team: &'t Team) -> Self {
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
        let at = out_of_calls(&lines, rng.below(lines.len() + 1));
        let gone = match rng.below(4) {
            0 => rng.below(3).min(lines.len() - at),
            1 => 1.min(lines.len() - at),
            _ => 0,
        };
        let gone = out_of_calls(&lines, at + gone) - at;
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

    pub fn play(&mut self, op: Op) {
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

    /// Compares what blame says of every line at HEAD with what is true, and what stats says with blame.
    pub fn judge(&mut self) -> Verdict {
        for give_up in
            [&["rebase", "--abort"][..], &["merge", "--abort"], &["cherry-pick", "--abort"], &["revert", "--abort"]]
        {
            self.git(give_up);
        }
        self.git(&["add", "-A"]);
        self.git(&["commit", "--quiet", "-m", "end"]);
        let mut verdict = Verdict::default();
        let stats = self.team.ada.run(self.work(), ["stats", "--by", "path", "--json"]).json();
        let files = self.ask(&["-c", "core.quotePath=false", "ls-files"]);
        for file in files.lines().filter(|name| name.ends_with(".py") || name.ends_with(".txt")) {
            let answer = self.team.ada.run(self.work(), ["blame", "--json", "HEAD", "--", file]);
            assert_eq!(answer.code, Some(0), "blame of {file}: {}", answer.stderr);
            let lines: Vec<serde_json::Value> =
                answer.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            let (found, told) = (lines::counted(lines.iter()), lines::told(&stats["by_path"][file]));
            if found != told {
                verdict.wrong.push(format!("{file}: blame has {found:?}, stats {told:?}"));
            }
            let mut by_token: BTreeMap<&str, Vec<&serde_json::Value>> = BTreeMap::new();
            for line in &lines {
                if let Some(token) = token_of(line["text"].as_str().unwrap()) {
                    by_token.entry(token).or_default().push(line);
                }
            }
            for (token, lines) in by_token {
                if let Some(writer) = self.tokens.get(token) {
                    verdict.see(file, token, writer, &lines);
                }
            }
        }
        verdict
    }
}

/// The first place from `at` on that is not between the lines of one call: a call cut in two is nobody's line.
fn out_of_calls(lines: &[String], at: usize) -> usize {
    let depth = |to: usize| -> i32 {
        let letters = lines[..to].iter().flat_map(|line| line.chars());
        letters.map(|c| i32::from(c == '(') - i32::from(c == ')')).sum()
    };
    (at..lines.len()).find(|at| depth(*at) <= 0).unwrap_or(lines.len())
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
