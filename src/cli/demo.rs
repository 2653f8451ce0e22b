//! `git tracevault demo`: the whole journey in a folder of its own, with a recorded session and the very same hooks.

mod decided;
mod organisation;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::Deserialize;

use crate::cli::{Code, serve};
use crate::git::command::{Answer, Git};
use crate::host::output::{self, Out};
use crate::host::{env, files};

/// Show the whole journey: capture, commit, push, fetch, verify, tamper
///
/// Everything happens in a new temporary folder with a home of its own; nothing of yours is touched. With --serve some months of an
/// organisation with three repositories are played instead, and the audit view shows them until it is stopped.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Play some months of an organisation, and serve the audit view of it
    #[arg(long)]
    serve: bool,
    /// Where to serve it; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080", requires = "serve")]
    listen: String,
}

/// One step of the recorded session.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    /// A payload for the agent's hook.
    Hook(serde_json::Value),
    /// A line that the agent adds to its transcript.
    Transcript(serde_json::Value),
    /// A file's new text: by the agent between two hooks, by a person elsewhere.
    Write { path: String, text: String },
}

const SESSION: &str = include_str!("demo/session.jsonl");
const SESSION_ID: &str = "6f1d2c3a-8b4e-4d5f-9a60-7b8c9d0e1f2a";

pub fn run(args: &Args, out: &mut Out) -> anyhow::Result<Code> {
    let root = tempfile::Builder::new().prefix("git-tracevault-demo-").tempdir().context("no temporary folder")?;
    let demo = Demo { root: std::fs::canonicalize(root.path())? };
    if args.serve {
        // The folder goes when it has been looked at.
        let remotes = organisation::make(&demo, out)?;
        let (program, home) = (env::current_exe()?, demo.path("home-lead"));
        out.line("Everybody may read all but the audit log. Sign in as the lead for that, with the address and the code that /sign-in shows:")?;
        let there = demo.path(&format!("{}-lead", remotes[0].0));
        out.line(format_args!(
            "  HOME={} {} -C {} login --all-keys ADDRESS CODE",
            home.display(),
            program.display(),
            there.display()
        ))?;
        std::io::Write::flush(out)?;
        return serve::public(&remotes, &demo.path("indexer"), &args.listen, &demo.root);
    }
    demo.play(out)?;
    // What is shown is worth looking at: the folder stays.
    let root = root.keep();
    let program = env::current_exe()?;
    let there = root.join("reviewer");
    out.line("")?;
    out.line(out.paint(output::HEAD, "Look around; the reviewer's clone is sound again:"))?;
    for command in ["log", "show", "blame split.py", &format!("show {}", &SESSION_ID[..8]), "verify --range main"] {
        out.line(format_args!("  {} -C {} {command}", program.display(), there.display()))?;
    }
    out.line(format_args!("Remove it with: rm -rf {}", root.display()))?;
    out.line("In a repository of yours, type: git tracevault init")?;
    Ok(0)
}

struct Demo {
    root: PathBuf,
}

impl Demo {
    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Git as one of the two people, with the demo's own home and this very program.
    fn git(&self, who: &str, dir: &Path) -> anyhow::Result<Git> {
        let program = env::current_exe()?;
        let folder = program.parent().context("the program has no folder")?;
        let home = self.path(&format!("home-{who}"));
        files::create_private_dir(&home)?;
        let email = format!("{who}@example.com");
        let mut git = Git::in_dir(dir).first_in_path(folder);
        for name in
            ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "CLAUDE_CONFIG_DIR"]
        {
            git = git.without_env(name);
        }
        for role in ["AUTHOR", "COMMITTER"] {
            git = git.env(&format!("GIT_{role}_NAME"), who).env(&format!("GIT_{role}_EMAIL"), &email);
        }
        let null = if cfg!(windows) { "NUL" } else { "/dev/null" };
        Ok(git.env("HOME", &home).env("GIT_CONFIG_GLOBAL", null).env("GIT_CONFIG_NOSYSTEM", "1"))
    }

    /// Shows a command as a person would type it, runs it, shows what it prints.
    fn typed(&self, out: &mut Out, who: &str, dir: &Path, args: &[&str]) -> anyhow::Result<Answer> {
        out.line(format_args!("{} git {}", out.paint(output::DIM, format!("{who} $")), shown(args)))?;
        let answer = self.git(who, dir)?.args(args).answer()?;
        let text = [answer.text(), answer.stderr.clone()].join("\n");
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let line = line.replace(&self.root.display().to_string(), "…");
            out.line(format_args!("    {}", output::visible(&line)))?;
        }
        Ok(answer)
    }

    fn must(&self, out: &mut Out, who: &str, dir: &Path, args: &[&str]) -> anyhow::Result<()> {
        let answer = self.typed(out, who, dir, args)?;
        if answer.code != Some(0) {
            bail!("git {} did not succeed", shown(args));
        }
        Ok(())
    }

    fn play(&self, out: &mut Out) -> anyhow::Result<()> {
        let (remote, developer, reviewer) = (self.path("remote.git"), self.path("developer"), self.path("reviewer"));
        let title = |out: &mut Out, text: &str| out.line(out.paint(output::HEAD, format!("\n{text}")));
        self.git("developer", &self.root)?.args(["init", "--quiet", "--bare", "-b", "main"]).arg(&remote).run()?;
        self.git("developer", &self.root)?.args(["clone", "--quiet"]).arg(&remote).arg(&developer).run()?;
        self.git("developer", &developer)?.args(["symbolic-ref", "HEAD", "refs/heads/main"]).run()?;

        title(out, "1. A developer enrols a repository, once.")?;
        self.must(out, "developer", &developer, &["tracevault", "init"])?;

        title(out, "2. An agent works; its hooks journal what it does. Then: commit and push, as ever.")?;
        let secret = self.replay(&developer, out)?;
        self.must(out, "developer", &developer, &["add", "--all"])?;
        self.must(out, "developer", &developer, &["commit", "--quiet", "-m", "Split amounts without losing a cent"])?;
        self.must(out, "developer", &developer, &["push", "--quiet", "origin", "main"])?;

        title(out, "3. A reviewer clones and asks who wrote this.")?;
        self.git("reviewer", &self.root)?.args(["clone", "--quiet"]).arg(&remote).arg(&reviewer).run()?;
        self.must(out, "reviewer", &reviewer, &["tracevault", "fetch"])?;
        self.must(out, "reviewer", &reviewer, &["tracevault", "log"])?;
        self.must(out, "reviewer", &reviewer, &["tracevault", "blame", "split.py"])?;
        self.must(out, "reviewer", &reviewer, &["tracevault", "verify", "--range", "main"])?;
        self.no_secret(&remote, &secret, out)?;

        title(out, "4. Somebody changes one byte of one record, and makes git's own ids agree.")?;
        let undo = self.tamper(&reviewer, out)?;
        let answer = self.typed(out, "reviewer", &reviewer, &["tracevault", "verify", "--full"])?;
        if answer.code != Some(1) {
            bail!("the changed byte was not noticed");
        }
        self.git("reviewer", &reviewer)?.args(["update-ref"]).args(undo).run()?;
        Ok(())
    }

    /// Plays the recorded session through the agent's hook; the secret that was in its prompt.
    fn replay(&self, repo: &Path, out: &mut Out) -> anyhow::Result<String> {
        let home = self.path("home-developer");
        let transcript = home.join(".claude/projects/demo").join(format!("{SESSION_ID}.jsonl"));
        files::create_private_dir(transcript.parent().context("a folder")?)?;
        // Made here, so that no scanner finds a key in this program's own source.
        let secret = format!("AKIA{}", "Q7ZK4M2X5T3WN6PB");
        let fill = |text: &str| {
            text.replace("{repo}", &repo.display().to_string())
                .replace("{home}", &home.display().to_string())
                .replace("{secret}", &secret)
        };
        let mut events = 0;
        for line in SESSION.lines() {
            match serde_json::from_str(&fill(line)).context("the recorded session")? {
                Step::Hook(payload) => {
                    events += 1;
                    let input = payload.to_string().into_bytes();
                    self.git("developer", repo)?.args(["tracevault", "hook", "claude-code"]).input(input).run()?;
                }
                Step::Transcript(line) => {
                    files::append_private(&transcript, format!("{line}\n").as_bytes())?;
                }
                Step::Write { path, text } => std::fs::write(repo.join(path), text)?,
            }
        }
        out.line(format_args!("    claude-code: {events} events, session {SESSION_ID}"))?;
        Ok(secret)
    }

    /// Looks for the secret in everything that the remote has.
    fn no_secret(&self, remote: &Path, secret: &str, out: &mut Out) -> anyhow::Result<()> {
        let args = ["cat-file", "--batch-all-objects", "--batch", "--unordered"];
        let all = self.git("reviewer", remote)?.args(args).run()?.stdout;
        if all.windows(secret.len()).any(|window| window == secret.as_bytes()) {
            bail!("the secret of the prompt is in the remote");
        }
        Ok(out.line(
            "    (The prompt had a cloud key in it. It is nowhere in the remote: redacted before it was stored.)",
        )?)
    }

    /// Flips a byte in the newest record that the reviewer has seen, rewriting blob, tree, commit and ref; how to
    /// undo it.
    fn tamper(&self, reviewer: &Path, out: &mut Out) -> anyhow::Result<[String; 2]> {
        let git = |args: &[&str]| -> anyhow::Result<Git> { Ok(self.git("reviewer", reviewer)?.args(args)) };
        let refs =
            git(&["for-each-ref", "--format=%(refname) %(objectname)", "refs/tracevault-local/origin/log"])?.run()?;
        let text = refs.text();
        let (name, tip) = text.split_once(' ').context("a chain")?;
        let mut record = git(&["cat-file", "blob", &format!("{tip}:record.json")])?.run()?.stdout;
        let at = record.windows(8).position(|window| window == b"\"agent\":").context("a commit record")? + 8;
        let was = record[at];
        record[at] = if was == b'9' { b'8' } else { was + 1 };
        let blob = git(&["hash-object", "-w", "--stdin"])?.input(record.clone()).run()?.text();
        let tree = git(&["ls-tree", tip])?.run()?.text();
        let old = git(&["rev-parse", &format!("{tip}:record.json")])?.run()?.text();
        let tree = git(&["mktree"])?.input(tree.replace(&old, &blob).into_bytes()).run()?.text();
        let commit = git(&["cat-file", "commit", tip])?.run()?.text();
        let old_tree = git(&["rev-parse", &format!("{tip}^{{tree}}")])?.run()?.text();
        // The message of the commit names the record's id: the forger thinks of that, too.
        let digest = |bytes: &[u8]| crate::digest::Digest::of(bytes).to_string();
        let original = git(&["cat-file", "blob", &format!("{tip}:record.json")])?.run()?.stdout;
        let commit = commit.replace(&old_tree, &tree).replace(&digest(&original), &digest(&record)) + "\n";
        let forged = git(&["hash-object", "-t", "commit", "-w", "--stdin"])?.input(commit.into_bytes()).run()?.text();
        git(&["update-ref", name, &forged])?.run()?;
        let (was, is) = (was as char, record[at] as char);
        out.line(format_args!(
            "    \"agent\":{was} became \"agent\":{is}; blob, tree, commit and ref were written anew"
        ))?;
        Ok([name.to_owned(), tip.to_owned()])
    }
}

fn shown(args: &[&str]) -> String {
    let quoted = |arg: &&str| if arg.contains(' ') { format!("\"{arg}\"") } else { (*arg).to_owned() };
    args.iter().map(quoted).collect::<Vec<_>>().join(" ")
}
