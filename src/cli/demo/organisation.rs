//! The demo's organisation: repositories, people and some months of agents' work in them, by the very same hooks.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Demo;
use crate::host::files;
use crate::host::output::Out;
use crate::host::progress::Bar;
use crate::time::Time;

const ORGANISATION: &str = include_str!("organisation.toml");
/// So many sessions every repository has.
const SESSIONS: usize = 20;
/// From one session of a repository to the next, in seconds: some days and a bit, so that they wander over the day.
const APART: i64 = 6 * 86_400 + 3_700;
/// After so many sessions a witness seals.
const SEAL_AFTER: usize = 6;

const POLICY: &str = "[[rule]]\nname = \"every-commit-is-recorded\"\ncondition = \"trace-completeness\"\nlevel = \"block\"\n\n\
    [[rule]]\nname = \"share-of-agents\"\ncondition = \"ai-percentage\"\nmax_percent = 95\nlevel = \"warn\"\n";

#[derive(Deserialize)]
struct Organisation {
    since: Time,
    models: Vec<String>,
    repository: Vec<Repository>,
    task: Vec<Task>,
}

#[derive(Deserialize)]
pub(super) struct Repository {
    name: String,
    /// The first founds the ledger.
    pub(super) people: Vec<String>,
    things: Vec<String>,
    /// How long payloads are kept, where that is not for a framework of all: they are pruned then.
    #[serde(default)]
    pub(super) keep: Option<String>,
    /// Who writes with a key that nobody has enrolled.
    #[serde(default)]
    pub(super) stranger: Option<String>,
    /// Its agents are sent everything anew each time.
    #[serde(default)]
    uncached: bool,
}

/// What an agent is asked, and what it does.
#[derive(Deserialize)]
struct Task {
    prompt: String,
    reasoning: String,
    #[serde(default)]
    plan: Option<String>,
    closing: String,
    subject: String,
    file: String,
    first: String,
    test: String,
    /// What the test says the first time, and what is changed then.
    #[serde(default)]
    fails: Option<String>,
    #[serde(default)]
    find: String,
    #[serde(default)]
    mend: String,
    #[serde(default)]
    why: String,
    /// An MCP server that is asked first.
    #[serde(default)]
    mcp: Option<String>,
    /// What a person adds before the commit.
    #[serde(default)]
    human: Option<String>,
}

/// Makes all of it; the remotes, each with its name.
pub fn make(demo: &Demo, out: &mut Out) -> anyhow::Result<Vec<(String, PathBuf)>> {
    let organisation: Organisation = toml::from_str(ORGANISATION).context("the demo's organisation")?;
    let all = organisation.repository.len() * SESSIONS;
    out.line(format_args!("Playing {all} sessions of agents in {} repositories…", organisation.repository.len()))?;
    std::io::Write::flush(out)?;
    let bar = Bar::new("sessions", all as u64);
    let mut remotes = Vec::new();
    for (place, repository) in organisation.repository.iter().enumerate() {
        let remote = demo.path(&format!("{}.git", repository.name));
        Play { demo, organisation: &organisation, repository, remote: remote.clone(), place }.play(&bar)?;
        remotes.push((repository.name.clone(), remote));
    }
    Ok(remotes)
}

/// One repository's months.
pub(super) struct Play<'a> {
    demo: &'a Demo,
    organisation: &'a Organisation,
    pub(super) repository: &'a Repository,
    pub(super) remote: PathBuf,
    place: usize,
}

impl Play<'_> {
    pub(super) fn work(&self, who: &str) -> PathBuf {
        self.demo.path(&format!("{}-{who}", self.repository.name))
    }

    /// Runs git as somebody at some time.
    pub(super) fn git(&self, who: &str, at: Time, args: &[&str]) -> anyhow::Result<()> {
        self.input(who, at, args, &[]).map(drop)
    }

    /// The same, and what it prints.
    pub(super) fn told(&self, who: &str, at: Time, args: &[&str]) -> anyhow::Result<String> {
        self.input(who, at, args, &[])
    }

    fn input(&self, who: &str, at: Time, args: &[&str], input: &[u8]) -> anyhow::Result<String> {
        let work = self.work(who);
        let dir = if work.exists() { work } else { self.demo.root.clone() };
        let at = at.to_string();
        let git = self.demo.git(who, &dir)?.env("TRACEVAULT_NOW", &at);
        let git = git.env("GIT_AUTHOR_DATE", &at).env("GIT_COMMITTER_DATE", &at);
        let answer = git.args(args).input(input.to_vec()).answer()?;
        if answer.code != Some(0) {
            bail!("{who}: git {} did not succeed: {}", args.join(" "), answer.stderr.trim());
        }
        Ok(answer.text())
    }

    fn play(&self, bar: &Bar) -> anyhow::Result<()> {
        let begin = Time::from_unix(self.organisation.since.unix() + self.place as i64 * 9_000);
        self.found(begin)?;
        let things = &self.repository.things;
        let people = &self.repository.people;
        for number in 0..SESSIONS {
            let thing = &things[(number / self.organisation.task.len() + number) % things.len()];
            let who = &people[(number * 2 + 1) % people.len()];
            let at = Time::from_unix(begin.unix() + 7_200 + number as i64 * APART);
            let task = &self.organisation.task[number % self.organisation.task.len()];
            let session = Session { play: self, task, thing, who, number, at: at.unix() };
            session.play()?;
            if number % SEAL_AFTER == SEAL_AFTER - 1 {
                self.git("witness", Time::from_unix(at.unix() + 5_000), &["tracevault", "seal"])?;
            }
            bar.step(1);
        }
        self.decide(Time::from_unix(begin.unix() + SESSIONS as i64 * APART))
    }

    /// The ledger is founded, everybody enrolled, and rules are set.
    fn found(&self, at: Time) -> anyhow::Result<()> {
        let (lead, others) = self.repository.people.split_first().context("somebody must found the ledger")?;
        let remote = self.remote.display().to_string();
        self.git(lead, at, &["init", "--quiet", "--bare", "-b", "main", &remote])?;
        self.git(lead, at, &["clone", "--quiet", &remote, &self.work(lead).display().to_string()])?;
        self.git(lead, at, &["symbolic-ref", "HEAD", "refs/heads/main"])?;
        self.git(lead, at, &["tracevault", "init"])?;
        std::fs::write(self.work(lead).join("README.md"), format!("# {}\n", self.repository.name))?;
        self.git(lead, at, &["add", "--all"])?;
        self.git(lead, at, &["commit", "--quiet", "-m", "Begin, with a ledger"])?;
        self.git(lead, at, &["push", "--quiet", "origin", "main"])?;
        for who in others.iter().map(String::as_str).chain(["witness"]) {
            self.git(who, at, &["clone", "--quiet", &remote, &self.work(who).display().to_string()])?;
            if who == "witness" {
                self.git(who, at, &["tracevault", "fetch"])?;
                self.git(who, at, &["tracevault", "seal", "--init"])?;
            } else {
                self.git(who, at, &["tracevault", "init"])?;
                self.git(who, at, &["tracevault", "push"])?;
            }
            self.git(lead, at, &["tracevault", "fetch"])?;
            let (name, role) = match who {
                "witness" => (who.to_owned(), "witness"),
                _ => (format!("{who}@example.com"), "developer"),
            };
            self.git(lead, at, &["tracevault", "member", "add", &name, "--role", role])?;
        }
        self.input(lead, at, &["tracevault", "policy", "set", "-"], POLICY.as_bytes())?;
        let keep = self.repository.keep.as_deref().unwrap_or("sox");
        self.git(lead, at, &["tracevault", "compliance", "set", keep, "--yes"])?;
        self.git(lead, at, &["tracevault", "push"])?;
        for who in others {
            self.git(who, at, &["tracevault", "fetch"])?;
        }
        Ok(())
    }
}

/// One session: hooks, transcript and files, and the commit behind it.
struct Session<'a> {
    play: &'a Play<'a>,
    task: &'a Task,
    thing: &'a str,
    who: &'a str,
    number: usize,
    /// When it begins, in seconds since 1970.
    at: i64,
}

/// What the session has written so far.
struct Written {
    transcript: PathBuf,
    lines: usize,
    messages: usize,
    calls: usize,
    at: i64,
}

impl Session<'_> {
    fn id(&self) -> String {
        let place = self.play.place * SESSIONS + self.number + 1;
        format!("{:08x}-0000-4000-8000-{place:012x}", place.wrapping_mul(0x9e37_79b1) & 0xffff_ffff)
    }

    fn fill(&self, text: &str) -> String {
        let mut capital = self.thing.to_owned();
        capital[..1].make_ascii_uppercase();
        // Made here, so that no scanner finds a key in this program's own source.
        let secret = format!("AKIA{}", "Q7ZK4M2X5T3WN6PB");
        text.replace("{thing}", self.thing).replace("{Thing}", &capital).replace("{secret}", &secret)
    }

    fn play(&self) -> anyhow::Result<()> {
        let work = self.play.work(self.who);
        let (begins, origin) = (Time::from_unix(self.at), ["--quiet", "origin", "main"]);
        self.play.git(self.who, begins, &[&["pull", "--ff-only"], &origin[..]].concat())?;
        let home = self.play.demo.path(&format!("home-{}", self.who));
        let transcript = home.join(".claude/projects/demo").join(format!("{}.jsonl", self.id()));
        files::create_private_dir(transcript.parent().context("a folder")?)?;
        let mut written = Written { transcript, lines: 0, messages: 0, calls: 0, at: self.at };
        let prompt = self.fill(&self.task.prompt);
        self.hook(&mut written, json!({ "hook_event_name": "SessionStart", "source": "startup" }))?;
        self.hook(&mut written, json!({ "hook_event_name": "UserPromptSubmit", "prompt": prompt }))?;
        self.line(&mut written, "user", json!({ "role": "user", "content": prompt }), Value::Null)?;
        let thinking = json!({ "type": "thinking", "thinking": self.fill(&self.task.reasoning), "signature": "c2ln" });
        self.says(&mut written, thinking)?;
        if let Some(plan) = &self.task.plan {
            let input = json!({ "plan": self.fill(plan) });
            self.call(&mut written, "ExitPlanMode", input, Ok(said("User has approved your plan.")), || Ok(()))?;
        }
        if let Some(server) = &self.task.mcp {
            let input = json!({ "query": format!("{} limits", self.thing) });
            let found = Ok(said("200 a day, 40 an hour, agreed in March"));
            self.call(&mut written, &format!("mcp__{server}__search"), input, found, || Ok(()))?;
        }
        self.write(&mut written, &work)?;
        let closing = json!({ "type": "text", "text": self.fill(&self.task.closing) });
        self.says(&mut written, closing)?;
        self.hook(&mut written, json!({ "hook_event_name": "Stop", "stop_hook_active": false }))?;
        self.hook(&mut written, json!({ "hook_event_name": "SessionEnd", "reason": "prompt_input_exit" }))?;
        if let Some(human) = &self.task.human {
            files::append_private(&work.join(self.fill(&self.task.file)), human.as_bytes())?;
        }
        let at = Time::from_unix(written.at + 60);
        self.play.git(self.who, at, &["add", "--all"])?;
        self.play.git(self.who, at, &["commit", "--quiet", "-m", &self.fill(&self.task.subject)])?;
        self.play.git(self.who, at, &[&["push"], &origin[..]].concat())
    }

    /// Writes the file, tests it, and mends it if the test fails.
    fn write(&self, written: &mut Written, work: &Path) -> anyhow::Result<()> {
        let path = work.join(self.fill(&self.task.file));
        let text = self.fill(self.task.first.trim_start());
        let input = json!({ "file_path": path, "content": text });
        let created = json!({
            "type": "create", "filePath": path, "content": text, "structuredPatch": [], "originalFile": null, "userModified": false,
        });
        let created = Ok((created, "File created successfully".to_owned()));
        self.call(written, "Write", input, created, || Ok(std::fs::write(&path, &text)?))?;
        let test = json!({ "command": self.fill(&self.task.test), "description": "Test it" });
        if let Some(fails) = &self.task.fails {
            self.call(written, "Bash", test.clone(), Err(format!("Exit code 1\n{}", self.fill(fails))), || Ok(()))?;
            self.says(written, json!({ "type": "text", "text": self.fill(&self.task.why) }))?;
            let (find, mend) = (self.fill(&self.task.find), self.fill(&self.task.mend));
            let input = json!({ "file_path": path, "old_string": find, "new_string": mend, "replace_all": false });
            let mended = text.replace(&find, &mend);
            let changed = Ok((changed(&path, &text, &find, &mend), "The file has been updated".to_owned()));
            self.call(written, "Edit", input, changed, || Ok(std::fs::write(&path, &mended)?))?;
        }
        self.call(written, "Bash", test, Ok(said("OK")), || Ok(()))
    }

    /// One tool call: both hooks, and what happens between them.
    fn call(
        &self,
        written: &mut Written,
        tool: &str,
        input: Value,
        result: Result<(Value, String), String>,
        does: impl FnOnce() -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        written.calls += 1;
        let id = format!("toolu_{}_{}", &self.id()[..8], written.calls);
        self.says(written, json!({ "type": "tool_use", "id": id, "name": tool, "input": input }))?;
        let about = json!({ "tool_name": tool, "tool_use_id": id, "tool_input": input });
        self.hook(written, merged(json!({ "hook_event_name": "PreToolUse" }), &about))?;
        does()?;
        let (after, content) = match result {
            Ok((response, said)) => {
                (json!({ "hook_event_name": "PostToolUse", "tool_response": response, "duration_ms": 120 }), said)
            }
            Err(error) => {
                (json!({ "hook_event_name": "PostToolUseFailure", "error": error, "duration_ms": 900 }), error)
            }
        };
        let failed = after["error"].is_string();
        let response = after.get("tool_response").cloned().unwrap_or_else(|| json!(format!("Error: {content}")));
        self.hook(written, merged(after, &about))?;
        let block = json!({ "type": "tool_result", "tool_use_id": id, "content": content, "is_error": failed });
        self.line(written, "user", json!({ "role": "user", "content": [block] }), response)
    }

    /// A message of the model with its tokens.
    fn says(&self, written: &mut Written, block: Value) -> anyhow::Result<()> {
        written.messages += 1;
        let models = &self.play.organisation.models;
        let model = &models[(self.number + self.play.place) % models.len()];
        let grown = 2_000 * written.messages as u64 + 311 * self.number as u64;
        // What is sent: with a cache most of it is read from there.
        let (read, sent) = (9_000 + grown, 40 + grown % 97);
        let (read, sent) = if self.play.repository.uncached { (sent, read) } else { (read, sent) };
        let usage = json!({
            "input_tokens": sent, "output_tokens": 120 + (grown * 7) % 900, "cache_read_input_tokens": read,
            "cache_creation_input_tokens": 1_500 + grown % 700,
            "cache_creation": { "ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 1_500 + grown % 700 },
        });
        let stop = if block["type"] == "tool_use" { "tool_use" } else { "end_turn" };
        let message = json!({
            "id": format!("msg_{}_{}", &self.id()[..8], written.messages), "type": "message", "role": "assistant", "model": model,
            "content": [block], "stop_reason": stop, "usage": usage,
        });
        self.line(written, "assistant", message, Value::Null)
    }

    fn line(&self, written: &mut Written, kind: &str, message: Value, result: Value) -> anyhow::Result<()> {
        written.lines += 1;
        written.at += 20 + (self.number as i64 * 13) % 45;
        let mut line = json!({
            "uuid": format!("{}-0000-4000-8000-{:012x}", &self.id()[..8], written.lines),
            "timestamp": Time::from_unix(written.at).to_string(), "sessionId": self.id(), "version": "2.1.330",
            "cwd": self.play.work(self.who), "gitBranch": "main", "isSidechain": false, "type": kind, "message": message,
        });
        if !result.is_null() {
            line["toolUseResult"] = result;
        }
        Ok(files::append_private(&written.transcript, format!("{line}\n").as_bytes())?)
    }

    fn hook(&self, written: &mut Written, payload: Value) -> anyhow::Result<()> {
        written.at += 2;
        let about = json!({
            "session_id": self.id(), "transcript_path": written.transcript, "cwd": self.play.work(self.who),
        });
        let payload = merged(payload, &about).to_string();
        let at = Time::from_unix(written.at);
        self.play.input(self.who, at, &["tracevault", "hook", "claude-code"], payload.as_bytes()).map(drop)
    }
}

/// What a tool answers that answers with text alone.
fn said(text: &str) -> (Value, String) {
    (json!(text), text.to_owned())
}

/// What the agent's Edit answers.
fn changed(path: &Path, text: &str, find: &str, mend: &str) -> Value {
    let at = text.find(find).map_or(0, |at| text[..at].matches('\n').count()) + 1;
    let (old, new) = (find.lines().map(|line| format!("-{line}")), mend.lines().map(|line| format!("+{line}")));
    let hunk = json!({
        "oldStart": at, "oldLines": find.lines().count(), "newStart": at, "newLines": mend.lines().count(),
        "lines": old.chain(new).collect::<Vec<_>>(),
    });
    json!({
        "filePath": path, "oldString": find, "newString": mend, "originalFile": text, "structuredPatch": [hunk], "userModified": false,
        "replaceAll": false,
    })
}

/// One object with the fields of both.
fn merged(mut one: Value, other: &Value) -> Value {
    for (name, value) in other.as_object().into_iter().flatten() {
        one[name] = value.clone();
    }
    one
}
